//! How far the replica is behind, looked at every second by the process of `lab up`: for Prometheus, through node_exporter's
//! textfile collector, and for a failover, which may begin when the primary can no longer be asked.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use recovery::{failover::Seen, lag::Trail};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection};
use supervisor::write_private;
use tokio::time::{sleep, timeout};

use super::facts::is_promoted;
use crate::{
    backup::metrics,
    home::Home,
    parts::postgres::{Local, REPLICA_ROLE, statistics_url},
    secrets::Secrets,
    terminal::say,
};

const EVERY: Duration = Duration::from_secs(1);
/// A primary that does not answer in this time is not seen.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was seen, and when.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// What.
    pub(crate) seen: Seen,
    /// By how many seconds the replica was older than the primary.
    pub(crate) lag_seconds: f64,
}

impl Look {
    /// What was seen, and how many seconds ago.
    pub(crate) fn aged(&self, now: DateTime<Utc>) -> (Seen, f64) {
        (self.seen, (now - self.at).to_std().unwrap_or_default().as_secs_f64())
    }

    /// For people.
    pub(crate) fn sentence(&self, now: DateTime<Utc>) -> String {
        let (Seen { streaming, sync, behind_bytes }, age) = self.aged(now);
        let does = if streaming { "follows" } else { "does NOT follow" };
        let waits = if sync { "; commits wait for it" } else { "" };
        format!("the replica {does} the primary, {behind_bytes} bytes behind ({age:.0} s ago){waits}")
    }
}

/// Where the last look is noted.
pub(super) fn note(home: &Home) -> PathBuf {
    home.dir.join("backup/replica.json")
}

/// What Prometheus reads.
pub(super) fn metrics_file(home: &Home) -> PathBuf {
    metrics::folder(home).join("replica.prom")
}

/// The last look; `None` if there was none.
pub(crate) fn last(home: &Home) -> Option<Look> {
    serde_json::from_str(&fs::read_to_string(note(home)).ok()?).ok()
}

/// Looks every second until the program ends. While the primary does not answer, what was noted stays and grows old; whether the
/// replica was promoted meanwhile is in its files.
pub(crate) async fn watch(home: Home, port: u16) {
    let local = Local::of(&home).ok();
    let (trail, began) = (Trail::default(), Instant::now());
    let mut watcher = Watcher { home, local, port, connection: None, trail, began, last: None };
    let mut said = false;
    loop {
        let noted = if let Ok(Ok(look)) = timeout(PATIENCE, watcher.look()).await {
            watcher.last = Some(look);
            watcher.note(&look)
        } else {
            // The connection is useless: the answer to the last question may still arrive on it.
            watcher.connection = None;
            watcher.last.map_or(Ok(()), |look| watcher.tell(&look))
        };
        if let Err(error) = noted
            && !said
        {
            // Once: a disk that is full stays full.
            said = true;
            say(format!("lab: the replica is not watched: {error:#}"));
        }
        sleep(EVERY).await;
    }
}

struct Watcher {
    home: Home,
    /// Where the data are; `None` if nobody can run a server here.
    local: Option<Local>,
    port: u16,
    connection: Option<PgConnection>,
    trail: Trail,
    began: Instant,
    /// What was seen last.
    last: Option<Look>,
}

/// The reader of the slot, if it is the replica, and not a base backup for it. Without a reader, the slot says from where the
/// primary keeps its log.
const LOOK: &str = "SELECT coalesce(bool_or(r.state = 'streaming'), false), \
    coalesce(bool_or(r.sync_state IN ('sync', 'quorum')), false), \
    pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, \
    coalesce(max(pg_wal_lsn_diff(coalesce(r.flush_lsn, s.restart_lsn), '0/0')), 0)::bigint, \
    coalesce(max(pg_wal_lsn_diff(coalesce(r.replay_lsn, s.restart_lsn), '0/0')), 0)::bigint \
    FROM pg_replication_slots s \
    LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid AND r.application_name = $1 \
    WHERE s.slot_name = $1";

impl Watcher {
    async fn look(&mut self) -> Result<Look> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => {
                let url = statistics_url(&Secrets::of(&self.home), self.port)?;
                empty.insert(PgConnection::connect(&url).await?)
            }
        };
        let row: (bool, bool, i64, i64, i64) =
            sqlx::query_as(LOOK).bind(REPLICA_ROLE).fetch_one(connection).await?;
        let at = |position: i64| u64::try_from(position).unwrap_or_default();
        let (streaming, sync, primary, flushed, replayed) = row;
        let lag_seconds = self.trail.lag(self.began.elapsed().as_secs_f64(), at(primary), at(replayed));
        let behind_bytes = at(primary).saturating_sub(at(flushed));
        Ok(Look { at: Utc::now(), seen: Seen { streaming, sync, behind_bytes }, lag_seconds })
    }

    fn note(&self, look: &Look) -> Result<()> {
        write_private(&note(&self.home), &serde_json::to_string(look)?)?;
        self.tell(look)
    }

    /// Writes the metrics; a reader sees the old or the new ones.
    fn tell(&self, look: &Look) -> Result<()> {
        let promoted = self.local.as_ref().is_some_and(is_promoted);
        write_private(&metrics_file(&self.home), &text(look, promoted)).context("the metrics of the replica")
    }
}

fn text(look: &Look, promoted: bool) -> String {
    let flag = |flag: bool| if flag { 1.0 } else { 0.0 };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let at = look.at.timestamp_millis() as f64 / 1_000.0;
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let behind = look.seen.behind_bytes as f64;
    let rows = [
        ("replica_streaming", "1 if the replica receives the write-ahead log.", flag(look.seen.streaming)),
        ("replica_synchronous", "1 if commits wait for the replica.", flag(look.seen.sync)),
        ("replica_behind_bytes", "Write-ahead log that is not on the replica's disk.", behind),
        (
            "replica_lag_seconds",
            "By how many seconds what a query on the replica sees is older than the primary.",
            look.lag_seconds,
        ),
        ("replica_seen_timestamp_seconds", "When the primary was last asked about its replica.", at),
        (
            "replica_promoted",
            "1 if the replica takes writes, and has not yet the address of the primary.",
            flag(promoted),
        ),
    ];
    rows.iter()
        .map(|(name, help, value)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Look {
        let seen = Seen { streaming: true, sync: false, behind_bytes: 4_096 };
        Look { at: DateTime::from_timestamp(1_772_000_000, 0).unwrap(), seen, lag_seconds: 0.5 }
    }

    #[test]
    fn every_series_has_its_help_and_its_value() {
        let text = text(&look(), true);
        let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            series,
            [
                "replica_streaming 1",
                "replica_synchronous 0",
                "replica_behind_bytes 4096",
                "replica_lag_seconds 0.5",
                "replica_seen_timestamp_seconds 1772000000",
                "replica_promoted 1",
            ]
        );
        assert_eq!(text.lines().filter(|line| line.starts_with("# HELP")).count(), series.len());
    }

    #[test]
    fn a_lost_replica_is_said_loudly() {
        let now = look().at + chrono::TimeDelta::seconds(1);
        assert_eq!(look().sentence(now), "the replica follows the primary, 4096 bytes behind (1 s ago)");
        let seen = Seen { streaming: false, sync: true, behind_bytes: 9 };
        assert_eq!(
            Look { seen, ..look() }.sentence(now),
            "the replica does NOT follow the primary, 9 bytes behind (1 s ago); commits wait for it"
        );
    }

    #[test]
    fn a_look_grows_old_and_survives_its_writer() {
        let written = serde_json::to_string(&look()).unwrap();
        let read: Look = serde_json::from_str(&written).unwrap();
        assert_eq!(read, look());
        let later = look().at + chrono::TimeDelta::seconds(20);
        assert_eq!(read.aged(later), (look().seen, 20.0));
    }
}
