//! How old the state of a replica is, from positions in the write-ahead log that were looked at from time to time.
//!
//! PostgreSQL's own `replay_lag` stands still when the replica stops answering, which is when it matters.

use std::collections::VecDeque;

/// Most looks that are remembered: an hour of seconds. A replica that is older is at least that old.
const MOST: usize = 3_600;

/// Where the primary was at each look, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Trail(VecDeque<(f64, u64)>);

impl Trail {
    /// Notes a look; returns by how many seconds the replica is older than the primary. 0 if it has everything.
    ///
    /// `now` is in seconds on a clock that never goes back; the positions are bytes from the beginning of the log.
    pub fn lag(&mut self, now: f64, primary: u64, replica: u64) -> f64 {
        // A server that was restored, or replaced, begins at an earlier place: what was noted is of another history.
        if self.0.back().is_some_and(|(_, last)| *last > primary) {
            self.0.clear();
        }
        self.0.push_back((now, primary));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
        // The newest look whose position the replica has reached is the first one.
        while self.0.get(1).is_some_and(|(_, position)| *position <= replica) {
            self.0.pop_front();
        }
        if replica >= primary {
            return 0.0;
        }
        self.0.front().map_or(0.0, |(at, _)| now - at)
    }
}
