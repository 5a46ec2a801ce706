//! How long requests wait for a server that is busy. A formula where there is one (Erlang C), a simulation where there is none, and
//! what each means for many times today's load. [`crate::network`] simulates several stations in a row.

use std::{cmp::Reverse, collections::BinaryHeap};

use rand::{Rng, RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, Exp1, Gamma};
use serde::{Deserialize, Serialize};

use crate::{mean, quantile};

/// A place with equal servers and one queue: a pool of connections, the cores of a machine, the partitions of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Station {
    /// What it is.
    pub name: String,
    /// How many are served at once; at least 1.
    pub servers: u32,
    /// Mean time of service in seconds; above 0.
    pub service: f64,
    /// Standard deviation divided by the mean: 0 always the same, 1 as if exponential.
    pub variation: f64,
    /// How many times one request visits it.
    pub visits: f64,
}

/// What a station does under a load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Share of the servers that are busy. At 1 and above the queue grows without end.
    pub utilization: f64,
    /// Mean wait in seconds.
    pub mean: f64,
    /// 99th percentile of wait and service in seconds.
    pub p99: f64,
}

impl Station {
    /// The largest rate that it can serve, in requests per second.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        f64::from(self.servers.max(1)) / (self.service * self.visits)
    }

    /// Servers that it needs for `rate` requests per second at this utilization.
    #[must_use]
    pub fn needed(&self, rate: f64, utilization: f64) -> f64 {
        (rate * self.visits * self.service / utilization).ceil()
    }

    /// Share of the servers that are busy at `rate` requests per second; 1 and above is too much.
    #[must_use]
    pub fn utilization(&self, rate: f64) -> f64 {
        rate / self.capacity()
    }

    /// The mean wait of one visit at `rate` requests per second, in seconds; infinite from a utilization of 1 on.
    ///
    /// Exact for exponential times of service (M/M/c, variation 1), and for one server (Pollaczek and Khinchine); otherwise the
    /// approximation of Allen and Cunneen.
    #[must_use]
    pub fn mean_wait(&self, rate: f64) -> f64 {
        let (servers, load) = (self.servers.max(1), rate * self.visits * self.service);
        let free = f64::from(servers) - load;
        if free <= 0.0 {
            return f64::INFINITY;
        }
        erlang_c(servers, load) * self.service / free * (1.0 + self.variation.powi(2)) / 2.0
    }
}

/// Times of service with the mean and the variation of a station: constant, exponential for a variation of 1, and in general of a
/// gamma distribution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    mean: f64,
    varying: Option<Gamma<f64>>,
}

impl Times {
    pub(crate) fn of(station: &Station) -> Self {
        let square = station.variation.powi(2);
        // Shape and scale. A constant has no gamma distribution.
        Self { mean: station.service, varying: Gamma::new(1.0 / square, station.service * square).ok() }
    }

    /// A time in seconds.
    pub(crate) fn draw<R: Rng>(&self, rng: &mut R) -> f64 {
        self.varying.map_or(self.mean, |varying| varying.sample(rng))
    }
}

/// The probability of a wait in a queue with `servers` servers and `load` erlangs (arrival rate times service time), by Erlang's
/// formula C; 1 if the load is too much.
#[must_use]
pub fn erlang_c(servers: u32, load: f64) -> f64 {
    let n = f64::from(servers);
    if load >= n {
        return 1.0;
    }
    // Formula B by its recurrence, which does not overflow.
    let b = (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b));
    b / (1.0 - load / n * (1.0 - b))
}

/// Simulates `requests` requests that arrive independently at `rate` per second, which is above 0, and are served in order. The
/// first tenth is left out, so that an empty beginning does not flatter.
#[must_use]
pub fn simulate(station: &Station, rate: f64, requests: usize, seed: u64) -> Waiting {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let service = Times::of(station);
    // When each server is free, the earliest first. Whole nanoseconds have a total order.
    let mut free: BinaryHeap<Reverse<u64>> = (0..station.servers.max(1)).map(|_| Reverse(0)).collect();
    let (mut now, mut waits, mut times) = (0.0, Vec::new(), Vec::new());
    for number in 0..requests {
        let gap: f64 = rng.sample(Exp1);
        now += gap / (rate * station.visits);
        let arrived = (now * 1e9) as u64;
        let Reverse(earliest) = free.pop().unwrap_or(Reverse(0));
        let begins = earliest.max(arrived);
        let serves = service.draw(&mut rng);
        free.push(Reverse(begins + (serves * 1e9) as u64));
        if number >= requests / 10 {
            let wait = (begins - arrived) as f64 / 1e9;
            waits.push(wait);
            times.push(wait + serves);
        }
    }
    times.sort_by(f64::total_cmp);
    Waiting { utilization: station.utilization(rate), mean: mean(&waits), p99: quantile(&times, 0.99) }
}

/// The station that is full first, and the rate at which it is.
#[must_use]
pub fn bottleneck(stations: &[Station]) -> Option<(&Station, f64)> {
    stations.iter().map(|station| (station, station.capacity())).min_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(servers: u32, variation: f64) -> Station {
        Station { name: "pool".to_owned(), servers, service: 0.010, variation, visits: 1.0 }
    }

    #[test]
    fn erlangs_formula_has_its_textbook_values() {
        // One server: the probability of a wait is the utilization.
        assert!((erlang_c(1, 0.7) - 0.7).abs() < 1e-12);
        // Two servers: 2 rho^2 / (1 + rho), with rho = 0.75.
        assert!((erlang_c(2, 1.5) - 2.0 * 0.75 * 0.75 / 1.75).abs() < 1e-12);
        assert!((erlang_c(3, 5.0) - 1.0).abs() < 1e-12);
        assert!(erlang_c(1_000, 900.0) < 0.01, "a large pool hardly waits at 90 %");
    }

    #[test]
    fn the_simulation_agrees_with_the_formula_of_pollaczek_and_khinchine() {
        // One server: W = rho / (1 - rho) * (1 + C²) / 2 * service.
        for variation in [0.3, 1.0] {
            let seen = simulate(&station(1, variation), 60.0, 400_000, 7).mean;
            let right = 0.6 / 0.4 * (1.0 + variation * variation) / 2.0 * 0.010;
            assert!((seen / right - 1.0).abs() < 0.08, "{seen}, right {right}");
        }
    }

    #[test]
    fn the_simulation_agrees_with_the_formulas_of_m_m_c() {
        for (servers, rate) in [(1, 50.0), (2, 150.0), (8, 640.0)] {
            let station = station(servers, 1.0);
            let (seen, right) = (simulate(&station, rate, 300_000, 11), station.mean_wait(rate));
            assert!((seen.mean / right - 1.0).abs() < 0.08, "{servers} servers: {seen:?}, right {right}");
        }
        // One server: the time in the system is exponential with the rate mu - lambda.
        let seen = simulate(&station(1, 1.0), 50.0, 300_000, 3).p99;
        let right = 100.0_f64.ln() / (100.0 - 50.0);
        assert!((seen / right - 1.0).abs() < 0.05, "{seen}, right {right}");
    }

    #[test]
    fn a_station_that_is_full_waits_forever_and_a_constant_one_half() {
        assert!(station(2, 1.0).mean_wait(200.0).is_infinite());
        let (constant, exponential) = (station(1, 0.0).mean_wait(50.0), station(1, 1.0).mean_wait(50.0));
        assert!((constant / exponential - 0.5).abs() < 1e-12);
        let seen = simulate(&station(1, 0.0), 50.0, 200_000, 5).mean;
        assert!((seen / constant - 1.0).abs() < 0.05, "{seen}, right {constant}");
    }

    #[test]
    fn at_a_thousand_times_the_load_one_queue_of_a_thousand_times_the_servers_waits_less() {
        let today = simulate(&station(4, 1.0), 320.0, 100_000, 1);
        let large = simulate(&station(4_000, 1.0), 320_000.0, 400_000, 1);
        assert!((today.utilization - large.utilization).abs() < 1e-9);
        assert!(large.mean < today.mean / 10.0, "{large:?} and {today:?}");
    }

    #[test]
    fn the_bottleneck_is_the_station_with_the_least_capacity() {
        let pool = station(10, 1.0);
        let locks = Station { name: "locks".to_owned(), visits: 3.0, ..station(10, 1.0) };
        let (first, rate) =
            bottleneck(&[pool.clone(), locks.clone()]).map(|(s, rate)| (s.name.clone(), rate)).unwrap();
        assert_eq!(first, "locks");
        assert!((rate - 333.333).abs() < 0.01);
        assert!((locks.needed(1_000.0, 0.5) - 60.0).abs() < 1e-9);
        assert!(pool.capacity() > locks.capacity());
    }
}
