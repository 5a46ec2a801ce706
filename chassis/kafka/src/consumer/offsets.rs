//! How far each assigned partition is done, and how far that was committed.
//!
//! Entries live from assignment to revocation, so that no offset of an earlier assignment can be committed in a later one:
//! after a broker lost its log, the same number means another message.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};

/// The partitions of one consumer.
#[derive(Default)]
pub(crate) struct Offsets {
    partitions: Mutex<BTreeMap<i32, Progress>>,
}

#[derive(Default)]
struct Progress {
    /// Offset of the next message to handle, once one was handled.
    done: Option<i64>,
    /// The last offset handed to a commit.
    sent: Option<i64>,
    /// Whether the last message must not be committed for now.
    held: bool,
    /// Whether a commit failed, and the broker has not been seen since with a log as long as that.
    doubtful: bool,
    /// The message under way: offset and broker time.
    current: Option<(i64, Option<DateTime<Utc>>)>,
}

impl Offsets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Progress>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn assigned(&self, partition: i32) {
        self.lock().insert(partition, Progress::default());
    }

    pub(super) fn revoked(&self, partition: i32) {
        self.lock().remove(&partition);
    }

    pub(super) fn started(&self, partition: i32, offset: i64, timestamp: Option<DateTime<Utc>>) {
        if let Some(progress) = self.lock().get_mut(&partition) {
            progress.current = Some((offset, timestamp));
        }
    }

    /// Marks a message as handled; `held` keeps the partition from being committed until a later message or
    /// [`Offsets::due`] says otherwise.
    pub(super) fn done(&self, partition: i32, offset: i64, held: bool) {
        if let Some(progress) = self.lock().get_mut(&partition) {
            progress.done = Some(offset + 1);
            progress.doubtful = false;
            progress.held = held;
            progress.current = None;
        }
    }

    /// What is to be committed of `partitions` (`None`: of all), as partition and next offset; marks it as sent.
    pub(super) fn due(&self, partitions: Option<&[i32]>, holding: bool) -> Vec<(i32, i64)> {
        let mut due = Vec::new();
        for (&partition, progress) in self.lock().iter_mut() {
            let wanted = partitions.is_none_or(|some| some.contains(&partition));
            let Some(done) = progress.done else { continue };
            if wanted && progress.sent != Some(done) && !progress.doubtful && !(holding && progress.held) {
                progress.sent = Some(done);
                due.push((partition, done));
            }
        }
        due
    }

    /// Makes the last commit of these partitions due again, once [`Offsets::confirm`] has seen that it still makes sense.
    pub(super) fn commit_failed(&self, partitions: &[i32]) {
        for (partition, progress) in self.lock().iter_mut() {
            if partitions.contains(partition) {
                progress.sent = None;
                progress.doubtful = true;
            }
        }
    }

    /// The broker's log of `partition` ends at `high`: an offset beyond it is one of a log that was lost. A broker without
    /// that group would take it, and the consumer would later skip as many messages.
    pub(super) fn confirm(&self, partition: i32, high: i64) {
        if let Some(progress) = self.lock().get_mut(&partition) {
            progress.doubtful = false;
            progress.done = progress.done.filter(|&done| done <= high);
        }
    }

    /// The message under way in `partition`: offset and broker time.
    pub(super) fn current(&self, partition: i32) -> Option<(i64, Option<DateTime<Utc>>)> {
        self.lock().get(&partition).and_then(|progress| progress.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_due_once_and_again_after_it_failed() {
        let offsets = Offsets::default();
        offsets.assigned(3);
        offsets.done(3, 41, false);
        assert_eq!(offsets.due(None, false), [(3, 42)]);
        assert!(offsets.due(None, false).is_empty());
        offsets.commit_failed(&[3]);
        offsets.confirm(3, 50);
        assert_eq!(offsets.due(None, false), [(3, 42)]);
    }

    #[test]
    fn an_offset_of_a_lost_log_is_not_committed_to_the_new_one() {
        let offsets = Offsets::default();
        offsets.assigned(3);
        offsets.done(3, 41, false);
        assert_eq!(offsets.due(None, false), [(3, 42)]);
        offsets.commit_failed(&[3]);
        assert!(offsets.due(None, false).is_empty(), "not before the broker was seen");
        offsets.confirm(3, 7);
        assert!(offsets.due(None, false).is_empty());
        offsets.done(3, 0, false);
        assert_eq!(offsets.due(None, false), [(3, 1)]);
    }

    #[test]
    fn a_held_message_is_committed_only_after_the_holding_ended() {
        let offsets = Offsets::default();
        offsets.assigned(0);
        offsets.done(0, 7, true);
        assert!(offsets.due(None, true).is_empty());
        assert_eq!(offsets.due(None, false), [(0, 8)]);
    }

    #[test]
    fn what_an_earlier_assignment_did_is_not_committed_in_a_later_one() {
        let offsets = Offsets::default();
        offsets.assigned(0);
        offsets.done(0, 500, false);
        offsets.revoked(0);
        offsets.done(0, 501, false);
        offsets.assigned(0);
        assert!(offsets.due(None, false).is_empty());
    }
}
