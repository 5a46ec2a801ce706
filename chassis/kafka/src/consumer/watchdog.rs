//! Decides when a client has lost its group for good: brokers answer it, and it has no connection to its coordinator.
//!
//! Not told by questions to the coordinator: they wait behind a join, which takes seconds in every rebalance.

/// Failures in a row, a second each, after which a client is replaced that had been connected to its coordinator before: it
/// may be holding on to an address that is gone.
const ONCE_CONNECTED: u32 = 3;
/// The same for a client that was not connected yet: it is looking for its coordinator by itself, and a new client would do
/// no better unless that one, too, holds on to an address that is gone.
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
            "as quick as ever once it had found it"
        );
    }
}
