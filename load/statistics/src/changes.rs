//! When did a history change? E-divisive (Matteson and James 2014, arXiv 1306.4933) with Student's t-test in place of permutations, in
//! windows, weak points first (Hunter, arXiv 2301.03034; Apache Otava 0.8.0, with its defaults): deterministic, and not fooled by a
//! single outlier. One difference: Otava hands the t-test the deviation of a population, which makes p a little too small; here it
//! is that of a sample.

use serde::{Deserialize, Serialize};

use crate::{mean, student::p_value};

/// Otava's defaults.
const WINDOW: usize = 50;
/// A point is kept if a difference like this would be chance less often.
const P_VALUE: f64 = 0.001;
/// The first pass accepts ten times as much, so that a strong change is not hidden by a weak one beside it.
const FIRST_PASS: f64 = 10.0 * P_VALUE;

/// A change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The first value after it.
    pub index: usize,
    /// Mean from the change before it, or from the beginning.
    pub before: f64,
    /// Mean up to the next change, or to the end.
    pub after: f64,
    /// Probability of such a difference by chance.
    pub p_value: f64,
}

impl Change {
    /// Relative change: 0.1 is 10 % more.
    #[must_use]
    pub fn relative(&self) -> f64 {
        self.after / self.before - 1.0
    }

    /// The change at `index` of what lies between its neighbours.
    fn at(values: &[f64], from: usize, index: usize, until: usize) -> Self {
        let (left, right) = (&values[from..index], &values[index..until]);
        Self { index, before: mean(left), after: mean(right), p_value: p_value(left, right) }
    }
}

/// The changes in `values`, oldest first. At least `least` (0.05 is 5 %) in size.
#[must_use]
pub fn changes(values: &[f64], least: f64) -> Vec<Change> {
    let mut indexes = Vec::new();
    let mut start = 0;
    while start < values.len() {
        let end = (start + WINDOW).min(values.len());
        let mut found = Vec::new();
        divide(&values[start..end], &mut found);
        found.sort_unstable();
        indexes.extend(found.iter().map(|index| index + start));
        // The next window begins at the last change, or half a window further.
        let last = found.last().map_or(0, |index| index + start);
        start = last.max(start + WINDOW / 2);
    }
    indexes.sort_unstable();
    indexes.dedup();
    strong(values, indexes, least)
}

/// Finds the most likely change points of a window, one after the other, until none is significant in the first pass.
fn divide(window: &[f64], found: &mut Vec<usize>) {
    loop {
        let ends = ends(found, window.len());
        let candidates = ends.windows(2).filter_map(|pair| {
            let (index, weight) = split(&window[pair[0]..pair[1]])?;
            Some((pair[0], pair[0] + index, pair[1], weight))
        });
        let Some((from, index, until, _)) = candidates.max_by(|a, b| a.3.total_cmp(&b.3)) else { return };
        if Change::at(window, from, index, until).p_value > FIRST_PASS {
            return;
        }
        found.push(index);
        found.sort_unstable();
    }
}

/// Beginning, all change points, end.
fn ends(found: &[usize], length: usize) -> Vec<usize> {
    std::iter::once(0).chain(found.iter().copied()).chain([length]).collect()
}

/// The index at which `values` is most likely to change, and by how much: the largest Q(τ, κ) = n m / (n + m) times the energy distance
/// of what is before τ and what is from τ to κ. `None` for fewer than two values.
fn split(values: &[f64]) -> Option<(usize, f64)> {
    let sums = Sums::of(values);
    let ways = (2..=values.len()).flat_map(|end| (1..end).map(move |at| (at, end)));
    ways.map(|(at, end)| (at, sums.q(at, end))).max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Sums of the distances |x - y| of all pairs of two ranges, each in constant time.
struct Sums {
    /// `table[i][j]`: of the first `i` with the first `j` values.
    table: Vec<Vec<f64>>,
}

impl Sums {
    fn of(values: &[f64]) -> Self {
        let mut table = vec![vec![0.0; values.len() + 1]];
        for x in values {
            let above = &table[table.len() - 1];
            let mut row = vec![0.0];
            let mut along = 0.0;
            for (y, above) in values.iter().zip(&above[1..]) {
                along += (x - y).abs();
                row.push(above + along);
            }
            table.push(row);
        }
        Self { table }
    }

    /// Of the values in `rows` with those in `columns`; each a beginning and an end.
    fn between(&self, rows: [usize; 2], columns: [usize; 2]) -> f64 {
        let at = |row: usize, column: usize| self.table[row][column];
        at(rows[1], columns[1]) - at(rows[0], columns[1]) - at(rows[1], columns[0]) + at(rows[0], columns[0])
    }

    /// Q of the values before `at`, and from there to `end`.
    fn q(&self, at: usize, end: usize) -> f64 {
        let (left, right) = ([0, at], [at, end]);
        let (n, m) = (at as f64, (end - at) as f64);
        // All pairs of a range with itself are each pair twice. A single value has no distance to another.
        let within = |range: [usize; 2], count: f64| {
            if count > 1.0 { self.between(range, range) / (count * (count - 1.0)) } else { 0.0 }
        };
        n * m / (n + m) * (2.0 * self.between(left, right) / (n * m) - within(left, n) - within(right, m))
    }
}

/// Drops the weakest point until all that remain are strong and large enough.
fn strong(values: &[f64], mut indexes: Vec<usize>, least: f64) -> Vec<Change> {
    loop {
        let ends = ends(&indexes, values.len());
        let points: Vec<Change> =
            ends.windows(3).map(|three| Change::at(values, three[0], three[1], three[2])).collect();
        let number =
            |point: Option<&Change>| point.and_then(|p| indexes.iter().position(|index| *index == p.index));
        let by_chance = points.iter().max_by(|a, b| a.p_value.total_cmp(&b.p_value));
        let weakest = match by_chance.filter(|point| point.p_value > P_VALUE) {
            Some(point) => number(Some(point)),
            None => {
                let size = |point: &Change| point.relative().abs();
                let smallest = points.iter().min_by(|a, b| size(a).total_cmp(&size(b)));
                number(smallest.filter(|point| size(point) < least))
            }
        };
        match weakest {
            Some(weakest) => {
                indexes.remove(weakest);
            }
            None => return points,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
    use rand_distr::{Distribution, Normal};

    use super::*;

    /// Runs with these lengths and means; 4 % noise.
    fn history(parts: &[(usize, f64)], seed: u64) -> Vec<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let noise = Normal::new(1.0, 0.04).unwrap();
        let part = |(length, mean): &(usize, f64)| {
            (0..*length).map(|_| mean * noise.sample(&mut rng)).collect::<Vec<_>>()
        };
        parts.iter().flat_map(part).collect()
    }

    #[test]
    fn a_step_of_a_tenth_is_found_where_it_is() {
        let near = |seed| {
            let found = changes(&history(&[(40, 100.0), (40, 110.0)], seed), 0.0);
            found
                .iter()
                .any(|change| change.index.abs_diff(40) <= 2 && (0.05..0.15).contains(&change.relative()))
        };
        let found = (0..10).filter(|seed| near(*seed)).count();
        assert!(found >= 9, "{found} of 10");
    }

    #[test]
    fn a_quiet_history_seldom_has_a_change() {
        // The best of fifty places is tested, so chance has more than one try in a thousand.
        let alarms =
            (0..20).filter(|seed| !changes(&history(&[(100, 100.0)], *seed), 0.0).is_empty()).count();
        assert!(alarms <= 3, "{alarms} of 20");
    }

    #[test]
    fn up_and_down_again_are_two_changes_and_an_outlier_is_none() {
        let found = changes(&history(&[(60, 100.0), (30, 130.0), (60, 100.0)], 1), 0.1);
        let at: Vec<usize> = found.iter().map(|change| change.index).collect();
        assert!(matches!(at.as_slice(), [a, b] if a.abs_diff(60) <= 1 && b.abs_diff(90) <= 1), "{found:?}");
        let mut outlier = history(&[(60, 100.0)], 2);
        outlier[30] = 400.0;
        assert!(changes(&outlier, 0.0).is_empty());
    }

    #[test]
    fn small_and_short_histories_are_left_alone() {
        assert!(changes(&[], 0.0).is_empty());
        assert!(changes(&[1.0, 2.0, 3.0], 0.0).is_empty());
        let small = history(&[(40, 100.0), (40, 110.0)], 3);
        assert!(changes(&small, 0.5).is_empty());
    }
}
