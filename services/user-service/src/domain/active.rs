//! Recently read users, in bounded memory.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

/// How long a user counts as active after a read.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Users remembered at most: about 4 MB. Beyond it, new ones are not counted until others leave the window.
const CAPACITY: usize = 100_000;

/// The users that were read in the last 15 minutes. Cheap to clone.
#[derive(Clone, Default)]
pub struct ActiveUsers {
    last_read: Arc<Mutex<HashMap<Uuid, Instant>>>,
}

impl ActiveUsers {
    /// Records a read.
    pub fn saw(&self, id: Uuid) {
        let mut last_read = self.lock();
        if last_read.len() < CAPACITY || last_read.contains_key(&id) {
            last_read.insert(id, Instant::now());
        }
    }

    /// Number of users in the window; forgets the others.
    #[must_use]
    pub fn count(&self) -> i64 {
        let mut last_read = self.lock();
        last_read.retain(|_, at| at.elapsed() < WINDOW);
        i64::try_from(last_read.len()).unwrap_or(i64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Instant>> {
        self.last_read.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_counts_once_and_memory_is_bounded() {
        let active = ActiveUsers::default();
        active.saw(Uuid::from_u128(0));
        active.saw(Uuid::from_u128(0));
        assert_eq!(active.count(), 1);
        (0..200_000).for_each(|n| active.saw(Uuid::from_u128(n)));
        assert_eq!(active.count(), 100_000);
    }
}
