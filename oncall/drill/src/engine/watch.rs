//! What was seen of each condition, and since when.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// Longest time between two looks for which what both showed is taken to have been so in between: a look waits a few
/// seconds for an answer.
const GAP: TimeDelta = TimeDelta::seconds(15);

/// What was seen of one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watch {
    /// Whether it holds.
    pub(super) holds: bool,
    /// Since when it does, or does not.
    pub(super) since: DateTime<Utc>,
    /// When it was looked at last.
    pub(super) at: DateTime<Utc>,
    /// When it held for the first time.
    pub(super) first: Option<DateTime<Utc>>,
    /// When it did not hold for the first time.
    pub(super) failed: Option<DateTime<Utc>>,
    /// What came back last.
    pub(super) seen: String,
}

/// What was seen of all conditions, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Watches(BTreeMap<String, Watch>);

impl Watches {
    /// Takes a look. One that is older than the last one is ignored.
    pub(super) fn look(&mut self, id: &str, holds: bool, at: DateTime<Utc>, seen: &str) {
        let watch = self.0.entry(id.to_owned()).or_insert_with(|| Watch {
            holds,
            since: at,
            at,
            first: None,
            failed: None,
            seen: String::new(),
        });
        if at < watch.at {
            return;
        }
        if watch.holds != holds || at - watch.at > GAP {
            watch.since = at;
        }
        (watch.holds, watch.at) = (holds, at);
        seen.clone_into(&mut watch.seen);
        let first = if holds { &mut watch.first } else { &mut watch.failed };
        first.get_or_insert(at);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Watch> {
        self.0.get(id)
    }

    /// When a condition held for the first time.
    pub(super) fn first(&self, id: &str) -> Option<DateTime<Utc>> {
        self.get(id)?.first
    }

    /// Since when all of these have been as wanted, and until when that is known; nothing if one is not.
    pub(super) fn all<'i>(
        &self,
        wanted: impl IntoIterator<Item = (&'i str, bool)>,
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let (mut since, mut until) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        for (id, holds) in wanted {
            let watch = self.get(id).filter(|watch| watch.holds == holds)?;
            since = since.max(watch.since);
            until = until.min(watch.at);
        }
        Some((since, until))
    }

    /// What came back last, for messages.
    pub(super) fn seen(&self, id: &str) -> String {
        match self.get(id) {
            None => "nobody looked".to_owned(),
            Some(watch) if watch.seen.is_empty() => "nothing".to_owned(),
            Some(watch) => watch.seen.clone(),
        }
    }
}
