//! What measures the servers and the host: the exporters that most people run beside them, where they are installed.
//! Without one the lab runs too, and `lab status` says what is not measured.
//!
//! Each logs in with an account of its own that can read statistics and nothing else.

#[cfg(test)]
mod tests;

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
use supervisor::{Part, part::Line, ports::Ports, probe::Probe};

use super::{monitoring, postgres, programs, stores};
use crate::{backup::metrics, home::Home, secrets::Secrets};

/// One exporter.
struct Exporter {
    /// Name of its part, its port, its job in Prometheus and its service.
    name: &'static str,
    /// Names of the program: Debian's, and its project's.
    programs: [&'static str; 2],
    /// What it measures, as the subject of a sentence.
    measures: &'static str,
    /// The part that it asks, if it asks one.
    asks: Option<&'static str>,
    /// Its command, without the address that it listens on.
    line: fn(&Path, &Home, &Ports) -> Result<Line>,
    /// Those of its metrics that dashboards and rules may use: a table of `oncall/dashgen/catalogue`.
    metrics: &'static str,
    /// Regular expressions for names that Prometheus keeps besides those and what every process has.
    also: &'static [&'static str],
}

/// What every process says about itself, which the rules of saturation read.
const PROCESS: &str = "process_.+";

/// Growth of the heap in percent until Go collects garbage. Small programs that work once in five seconds: their time is cheap.
const GOGC: &str = "20";

const EXPORTERS: &[Exporter] = &[
    Exporter {
        name: "node-exporter",
        programs: ["prometheus-node-exporter", "node_exporter"],
        measures: "The host",
        asks: None,
        line: host,
        metrics: include_str!("../../../../oncall/dashgen/catalogue/host.txt"),
        // What `lab backup stream` and the watch of the replica write for it.
        also: &["backup_.+", "replica_.+"],
    },
    Exporter {
        name: "postgres-exporter",
        programs: ["prometheus-postgres-exporter", "postgres_exporter"],
        measures: "PostgreSQL",
        asks: Some("postgres"),
        line: database,
        metrics: include_str!("../../../../oncall/dashgen/catalogue/postgres.txt"),
        also: &[],
    },
    Exporter {
        name: "redis-exporter",
        programs: ["prometheus-redis-exporter", "redis_exporter"],
        measures: "Redis",
        asks: Some("redis"),
        line: cache,
        metrics: include_str!("../../../../oncall/dashgen/catalogue/redis.txt"),
        also: &[],
    },
];

/// The exporters that are installed.
///
/// # Errors
/// When a program cannot be run, or a password or a configuration cannot be written.
pub(crate) fn parts(home: &Home, ports: &Ports) -> Result<Vec<Part>> {
    let found = EXPORTERS.iter().filter_map(|exporter| Some((exporter, programs::find(&exporter.programs)?)));
    found.map(|(exporter, program)| part(exporter, &program, home, ports)).collect()
}

fn part(exporter: &Exporter, program: &Path, home: &Home, ports: &Ports) -> Result<Part> {
    let port = ports.get(exporter.name);
    let line = (exporter.line)(program, home, ports)?
        .args([format!("--web.listen-address=127.0.0.1:{port}")])
        .env("GOMAXPROCS", "1")
        .env("GOGC", GOGC);
    // The page with the link to the metrics: ready does not mean that the server responds, which the metrics say.
    let probe = Probe::Http(format!("http://127.0.0.1:{port}/"));
    let part = Part::new(exporter.name, line, probe).port(exporter.name, port);
    Ok(match exporter.asks {
        Some(server) => part.after(&[server]),
        None => part,
    })
}

/// Regular expression for the names of metrics that Prometheus keeps. An exporter has hundreds of others, and each
/// series takes a kilobyte or two; its own port shows them.
fn keep(exporter: &Exporter) -> String {
    let rows = exporter.metrics.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names = rows.filter_map(|row| row.split(' ').next());
    names.chain([PROCESS]).chain(exporter.also.iter().copied()).collect::<Vec<_>>().join("|")
}

/// The jobs of these parts in Prometheus's configuration. Every five seconds, as on Kubernetes: a scrape of
/// PostgreSQL is a dozen queries.
pub(crate) fn jobs(parts: &[Part]) -> String {
    let job = |exporter: &Exporter| {
        let port = parts.iter().find(|part| part.name == exporter.name)?.ports.get(exporter.name)?;
        let (name, keep) = (exporter.name, keep(exporter));
        Some(format!(
            "  - job_name: {name}\n    scrape_interval: 5s\n    scrape_timeout: 5s\n    static_configs:\n      \
             - targets: [\"127.0.0.1:{port}\"]\n        labels: {{ service: {name} }}\n    metric_relabel_configs:\n      \
             - {{ source_labels: [__name__], regex: \"{keep}\", action: keep }}\n"
        ))
    };
    EXPORTERS.iter().filter_map(job).collect()
}

/// What a lab with these parts does not measure, and why, as sentences.
pub(crate) fn unmeasured(runs: impl Fn(&str) -> bool) -> Vec<String> {
    let missing = EXPORTERS.iter().filter(|exporter| !runs(exporter.name));
    missing
        .map(|exporter| {
            format!(
                "{} is not measured: {} was not on PATH when the lab started; ./lab installs it if the system has a \
                 package of it",
                exporter.measures,
                exporter.programs.join(" or ")
            )
        })
        .collect()
}

/// What a program prints for `--help`, to whichever stream.
fn help(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--help").env_clear().output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Queries that it does not have: the same as on Kubernetes.
const QUERIES: &str = include_str!("../../../../dashboards/exporters/postgres.yml");
/// Versions before 0.13 do not measure the write-ahead log; this query gives its metrics the names of later ones.
const LOG: &str = include_str!("../templates/postgres-exporter.yml");

/// All queries that a version of the program lacks.
fn queries(help: &str) -> String {
    let log = if help.contains("collector.wal") { "" } else { LOG };
    format!("# Written by `lab up`; the next start overwrites it.\n{QUERIES}{log}")
}

/// postgres_exporter, logged in as a role that is a member of `pg_monitor`: to one database for what is true of the server,
/// and to those of the services for their tables.
fn database(program: &Path, home: &Home, ports: &Ports) -> Result<Line> {
    let queries = queries(&help(program)?);
    let queries = monitoring::write(&home.dir.join("postgres-exporter"), "queries.yml", &queries)?;
    let line = Line::new(program).args([
        "--log.level=warn".to_owned(),
        "--auto-discover-databases".to_owned(),
        format!("--include-databases={}", postgres::DATABASES.join(",")),
        format!("--extend.query-path={}", queries.display()),
    ]);
    let server = ports.get("postgres");
    let uri = format!("127.0.0.1:{server}/postgres?sslmode=disable&application_name=postgres_exporter");
    let password = postgres::exporter_password(&Secrets::of(home))?;
    Ok(line
        .env("DATA_SOURCE_URI", uri)
        .env("DATA_SOURCE_USER", postgres::EXPORTER)
        .env("DATA_SOURCE_PASS_FILE", password.to_string_lossy()))
}

/// redis_exporter. The password is part of the address: on its own, it would be sent to any address that somebody asks
/// the exporter to scrape.
fn cache(program: &Path, home: &Home, ports: &Ports) -> Result<Line> {
    let url = stores::exporter_url(&Secrets::of(home), ports.get("redis"))?;
    Ok(Line::new(program).env("REDIS_ADDR", url))
}

/// What node_exporter collects.
const COLLECTORS: &[&str] =
    &["cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev", "pressure", "vmstat"];

/// Not the kernel's own file systems. Unlike by default, `overlay` counts: it is the root in a container.
const NO_FILES: &str = "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|erofs|fusectl|hugetlbfs|\
                        iso9660|mqueue|nsfs|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$";
/// Nor those of other people's containers.
const NO_MOUNTS: &str = "^/(dev|proc|run|sys|var/lib/(docker|containerd|containers|kubelet)/.+)($|/)";
const NO_DEVICES: &str = "^veth.*$";

/// node_exporter.
fn host(program: &Path, home: &Home, _ports: &Ports) -> Result<Line> {
    // Names of disks. Without udev, as in a container, it would log an error; any other folder has none and is as good.
    let udev = Path::new("/run/udev/data");
    let udev: &Path = if udev.is_dir() { udev } else { &home.dir };
    let help = help(program)?;
    let line = Line::new(program).args(["--log.level=warn"]).args(host_options(&help, udev));
    if !help.contains("--collector.textfile.directory=") {
        return Ok(line);
    }
    let folder = metrics::folder(home);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(line.args([
        "--collector.textfile".to_owned(),
        format!("--collector.textfile.directory={}", folder.display()),
    ]))
}

/// The options, as far as the program knows them: not every version and every system has all.
fn host_options(help: &str, udev: &Path) -> Vec<String> {
    let collectors = COLLECTORS.iter().filter(|name| help.contains(&format!("collector.{name} ")));
    let collectors = collectors.map(|name| format!("--collector.{name}"));
    let settings = [
        ("collector.filesystem.fs-types-exclude", NO_FILES.to_owned()),
        ("collector.filesystem.mount-points-exclude", NO_MOUNTS.to_owned()),
        ("collector.netdev.device-exclude", NO_DEVICES.to_owned()),
        ("path.udev.data", udev.to_string_lossy().into_owned()),
    ];
    let settings = settings.into_iter().filter(|(name, _)| help.contains(&format!("--{name}=")));
    let settings = settings.map(|(name, value)| format!("--{name}={value}"));
    ["--collector.disable-defaults".to_owned()].into_iter().chain(collectors).chain(settings).collect()
}
