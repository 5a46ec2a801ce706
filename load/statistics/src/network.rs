//! Several stations in a row: how long a request waits in all of them together. A simulation by events, because waits at one station
//! shape the arrivals at the next.

use std::{cmp::Reverse, collections::BinaryHeap};

use rand::{Rng, RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::Exp1;
use serde::{Deserialize, Serialize};

use crate::{
    mean, quantile,
    queue::{Station, Times},
};

/// What requests wait in all stations together, their times of service left out. In seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// Simulates `requests` requests that arrive independently at `rate` per second, which is above 0. Each visits the stations in order,
/// every station as often as its `visits` say (2.4 is twice, and with a probability of 0.4 once more), and is served in order of
/// arrival. The first tenth is left out, so that an empty beginning does not flatter.
#[must_use]
pub fn simulate(stations: &[Station], rate: f64, requests: usize, seed: u64) -> Waits {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let times: Vec<Times> = stations.iter().map(Times::of).collect();
    // When each server is free, the earliest first.
    let mut free: Vec<BinaryHeap<Reverse<u64>>> =
        stations.iter().map(|station| (0..station.servers.max(1)).map(|_| Reverse(0)).collect()).collect();
    let mut arriving = arrivals(rate, requests, &mut rng).into_iter().peekable();
    let mut inside: BinaryHeap<Reverse<Event>> = BinaryHeap::new();
    let mut waits = Vec::with_capacity(requests);
    loop {
        // What happens next: those inside and those to come are two queues, each in order.
        let from_inside = match (inside.peek(), arriving.peek()) {
            (Some(Reverse(inside)), Some(arriving)) => inside < arriving,
            (inside, _) => inside.is_some(),
        };
        let next = if from_inside { inside.pop().map(|Reverse(event)| event) } else { arriving.next() };
        let Some(mut event) = next else { break };
        // On to the next station that it visits.
        while event.left == 0
            && let Some(station) = stations.get(event.entered)
        {
            event.left = visits(station, &mut rng);
            event.entered += 1;
        }
        let Event { at, number, entered, left, waited } = event;
        if left == 0 {
            if number >= requests / 10 {
                waits.push(seconds(waited));
            }
            continue;
        }
        let here = entered - 1;
        let Reverse(earliest) = free[here].pop().unwrap_or(Reverse(0));
        let begins = earliest.max(at);
        let ends = begins + nanos(times[here].draw(&mut rng));
        free[here].push(Reverse(ends));
        inside.push(Reverse(Event {
            at: ends,
            number,
            entered,
            left: left - 1,
            waited: waited + begins - at,
        }));
    }
    waits.sort_by(f64::total_cmp);
    Waits { mean: mean(&waits), p50: quantile(&waits, 0.5), p99: quantile(&waits, 0.99) }
}

/// A request that wants to be served. In whole nanoseconds, which have a total order; by time, and then by the number of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: u64,
    number: usize,
    /// Stations that it has come to; it is at the last of them.
    entered: usize,
    /// Visits that are left there.
    left: u64,
    waited: u64,
}

/// The requests in the order in which they arrive.
fn arrivals<R: Rng>(rate: f64, requests: usize, rng: &mut R) -> Vec<Event> {
    let mut now = 0.0;
    let arrive = |number| {
        let gap: f64 = rng.sample(Exp1);
        now += gap / rate;
        Event { at: nanos(now), number, entered: 0, left: 0, waited: 0 }
    };
    (0..requests).map(arrive).collect()
}

/// A whole number of visits whose mean is that of the station.
fn visits<R: Rng>(station: &Station, rng: &mut R) -> u64 {
    let whole = station.visits.max(0.0).floor();
    let once_more: f64 = rng.random();
    whole as u64 + u64::from(once_more < station.visits - whole)
}

fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(servers: u32, service: f64, visits: f64) -> Station {
        Station { name: "station".to_owned(), servers, service, variation: 1.0, visits }
    }

    #[test]
    fn a_row_of_stations_waits_the_sum_of_their_formulas() {
        // By Jackson's theorem each station waits as if it were alone.
        let row = [station(1, 0.006, 1.0), station(2, 0.010, 1.5), station(4, 0.030, 1.0)];
        let right: f64 = row.iter().map(|station| station.mean_wait(100.0) * station.visits).sum();
        let seen = simulate(&row, 100.0, 200_000, 7);
        assert!((seen.mean / right - 1.0).abs() < 0.10, "{seen:?}, right {right}");
        assert!(seen.p50 < seen.mean && seen.mean < seen.p99, "{seen:?}");
    }

    #[test]
    fn who_visits_nothing_waits_for_nothing_and_a_seed_repeats_its_numbers() {
        let idle = simulate(&[station(1, 0.010, 0.0)], 1_000.0, 1_000, 1);
        assert!(idle.mean.abs() < 1e-12 && idle.p99.abs() < 1e-12, "{idle:?}");
        let row = [station(2, 0.010, 1.2)];
        assert_eq!(simulate(&row, 120.0, 5_000, 3), simulate(&row, 120.0, 5_000, 3));
        assert_ne!(simulate(&row, 120.0, 5_000, 3), simulate(&row, 120.0, 5_000, 4));
    }

    #[test]
    fn a_full_station_waits_longer_the_longer_it_is_full() {
        let full = [station(1, 0.010, 1.0)];
        let (short, long) = (simulate(&full, 200.0, 2_000, 1), simulate(&full, 200.0, 8_000, 1));
        assert!(long.p99 > 3.0 * short.p99, "{short:?} and {long:?}");
    }
}
