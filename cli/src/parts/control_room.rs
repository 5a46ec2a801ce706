//! The control room: told where everything of this lab is. It needs none of it, so it starts first and is stopped last.

use anyhow::{Context as _, Result};
use supervisor::{Part, part::Line, ports, probe::Probe};

use super::{
    choices::{Choices, Kafka},
    cloud::NOTIFIER,
    edge::EDGE,
    environment, postgres,
    probe::PROBE,
    programs,
    replicas::Instance,
    stores,
};
use crate::{backup::request, home::Home, secrets::Secrets, terminal::say};

/// Its name, and that of the port with its pages.
pub(crate) const CONTROL_ROOM: &str = "control-room";

/// Who calls whom in the shop, in the order of a request's path; a topic joins both of its ends. The alerts of neighbours are one incident.
const CALLS: &[(&str, &str)] = &[
    ("load", "edge"),
    ("edge", "order-api"),
    ("edge", "user-service"),
    ("order-api", "user-service"),
    ("order-api", "order-worker"),
    ("user-service", "redis"),
    ("user-service", "postgres"),
    ("order-api", "postgres"),
    ("order-worker", "postgres"),
];

/// The control room, for which `breakable` are the processes that can be broken.
///
/// # Errors
/// When it was not built, its folder cannot be created, or a password can be neither read nor created.
pub(crate) fn part(home: &Home, choices: &Choices, breakable: &[Instance]) -> Result<Part> {
    let ports = &choices.ports;
    let (public, admin) = (ports.get(CONTROL_ROOM), ports.get("control-room-admin"));
    let program = programs::ours(CONTROL_ROOM)?;
    let settings = environment::settings(&program)?;
    let folder = home.dir.join(CONTROL_ROOM);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let local = |name: &str| format!("http://127.0.0.1:{}", ports.get(name));
    let emulator = choices.cloud.as_ref().map(|cloud| cloud.emulator.name());
    // Slack, PagerDuty and webhooks come from the environment of `lab up`; what this lab knows better is set here.
    let mut line = Line::new(program)
        .keep(settings)
        .keep(environment::PROXIES.iter().copied())
        .keep(SCREEN.iter().copied())
        .env("LOG_FORMAT", "json")
        // Memory that a page or a storm of alerts took is given back at once: speed is for others.
        .env("MIMALLOC_PURGE_DELAY", "0")
        // SQLite allocates in C. One arena for its threads, and what it frees goes back.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_TRIM_THRESHOLD_", "65536")
        .env("PUBLIC_ADDR", format!("127.0.0.1:{public}"))
        .env("ADMIN_ADDR", format!("127.0.0.1:{admin}"))
        .env("PUBLIC_URL", format!("http://localhost:{public}"))
        .env("ROOM_FILE", folder.join("room.db").to_string_lossy())
        .env("POSTMORTEMS_DIR", home.dir.join("postmortems").to_string_lossy())
        .env("ONCALL_FILE", home.root.join("oncall.yaml").to_string_lossy())
        .env("CHECKOUT", home.root.to_string_lossy())
        .env("CLOCK", choices.timing.clock.as_str())
        .env("PROMETHEUS_URL", local("prometheus"))
        .env("ALERTMANAGER_URL", local("alertmanager"))
        .env("TRACES_URL", local("traces-ui"))
        .env("LOGS_DIR", home.dir.logs().to_string_lossy())
        .env("INSTANCES", instances_of(choices, breakable))
        .env("CALLS", calls(&choices.kafka, choices.probes, emulator));
    line = hands(line, home, choices)?;
    if let Some(token) = &choices.token {
        line = line.env("FAULTS_TOKEN", token.clone()).env("INSTRUCTOR_TOKEN", token.clone());
    }
    let (line, grafana) = dashboards(line, ports.get("grafana"));
    let probe = Probe::Http(format!("http://127.0.0.1:{admin}/readyz"));
    let mut part = Part::new(CONTROL_ROOM, line, probe);
    part.errand = Some(request::errand(home, CONTROL_ROOM)?);
    let part = part.port(CONTROL_ROOM, public).port("control-room-admin", admin);
    Ok(grafana.into_iter().fold(part, |part, port| part.port("grafana", port)))
}

/// Links to Grafana, if it is installed. Otherwise the control room also has Grafana's port, unless another program does, and
/// redirects from there to its own drawing of the same dashboards; then the number is returned.
fn dashboards(line: Line, port: u16) -> (Line, Option<u16>) {
    if programs::find(&["grafana", "grafana-server"]).is_some() {
        return (line.env("GRAFANA_URL", format!("http://localhost:{port}")), None);
    }
    if let Some(holder) = ports::holder(port) {
        say(format!("lab: port {port} (grafana) is taken by {holder}: it will not lead to the dashboards"));
        return (line, None);
    }
    (line.env("GRAFANA_ADDR", format!("127.0.0.1:{port}")), Some(port))
}

/// With what it changes the lab: accounts of its own in the stores, the load, and the lab's state.
fn hands(line: Line, home: &Home, choices: &Choices) -> Result<Line> {
    let (secrets, ports) = (Secrets::of(home), &choices.ports);
    let line = line
        .env("DATABASES", postgres::room_urls(&secrets, ports.get("postgres"))?)
        .env("REDIS_URL", stores::room_url(&secrets, ports.get("redis"))?)
        .env("LAB_DIR", home.dir.to_string_lossy())
        .env("LAB_ROOT", home.root.to_string_lossy())
        .env("LAB_PROGRAM", std::env::current_exe()?.to_string_lossy())
        // For `lab backup`, which it runs for a restore.
        .keep(["LAB_BACKUPS", "LAB_BACKUP_KEY"]);
    Ok(match choices.rate {
        Some(_) => line.env("LOAD_ADMIN_URL", format!("http://127.0.0.1:{}", ports.get("load-admin"))),
        None => line,
    })
}

/// What a notification on the desktop needs.
const SCREEN: &[&str] = &["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"];

/// Name, service and admin port of each process that can be broken.
fn instances_of(choices: &Choices, breakable: &[Instance]) -> String {
    let text = |instance: &Instance| {
        let name = instance.name();
        let admin = choices.ports.get(&format!("{name}-admin"));
        format!("{name}@{}=http://127.0.0.1:{admin}", instance.service)
    };
    breakable.iter().map(text).collect::<Vec<_>>().join(",")
}

/// `cloud` is the name of the emulator, if there is one: then the notifier runs too, and reads what became of the orders.
fn calls(kafka: &Kafka, probes: bool, cloud: Option<&str>) -> String {
    let broker = match kafka {
        Kafka::Embedded => "lab-kafka",
        Kafka::Apache | Kafka::Elsewhere(_) => "kafka",
    };
    let topics = [("order-api", broker), (broker, "order-worker")];
    let probed = probes.then_some((PROBE, EDGE));
    let notified = cloud
        .map(|queues| [("order-worker", NOTIFIER), (broker, NOTIFIER), (NOTIFIER, queues)])
        .into_iter()
        .flatten();
    let pairs = CALLS.iter().copied().chain(topics).chain(probed).chain(notified);
    pairs.map(|(caller, callee)| format!("{caller}>{callee}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_share_a_topic_are_neighbours_of_each_other_and_of_the_broker() {
        let calls = calls(&Kafka::Embedded, true, None);
        for pair in [
            "edge>user-service",
            "order-api>order-worker",
            "order-api>lab-kafka",
            "lab-kafka>order-worker",
            "user-service>redis",
            "probe>edge",
        ] {
            assert!(calls.split(',').any(|call| call == pair), "{pair} in {calls}");
        }
        assert!(!calls.contains("notifier"), "it runs with a cloud only: {calls}");
    }

    #[test]
    fn with_a_cloud_the_notifier_is_a_neighbour_of_the_broker_the_worker_and_its_queues() {
        let calls = calls(&Kafka::Embedded, false, Some("ministack"));
        for pair in ["lab-kafka>notifier", "order-worker>notifier", "notifier>ministack"] {
            assert!(calls.split(',').any(|call| call == pair), "{pair} in {calls}");
        }
    }
}
