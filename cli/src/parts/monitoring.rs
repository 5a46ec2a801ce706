//! Prometheus, and Jaeger if it is installed: private child processes on the loopback interface, with configurations
//! written for this lab's ports.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use slo::Clock;
use supervisor::{Part, part::Line, ports::Ports, probe::Probe, write_private};

use super::{choices::Timing, environment, programs, replicas::BEHIND};
use crate::home::Home;

/// A target of Prometheus: the name of the service, and the admin port of one of its instances.
pub(crate) type Target = (String, u16);

/// Prometheus: scrapes every admin port, and evaluates the rules of the checkout on one clock. `exporters` are the jobs of
/// those that run.
///
/// # Errors
/// When it is not installed or its configuration cannot be written.
pub(crate) fn prometheus(
    home: &Home,
    ports: &Ports,
    targets: &[Target],
    exporters: &str,
    timing: Timing,
) -> Result<Part> {
    let program = programs::need(&["prometheus"], "Prometheus")?;
    let folder = home.dir.join("prometheus");
    let Timing { clock, keep } = timing;
    let data = data(&folder, clock);
    if !keep && clock == Clock::Lab && data.exists() {
        // A lab starts clean: old outages, and the gap while the lab was down, would fire alerts again.
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    // Prometheus cannot follow a folder that is not there.
    let runs = runs(home);
    fs::create_dir_all(&runs).with_context(|| format!("cannot create {}", runs.display()))?;
    let config = write(&folder, "prometheus.yml", &configuration(home, ports, targets, exporters, clock))?;
    let port = ports.get("prometheus");
    // Neither the lifecycle nor the admin API: any page in the owner's browser could use them. SIGHUP reloads the
    // rules, and `lab slo reset` deletes in another way.
    let line = Line::new(program).args(retention(clock)).args([
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", data.display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        // By default any page may read every response.
        format!("--web.cors.origin={LOCAL_PAGES}"),
        FEATURES.to_owned(),
        "--log.level=warn".to_owned(),
    ]);
    // Its first word is lost if it has not found Alertmanager yet, and by default it repeats itself after a minute.
    let line = line.args((clock == Clock::Lab).then_some("--rules.alert.resend-delay=10s"));
    // Fewer threads and earlier garbage collection: by default the heap doubles between two collections. At 30 it took 37 % of a core
    // instead of 27 %, for 6 MiB less.
    let line = line.env("GOMAXPROCS", "2").env("GOGC", "50");
    Ok(Part::new("prometheus", line, ready(port)).port("prometheus", port).after(&["alertmanager"]))
}

/// Prometheus's configuration.
pub(super) fn configuration(
    home: &Home,
    ports: &Ports,
    targets: &[Target],
    exporters: &str,
    clock: Clock,
) -> String {
    let rules = home.root.join("dashboards/rules");
    TEMPLATE_PROMETHEUS
        .replace("{{rules}}", &rules.to_string_lossy())
        .replace("{{runs}}", &runs(home).to_string_lossy())
        .replace("{{clock}}", clock.as_str())
        .replace("{{interval}}", interval(clock))
        .replace("{{alertmanager}}", &ports.get("alertmanager").to_string())
        .replace("{{prometheus}}", &ports.get("prometheus").to_string())
        .replace("{{jobs}}", &jobs(targets, &guests(home)))
        .replace("{{exporters}}", exporters)
}

/// Where `load run --metrics` says that it can be scraped.
fn runs(home: &Home) -> PathBuf {
    home.dir.join("prometheus/targets")
}

/// Exemplars; and what is in memory is written down at the end, so that a start rereads only what came after: `lab slo
/// reset` restarts it, and within two hours the whole log would be reread, twice. A program that briefly opens the data needs the
/// same, or the exemplars are lost.
pub(super) const FEATURES: &str = "--enable-feature=exemplar-storage,memory-snapshot-on-shutdown";

/// Where Prometheus keeps its data: apart for each clock, because both record the same series.
pub(super) fn data(folder: &Path, clock: Clock) -> PathBuf {
    folder.join(match clock {
        Clock::Lab => "data",
        Clock::Production => "data-production",
    })
}

/// Limits on the age and the size of the data: a period, and a little more to look back at.
pub(super) const fn retention(clock: Clock) -> [&'static str; 2] {
    match clock {
        Clock::Lab => ["--storage.tsdb.retention.time=3d", "--storage.tsdb.retention.size=512MB"],
        Clock::Production => ["--storage.tsdb.retention.time=35d", "--storage.tsdb.retention.size=8GB"],
    }
}

/// How often services are scraped and rules without an interval of their own are evaluated. A second, so that a fault pages within
/// seconds; thirty days of seconds would fill the disk. The rules that people write look back 10 seconds: no longer than 5.
const fn interval(clock: Clock) -> &'static str {
    match clock {
        Clock::Lab => "1s",
        Clock::Production => "5s",
    }
}

/// Origins on this machine, such as Grafana. Prometheus anchors the expression.
const LOCAL_PAGES: &str = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?";

const TEMPLATE_PROMETHEUS: &str = include_str!("templates/prometheus.yml");
const TEMPLATE_JAEGER: &str = include_str!("templates/jaeger.yml");

/// The readiness probe of Prometheus and Alertmanager.
pub(crate) fn ready(port: u16) -> Probe {
    Probe::Http(format!("http://127.0.0.1:{port}/-/ready"))
}

/// The folder with a file for each service that can be released: its canary and its baseline, as Prometheus's `file_sd` reads them.
/// Not that of `runs`, all of whose files one job scrapes: each request would count twice.
pub(crate) fn guests(home: &Home) -> PathBuf {
    home.dir.join("prometheus/guests")
}

/// One job per service, so that `job`, `service` and the service's name are the same; its instances differ by `instance`. Those
/// that come and go are in a file of the folder `guests`.
fn jobs(targets: &[Target], guests: &Path) -> String {
    let mut jobs: Vec<(&str, Vec<String>)> = Vec::new();
    for (service, port) in targets {
        let address = format!("\"127.0.0.1:{port}\"");
        match jobs.iter_mut().find(|(job, _)| job == service) {
            Some((_, addresses)) => addresses.push(address),
            None => jobs.push((service, vec![address])),
        }
    }
    let job = |(service, addresses): &(&str, Vec<String>)| {
        let coming = if BEHIND.contains(service) {
            let file = guests.join(format!("{service}.json"));
            format!(
                "    file_sd_configs:\n      - files: [\"{}\"]\n        refresh_interval: 2s\n",
                file.display()
            )
        } else {
            String::new()
        };
        format!(
            "  - job_name: {service}\n    static_configs:\n      - targets: [{}]\n        \
             labels: {{ service: {service} }}\n{coming}",
            addresses.join(", ")
        )
    };
    jobs.iter().map(job).collect()
}

/// Writes a configuration below the lab's folder.
///
/// # Errors
/// Names the file that cannot be written.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    write_private(&path, text)?;
    Ok(path)
}

/// The trace store: Jaeger if it is installed, otherwise the small store of the workspace.
///
/// # Errors
/// When neither exists, or Jaeger's configuration cannot be written.
pub(crate) fn traces(home: &Home, ports: &Ports) -> Result<Part> {
    let (ui, http, grpc) = (ports.get("traces-ui"), ports.get("otlp-http"), ports.get("otlp-grpc"));
    let local = |port: u16| format!("127.0.0.1:{port}");
    let part = match programs::find(&["jaeger"]) {
        Some(program) => {
            let mut text = TEMPLATE_JAEGER.to_owned();
            for name in ["traces-ui", "otlp-http", "otlp-grpc"] {
                text = text.replace(&format!("{{{{{name}}}}}"), &ports.get(name).to_string());
            }
            let config = write(&home.dir.join("jaeger"), "jaeger.yml", &text)?;
            let line = Line::new(program).args([format!("--config={}", config.display())]);
            // Otherwise it would trace its own queries and send them to port 4317, wherever it listens itself.
            let line = line.env("OTEL_TRACES_SAMPLER", "always_off");
            let line = line.env("GOMAXPROCS", "2").env("GOGC", "50");
            Part::new("jaeger", line, Probe::Http(format!("http://{}/", local(ui))))
        }
        None => {
            let admin = ports.get("lab-traces-admin");
            let program = programs::ours("lab-traces")?;
            let settings = environment::settings(&program)?;
            let line = environment::frugal(Line::new(program))
                .keep(settings)
                .env("LOG_FORMAT", "json")
                .env("UI_ADDR", local(ui))
                .env("OTLP_HTTP_ADDR", local(http))
                .env("OTLP_GRPC_ADDR", local(grpc))
                .env("ADMIN_ADDR", local(admin));
            // The port that people open, not only the admin port.
            let probe = Probe::Http(format!("http://{}/api/services", local(ui)));
            Part::new("lab-traces", line, probe).port("lab-traces-admin", admin)
        }
    };
    Ok(part.port("traces-ui", ui).port("otlp-http", http).port("otlp-grpc", grpc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_a_service_share_its_job() {
        let targets = [("order-api", 1), ("order-worker", 2), ("order-api", 3)];
        let text = jobs(&targets.map(|(name, port)| (name.to_owned(), port)), Path::new("/lab/targets"));
        assert_eq!(
            text,
            "  - job_name: order-api\n    static_configs:\n      - targets: [\"127.0.0.1:1\", \"127.0.0.1:3\"]\n        \
             labels: { service: order-api }\n    file_sd_configs:\n      - files: [\"/lab/targets/order-api.json\"]\n        \
             refresh_interval: 2s\n  - job_name: order-worker\n    static_configs:\n      \
             - targets: [\"127.0.0.1:2\"]\n        labels: { service: order-worker }\n"
        );
    }

    #[test]
    fn what_comes_and_goes_is_scraped_by_one_job() {
        let home = Home { root: "/src".into(), dir: supervisor::Folder::at(Path::new("/lab")), token: None };
        assert_ne!(guests(&home), runs(&home));
    }
}
