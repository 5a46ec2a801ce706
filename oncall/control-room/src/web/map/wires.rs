//! The lines of the map: each call goes from the right side of its caller to the left side of its callee. Lines turn only in the
//! gutters between the columns, and those that pass a column do so in a lane below all services: none is behind a service.

use std::{cmp::Reverse, collections::BTreeSet, fmt::Write as _};

use super::Place;
use crate::config::Call;

/// Width of a column, in units of the picture.
const COLUMN: f64 = 100.0;
/// Height of half a row. All lanes together have as much.
pub(super) const HALF_ROW: usize = 50;
/// Between a service and the sides of its column: the margin that `.map .node` has.
const MARGIN: f64 = 9.0;
/// Between the ends of two lines at one service, at most.
const APART: f64 = 10.0;
/// Room for the ends of all lines at one service.
const ENDS: f64 = 50.0;
/// The size of a bend, at most.
const BEND: (f64, f64) = (3.0, 4.0);

/// Caller and callee, as indices of the places.
type Ends = (usize, usize);

/// A line down or up a gutter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Track {
    /// From a caller.
    From(usize),
    /// From the lane of a callee.
    To(usize),
}

/// The calls between places.
pub(super) struct Wires<'p> {
    places: &'p [Place<'p>],
    columns: usize,
    rows: usize,
    /// Each once, those of upper callers first.
    ends: Vec<Ends>,
    /// Callees with a lane: not all of their callers are in the column before.
    lanes: Vec<usize>,
}

impl<'p> Wires<'p> {
    /// The calls between these places, in a map of that many columns and rows.
    pub(super) fn of(calls: &[Call], places: &'p [Place<'p>], (columns, rows): (usize, usize)) -> Self {
        let index = |name: &str| places.iter().position(|place| place.name == name);
        let known = calls.iter().filter_map(|call| index(&call.caller).zip(index(&call.callee)));
        let mut ends: Vec<Ends> = known.collect::<BTreeSet<_>>().into_iter().collect();
        ends.sort_by_key(|(from, _)| places[*from].row);
        let mut wires = Self { places, columns, rows, ends, lanes: Vec::new() };
        let passing = wires.ends.iter().filter(|ends| !wires.is_short(**ends)).map(|(_, to)| *to);
        wires.lanes = passing.collect::<BTreeSet<_>>().into_iter().collect();
        wires
    }

    /// Whether some call passes a column.
    pub(super) fn has_lanes(&self) -> bool {
        !self.lanes.is_empty()
    }

    /// The path of each call.
    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        self.ends.iter().map(|ends| bent(&self.points(*ends)))
    }

    /// Whether the callee is in the column after its caller's.
    fn is_short(&self, (from, to): Ends) -> bool {
        self.places[to].column == self.places[from].column + 1
    }

    /// Where a call begins, turns and ends.
    fn points(&self, ends: Ends) -> Vec<(f64, f64)> {
        let (from, to) = ends;
        let (begin, end) = (self.places[from].column + 1, self.places[to].column);
        let (leave, enter) = (self.middle(from), self.entry(ends));
        let first = (begin as f64 * COLUMN - MARGIN, leave);
        let last = (end as f64 * COLUMN + MARGIN, enter);
        let out = self.x(begin, Track::From(from));
        if !self.is_short(ends) {
            let (lane, up) = (self.lane(to), self.x(end, Track::To(to)));
            return vec![first, (out, leave), (out, lane), (up, lane), (up, enter), last];
        }
        if (leave - enter).abs() < 0.5 {
            vec![first, last]
        } else {
            vec![first, (out, leave), (out, enter), last]
        }
    }

    /// The height at which the lines of a service begin.
    fn middle(&self, at: usize) -> f64 {
        (self.places[at].row * HALF_ROW) as f64
    }

    /// The height at which a line ends. Those of upper callers are above the others, that of the lane is the lowest, and one from a
    /// caller at the same height goes straight.
    fn entry(&self, ends: Ends) -> f64 {
        let to = ends.1;
        let mut order: Vec<Option<usize>> = self
            .ends
            .iter()
            .filter(|other| other.1 == to && self.is_short(**other))
            .map(|(from, _)| Some(*from))
            .collect();
        order.extend(self.lanes.contains(&to).then_some(None));
        let wanted = self.is_short(ends).then_some(ends.0);
        let at = order.iter().position(|one| *one == wanted).unwrap_or_default() as f64;
        let level =
            |from: &Option<usize>| from.is_some_and(|from| self.places[from].row == self.places[to].row);
        let middle = (order.len() as f64 - 1.0) / 2.0;
        let straight = order.iter().position(level).map_or(middle, |at| at as f64);
        self.middle(to) + (at - straight) * APART.min(ENDS / order.len() as f64)
    }

    /// The height of a callee's lane.
    fn lane(&self, to: usize) -> f64 {
        let at = self.lanes.iter().position(|lane| *lane == to).unwrap_or_default();
        let share = (at + 1) as f64 / (self.lanes.len() + 1) as f64;
        (2 * self.rows * HALF_ROW) as f64 + share * HALF_ROW as f64
    }

    /// Where a line down or up the gutter before a column is.
    fn x(&self, gutter: usize, track: Track) -> f64 {
        let tracks = self.tracks(gutter);
        let at = tracks.iter().position(|one| *one == track).unwrap_or_default();
        let share = (at + 1) as f64 / (tracks.len() + 1) as f64;
        let middle = gutter as f64 * COLUMN;
        // At both sides of the map there is half a gutter.
        let left = if gutter == 0 { middle } else { middle - MARGIN };
        let right = if gutter == self.columns { middle } else { middle + MARGIN };
        left + share * (right - left)
    }

    /// The lines of a gutter from left to right: of lower callers first, then to upper callees first, so that few of them cross.
    fn tracks(&self, gutter: usize) -> Vec<Track> {
        let mut from: Vec<usize> = self.ends.iter().map(|ends| ends.0).collect();
        from.retain(|at| self.places[*at].column + 1 == gutter);
        from.sort_by_key(|at| Reverse((self.places[*at].row, *at)));
        from.dedup();
        let mut to: Vec<usize> = self.lanes.clone();
        to.retain(|at| self.places[*at].column == gutter);
        to.sort_by_key(|at| self.places[*at].row);
        from.into_iter().map(Track::From).chain(to.into_iter().map(Track::To)).collect()
    }
}

/// A line through points, each beside or above the one before, with round corners.
fn bent(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (at, &(x, y)) in points.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| points.get(before));
        let _ = match (before, points.get(at + 1)) {
            (None, _) => write!(path, "M{x:.1} {y:.1}"),
            (Some(_), None) => write!(path, "L{x:.1} {y:.1}"),
            (Some(before), Some(after)) => {
                let ((begin_x, begin_y), (end_x, end_y)) = (toward((x, y), *before), toward((x, y), *after));
                write!(path, "L{begin_x:.1} {begin_y:.1}Q{x:.1} {y:.1} {end_x:.1} {end_y:.1}")
            }
        };
    }
    path
}

/// The point next to a corner where its bend begins: at most half of the way to the next one.
fn toward((x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> (f64, f64) {
    let step = |distance: f64, most: f64| (distance / 2.0).clamp(-most, most);
    (x + step(to_x - x, BEND.0), y + step(to_y - y, BEND.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::map::places;

    /// The calls of a lab, and a circle.
    const CALLS: [&str; 14] = [
        "load>edge",
        "probe>edge",
        "edge>order-api",
        "edge>user-service",
        "order-api>user-service",
        "order-api>order-worker",
        "user-service>redis",
        "user-service>postgres",
        "order-api>postgres",
        "order-worker>postgres",
        "order-api>lab-kafka",
        "lab-kafka>order-worker",
        "postgres>replica",
        "replica>postgres",
    ];

    fn calls() -> Vec<Call> {
        CALLS.iter().map(|pair| pair.parse().unwrap()).collect()
    }

    /// Whether a line between two turns touches a service.
    fn touches(place: &Place<'_>, (one, other): (&(f64, f64), &(f64, f64))) -> bool {
        let (left, top) = (place.column as f64 * COLUMN + MARGIN, (place.row - 1) as f64 * HALF_ROW as f64);
        let (right, bottom) = (left + COLUMN - 2.0 * MARGIN, top + 2.0 * HALF_ROW as f64);
        let within = |a: f64, b: f64, low: f64, high: f64| a.min(b) < high - 0.01 && a.max(b) > low + 0.01;
        within(one.0, other.0, left, right) && within(one.1, other.1, top, bottom)
    }

    #[test]
    fn no_line_is_behind_a_service_and_each_is_within_the_map() {
        let calls = calls();
        let (places, columns, rows) = places(&calls, std::iter::empty());
        let wires = Wires::of(&calls, &places, (columns, rows));
        assert!(wires.has_lanes() && wires.paths().count() == CALLS.len());
        let (width, height) = (columns as f64 * COLUMN, ((2 * rows + 1) * HALF_ROW) as f64);
        for ends in &wires.ends {
            let points = wires.points(*ends);
            for line in points.iter().zip(&points[1..]) {
                let behind = places.iter().find(|place| touches(place, line));
                assert_eq!(behind, None, "{line:?} of {points:?}");
                assert!(
                    line.0.0 == line.1.0 || line.0.1 == line.1.1,
                    "neither level nor upright: {points:?}"
                );
            }
            let inside = |(x, y): &(f64, f64)| (0.0..=width).contains(x) && (0.0..=height).contains(y);
            assert!(points.iter().all(inside), "{points:?}");
        }
    }

    #[test]
    fn two_calls_end_at_different_heights_and_one_at_the_same_height_is_straight() {
        let calls: Vec<Call> =
            ["load>edge", "edge>order-api", "probe>edge"].iter().map(|pair| pair.parse().unwrap()).collect();
        let (places, columns, rows) = places(&calls, std::iter::empty());
        let wires = Wires::of(&calls, &places, (columns, rows));
        assert!(!wires.has_lanes());
        let paths: Vec<String> = wires.paths().collect();
        assert_eq!(paths.iter().filter(|path| !path.contains('Q')).count(), 1, "{paths:?}");
        let ends: BTreeSet<String> =
            paths.iter().filter_map(|path| path.rsplit('L').next()).map(str::to_owned).collect();
        assert_eq!(ends.len(), 3, "{paths:?}");
    }

    #[test]
    fn a_corner_is_round_and_never_larger_than_half_of_a_line() {
        assert_eq!(
            bent(&[(0.0, 0.0), (10.0, 0.0), (10.0, 20.0)]),
            "M0.0 0.0L7.0 0.0Q10.0 0.0 10.0 4.0L10.0 20.0"
        );
        assert_eq!(bent(&[(0.0, 0.0), (2.0, 0.0), (2.0, 4.0)]), "M0.0 0.0L1.0 0.0Q2.0 0.0 2.0 2.0L2.0 4.0");
    }
}
