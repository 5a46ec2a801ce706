//! Measurements that several labs take one by one, and how long the rest takes.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::pick::Task;

/// The measurements that are left, for all labs.
pub(super) struct Queue<'t> {
    left: RefCell<VecDeque<Task<'t>>>,
    count: usize,
    begun: Instant,
    /// How many have been made.
    done: Cell<usize>,
}

impl<'t> Queue<'t> {
    pub(super) fn of(tasks: Vec<Task<'t>>) -> Self {
        let count = tasks.len();
        Self { left: RefCell::new(tasks.into()), count, begun: Instant::now(), done: Cell::new(0) }
    }

    /// The next one.
    pub(super) fn take(&self) -> Option<Task<'t>> {
        self.left.borrow_mut().pop_front()
    }

    /// `3 of 40, about 34 min left`.
    pub(super) fn place(&self) -> String {
        let rest = self.left.borrow().len();
        let left = left(self.begun.elapsed(), self.done.get(), self.done.get() + rest + 1);
        format!("{} of {}{left}", self.count - rest, self.count)
    }

    /// One more has been made.
    pub(super) fn tick(&self) {
        self.done.set(self.done.get() + 1);
    }
}

/// How long the rest takes, if it takes as long as what is done: `, about 34 min left`. Nothing before the first is done.
fn left(elapsed: Duration, done: usize, all: usize) -> String {
    let Some(each) = u32::try_from(done).ok().and_then(|done| elapsed.checked_div(done)) else {
        return String::new();
    };
    let rest = u32::try_from(all.saturating_sub(done)).unwrap_or(u32::MAX);
    format!(", about {} min left", each.saturating_mul(rest).as_secs().div_ceil(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_estimated_from_what_is_done() {
        assert_eq!(left(Duration::from_secs(5), 0, 9), "");
        assert_eq!(left(Duration::from_secs(300), 2, 6), ", about 10 min left");
        assert_eq!(left(Duration::from_secs(10), 1, 2), ", about 1 min left");
    }
}
