//! Delay between the end of a part and its next start: doubles from one second to a cap, and starts over after the
//! part has run for a minute. A kubelet does the same, with ten seconds and five minutes.

use std::time::Duration;

/// The limits of the back-off.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// First delay.
    pub first: Duration,
    /// Longest delay.
    pub cap: Duration,
    /// A run of this length resets the back-off.
    pub healthy: Duration,
    /// How often a part may end before its first readiness until the start of the lab fails.
    pub attempts: u32,
    /// Time for the whole lab to become ready.
    pub patience: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            healthy: Duration::from_secs(60),
            attempts: 3,
            patience: Duration::from_secs(60),
        }
    }
}

/// The back-off of one part.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: Policy,
    next: Duration,
}

impl Backoff {
    /// Starts at the first delay.
    #[must_use]
    pub(crate) const fn new(policy: Policy) -> Self {
        Self { policy, next: policy.first }
    }

    /// The delay after a run that lasted `ran`.
    pub(crate) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= self.policy.healthy {
            self.next = self.policy.first;
        }
        let delay = self.next;
        self.next = (delay * 2).min(self.policy.cap);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_the_cap_and_start_over_after_a_healthy_run() {
        let mut backoff = Backoff::new(Policy::default());
        let short = Duration::from_secs(1);
        let delays: Vec<u64> = (0..7).map(|_| backoff.after(short).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff.after(Duration::from_secs(61)).as_secs(), 1);
        assert_eq!(backoff.after(short).as_secs(), 2);
    }
}
