//! Which base backup and which WAL restore the state of a moment; or why nothing does, in a sentence.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::{
    catalogue::{Backup, Catalogue},
    manifest::Manifest,
    wal::Segment,
};

/// The moment to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Everything that was archived.
    Latest,
    /// Everything that was committed up to this moment.
    Time(DateTime<Utc>),
}

/// What to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The base.
    pub base: Manifest,
    /// Segments to replay after it, in order; whether each is partial.
    pub wal: Vec<(Segment, bool)>,
    /// The moment at which replay stops; `None` for the end of the WAL.
    pub stop_at: Option<DateTime<Utc>>,
    /// The latest moment that base and WAL reach.
    pub until: DateTime<Utc>,
}

/// Why nothing can be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no backup at all.
    #[error("there is no backup: make one with `lab backup run`")]
    NoBackup,
    /// All backups ended later.
    #[error(
        "no backup ended before {}: the oldest ended at {}, so that is the earliest moment that can be restored",
        time(.target),
        time(.oldest)
    )]
    NoBase {
        /// The moment that was asked for.
        target: DateTime<Utc>,
        /// When the oldest backup ended.
        oldest: DateTime<Utc>,
    },
    /// The WAL after the base ends before the target.
    #[error(
        "the archived WAL ends at {}, before {}: restore that moment, or the latest with `--to latest`",
        time(.until),
        time(.target)
    )]
    TooLate {
        /// The moment that was asked for.
        target: DateTime<Utc>,
        /// The latest moment that can be restored.
        until: DateTime<Utc>,
    },
    /// Some of the WAL between base and target is not there, and later WAL is.
    #[error(
        "WAL is missing from {first} to {last}, after backup {base}: the latest moment before the gap is {}",
        time(.until)
    )]
    Gap {
        /// The base that was chosen.
        base: String,
        /// File name of the first segment that is missing.
        first: String,
        /// File name of the last one.
        last: String,
        /// The latest moment that can be restored.
        until: DateTime<Utc>,
    },
    /// The server was restored after the base, and wrote a new timeline that no backup begins.
    #[error(
        "the timeline forked after backup {base}: it follows timeline {timeline}, the server went over to {newer}, and no \
         backup of timeline {newer} ended in time; the latest moment before the fork is {}",
        time(.until)
    )]
    Forked {
        /// The base that was chosen.
        base: String,
        /// Its timeline.
        timeline: u32,
        /// The timeline that the server went over to.
        newer: u32,
        /// The latest moment that can be restored.
        until: DateTime<Utc>,
    },
}

/// Chooses the newest base that ended at or before the target, and all WAL that follows it without a gap.
///
/// # Errors
/// When base or WAL do not reach the target. For [`Target::Latest`], WAL behind a gap or on a newer timeline is an error
/// too: to leave it out silently would lose what was accepted.
pub fn plan(catalogue: &Catalogue, target: Target) -> Result<Plan, Refusal> {
    let base = &base(catalogue, target)?.manifest;
    let run = catalogue.wal_after(base);
    let until = catalogue.until(base);
    let reached = match target {
        Target::Latest => false,
        Target::Time(time) => time <= until,
    };
    if !reached {
        behind(catalogue, base, until)?;
        if let Target::Time(target) = target {
            return Err(Refusal::TooLate { target, until });
        }
    }
    let wal = run.into_iter().map(|file| (file.segment, file.partial)).collect();
    let stop_at = match target {
        Target::Latest => None,
        Target::Time(time) => Some(time),
    };
    Ok(Plan { base: base.clone(), wal, stop_at, until })
}

/// Archived WAL that only a new base backup covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    /// Id of the newest backup, which does not reach it.
    pub base: String,
    /// What is not covered, in words.
    pub what: String,
}

/// The WAL for which a new base backup is needed; `None` if the latest state can be restored, or there is no backup at all.
#[must_use]
pub fn uncovered(catalogue: &Catalogue) -> Option<Uncovered> {
    match plan(catalogue, Target::Latest) {
        Err(Refusal::Forked { base, newer, .. }) => {
            Some(Uncovered { base, what: format!("timeline {newer}") })
        }
        Err(Refusal::Gap { base, last, .. }) => {
            Some(Uncovered { base, what: format!("the WAL after segment {last}") })
        }
        Ok(_) | Err(Refusal::NoBackup | Refusal::NoBase { .. } | Refusal::TooLate { .. }) => None,
    }
}

fn base(catalogue: &Catalogue, target: Target) -> Result<&Backup, Refusal> {
    let oldest = catalogue.backups.first().ok_or(Refusal::NoBackup)?;
    match target {
        Target::Latest => catalogue.backups.last().ok_or(Refusal::NoBackup),
        Target::Time(time) => {
            let early = |backup: &&Backup| backup.manifest.ended <= time;
            let none = Refusal::NoBase { target: time, oldest: oldest.manifest.ended };
            catalogue.backups.iter().rev().find(early).ok_or(none)
        }
    }
}

/// Fails if there is WAL that the base cannot be rolled forward to.
fn behind(catalogue: &Catalogue, base: &Manifest, until: DateTime<Utc>) -> Result<(), Refusal> {
    let run = catalogue.wal_after(base);
    let reached = run.last().map_or(base.last_segment(), |file| file.segment);
    let later = catalogue.wal.iter().map(|file| file.segment);
    let mut later = later.filter(|segment| segment.timeline == base.timeline && *segment > reached);
    if let Some(next) = later.next() {
        // The end of a partial segment is missing too, if others follow it.
        let partial = run.last().is_some_and(|file| file.partial);
        let first = if partial { reached } else { reached.next() };
        let last = Segment { number: next.number.saturating_sub(1).max(first.number), ..next };
        let name = |segment: Segment| segment.name(base.segment_bytes);
        return Err(Refusal::Gap { base: base.id.clone(), first: name(first), last: name(last), until });
    }
    let newer =
        catalogue.wal.iter().map(|file| file.segment.timeline).find(|timeline| *timeline > base.timeline);
    match newer {
        Some(newer) => Err(Refusal::Forked { base: base.id.clone(), timeline: base.timeline, newer, until }),
        None => Ok(()),
    }
}

fn time(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
