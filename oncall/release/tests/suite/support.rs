//! Simulated traffic: requests that arrive at random, and versions that fail and dawdle at random.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};
use release::{
    Block, Policy,
    judge::{Arm, Count, Latency},
};

/// Upper bounds of the histogram, in seconds.
const BOUNDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
/// Requests per second to the service, all its instances together.
pub(crate) const RPS: u32 = 200;

/// How a version behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    /// Share of failures.
    pub(crate) errors: f64,
    /// Times the usual latency.
    pub(crate) slower: f64,
    /// Times the usual latency of the slowest tenth.
    pub(crate) tail: f64,
    /// Times the usual CPU time and memory.
    pub(crate) fuller: f64,
    /// Share of the orders with a wrong total.
    pub(crate) wrong: f64,
}

/// The share of requests that place an order, as in the profile `shop` of the load generator.
const ORDERS: f64 = 0.3;
/// What order-worker finds.
pub(crate) const TOTALS: &str = "wrong-totals";

/// As most versions are: one failure in a thousand, p99 about 140 ms.
pub(crate) const GOOD: Version = Version { errors: 0.001, slower: 1.0, tail: 1.0, fuller: 1.0, wrong: 0.0 };

/// The first instant.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-11-29T12:00:00Z".parse().expect("a time")
}

/// This number of seconds after the first instant.
pub(crate) fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

/// The policy of the tests: the default one.
pub(crate) fn policy() -> Policy {
    Policy::default()
}

/// Traffic from one seed.
pub(crate) struct Traffic {
    rng: Xoshiro256PlusPlus,
    /// Another one, so that requests are the same with and without orders.
    orders: Xoshiro256PlusPlus,
    requests: u32,
}

impl Traffic {
    pub(crate) fn new(seed: u64) -> Self {
        let [rng, orders] = [seed, !seed].map(Xoshiro256PlusPlus::seed_from_u64);
        Self { rng, orders, requests: 0 }
    }

    /// The second that ends at `until`, with `weight` percent for the canary and as many for the baseline.
    pub(crate) fn second(
        &mut self,
        until: DateTime<Utc>,
        weight: u32,
        canary: Version,
        old: Version,
    ) -> Block {
        let mut block = Block { until, canary: empty(), baseline: empty(), everyone: 0 };
        // A mean of RPS with a deviation of its root, as arrivals have it.
        for _ in 0..2 * RPS {
            if !self.rng.random_bool(0.5) {
                continue;
            }
            block.everyone += 1;
            // The split is exact, and what is next to each other goes to different sides.
            self.requests = (self.requests + 37) % 100;
            let side = self.requests;
            if side < weight {
                self.request(&mut block.canary, canary);
            } else if side < 2 * weight {
                self.request(&mut block.baseline, old);
            }
        }
        self.fill(&mut block.canary, canary);
        self.fill(&mut block.baseline, old);
        block
    }

    fn request(&mut self, arm: &mut Arm, version: Version) {
        let failed = self.rng.random_bool(version.errors);
        arm.requests.add(Count { bad: u64::from(failed), all: 1 });
        let place: f64 = self.rng.random_range(0.000_001..1.0);
        let usual = 0.005 - 0.03 * place.ln();
        let seconds = usual * version.slower * if place < 0.1 { version.tail } else { 1.0 };
        match arm.latency.buckets.iter_mut().find(|(upper, _)| seconds <= *upper) {
            Some((_, count)) => *count += 1,
            None => arm.latency.over += 1,
        }
        if self.orders.random_bool(ORDERS) {
            let bad = u64::from(self.orders.random_bool(version.wrong));
            arm.shares.entry(TOTALS.to_owned()).or_default().add(Count { bad, all: 1 });
        }
    }

    fn fill(&mut self, arm: &mut Arm, version: Version) {
        for name in ["cpu", "memory"] {
            let noise: f64 = self.rng.random_range(0.85..1.15);
            arm.saturation.insert(name.to_owned(), 100.0 * version.fuller * noise);
        }
    }
}

fn empty() -> Arm {
    let latency = Latency { buckets: BOUNDS.iter().map(|upper| (*upper, 0)).collect(), over: 0 };
    Arm { latency, ..Arm::default() }
}
