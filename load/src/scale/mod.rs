//! Many times today's load: what breaks first in today's design, and what a design of cells needs instead. A model, calibrated by the
//! measured times of service. Pure: the same findings, limits and seed give the same numbers.
//!
//! A **cell** is a whole copy of the shop for a part of the users: services, databases, broker, cache. Users are assigned to cells
//! by a hash of their id, so that a cell that fails takes its users with it and nobody else.

mod limits;
mod page;

pub use limits::{Break, Limits, breaks};
pub use page::{BEGIN, END, UNMEASURED, part, replaced};
use serde::Serialize;
use statistics::{
    network,
    queue::{Station, bottleneck},
    zipf::Users,
};

use crate::capacity::{Findings, SHARE};

/// How many times today's load is looked at.
pub const TIMES: [f64; 5] = [1.0, 10.0, 100.0, 1_000.0, 10_000.0];
/// Requests of a simulation: enough for a p99, in a second for all of them.
const SIMULATED: usize = 20_000;
/// More cells than this are not a plan.
const MOST_CELLS: u32 = 100_000;

/// What some multiple of today's load needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scale {
    /// Multiple of today's load.
    pub times: f64,
    /// Journeys per second.
    pub rate: f64,
    /// p99 of the waits of a journey in today's design, in milliseconds; `None` if a queue of it grows without bound.
    pub today_ms: Option<f64>,
    /// Cells, with one to spare; `None` if no number of cells is enough.
    pub cells: Option<Cells>,
}

/// A design of cells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cells {
    /// How many, with one to spare.
    pub count: u32,
    /// Journeys per second in the fullest of them.
    pub fullest: f64,
    /// Servers of each station in every cell.
    pub servers: Vec<(String, u32)>,
    /// p99 of the waits of a journey in the fullest cell, in milliseconds.
    pub wait_ms: f64,
    /// The same while one cell is lost and the others carry its users.
    pub lost_ms: f64,
}

/// One row for each of [`TIMES`].
#[must_use]
pub fn scales(findings: &Findings, limits: &Limits, seed: u64) -> Vec<Scale> {
    TIMES.iter().map(|times| scale(findings, limits, *times, seed)).collect()
}

fn scale(findings: &Findings, limits: &Limits, times: f64, seed: u64) -> Scale {
    let rate = findings.assumptions.today * times;
    let today_ms = wait_ms(&findings.stations, rate, seed);
    Scale { times, rate, today_ms, cells: cells(findings, limits, rate, seed) }
}

/// p99 of the waits in milliseconds; `None` if a station is full.
fn wait_ms(stations: &[Station], rate: f64, seed: u64) -> Option<f64> {
    let (_, capacity) = bottleneck(stations)?;
    (rate < capacity).then(|| network::simulate(stations, rate, SIMULATED, seed).p99 * 1_000.0)
}

/// The smallest number of cells in which the fullest one stays within what a cell can carry, and which lose few users at once.
fn cells(findings: &Findings, limits: &Limits, rate: f64, seed: u64) -> Option<Cells> {
    // The first of its limits, as in today's design: a cell is one copy of it, with more servers.
    let ends = breaks(findings, limits);
    let most = ends.iter().filter(|end| end.of_a_cell).map(|end| end.rate).reduce(f64::min)?;
    let users = users(findings, limits, rate);
    let least = (1.0 / limits.blast).ceil().clamp(1.0, f64::from(MOST_CELLS)) as u32;
    let fullest = |count: u32| rate * users.fullest(u64::from(count), seed);
    let mut count = least.max((rate / most).ceil().clamp(1.0, f64::from(MOST_CELLS)) as u32);
    while fullest(count) > most {
        // A tenth more each time: the fullest cell falls slowly, and not evenly.
        count += (count / 10).max(1);
        if count > MOST_CELLS {
            return None;
        }
    }
    // One to spare. Without it, its users are on the others: that is what each has to carry.
    let normal = fullest(count + 1);
    let lost = fullest(count).max(normal);
    let inside: Vec<Station> = findings.stations.iter().map(|station| sized(station, lost)).collect();
    let servers = inside.iter().map(|station| (station.name.clone(), station.servers)).collect();
    let (wait_ms, lost_ms) = (wait_ms(&inside, normal, seed)?, wait_ms(&inside, lost, seed)?);
    Some(Cells { count: count + 1, fullest: normal, servers, wait_ms, lost_ms })
}

/// The station with as many servers as it needs. One thread of Redis is one node.
fn sized(station: &Station, rate: f64) -> Station {
    let needed = station.needed(rate, SHARE).clamp(1.0, 1e6) as u32;
    Station { servers: needed.max(1), ..station.clone() }
}

/// Users of whom none may have more than the limit of the edge, which counts requests, at `rate` journeys per second.
fn users(findings: &Findings, limits: &Limits, rate: f64) -> Users {
    let journeys = limits.user_limit / requests(findings);
    Users { count: limits.users, exponent: limits.zipf, largest: (journeys / rate).min(1.0) }
}

/// Requests of one journey, as the first step of the sweep saw them; 1 if nothing was seen.
fn requests(findings: &Findings) -> f64 {
    let first = findings.steps.first().filter(|step| step.offered > 0.0 && step.throughput > 0.0);
    first.map_or(1.0, |step| step.throughput / step.offered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::example;

    fn limits() -> Limits {
        Limits::shipped().unwrap()
    }

    #[test]
    fn todays_design_is_full_where_arithmetic_says_and_cells_are_not() {
        let found = scales(&example(), &limits(), 1);
        // Full at 500 journeys/s (ten connections, two visits of 10 ms each); today are 50.
        let full: Vec<bool> = found.iter().map(|scale| scale.today_ms.is_none()).collect();
        assert_eq!(full, [false, true, true, true, true]);
        for scale in &found {
            let cells = scale.cells.as_ref().unwrap_or_else(|| panic!("no cells: {scale:?}"));
            assert!(cells.count > 20, "at most one user in twenty at once: {cells:?}");
            assert!(cells.wait_ms < 200.0 && cells.lost_ms < 200.0, "{cells:?}");
            // The fullest has more than an even share.
            assert!(cells.fullest * f64::from(cells.count) >= scale.rate, "{cells:?}");
        }
        let counts: Vec<u32> = found.iter().filter_map(|scale| Some(scale.cells.as_ref()?.count)).collect();
        assert!(counts.is_sorted(), "{counts:?}");
    }

    #[test]
    fn without_a_limit_for_each_user_the_first_one_fills_a_cell() {
        let free = Limits { user_limit: 1e12, ..limits() };
        assert_eq!(cells(&example(), &free, 500_000.0, 1), None);
        assert!(cells(&example(), &limits(), 500_000.0, 1).is_some());
    }

    #[test]
    fn the_limit_of_a_user_counts_requests_and_the_model_journeys() {
        let mut findings = example();
        for step in &mut findings.steps {
            step.throughput = step.offered * 4.0;
        }
        let (one, four) = (users(&example(), &limits(), 500.0), users(&findings, &limits(), 500.0));
        assert!((one.largest - 20.0 / 500.0).abs() < 1e-12, "{one:?}");
        assert!((one.largest / four.largest - 4.0).abs() < 1e-9, "{four:?}");
    }

    #[test]
    fn a_seed_repeats_its_numbers_and_nothing_measured_has_no_cells() {
        assert_eq!(scale(&example(), &limits(), 10.0, 5), scale(&example(), &limits(), 10.0, 5));
        let nothing = Findings { stations: Vec::new(), database: None, ..example() };
        let scale = scale(&nothing, &limits(), 10.0, 5);
        assert!(scale.cells.is_none() && scale.today_ms.is_none());
    }
}
