//! The stored pages: the latest ones, up to a limit. Never waits for anything but its own lock.

use std::{collections::VecDeque, num::NonZeroUsize};

use parking_lot::{Mutex, MutexGuard};

use crate::page::Page;

/// A bounded queue of pages.
pub struct Store {
    keep: NonZeroUsize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    pages: VecDeque<Page>,
    last_id: u64,
}

impl Store {
    /// Holds at most `keep` pages.
    #[must_use]
    pub fn new(keep: NonZeroUsize) -> Self {
        Self { keep, held: Mutex::default() }
    }

    /// Adds a page and gives it an id. If it is stored already, counts it there instead: Alertmanager sends a whole group again
    /// when one of its alerts changes, and again as a reminder. Returns whether the page is new.
    pub fn add(&self, mut page: Page) -> bool {
        let mut held = self.lock();
        if let Some(known) = held.pages.iter_mut().rev().find(|known| known.same(&page)) {
            known.repeats += 1;
            return false;
        }
        held.last_id += 1;
        page.id = held.last_id;
        if held.pages.len() == self.keep.get() {
            held.pages.pop_front();
        }
        held.pages.push_back(page);
        true
    }

    /// The pages with an id above `after`, oldest first.
    #[must_use]
    pub fn after(&self, after: u64) -> Vec<Page> {
        self.lock().pages.iter().filter(|page| page.id > after).cloned().collect()
    }

    /// Number of stored pages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().pages.len()
    }

    /// Whether no page is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock()
    }
}
