//! Decides when a client has lost its group for good: brokers answer it, and it has no connection to its coordinator.
//!
//! Queries to the coordinator are no use here: they wait behind a join, which takes seconds in every rebalance.

/// Failures in a row, one per second, after which a client that was connected to its coordinator before is replaced: it
/// may be using an address that no longer exists.
const ONCE_CONNECTED: u32 = 3;
/// The same for a client that was never connected: it is still looking for its coordinator, and a new client would do
/// no better, unless the old one uses an address that no longer exists.
const BEFORE_ANY: u32 = 15;

/// Counts failures in a row.
#[derive(Default)]
pub(super) struct Watchdog {
    connected: bool,
    failures: u32,
}

impl Watchdog {
    /// The client is connected to its coordinator.
    pub(super) fn connected(&mut self) {
        *self = Self { connected: true, failures: 0 };
    }

    /// The client has no coordinator; `brokers_answer` tells whether it reaches any broker. `true`: replace the client now.
    pub(super) fn alone(&mut self, brokers_answer: bool) -> bool {
        self.failures = if brokers_answer { self.failures + 1 } else { 0 };
        let replace = self.failures >= if self.connected { ONCE_CONNECTED } else { BEFORE_ANY };
        if replace {
            *self = Self::default();
        }
        replace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_replaced_when_only_its_coordinator_is_away() {
        let mut watchdog = Watchdog::default();
        watchdog.connected();
        assert!(!(0..10).any(|_| watchdog.alone(false)), "all brokers are away: a new client would not help");
        assert!(!watchdog.alone(true) && !watchdog.alone(true));
        assert!(watchdog.alone(true));
    }

    #[test]
    fn a_client_that_is_still_looking_is_left_alone_for_longer() {
        let mut watchdog = Watchdog::default();
        assert_eq!((0..95).filter(|_| watchdog.alone(true)).count(), 6);
        watchdog.connected();
        assert_eq!(
            (0..3).filter(|_| watchdog.alone(true)).count(),
            1,
            "as fast as before once it had found it"
        );
    }
}
