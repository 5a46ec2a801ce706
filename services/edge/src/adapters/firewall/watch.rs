//! Watches rules while they run: counts their time, and ends them once others are in force.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use super::current::Current;
use crate::domain::waf::Watch;

/// Looks on where the request is: the rules take microseconds, and are not ended.
pub(super) struct Here<'a> {
    pub(super) live: &'a Current,
    pub(super) since: Instant,
}

impl Watch for Here<'_> {
    fn begins(&mut self) -> bool {
        true
    }

    fn continues(&mut self, _: usize) -> bool {
        true
    }

    fn done(&mut self, rule: usize, steps: u64) {
        let now = Instant::now();
        let time = now.duration_since(std::mem::replace(&mut self.since, now));
        self.live.spent(rule, time, steps);
    }

    /// Each rule takes a short text at most, and on this clock it would pay for the work of others, too.
    fn spent(&self) -> Duration {
        Duration::ZERO
    }
}

/// Looks on in a thread: the rules may take long, and end once they are withdrawn or out of time.
pub(super) struct There<'a> {
    live: &'a Current,
    /// Processor time of the thread when the first rule began, and when one was last seen.
    began: Duration,
    since: Duration,
    /// How long a request waits at most.
    patience: Duration,
}

impl<'a> There<'a> {
    /// From now on, for a request that waits this long.
    pub(super) fn new(live: &'a Current, patience: Duration) -> Self {
        let now = thread_time();
        Self { live, began: now, since: now, patience }
    }
}

impl Watch for There<'_> {
    fn begins(&mut self) -> bool {
        !self.live.withdrawn.load(Relaxed)
    }

    fn continues(&mut self, rule: usize) -> bool {
        self.done(rule, 0);
        // Its request has a 502 by now: a thread never works for longer than time passes.
        if self.spent() >= self.patience {
            self.live.endless(rule);
        }
        self.begins()
    }

    fn done(&mut self, rule: usize, steps: u64) {
        let now = thread_time();
        let time = now.saturating_sub(std::mem::replace(&mut self.since, now));
        self.live.spent(rule, time, steps);
    }

    fn spent(&self) -> Duration {
        self.since.saturating_sub(self.began)
    }
}

/// Processor time of this thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
