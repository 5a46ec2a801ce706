//! How often a client may ask: a token bucket for each, of which only the time is kept at which it will be
//! full again (the generic cell rate algorithm of ATM, ITU-T I.371). A full bucket is forgotten, so memory is
//! bounded by the clients of the last moments.

use std::{collections::HashMap, hash::Hash, time::Duration};

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Requests per second in the long run.
    pub rps: f64,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
}

impl Allowance {
    /// Time in which one request's worth flows in.
    fn each(&self) -> Duration {
        Duration::from_secs_f64((1.0 / self.rps).clamp(1e-9, 86_400.0))
    }

    /// Time in which an empty bucket fills.
    fn whole(&self) -> Duration {
        self.each().saturating_mul(self.burst.max(1))
    }
}

/// The buckets of all clients.
#[derive(Debug, Clone)]
pub struct Buckets<K> {
    allowance: Allowance,
    most: usize,
    /// When the bucket of a client will be full.
    full_at: HashMap<K, Duration>,
    /// The bucket of all clients for which there is no more room: a flood from many addresses gets one share
    /// together.
    others: Duration,
    /// When full buckets were last looked for.
    swept: Duration,
}

impl<K: Hash + Eq> Buckets<K> {
    /// At most `most` clients are told apart at a time.
    #[must_use]
    pub fn new(allowance: Allowance, most: usize) -> Self {
        Self { allowance, most, full_at: HashMap::new(), others: Duration::ZERO, swept: Duration::ZERO }
    }

    /// Takes one request's worth from the bucket of `client`.
    ///
    /// # Errors
    /// If it is empty: the time until one request's worth is in it.
    pub fn take(&mut self, client: K, now: Duration) -> Result<(), Duration> {
        if self.full_at.len() >= self.most && now > self.swept {
            self.swept = now;
            self.full_at.retain(|_, full| *full > now);
        }
        let known = self.full_at.contains_key(&client) || self.full_at.len() < self.most;
        let (each, whole) = (self.allowance.each(), self.allowance.whole());
        let full = if known { self.full_at.entry(client).or_insert(now) } else { &mut self.others };
        let next = (*full).max(now).saturating_add(each);
        match next.checked_sub(now.saturating_add(whole)) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn buckets(rps: f64, burst: u32, most: usize) -> Buckets<u32> {
        Buckets::new(Allowance { rps, burst }, most)
    }

    #[test]
    fn a_client_has_its_burst_at_once_and_its_rate_afterwards() {
        let mut buckets = buckets(2.0, 3, 10);
        for _ in 0..3 {
            assert_eq!(buckets.take(1, SECOND), Ok(()));
        }
        assert_eq!(buckets.take(1, SECOND), Err(SECOND / 2), "one more in half a second");
        assert_eq!(buckets.take(2, SECOND), Ok(()), "another client has its own");
        assert_eq!(buckets.take(1, SECOND * 3 / 2), Ok(()));
        assert!(buckets.take(1, SECOND * 3 / 2).is_err());
    }

    #[test]
    fn a_full_bucket_is_forgotten_and_a_flood_of_clients_shares_one() {
        let mut buckets = buckets(1.0, 1, 2);
        for client in 0..2 {
            assert_eq!(buckets.take(client, SECOND), Ok(()));
        }
        assert_eq!(buckets.take(2, SECOND), Ok(()), "the first of the others");
        assert!(buckets.take(3, SECOND).is_err(), "which share one bucket");
        assert_eq!(buckets.full_at.len(), 2);
        assert_eq!(buckets.take(4, SECOND * 10), Ok(()));
        assert_eq!(buckets.full_at.len(), 1, "those of the past are gone");
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_the_burst_and_the_rate(
            rps in 0.5_f64..500.0, burst in 1_u32..50, pauses in prop::collection::vec(0_u64..200, 1..200),
        ) {
            let mut buckets = buckets(rps, burst, 10);
            let (mut now, mut taken) = (SECOND, 0_u32);
            for pause in pauses {
                now += Duration::from_millis(pause);
                match buckets.take(1, now) {
                    Ok(()) => taken += 1,
                    Err(wait) => {
                        prop_assert!(wait <= buckets.allowance.each());
                        prop_assert_eq!(buckets.clone().take(1, now + wait), Ok(()));
                    }
                }
                let most = f64::from(burst) + (now - SECOND).as_secs_f64() * rps;
                prop_assert!(f64::from(taken) <= most + 0.01, "{taken} of {most}");
            }
        }
    }
}
