//! Everything in a repository.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{manifest::Manifest, wal::Segment};

/// Backups and archived WAL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Backups that ended, the oldest first.
    pub backups: Vec<Backup>,
    /// Archived WAL, in the order of timelines and numbers.
    pub wal: Vec<WalFile>,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// What it consists of.
    pub manifest: Manifest,
    /// What came of its last restore into a scratch instance; `None` if it was never restored.
    pub verdict: Option<Verdict>,
}

/// What came of a restore into a scratch instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// How long it took in milliseconds, checks included.
    pub millis: u64,
    /// What was checked, one sentence each.
    pub checked: Vec<String>,
    /// What does not hold, one sentence each; empty if the backup is good.
    pub complaints: Vec<String>,
    /// Rows by table, such as `orders.orders`.
    pub rows: BTreeMap<String, u64>,
}

impl Verdict {
    /// Whether the backup can be relied on.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.complaints.is_empty()
    }
}

/// One archived segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalFile {
    /// Which.
    pub segment: Segment,
    /// Whether the server was still writing it when it was archived.
    pub partial: bool,
    /// When it was last known to have everything that the server had written.
    pub until: DateTime<Utc>,
}

impl Catalogue {
    /// Sorts what was listed. Of a segment that is there twice, the complete one counts.
    #[must_use]
    pub fn new(mut backups: Vec<Backup>, mut wal: Vec<WalFile>) -> Self {
        backups.sort_by(|a, b| (a.manifest.ended, &a.manifest.id).cmp(&(b.manifest.ended, &b.manifest.id)));
        wal.sort_by_key(|file| (file.segment, file.partial));
        wal.dedup_by_key(|file| file.segment);
        Self { backups, wal }
    }

    /// The backup that was last restored and found good.
    #[must_use]
    pub fn last_verified(&self) -> Option<&Backup> {
        let good = |backup: &&Backup| backup.verdict.as_ref().is_some_and(Verdict::holds);
        self.backups.iter().rev().find(good)
    }

    /// A backup by its id.
    #[must_use]
    pub fn backup(&self, id: &str) -> Option<&Backup> {
        self.backups.iter().find(|backup| backup.manifest.id == id)
    }

    /// The unbroken WAL that follows a backup, in order.
    #[must_use]
    pub fn wal_after(&self, manifest: &Manifest) -> Vec<WalFile> {
        let mut wanted = manifest.last_segment().next();
        let mut run = Vec::new();
        for file in self.wal.iter().filter(|file| file.segment.timeline == manifest.timeline) {
            if file.segment < wanted {
                continue;
            }
            if file.segment != wanted {
                break;
            }
            run.push(*file);
            // Nothing can follow a segment whose end is not there.
            if file.partial {
                break;
            }
            wanted = wanted.next();
        }
        run
    }

    /// The latest moment that a backup can be rolled forward to with the WAL that follows it.
    #[must_use]
    pub fn until(&self, manifest: &Manifest) -> DateTime<Utc> {
        let run = self.wal_after(manifest);
        run.iter().map(|file| file.until).chain([manifest.ended]).max().unwrap_or(manifest.ended)
    }
}
