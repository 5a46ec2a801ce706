//! What to delete from a repository. Never the backup that was last restored and found good, nor the WAL after it: until
//! a newer one is restored, it is the only one that is known to work.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{catalogue::Catalogue, wal::Segment};

/// What to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// At least this many backups, the newest; 0 counts as 1.
    pub count: usize,
    /// All backups that are younger.
    pub age: TimeDelta,
}

/// What to delete: backups first, so that no backup is ever left without its WAL by an interruption.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surplus {
    /// Ids of backups, the oldest first.
    pub backups: Vec<String>,
    /// Archived WAL that no backup needs that stays.
    pub wal: Vec<Segment>,
}

/// Chooses what to delete.
#[must_use]
pub fn surplus(catalogue: &Catalogue, keep: Keep, now: DateTime<Utc>) -> Surplus {
    let verified = catalogue.last_verified().map(|backup| backup.manifest.id.as_str());
    let newest = catalogue.backups.len().saturating_sub(keep.count.max(1));
    let stays = |(at, backup): &(usize, &crate::Backup)| {
        let manifest = &backup.manifest;
        *at >= newest || now - manifest.ended < keep.age || Some(manifest.id.as_str()) == verified
    };
    let (kept, gone): (Vec<_>, Vec<_>) = catalogue.backups.iter().enumerate().partition(stays);
    let newest_timeline = kept.iter().map(|(_, backup)| backup.manifest.timeline).max();
    // Without a backup, WAL is useless now, but a backup may be about to end that needs it.
    let needed = |segment: Segment| {
        newest_timeline.is_none_or(|newest| segment.timeline > newest)
            || kept.iter().any(|(_, backup)| {
                let last = backup.manifest.last_segment();
                segment.timeline == last.timeline && segment > last
            })
    };
    let wal: BTreeSet<Segment> =
        catalogue.wal.iter().map(|file| file.segment).filter(|segment| !needed(*segment)).collect();
    Surplus {
        backups: gone.into_iter().map(|(_, backup)| backup.manifest.id.clone()).collect(),
        wal: wal.into_iter().collect(),
    }
}
