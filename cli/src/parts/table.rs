//! The table of parts: what a lab consists of, the settings of each part, and its dependencies.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use supervisor::{Part, part::Line, probe::Probe};

pub(crate) use super::choices::{Broker, Choices, Kafka, Timing, Webhooks};
use super::{
    alerting, apache_kafka, backup, chaos,
    cloud::{self, NOTIFIER},
    control_room, edge, environment, exporters, forget, grafana, monitoring, objects, opensearch,
    ports::PORTS,
    postgres::{self, Confirm, REPLICA},
    probe, programs,
    replicas::{Instance, instances},
    stores,
};
use secrecy::ExposeSecret as _;

use crate::{backup::lost, disk, failover, home::Home, secrets::Secrets};

/// Builds the table. Writes configurations below the lab's folder; starts nothing.
///
/// # Errors
/// Names what is missing on this machine.
pub(crate) fn table(home: &Home, choices: &Choices) -> Result<Vec<Part>> {
    let ports = &choices.ports;
    // A drill whose lab ended first: otherwise an empty server would be made in the place of these data.
    lost::find(home)?;
    failover::before_start(home)?;
    // Unless a promoted replica took their place just now.
    lost::find(home)?;
    let mut parts = vec![
        postgres::part(home, ports.get("postgres"), choices.replica)?,
        stores::redis(home, ports.get("redis"))?,
        monitoring::traces(home, ports)?,
        // The control room first: Alertmanager has somebody to call from its first moment.
        control_room::part(home, choices, &breakable(choices))?,
        alerting::alertmanager(home, ports, &choices.webhooks, choices.timing.clock)?,
    ];
    parts.extend(chaos::part(home, choices)?);
    if choices.replica.is_some() {
        failover::build::forget(home)?;
        parts.push(postgres::replica(home, ports.get(REPLICA), ports.get("postgres"))?);
    } else {
        failover::build::remove(home)?;
    }
    parts.extend(storage(home, choices)?);
    match choices.kafka {
        Kafka::Embedded => parts.push(stores::kafka(ports)?),
        Kafka::Apache => parts.push(apache_kafka::part(home, ports)?),
        Kafka::Elsewhere(_) => {}
    }
    let services = services(home, choices)?;
    let names: Vec<String> = services.iter().map(|part| part.name.clone()).collect();
    parts.extend(services);
    parts.extend(users(choices)?);
    let targets: Vec<_> = parts.iter().filter_map(target).collect();
    // After that: it is not scraped, so it is in no objective and pages nobody.
    let base = parts.iter().find(|part| choices.staging && part.name == edge::EDGE);
    let staging = base.map(|base| with_folder(edge::staging(base, choices), home)).transpose()?;
    parts.extend(staging);
    let exporters = exporters::parts(home, ports)?;
    let jobs = exporters::jobs(&exporters);
    let mut prometheus = monitoring::prometheus(home, ports, &targets, &jobs, choices.timing)?;
    prometheus.errand = Some(forget::errand(home)?);
    // Last, so that it never sees a target that has not come up yet, and stopped first, so that it sees none go.
    prometheus.after.extend(names);
    prometheus.after.extend(exporters.iter().map(|exporter| exporter.name.clone()));
    parts.extend(exporters);
    parts.push(prometheus);
    parts.extend(grafana::loki(home, ports)?);
    if choices.opensearch {
        parts.push(opensearch::part(home, ports)?);
    }
    parts.extend(grafana::grafana(home, ports));
    Ok(parts)
}

/// The services that can be broken.
fn services(home: &Home, choices: &Choices) -> Result<Vec<Part>> {
    let secrets = &Secrets::of(home);
    let routes = edge::write_routes(home, choices)?;
    let making =
        &Making { choices, secrets, data_folders: data_folders(home), routes, waf: home.root.join("waf") };
    let mut parts = Vec::new();
    for (service, make) in SERVICES {
        for instance in instances(&choices.replicas, service) {
            parts.push(with_folder(make(making, instance)?, home)?);
        }
    }
    if let Some(cloud) = &choices.cloud {
        parts.push(with_folder(notifier(making, cloud)?, home)?);
    }
    Ok(parts)
}

/// What uses the shop: load and probes.
fn users(choices: &Choices) -> Result<Vec<Part>> {
    let load = choices.rate.map(|rate| load(choices, rate)).transpose()?;
    let probe = choices.probes.then(|| probe::part(choices)).transpose()?;
    Ok(load.into_iter().chain(probe).collect())
}

/// Where objects are, and what puts backups there.
fn storage(home: &Home, choices: &Choices) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    if choices.objects {
        parts.push(objects::part(home, choices)?);
    }
    if let Some(cloud) = &choices.cloud {
        parts.extend(cloud::part(home, &choices.ports, cloud)?);
    }
    if let Some(every) = choices.backups {
        let part = backup::part(home, &choices.ports, every)?;
        parts.push(if choices.objects { part.after(&[objects::OBJECTS]) } else { part });
    }
    Ok(parts)
}

/// Every part with an admin port is scraped.
fn target(part: &Part) -> Option<monitoring::Target> {
    let port = part.ports.get(&format!("{}-admin", part.name))?;
    Some((part.service().to_owned(), *port))
}

/// What the services are made from.
pub(super) struct Making<'l> {
    choices: &'l Choices,
    secrets: &'l Secrets,
    /// Where the lab keeps its data, for `disk_usage_percent`.
    data_folders: String,
    /// The file of the edge's routes.
    routes: PathBuf,
    /// The folder of the edge's rules: the checkout's, so that an edited rule takes effect.
    waf: PathBuf,
}

/// How an instance of a service is made.
type Make = fn(&Making<'_>, Instance) -> Result<Part>;

/// The services that can be broken, in the order in which they are started.
const SERVICES: [(&str, Make); 4] = [
    ("user-service", user_service),
    ("order-worker", order_worker),
    ("order-api", order_api),
    (edge::EDGE, edge),
];

/// Every process that can be broken.
fn breakable(choices: &Choices) -> Vec<Instance> {
    let all = SERVICES.iter().flat_map(|(service, _)| instances(&choices.replicas, service));
    all.chain(choices.cloud.as_ref().map(|_| Instance::only(NOTIFIER))).collect()
}

/// The folders whose file systems `lab status` watches, and those in it that may be mounted on their own.
fn data_folders(home: &Home) -> String {
    let data = disk::of(home).into_iter().map(|disk| disk.path);
    let folders = data.chain([home.dir.logs(), home.dir.join("prometheus"), home.dir.join("postgres")]);
    let folders: Vec<String> = folders.map(|folder| folder.to_string_lossy().into_owned()).collect();
    folders.join(":")
}

/// A program of the workspace on the chassis: its ports are the entries of the port table that begin with its name.
fn service(instance: Instance, choices: &Choices) -> Result<Part> {
    let name = &instance.name();
    let program = programs::ours(instance.service)?;
    let settings = environment::settings(&program)?;
    let mut line = environment::frugal(Line::new(program))
        .keep(settings)
        .env("LOG_FORMAT", "json")
        .env("FAULTS_REVEAL", choices.reveal.to_string())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{}", choices.ports.get("otlp-http")))
        .env("OTEL_TRACES_SAMPLER_ARG", choices.trace_ratio.to_string());
    let admin_name = format!("{name}-admin");
    let admin = choices.ports.get(&admin_name);
    line = line.env("ADMIN_ADDR", format!("127.0.0.1:{admin}"));
    let public = PORTS.iter().find(|port| port.name == *name).map(|port| choices.ports.get(port.name));
    if let Some(public) = public {
        line = line.env("PUBLIC_ADDR", format!("127.0.0.1:{public}"));
    }
    let mut part = Part::new(name, line, Probe::Http(format!("http://127.0.0.1:{admin}/readyz")));
    part = part.port(&admin_name, admin);
    if let Some(public) = public {
        part = part.port(name, public);
    }
    part.admin = Some(format!("http://127.0.0.1:{admin}"));
    part.instance_of = instance.is_further().then(|| instance.service.to_owned());
    Ok(part)
}

fn with(mut part: Part, variable: &str, value: String) -> Part {
    part.command = part.command.env(variable, value);
    part
}

/// With a folder for its own files, which is empty: a lab starts clean, whatever a part of the last one left there. A file in it
/// may limit its memory.
fn with_folder(mut part: Part, home: &Home) -> Result<Part> {
    let folder = home.dir.join("data").join(&part.name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    part.memory_max = Some(folder.join("memory.max"));
    Ok(with(part, "DATA_DIR", folder.to_string_lossy().into_owned()))
}

/// A service that can be broken: only these receive the token of their switches.
fn patient(making: &Making<'_>, instance: Instance) -> Result<Part> {
    let part = with(service(instance, making.choices)?, "DATA_FOLDERS", making.data_folders.clone());
    Ok(match &making.choices.token {
        Some(token) => with(part, "FAULTS_TOKEN", token.clone()),
        None => part,
    })
}

/// One with a database, whose password it receives.
fn with_database(making: &Making<'_>, instance: Instance, database: &str) -> Result<Part> {
    let choices = making.choices;
    let port = chaos::way(choices, instance.service, "postgres");
    let part = chaos::behind(patient(making, instance)?, choices);
    let mut part =
        with(part, "DATABASE_URL", postgres::url(making.secrets, port, database)?).after(&["postgres"]);
    part.command = part.command.fresh(postgres::fresh_url(making.secrets, port, database));
    // Nothing is confirmed without it: a service that started before it, or ended after it, would only wait.
    let sync = choices.replica == Some(Confirm::Sync);
    Ok(if sync { part.after(&[REPLICA]) } else { part })
}

/// Both ends of the topics share a key, so that they trust each other and nobody else who can reach the broker.
fn with_event_keys(part: Part, making: &Making<'_>) -> Result<Part> {
    let own = || anyhow::Ok(format!("lab:{}", making.secrets.make("events")?.expose_secret()));
    let keys = making.choices.event_keys.clone().map_or_else(own, Ok)?;
    Ok(with(part, "EVENT_KEYS", keys))
}

/// For one of the `members` of a group of consumers.
fn with_broker(part: Part, choices: &Choices, members: usize) -> Part {
    let ours = format!("127.0.0.1:{}", choices.ports.get("kafka"));
    match &choices.kafka {
        Kafka::Embedded => {
            stores::settle_soon(with(part, "KAFKA_BROKERS", ours), members).after(&[stores::KAFKA])
        }
        Kafka::Apache => with(part, "KAFKA_BROKERS", ours).after(&[apache_kafka::APACHE]),
        Kafka::Elsewhere(brokers) => with(part, "KAFKA_BROKERS", brokers.clone()),
    }
}

fn user_service(making: &Making<'_>, instance: Instance) -> Result<Part> {
    let part = with_database(making, instance, "users")?;
    let redis = chaos::way(making.choices, instance.service, "redis");
    let redis = stores::redis_url(making.secrets, redis)?;
    Ok(with(part, "REDIS_URL", redis).after(&["redis"]))
}

fn order_worker(making: &Making<'_>, instance: Instance) -> Result<Part> {
    let part = with_database(making, instance, "fulfillment")?;
    let members = instances(&making.choices.replicas, instance.service).len();
    Ok(with_broker(with_event_keys(part, making)?, making.choices, members))
}

fn order_api(making: &Making<'_>, instance: Instance) -> Result<Part> {
    let choices = making.choices;
    let part = with_event_keys(with_database(making, instance, "orders")?, making)?;
    let users = instance.peer(&choices.replicas, "user-service").name();
    let users = format!("http://127.0.0.1:{}", chaos::way(choices, instance.service, &users));
    let members = instances(&choices.replicas, instance.service).len();
    Ok(with(with_broker(part, choices, members), "USER_SERVICE_URL", users))
}

fn edge(making: &Making<'_>, instance: Instance) -> Result<Part> {
    let part = edge::placed(patient(making, instance)?, instance, making.choices);
    let part = with(part, "EDGE_ROUTES", making.routes.to_string_lossy().into_owned());
    Ok(with(part, "WAF_RULES", making.waf.to_string_lossy().into_owned()))
}

/// Reads outcomes beside order-api, and uses the queues of the emulator, which takes any signature.
fn notifier(making: &Making<'_>, cloud: &cloud::Cloud) -> Result<Part> {
    let choices = making.choices;
    let part = with_event_keys(patient(making, Instance::only(NOTIFIER))?, making)?;
    let part = with(part, "SQS_ENDPOINT", cloud.endpoint(&choices.ports));
    // Not the owner's account with AWS, which may be in the environment.
    let part = with(part, "AWS_ACCESS_KEY_ID", "lab".to_owned());
    let part = with(part, "AWS_SECRET_ACCESS_KEY", "lab".to_owned());
    let part = with_broker(part, choices, 1);
    Ok(if cloud.elsewhere.is_none() { part.after(&[cloud.emulator.name()]) } else { part })
}

fn load(choices: &Choices, rate: f64) -> Result<Part> {
    let shop = format!("http://127.0.0.1:{}", choices.ports.get(edge::EDGE));
    let part = with(service(Instance::only("load"), choices)?, "ORDER_API_URL", shop.clone());
    let mut part = with(part, "USER_SERVICE_URL", shop);
    // It has an admin port, but nothing that can be broken.
    part.admin = None;
    Ok(with(part, "LOAD_RATE", rate.to_string()).after(&[edge::EDGE]))
}
