//! What Prometheus sees of backups: a file that node_exporter reads (its textfile collector). It stays when its writer dies,
//! so that what it says grows old, and the age is what is alerted on.

use std::path::{Path, PathBuf};

use anyhow::Result;
use chrono::{DateTime, Utc};
use recovery::{Catalogue, Target, Verdict, plan};
use supervisor::write_private;

use crate::home::Home;

/// The folder that node_exporter reads.
pub(crate) fn folder(home: &Home) -> PathBuf {
    home.dir.join("backup/metrics")
}

/// What the archive itself knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    /// Since when the archive has run.
    pub(crate) since: DateTime<Utc>,
    /// Seconds from one backup to the next.
    pub(crate) interval: f64,
    /// Until when the WAL is archived; `None` if nothing was archived since the start.
    pub(crate) archived: Option<DateTime<Utc>>,
    /// Whether the key is where it is looked for.
    pub(crate) key: bool,
    /// Whether backups go to a bucket.
    pub(crate) bucket: bool,
}

/// Writes the file; a reader sees the old or the new one.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(folder: &Path, watch: Watch, catalogue: &Catalogue) -> Result<()> {
    Ok(write_private(&folder.join("backup.prom"), &text(watch, catalogue))?)
}

/// Every series from the first moment on; 0 is a time or a size that does not exist yet.
fn text(watch: Watch, catalogue: &Catalogue) -> String {
    let newest = catalogue.backups.last().map(|backup| &backup.manifest);
    let verified = catalogue.last_verified().and_then(|backup| backup.verdict.as_ref());
    let at = |time: Option<DateTime<Utc>>| time.map_or(0.0, seconds);
    let took = |verdict: &Verdict| std::time::Duration::from_millis(verdict.millis).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let bytes = newest.map_or(0, recovery::Manifest::bytes) as f64;
    let rows = [
        ("backup_interval_seconds", "Time from one backup to the next.", watch.interval),
        (
            "backup_watched_since_timestamp_seconds",
            "When the archive of the write-ahead log was started.",
            seconds(watch.since),
        ),
        (
            "backup_wal_archived_timestamp_seconds",
            "The latest moment that the archived write-ahead log reaches.",
            at(watch.archived),
        ),
        (
            "backup_last_timestamp_seconds",
            "When the newest backup ended.",
            at(newest.map(|newest| newest.ended)),
        ),
        ("backup_last_bytes", "Size of the newest backup, compressed and encrypted.", bytes),
        (
            "backup_last_verified_timestamp_seconds",
            "When a backup was last restored and found good.",
            at(verified.map(|verdict| verdict.at)),
        ),
        (
            "backup_restore_seconds",
            "How long the last verified restore took, checks included.",
            verified.map_or(0.0, took),
        ),
        (
            "backup_key_readable",
            "1 if the key without which nobody can read a backup is there.",
            is(watch.key),
        ),
        (
            "backup_latest_restorable",
            "1 if a backup and the write-ahead log after it reach the latest state.",
            is(plan(catalogue, Target::Latest).is_ok()),
        ),
        ("backup_in_bucket", "1 if backups go to a bucket, and not to a folder.", is(watch.bucket)),
    ];
    rows.iter()
        .map(|(name, help, value)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"))
        .collect()
}

fn is(so: bool) -> f64 {
    if so { 1.0 } else { 0.0 }
}

fn seconds(time: DateTime<Utc>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let millis = time.timestamp_millis() as f64;
    millis / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_there_before_the_first_backup() {
        let since = DateTime::from_timestamp(1_772_000_000, 0).unwrap();
        let watch = Watch { since, interval: 600.0, archived: None, key: true, bucket: false };
        let text = text(watch, &Catalogue::default());
        let series: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(series.len(), 10, "{text}");
        assert!(
            series.contains(&"backup_key_readable 1") && series.contains(&"backup_in_bucket 0"),
            "{text}"
        );
        assert!(series.contains(&"backup_last_verified_timestamp_seconds 0"), "{text}");
        assert!(series.contains(&"backup_latest_restorable 0"), "{text}");
        assert!(series.contains(&"backup_watched_since_timestamp_seconds 1772000000"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("# HELP")).count(), series.len());
    }
}
