//! Which failures are logged: enough to follow one, too few to flood the log.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use crate::mix::OperationKind;

/// Lines per second. An outage at full rate is fully described by the first few.
const LINES_PER_SECOND: u64 = 10;

/// Lets at most [`LINES_PER_SECOND`] failures per second through.
pub(crate) struct FailureLog {
    begin: Instant,
    /// The second since `begin`, in units of 2^16, and the lines written in it.
    used: AtomicU64,
}

impl Default for FailureLog {
    fn default() -> Self {
        Self { begin: Instant::now(), used: AtomicU64::new(0) }
    }
}

impl FailureLog {
    /// Calls `write` with the operation's name, unless this second's lines are used up or the operation fails by design.
    pub(crate) fn log(&self, operation: OperationKind, write: impl FnOnce(&'static str)) {
        if operation != OperationKind::Risky && self.admit(self.begin.elapsed().as_secs()) {
            write(operation.as_str());
        }
    }

    fn admit(&self, second: u64) -> bool {
        let start = second << 16;
        let next = |used: u64| {
            let used = used.max(start);
            (used - start < LINES_PER_SECOND).then_some(used + 1)
        };
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_a_limited_number_of_lines() {
        let log = FailureLog::default();
        for second in [0, 1, 5] {
            let admitted = (0..100).filter(|_| log.admit(second)).count();
            assert_eq!(admitted as u64, LINES_PER_SECOND, "second {second}");
        }
    }

    #[test]
    fn failures_by_design_are_not_logged() {
        let log = FailureLog::default();
        log.log(OperationKind::Risky, |_| panic!("risky fails by design"));
        let mut logged = None;
        log.log(OperationKind::PlaceOrder, |operation| logged = Some(operation));
        assert_eq!(logged, Some(OperationKind::PlaceOrder.as_str()));
    }
}
