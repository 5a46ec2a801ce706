//! What the exporters are started with, and that Prometheus accepts their jobs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use regex::Regex;
use secrecy::ExposeSecret as _;
use slo::Clock;
use supervisor::{Folder, ports::Outgoing};
use tempfile::TempDir;
use testkit::{Need, available};

use super::*;
use crate::parts::ports::choose;

fn home(folder: &TempDir) -> Home {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Home { root: root.to_path_buf(), dir: Folder::at(folder.path()), token: None }
}

fn ports() -> Ports {
    choose(0, &[], &Outgoing::here()).unwrap()
}

/// Parts as [`parts`] makes them, without their programs.
fn all_parts(ports: &Ports) -> Vec<Part> {
    let part = |exporter: &Exporter| {
        let probe = Probe::File("ready".into());
        Part::new(exporter.name, Line::default(), probe).port(exporter.name, ports.get(exporter.name))
    };
    EXPORTERS.iter().map(part).collect()
}

#[test]
fn prometheus_accepts_its_configuration_with_and_without_exporters() {
    if !available(&[Need::Prometheus]) {
        return;
    }
    let (folder, ports) = (tempfile::tempdir().unwrap(), ports());
    let all = all_parts(&ports);
    for (parts, wanted) in [(&all[..], EXPORTERS.len()), (&all[..0], 0)] {
        let targets = [("order-api".to_owned(), 9101)];
        let text = monitoring::configuration(&home(&folder), &ports, &targets, &jobs(parts), Clock::Lab);
        let found =
            EXPORTERS.iter().filter(|exporter| text.contains(&format!("job_name: {}\n", exporter.name)));
        assert_eq!(found.count(), wanted, "{text}");
        assert!(!text.contains("{{"), "{text}");
        let path = folder.path().join("prometheus.yml");
        fs::write(&path, text).unwrap();
        let output = Command::new("promtool").args(["check", "config"]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_job_has_the_name_of_its_service_and_the_port_of_its_part() {
    let text = jobs(&all_parts(&ports())[..1]);
    assert!(text.contains("job_name: node-exporter\n"), "{text}");
    assert!(
        text.contains("targets: [\"127.0.0.1:9110\"]\n        labels: { service: node-exporter }"),
        "{text}"
    );
    assert_eq!(text.matches("job_name").count(), 1);
}

/// An exporter, and names of metrics that are kept and dropped.
const KEPT: &[(&str, &[&str], &[&str])] = &[
    (
        "postgres-exporter",
        &[
            "pg_up",
            "pg_stat_activity_count",
            "pg_locks_count",
            "pg_wal_size_bytes",
            "pg_settings_max_connections",
            "pg_stat_user_tables_n_dead_tup",
            "pg_autovacuum_due_tup",
            "process_start_time_seconds",
        ],
        &[
            "pg_stat_activity",
            "pg_stat_user_tables_seq_scan",
            "pg_stat_bgwriter_buffers_alloc",
            "pg_settings_work_mem_bytes",
            "pg_settings_jit",
            "go_goroutines",
            "promhttp_metric_handler_requests_total",
        ],
    ),
    (
        "redis-exporter",
        &["redis_up", "redis_memory_used_bytes", "process_start_time_seconds"],
        &["go_goroutines", "redis_latency_percentiles_usec"],
    ),
    (
        "node-exporter",
        &["node_load1", "node_memory_MemAvailable_bytes", "backup_last_bytes", "replica_streaming"],
        &["go_goroutines", "promhttp_x", "node_memory_Slab_bytes"],
    ),
    (
        "prometheus",
        &["prometheus_tsdb_head_series", "process_open_fds"],
        &["prometheus_http_requests_total", "go_goroutines"],
    ),
    (
        "alertmanager",
        &["alertmanager_notification_requests_failed_total", "alertmanager_alerts"],
        &["alertmanager_notification_latency_seconds_bucket", "go_goroutines"],
    ),
];

/// Which names of metrics Prometheus keeps, by the name of the job.
fn kept() -> BTreeMap<String, Regex> {
    let (folder, ports) = (tempfile::tempdir().unwrap(), ports());
    let exporters = jobs(&all_parts(&ports));
    let text = monitoring::configuration(&home(&folder), &ports, &[], &exporters, Clock::Lab);
    let job = |job: &str| {
        let (_, keeps) = job.split_once("regex: ")?;
        let names = keeps.lines().next()?.trim_start_matches('"').split('"').next()?;
        assert!(job.contains("action: keep"), "{job}");
        // Prometheus anchors the expression.
        let names = Regex::new(&format!("^(?:{names})$")).expect("a regular expression");
        Some((job.lines().next()?.to_owned(), names))
    };
    text.split("  - job_name: ").skip(1).filter_map(job).collect()
}

#[test]
fn what_nobody_looks_at_is_dropped() {
    let jobs = kept();
    for (job, kept, dropped) in KEPT {
        for metric in *kept {
            assert!(jobs[*job].is_match(metric), "{job} loses {metric}");
        }
        for metric in *dropped {
            assert!(!jobs[*job].is_match(metric), "{job} keeps {metric}");
        }
    }
}

/// How the names of their metrics begin, and the job.
const FAMILIES: [(&str, &str); 5] = [
    ("alertmanager_", "alertmanager"),
    ("node_", "node-exporter"),
    ("pg_", "postgres-exporter"),
    ("prometheus_", "prometheus"),
    ("redis_", "redis-exporter"),
];

/// What looks like one of them, and is a metric of Kubernetes, a function or a view of PostgreSQL, a program, or a
/// variable of a dashboard.
const OTHERS: [&str; 8] = [
    "node_cpu_usage_seconds_total",
    "node_memory_working_set_bytes",
    "pg_is_wal_replay_paused",
    "pg_locks",
    "pg_stat_activity",
    "node_exporter",
    "redis_exporter",
    "prometheus_datasource",
];

/// The files in a folder and in those inside it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_a_rule_a_dashboard_a_runbook_a_drill_or_an_exercise_names_is_kept() {
    let (jobs, root) = (kept(), Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
    let name = Regex::new(r"\b(?:alertmanager|node|pg|prometheus|redis)_\w+").unwrap();
    let (mut seen, mut lost) = (0, BTreeSet::new());
    for folder in ["dashboards/rules", "dashboards/grafana", "runbooks", "drills", "docs/exercises"] {
        let data = |path: &PathBuf| {
            path.extension()
                .is_some_and(|ending| ["json", "txt", "yaml", "yml"].iter().any(|one| ending == *one))
        };
        for path in files(&root.join(folder)).into_iter().filter(data) {
            let text = fs::read_to_string(&path).unwrap();
            let names = name.find_iter(&text).map(|found| found.as_str().to_owned());
            for metric in names.filter(|found| !OTHERS.contains(&found.as_str())) {
                let (_, job) = FAMILIES.iter().find(|(start, _)| metric.starts_with(start)).unwrap();
                seen += 1;
                if !jobs[*job].is_match(&metric) {
                    lost.insert(format!("{}: {metric}", path.display()));
                }
            }
        }
    }
    assert!(seen > 100, "{seen} names: the files are elsewhere");
    assert!(lost.is_empty(), "Prometheus drops what these files need: {lost:#?}");
}

#[test]
fn the_host_is_measured_with_the_collectors_that_the_program_has() {
    let help = "      --[no-]collector.cpu       Enable the cpu collector\n      --collector.cpu.guest  \n      \
                --collector.meminfo        Enable\n      --collector.netdev.device-exclude=\"^lo$\"  \n";
    let options = host_options(help, Path::new("/lab"));
    assert_eq!(
        options,
        [
            "--collector.disable-defaults",
            "--collector.cpu",
            "--collector.meminfo",
            "--collector.netdev.device-exclude=^veth.*$"
        ]
    );
}

#[test]
fn postgres_is_asked_what_a_version_of_the_exporter_does_not_ask() {
    let old = queries("      --collector.bgwriter  \n");
    let new = queries("      --[no-]collector.wal  Enable the wal collector\n");
    for name in ["pg_stat_user_tables", "pg_autovacuum", "pg_vacuum_horizon", "pg_database_xid"] {
        assert!(old.contains(&format!("\n{name}:\n")) && new.contains(&format!("\n{name}:\n")), "{name}");
    }
    assert!(old.contains("\npg_wal:\n") && !new.contains("\npg_wal:\n"));
}

#[test]
fn what_is_not_installed_is_named_with_its_program() {
    assert!(unmeasured(|_| true).is_empty());
    let said = unmeasured(|name| name != "redis-exporter");
    let [sentence] = &said[..] else { panic!("{said:?}") };
    assert!(sentence.starts_with("Redis is not measured: prometheus-redis-exporter or redis_exporter"));
}

#[test]
fn an_exporter_listens_on_loopback_and_its_password_is_not_in_its_command() {
    if !available(&[Need::Exporters]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (home, ports) = (home(&folder), ports());
    let parts = parts(&home, &ports).unwrap();
    assert_eq!(parts.len(), EXPORTERS.len());
    let secrets = Secrets::of(&home);
    let secrets = ["postgres-exporter", "redis-exporter"].map(|name| secrets.read(name).unwrap());
    for part in &parts {
        let port = ports.get(&part.name);
        let listens: Vec<_> = part.command.args.iter().filter(|arg| arg.contains("listen")).collect();
        assert_eq!(listens, [&format!("--web.listen-address=127.0.0.1:{port}")]);
        for secret in &secrets {
            assert!(
                part.command.args.iter().all(|arg| !arg.contains(secret.expose_secret())),
                "{}",
                part.name
            );
        }
    }
    let node = parts.iter().find(|part| part.name == "node-exporter").unwrap();
    for wanted in ["--collector.disable-defaults", "--collector.cpu", "--collector.filesystem"] {
        assert!(node.command.args.iter().any(|arg| arg == wanted), "{:?}", node.command.args);
    }
}
