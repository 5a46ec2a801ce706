//! How far each assigned partition is handled, and how far that was committed.
//!
//! Entries live from assignment to revocation, so that no offset of an earlier assignment can be committed in a later one:
//! after a broker lost its log, the same number means another message.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};

/// The partitions of one consumer.
#[derive(Default)]
pub(super) struct Offsets {
    partitions: Mutex<BTreeMap<i32, Progress>>,
}

#[derive(Default)]
struct Progress {
    /// Offset up to which all messages are handled; `None` before the first.
    done: Option<i64>,
    /// Offset after the last message that was started.
    started: i64,
    /// The last offset handed to a commit.
    sent: Option<i64>,
    /// Whether the last message must not be committed for now.
    held: bool,
    /// Whether a commit failed and the broker's log has not been seen to reach that offset since.
    doubtful: bool,
    /// The messages in progress: offset and broker time.
    under_way: BTreeMap<i64, Option<DateTime<Utc>>>,
}

impl Offsets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Progress>> {
        self.partitions.lock()
    }

    pub(super) fn assigned(&self, partition: i32) {
        self.lock().insert(partition, Progress::default());
    }

    pub(super) fn revoked(&self, partition: i32) {
        self.lock().remove(&partition);
    }

    pub(super) fn started(&self, partition: i32, offset: i64, timestamp: Option<DateTime<Utc>>) {
        if let Some(progress) = self.lock().get_mut(&partition) {
            progress.started = offset + 1;
            progress.under_way.insert(offset, timestamp);
        }
    }

    /// Marks a message as handled: what may be committed goes as far as the first one that is not. `held` keeps the partition
    /// from being committed until a later message or [`Offsets::due`] says otherwise.
    pub(super) fn done(&self, partition: i32, offset: i64, held: bool) {
        if let Some(progress) = self.lock().get_mut(&partition) {
            let first = progress.under_way.first_key_value().map(|(&first, _)| first);
            progress.under_way.remove(&offset);
            let open = progress.under_way.first_key_value().map_or(progress.started, |(&open, _)| open);
            // An earlier one is still in progress, and nothing changed.
            if first == Some(offset) {
                progress.done = Some(open);
            }
            progress.doubtful = false;
            progress.held = held;
        }
    }

    /// The offsets to commit for `partitions` (`None`: of all), as partition and next offset; marks it as sent.
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

    /// The broker's log of `partition` ends at `high`: an offset beyond it belongs to a log that was lost. A broker without
    /// that group would accept it, and the consumer would later skip messages.
    pub(super) fn confirm(&self, partition: i32, high: i64) {
        if let Some(progress) = self.lock().get_mut(&partition) {
            progress.doubtful = false;
            progress.done = progress.done.filter(|&done| done <= high);
        }
    }

    /// The first message in progress in `partition`: offset and broker time.
    pub(super) fn current(&self, partition: i32) -> Option<(i64, Option<DateTime<Utc>>)> {
        let partitions = self.lock();
        let under_way = &partitions.get(&partition)?.under_way;
        under_way.first_key_value().map(|(&offset, &timestamp)| (offset, timestamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a message and marks it as handled.
    fn handle(offsets: &Offsets, partition: i32, offset: i64, held: bool) {
        offsets.started(partition, offset, None);
        offsets.done(partition, offset, held);
    }

    #[test]
    fn a_commit_is_due_once_and_again_after_it_failed() {
        let offsets = Offsets::default();
        offsets.assigned(3);
        handle(&offsets, 3, 41, false);
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
        handle(&offsets, 3, 41, false);
        assert_eq!(offsets.due(None, false), [(3, 42)]);
        offsets.commit_failed(&[3]);
        assert!(offsets.due(None, false).is_empty(), "not before the broker was seen");
        offsets.confirm(3, 7);
        assert!(offsets.due(None, false).is_empty());
        handle(&offsets, 3, 0, false);
        assert_eq!(offsets.due(None, false), [(3, 1)]);
    }

    #[test]
    fn a_held_message_is_committed_only_after_the_hold_ended() {
        let offsets = Offsets::default();
        offsets.assigned(0);
        handle(&offsets, 0, 7, true);
        assert!(offsets.due(None, true).is_empty());
        assert_eq!(offsets.due(None, false), [(0, 8)]);
    }

    #[test]
    fn work_of_an_earlier_assignment_is_not_committed_in_a_later_one() {
        let offsets = Offsets::default();
        offsets.assigned(0);
        handle(&offsets, 0, 500, false);
        offsets.revoked(0);
        handle(&offsets, 0, 501, false);
        offsets.assigned(0);
        assert!(offsets.due(None, false).is_empty());
    }

    #[test]
    fn a_message_is_not_committed_before_an_earlier_one_is_handled() {
        let offsets = Offsets::default();
        offsets.assigned(0);
        for offset in [7, 8, 9] {
            offsets.started(0, offset, None);
        }
        offsets.done(0, 8, false);
        assert!(offsets.due(None, false).is_empty(), "7 is still in progress");
        offsets.done(0, 7, false);
        assert_eq!(offsets.due(None, false), [(0, 9)]);
        assert_eq!(offsets.current(0), Some((9, None)));
        offsets.done(0, 9, false);
        assert_eq!(offsets.due(None, false), [(0, 10)]);
    }
}
