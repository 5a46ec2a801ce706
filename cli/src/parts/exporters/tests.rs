//! What the exporters are started with, and that Prometheus accepts their jobs.

use std::{fs, process::Command};

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
            "pg_static",
            "pg_locks_count",
            "pg_wal_size_bytes",
            "pg_settings_max_connections",
            "pg_settings_superuser_reserved_connections",
            "process_start_time_seconds",
        ],
        &[
            "pg_settings_work_mem_bytes",
            "pg_settings_jit",
            "go_goroutines",
            "promhttp_metric_handler_requests_total",
        ],
    ),
    (
        "redis-exporter",
        &["redis_up", "redis_memory_used_bytes", "process_start_time_seconds"],
        &["go_goroutines"],
    ),
    ("node-exporter", &["node_load1", "node_filesystem_avail_bytes"], &["go_goroutines", "promhttp_x"]),
];

#[test]
fn hundreds_of_settings_and_the_metrics_of_the_runtime_are_dropped() {
    for (name, kept, dropped) in KEPT {
        let exporter = EXPORTERS.iter().find(|exporter| exporter.name == *name).unwrap();
        // Prometheus anchors the expression.
        let keep = Regex::new(&format!("^(?:{})$", exporter.keep)).unwrap();
        for metric in *kept {
            assert!(keep.is_match(metric), "{name} loses {metric}");
        }
        for metric in *dropped {
            assert!(!keep.is_match(metric), "{name} keeps {metric}");
        }
    }
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
