//! Adds up the measurements of several processes or hosts: histograms, never percentiles.

use super::{Board, Point, Row};

impl Row {
    /// Adds the samples of another row, such as the same step of another process.
    pub fn merge(&mut self, other: &Self) {
        // Both histograms resize themselves, so an addition cannot fail.
        let _ = self.times.add(&other.times);
        let _ = self.good.add(&other.good);
        for (reason, count) in &other.failures {
            *self.failures.entry(reason.clone()).or_default() += count;
        }
    }
}

impl Point {
    /// The two at the same time. Quantiles of two curves cannot be merged: the larger one is kept.
    fn added(self, other: Self) -> Self {
        Self {
            at: self.at.max(other.at),
            target: self.target + other.target,
            rate: self.rate + other.rate,
            errors: self.errors + other.errors,
            p50: self.p50.max(other.p50),
            p99: self.p99.max(other.p99),
            in_flight: self.in_flight + other.in_flight,
            skipped: self.skipped + other.skipped,
            awaited_p99: self.awaited_p99.max(other.awaited_p99),
        }
    }
}

impl Board {
    /// Adds the measurements of another run of the same scenario.
    ///
    /// # Errors
    /// When the steps or journeys are not the same: then nothing is added.
    pub fn merge(&mut self, other: &Self) -> Result<(), String> {
        let names = |board: &Self| -> Vec<String> {
            board.steps.iter().chain(&board.journeys).map(|row| row.name.clone()).collect()
        };
        if names(self) != names(other) {
            return Err("the runs have different steps".to_owned());
        }
        let rows = self.steps.iter_mut().chain(&mut self.journeys).chain([&mut self.total]);
        let others = other.steps.iter().chain(&other.journeys).chain([&other.total]);
        rows.zip(others).for_each(|(row, other)| row.merge(other));
        self.skipped += other.skipped;
        let _ = self.late.add(&other.late);
        for (number, point) in other.curve.iter().enumerate() {
            match self.curve.get_mut(number) {
                Some(mine) => *mine = mine.added(*point),
                None => self.curve.push(*point),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::Sample, *};

    fn board(ms: impl Iterator<Item = u64>) -> Board {
        let mut board = Board::new(&[("read", false)], &["j"], Duration::ZERO);
        for ms in ms {
            let failure = (ms == 3).then(|| "timeout".to_owned());
            board.step(0, &Sample { due: Duration::ZERO, time: Duration::from_millis(ms), failure });
        }
        board.tick(Duration::from_secs(1), 10.0, 1);
        board
    }

    #[test]
    fn two_halves_are_the_whole_even_through_a_file() {
        let whole = board(1..=1_000);
        let (mut first, second) = (board((1..=1_000).step_by(2)), board((2..=1_000).step_by(2)));
        let second: Board = serde_json::from_str(&serde_json::to_string(&second).unwrap()).unwrap();
        first.merge(&second).unwrap();
        assert_eq!(first.total, whole.total);
        assert_eq!(first.steps, whole.steps);
        assert!((first.curve[0].rate - 1_000.0).abs() < 1e-9);
        let other = Board::new(&[("write", false)], &["j"], Duration::ZERO);
        assert!(first.merge(&other).is_err());
    }
}
