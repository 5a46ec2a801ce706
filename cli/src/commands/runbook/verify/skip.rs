//! Runbooks that are not tried, and why: `verify --all` names each of them.

use anyhow::{Result, bail};
use observe::Prometheus;

use super::fault::Fault;

/// Pages that need more than a lab on this machine, and what.
const ELSEWHERE: &[(&str, &str)] = &[
    ("BackupJobOverdue", "it needs Kubernetes"),
    ("ContainerOomKilled", "it needs Kubernetes"),
    ("DiskAlmostFull", "it needs a small disk of its own"),
    ("DiskFilling", "it needs a small disk of its own"),
    ("ErrorsLogged", "it needs Loki"),
    ("NodeNotReady", "it needs Kubernetes"),
    ("NotificationsFailing", "the control room that runs it is what has to be frozen"),
    ("PodCrashLooping", "it needs Kubernetes"),
    ("RedpandaDiskLow", "it needs Redpanda on Kubernetes"),
    ("RedpandaUnderReplicated", "it needs Redpanda on Kubernetes"),
    ("VolumeFilling", "it needs Kubernetes"),
    ("Watchdog", "the Prometheus that is asked for alerts is what has to be frozen"),
];

/// Why a page without a known fault is skipped.
const NOTHING: &str = "its section \"Try it in the lab\" has nothing that is known here";

/// What a lab may lack: a query that returns something if it does not, and what to say if it does.
const NEEDS: &[(&[&str], &str, &str)] = &[
    (
        &["CustomerNotificationsUndelivered", "CustomerNotificationsWaiting"],
        r#"up{job="notifier"} == 1"#,
        "this lab has no notifier: lab up --cloud ministack",
    ),
    (
        &["ExporterDown", "RedisEvicting", "RedisHotKey", "RedisMemoryHigh"],
        r#"up{job="redis-exporter"} == 1"#,
        "Redis is not measured: its exporter is not installed",
    ),
    (
        &["PostgresConnectionsHigh", "PostgresDeadlocks", "PostgresLongTransaction", "PostgresVacuumBehind"],
        r#"up{job="postgres-exporter"} == 1"#,
        "PostgreSQL is not measured: its exporter is not installed",
    ),
    (
        &["PostgresReplicaLag", "PostgresReplicaLost"],
        "replica_streaming",
        "this lab has no replica: lab up --replica",
    ),
    (
        &["BackupUnverified", "WalArchiveLag"],
        "backup_interval_seconds <= 60",
        "this lab does not verify backups every few seconds: lab up --backups --backup-every 10s",
    ),
    (
        &["FirewallVerdictsWrong", "JourneyFailing"],
        r#"up{job="probe"} == 1"#,
        "this lab has no synthetic probes",
    ),
    (&["EdgeErrors", "WafRollout", "ProbeFailures"], r#"up{job="edge"} == 1"#, "this lab has no edge"),
    (
        &["HighCPUUsage"],
        // What everything else takes, in percent of the machine. Threads that only compute get the rest, and the alert wants 80 %.
        r#"avg(avg_over_time(cpu_usage_percent[1m])) - avg(process_cpu_usage_percent{job="order-api"}) < 15"#,
        "this machine is too busy: its fault gets less than the 80 % of the CPU that the alert wants",
    ),
    (
        &["HighFileDescriptorUsage"],
        // The fault opens 65,536 at most.
        r#"process_max_fds{job="order-worker"} * 0.8 < 65000"#,
        "order-worker may open more files than its fault opens: lower the limit (ulimit -n) and start the lab again",
    ),
];

/// Every page that cannot be tried on this machine at all, and why.
pub(super) fn all_elsewhere() -> impl Iterator<Item = (&'static str, &'static str)> {
    ELSEWHERE.iter().copied()
}

/// Why a page cannot be tried on this machine at all.
pub(super) fn elsewhere(name: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(known, _)| *known == name).map(|(_, why)| *why)
}

/// What this lab lacks for a page.
///
/// # Errors
/// When Prometheus does not answer.
pub(super) async fn lacks(prometheus: &Prometheus, name: &str) -> Result<Option<&'static str>> {
    for (names, query, why) in NEEDS {
        if names.contains(&name) && prometheus.query(query).await?.is_empty() {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// The fault of a page, or why it is skipped: it cannot be tried (`why`), or it has nothing to try.
///
/// # Errors
/// If a page that was named (not `all`) has nothing to try. Of all pages, one that lacks it must not end hours of work.
pub(super) fn chosen(
    name: &str,
    why: Option<&'static str>,
    fault: Option<Fault>,
    all: bool,
) -> Result<Result<Fault, &'static str>> {
    match (why, fault) {
        (Some(why), _) => Ok(Err(why)),
        (None, Some(fault)) => Ok(Ok(fault)),
        (None, None) if all => Ok(Err(NOTHING)),
        (None, None) => bail!("the page of {name} cannot be tried: {NOTHING}"),
    }
}

/// Refuses a page that was named and cannot be tried.
///
/// # Errors
/// If it cannot be tried on this machine.
pub(super) fn refuse(name: &str) -> Result<()> {
    if let Some(why) = elsewhere(name) {
        bail!("{name} cannot be tried here: {why}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::commands::runbook::verify::{cause::Cause, fault};

    #[test]
    fn every_page_is_tried_or_says_why_not() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runbooks");
        let (mut tried, mut names) = (0, Vec::new());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if path.extension().is_none_or(|ending| ending != "md") || name == "README" {
                continue;
            }
            let fault = fault::read(&fs::read_to_string(&path).unwrap());
            assert!(fault.is_some() || elsewhere(&name).is_some(), "{name} is neither tried nor skipped");
            tried += usize::from(elsewhere(&name).is_none());
            names.push(name);
        }
        assert!(elsewhere("BackupJobOverdue").is_some() && tried >= 50, "{tried}");
        let needed = NEEDS.iter().flat_map(|(names, ..)| names.iter());
        for known in ELSEWHERE.iter().map(|(name, _)| name).chain(needed) {
            assert!(names.iter().any(|name| name == known), "no page is called {known}");
        }
    }

    #[test]
    fn a_page_without_a_fault_has_commands_that_end() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runbooks");
        let fault = |name: &str| {
            let text = fs::read_to_string(folder.join(format!("{name}.md"))).unwrap();
            fault::read(&text).unwrap_or_else(|| panic!("{name} has nothing to try"))
        };
        let names = [
            "BackupUnverified",
            "DeadLetters",
            "PostgresReplicaLag",
            "PostgresVacuumBehind",
            "RuleEvaluationFailing",
            "WalArchiveLag",
        ];
        for name in names {
            let found = fault(name);
            assert!(matches!(found.cause, Cause::Command { restores: Some(_), .. }), "{name}: {found:?}");
            assert!(!found.ends_by_itself(), "{name}");
        }
        assert!(fault("OutcomesContradict").ends_by_itself());
        let given = fault("PostgresConnectionsHigh").given;
        assert!(given.contains(&("database".to_owned(), "users".to_owned())), "{given:?}");
    }

    #[test]
    fn a_page_with_nothing_to_try_is_a_row_among_all_and_an_error_alone() {
        let fault = || fault::read("\n## Try it in the lab\n\nlab break order-api http-error ttl=5m\n");
        assert_eq!(chosen("A", None, fault(), true).unwrap().unwrap().service, "order-api");
        assert_eq!(chosen("A", Some("it needs Loki"), fault(), true).unwrap(), Err("it needs Loki"));
        assert_eq!(chosen("A", None, None, true).unwrap(), Err(NOTHING));
        let said = chosen("A", None, None, false).unwrap_err().to_string();
        assert!(said.contains("the page of A cannot be tried: its section"), "{said}");
    }
}
