//! Users that were read and are not counted yet, in bounded memory: a request only notes its user here, and every second all of them
//! are counted together, over all replicas (`adapters::user_count`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use uuid::Uuid;

/// Users that wait to be counted, at most: about 4 MB. Beyond it, new ones are not counted until the counter is back.
const CAPACITY: usize = 100_000;

/// Ids of users, by the minute in which each was read last.
pub type Sightings = BTreeMap<u64, Vec<Uuid>>;

/// The users that were read since the last count. Cheap to clone.
#[derive(Clone, Default)]
pub struct ActiveUsers {
    last_read: Arc<Mutex<HashMap<Uuid, u64>>>,
}

/// Minutes since 1970: all replicas count them alike.
#[must_use]
pub fn minute() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60)
}

impl ActiveUsers {
    /// Records a read.
    pub fn saw(&self, id: Uuid) {
        self.saw_in(id, minute());
    }

    /// Records a read in a minute.
    pub fn saw_in(&self, id: Uuid, minute: u64) {
        let mut last_read = self.last_read.lock();
        if last_read.len() < CAPACITY || last_read.contains_key(&id) {
            let last = last_read.entry(id).or_default();
            *last = minute.max(*last);
        }
    }

    /// Takes what was recorded.
    #[must_use]
    pub fn take(&self) -> Sightings {
        let taken = std::mem::take(&mut *self.last_read.lock());
        let mut sightings = Sightings::new();
        for (id, minute) in taken {
            sightings.entry(minute).or_default().push(id);
        }
        sightings
    }

    /// Keeps what could not be counted for the next time.
    pub fn put_back(&self, sightings: Sightings) {
        for (minute, ids) in sightings {
            ids.into_iter().for_each(|id| self.saw_in(id, minute));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn a_user_is_taken_once_in_the_minute_of_the_last_read() {
        let active = ActiveUsers::default();
        for (id, minute) in [(1, 7), (2, 7), (1, 8), (1, 7)] {
            active.saw_in(user(id), minute);
        }
        assert_eq!(active.take(), Sightings::from([(7, vec![user(2)]), (8, vec![user(1)])]));
        assert_eq!(active.take(), Sightings::new());
    }

    #[test]
    fn what_could_not_be_counted_waits_and_a_later_read_wins() {
        let active = ActiveUsers::default();
        active.saw_in(user(1), 7);
        let taken = active.take();
        active.saw_in(user(1), 9);
        active.put_back(taken);
        assert_eq!(active.take(), Sightings::from([(9, vec![user(1)])]));
    }

    #[test]
    fn memory_is_bounded_while_nobody_counts() {
        let active = ActiveUsers::default();
        (0..200_000).for_each(|n| active.saw_in(user(n), 1));
        active.saw_in(user(0), 2);
        let taken = active.take();
        assert_eq!((taken[&1].len(), taken[&2].len()), (99_999, 1));
    }
}
