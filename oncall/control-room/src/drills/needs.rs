//! What a drill needs beside the shop, and whether it is here. If not, a person is told what is missing, and which command starts
//! a lab that has it.
//!
//! In the first seconds of a lab, Prometheus has not asked its exporters yet. A part that runs is then as good as its series: the
//! baseline of the drill waits for them, says so, and has a deadline. For those of which no baseline asks, this waits itself.

use std::time::Duration;

use drill::{Drill, names::Need};
use switchboard::Place;
use tokio::time::{Instant, sleep};

use crate::eyes::{Eyes, within};

/// The series that say whether an exporter is there.
const POSTGRES: &str = "pg_up";
const REDIS: &str = "redis_up";
/// The same of what the lab itself tells its exporter.
const REPLICA: &str = "replica_streaming";
const BACKUPS: &str = "backup_interval_seconds";
const BUCKET: &str = "backup_in_bucket == 1";
const BUCKET_KNOWN: &str = "backup_in_bucket";
/// The service that runs only where there is a cloud.
const NOTIFIER: &str = "notifier";
/// The part that is the lab's own object store.
const OBJECTS: &str = "lab-objects";
/// The part that serves what the lab itself tells.
const TELLER: &str = "node-exporter";
/// For how long the series of an exporter that runs may be late: it is scraped every 5 seconds, and Prometheus has just been
/// started, or is slow for a moment. Less than a client waits for an answer.
pub(super) const LATE: Duration = Duration::from_secs(6);
/// Pause between two looks for them.
const AGAIN: Duration = Duration::from_secs(1);

/// What a drill needs and is not here, as a sentence with the next step. Waits up to `late` for the series of each exporter
/// that runs.
pub(super) async fn missing(eyes: &Eyes, drill: &Drill, late: Duration) -> Option<String> {
    let mut lacks = Vec::new();
    for need in &drill.needs {
        if !is_here(eyes, *need, late).await {
            lacks.push(words(*need).to_owned());
        }
    }
    // More would be another drill: of five, the share of requests that meets the one is not that of three.
    for (service, count) in &drill.replicas {
        let here = running(eyes, service);
        if here != *count {
            lacks.push(format!("{count} replicas of {service}, and there are {here}"));
        }
    }
    if lacks.is_empty() {
        return None;
    }
    let lacks = lacks.join(", and ");
    Some(match command(drill) {
        Some(command) => {
            format!(
                "this drill cannot run here: it needs {lacks}. End this lab, and start one that has it: {command}"
            )
        }
        None => format!("this drill cannot run here: it needs {lacks}"),
    })
}

async fn is_here(eyes: &Eyes, need: Need, late: Duration) -> bool {
    let runs = |part: &str| eyes.tools.lab.as_ref().is_some_and(|lab| lab.has(part));
    let late = |part: &str| if runs(part) { late } else { Duration::ZERO };
    match need {
        Need::PostgresExporter => {
            sooner_or_later(late("postgres-exporter"), || exports(eyes, POSTGRES)).await
        }
        Need::RedisExporter => sooner_or_later(late("redis-exporter"), || exports(eyes, REDIS)).await,
        Need::Replicas => has_replicas(eyes),
        Need::Kubernetes => matches!(eyes.place, Place::Kubernetes(_)),
        Need::Lab => eyes.tools.lab.is_some(),
        Need::PostgresReplica => is_coming(need, runs) || exports(eyes, REPLICA).await,
        Need::Backups => is_coming(need, runs) || exports(eyes, BACKUPS).await,
        // In a bucket elsewhere nothing of the lab can be broken.
        Need::BackupsInBucket => {
            let unknown = is_coming(need, runs) && !exports(eyes, BUCKET_KNOWN).await;
            runs(OBJECTS) && (unknown || exports(eyes, BUCKET).await)
        }
        Need::Cloud => running(eyes, NOTIFIER) > 0,
    }
}

/// Whether something is here, now or a bit late.
async fn sooner_or_later<F: Future<Output = bool>>(late: Duration, mut asks: impl FnMut() -> F) -> bool {
    let begun = Instant::now();
    loop {
        if asks().await {
            return true;
        }
        if begun.elapsed() >= late {
            return false;
        }
        sleep(AGAIN).await;
    }
}

/// Whether the series of a need will be there, because everything that tells and serves them runs. Only for needs whose drills
/// ask for these series in their baseline; `oncall/drill` has a test of that.
fn is_coming(need: Need, runs: impl Fn(&str) -> bool) -> bool {
    let told_by = match need {
        Need::PostgresReplica => "postgres-replica",
        Need::Backups | Need::BackupsInBucket => "backup",
        _ => return false,
    };
    runs(told_by) && runs(TELLER)
}

const fn words(need: Need) -> &'static str {
    match need {
        Need::PostgresExporter => "the exporter of PostgreSQL: `lab up` starts it if it is installed",
        Need::RedisExporter => "the exporter of Redis: `lab up` starts it if it is installed",
        Need::Replicas => "several replicas of a service",
        Need::Kubernetes => "a cluster: see docs/kubernetes.md",
        Need::Lab => "a lab on this machine, which can stop its parts",
        Need::PostgresReplica => "a replica of PostgreSQL, and node_exporter to see it",
        Need::Backups => "backups, and node_exporter to see them",
        Need::BackupsInBucket => "backups in the lab's own object store",
        Need::Cloud => "the notifier and the queues of a cloud",
    }
}

/// How a lab on this machine is started that has all of it; `None` if no option of `lab up` is enough.
fn command(drill: &Drill) -> Option<String> {
    let (mut variable, mut options) = ("", Vec::new());
    for need in &drill.needs {
        match need {
            Need::PostgresExporter | Need::RedisExporter | Need::Kubernetes => return None,
            Need::Lab => {}
            Need::Replicas => options.push("--replicas order-worker=2".to_owned()),
            Need::PostgresReplica => options.push("--replica".to_owned()),
            Need::Backups => options.push("--backups".to_owned()),
            Need::BackupsInBucket => {
                variable = "LAB_BACKUPS=s3://backups/lab ";
                options.push("--objects".to_owned());
            }
            Need::Cloud => options.push("--cloud ministack".to_owned()),
        }
    }
    options.extend(drill.replicas.iter().map(|(service, count)| format!("--replicas {service}={count}")));
    options.sort_unstable();
    let options: String = options.iter().rev().map(|option| format!(" {option}")).collect();
    Some(format!("{variable}lab up{options}"))
}

/// How many replicas of a service are known here.
fn running(eyes: &Eyes, service: &str) -> u32 {
    let count = eyes.instances.iter().filter(|instance| instance.service == service).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

async fn exports(eyes: &Eyes, series: &str) -> bool {
    within("Prometheus", eyes.prometheus.query(series)).await.is_ok_and(|samples| !samples.is_empty())
}

fn has_replicas(eyes: &Eyes) -> bool {
    let several = |one: &crate::config::Instance| {
        eyes.instances.iter().filter(|other| other.service == one.service).count() > 1
    };
    matches!(eyes.place, Place::Kubernetes(_)) || eyes.instances.iter().any(several)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use clap::Parser as _;

    use super::*;
    use crate::{SERVICE, assemble, config::RoomConfig};

    #[tokio::test]
    async fn a_drill_about_one_of_three_runs_with_three_replicas_and_with_no_other_number() {
        for count in 1..=4_u32 {
            let further =
                (2..=count).map(|number| format!(",order-api-{number}@order-api=http://127.0.0.1:{number}"));
            let all = format!("--instances=order-api=http://127.0.0.1:1{}", further.collect::<String>());
            let config = RoomConfig::parse_from(["control-room", all.as_str()]);
            let room = assemble(&config, config.common().chassis(SERVICE, &[], &[])).await.unwrap();
            let drill = room.drills.get("reload-helps").unwrap();
            let said = missing(&room.eyes, &drill, LATE).await;
            assert_eq!(said.is_none(), count == 3, "{count}: {said:?}");
            assert!(said.is_none_or(|said| said.ends_with(": lab up --replicas order-api=3")));
        }
    }

    #[tokio::test]
    async fn a_drill_about_notifications_runs_where_there_is_a_notifier() {
        for (service, runs) in [("notifier", true), ("order-api", false)] {
            let all = format!("--instances={service}=http://127.0.0.1:1");
            let config = RoomConfig::parse_from(["control-room", all.as_str()]);
            let room = assemble(&config, config.common().chassis(SERVICE, &[], &[])).await.unwrap();
            let drill = room.drills.get("unsent-letters").unwrap();
            let said = missing(&room.eyes, &drill, LATE).await;
            assert_eq!(said.is_none(), runs, "{service}: {said:?}");
            assert!(said.is_none_or(|said| said.contains("lab up --cloud")));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_exporter_that_runs_may_be_late_and_one_that_does_not_is_asked_for_once() {
        let asked = Cell::new(0);
        let at = |time: u32| {
            let number = asked.get() + 1;
            asked.set(number);
            async move { number == time }
        };
        assert!(sooner_or_later(LATE, || at(6)).await, "it was scraped after five seconds");
        asked.set(0);
        assert!(!sooner_or_later(LATE, || at(9)).await);
        assert_eq!(asked.get(), 7, "each second, and no longer");
        asked.set(0);
        assert!(!sooner_or_later(Duration::ZERO, || at(2)).await);
        assert_eq!(asked.get(), 1);
    }

    #[test]
    fn what_the_lab_tells_is_coming_while_it_and_its_exporter_run() {
        let all = ["backup", "postgres-replica", TELLER];
        for (need, teller) in [
            (Need::Backups, "backup"),
            (Need::BackupsInBucket, "backup"),
            (Need::PostgresReplica, "postgres-replica"),
        ] {
            assert!(is_coming(need, |part| all.contains(&part)), "{need}");
            for absent in [teller, TELLER] {
                assert!(!is_coming(need, |part| part != absent), "{need} without {absent}");
            }
        }
        for need in [Need::PostgresExporter, Need::RedisExporter] {
            assert!(!is_coming(need, |_| true), "no baseline waits for {need}");
        }
    }

    #[tokio::test]
    async fn everything_that_is_missing_is_named_with_one_command_that_starts_it() {
        let nowhere = "--prometheus-url=http://127.0.0.1:1";
        let config = RoomConfig::parse_from(["control-room", "--instances=a=http://127.0.0.1:1", nowhere]);
        let room = assemble(&config, config.common().chassis(SERVICE, &[], &[])).await.unwrap();
        let said =
            async |drill: &str| missing(&room.eyes, &room.drills.get(drill).unwrap(), LATE).await.unwrap();
        let replica = said("old-news").await;
        assert!(
            replica.starts_with("this drill cannot run here: it needs a lab on this machine"),
            "{replica}"
        );
        assert!(replica.contains(", and a replica of PostgreSQL"), "{replica}");
        assert!(replica.ends_with(": lab up --replica"), "{replica}");
        let bucket = said("no-more-shelves").await;
        assert!(bucket.ends_with(": LAB_BACKUPS=s3://backups/lab lab up --objects --backups"), "{bucket}");
        let exporter = said("boxes-in-the-attic").await;
        assert!(exporter.ends_with("`lab up` starts it if it is installed"), "no option helps: {exporter}");
    }
}
