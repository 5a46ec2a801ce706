//! How long the oldest message of a partition has been waiting, derived from the growth of its high watermark.
//!
//! Only a message's handler sees its timestamp. Messages that are not fetched (paused, rebalancing) or handled and not
//! committed are dated by when the high watermark was first seen beyond them.

use std::{collections::VecDeque, time::Instant};

/// Samples kept; beyond that every second one is dropped, so that a long lag is remembered more coarsely, not in more memory.
const SAMPLES: usize = 512;

/// The growth of one partition.
#[derive(Default)]
pub(super) struct Watermarks {
    /// Times at which the high watermark was first seen at a value, both ascending.
    seen: VecDeque<(Instant, i64)>,
}

impl Watermarks {
    /// Notes the high watermark `high`, with everything before `committed` handled.
    pub(super) fn note(&mut self, now: Instant, high: i64, committed: i64) {
        if self.seen.back().is_some_and(|&(_, last)| high < last) {
            // The broker came back without its log.
            self.seen.clear();
        }
        while self.seen.front().is_some_and(|&(_, high)| high <= committed) {
            self.seen.pop_front();
        }
        if high > committed && self.seen.back().is_none_or(|&(_, last)| high > last) {
            self.seen.push_back((now, high));
        }
        if self.seen.len() > SAMPLES {
            let mut index = 0;
            self.seen.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// Seconds since the oldest unhandled message was first seen; 0 without lag.
    pub(super) fn age(&self, now: Instant) -> f64 {
        self.seen.front().map_or(0.0, |&(since, _)| now.duration_since(since).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_age_is_that_of_the_first_message_beyond_the_commit() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut marks = Watermarks::default();
        marks.note(at(0), 10, 10);
        assert_eq!(marks.age(at(5)), 0.0);
        marks.note(at(5), 20, 10);
        marks.note(at(6), 30, 10);
        assert_eq!(marks.age(at(9)), 4.0);
        marks.note(at(9), 30, 20);
        assert_eq!(marks.age(at(9)), 3.0);
        marks.note(at(10), 30, 30);
        assert_eq!(marks.age(at(10)), 0.0);
    }

    #[test]
    fn a_log_that_was_lost_is_forgotten() {
        let start = Instant::now();
        let mut marks = Watermarks::default();
        marks.note(start, 500, 100);
        marks.note(start + Duration::from_secs(9), 3, 0);
        assert_eq!(marks.age(start + Duration::from_secs(9)), 0.0);
    }

    #[test]
    fn a_long_lag_takes_bounded_memory_and_keeps_its_age() {
        let start = Instant::now();
        let mut marks = Watermarks::default();
        for second in 0..10_000_u64 {
            marks.note(start + Duration::from_secs(second), second as i64 + 1, 0);
        }
        assert!(marks.seen.len() <= SAMPLES);
        assert_eq!(marks.age(start + Duration::from_secs(10_000)), 10_000.0);
    }
}
