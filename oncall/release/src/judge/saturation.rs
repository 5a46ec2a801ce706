//! How full the canary is, as a multiple of the baseline. Neither is a count, so there is no test: it has to last.

use super::{Signal, Unit, Verdict};

/// The newest pairs, the last one at the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ratios {
    last: Option<(f64, f64)>,
    seen: usize,
    /// How many measurements in a row, up to now, have at least this ratio: the newest ones.
    row: Vec<f64>,
}

/// The longest row that is kept.
const MOST: usize = 1000;

impl Ratios {
    pub(super) fn see(&mut self, canary: f64, baseline: f64) {
        if !(canary.is_finite() && baseline.is_finite() && baseline > 0.0 && canary >= 0.0) {
            return;
        }
        self.seen += 1;
        self.last = Some((canary, baseline));
        if self.row.len() == MOST {
            self.row.remove(0);
        }
        self.row.push(canary / baseline);
    }

    pub(super) fn signal(&self, name: &str, most: f64, sustained: usize) -> Signal {
        let sustained = sustained.clamp(1, MOST);
        let recent = &self.row[self.row.len().saturating_sub(sustained)..];
        let (verdict, why) = match (recent.last(), recent.iter().copied().reduce(f64::min)) {
            (Some(last), Some(least)) => {
                let ratio = format!("{last:.2} times the baseline, {most:.2} at most");
                if self.seen >= sustained && least > most {
                    (Verdict::Fail, format!("{ratio}, for {sustained} measurements"))
                } else if self.seen < sustained {
                    (Verdict::Inconclusive, format!("{ratio}; {} of {sustained} measurements", self.seen))
                } else if *last > most {
                    (Verdict::Inconclusive, format!("{ratio}, for now"))
                } else {
                    (Verdict::Pass, ratio)
                }
            }
            _ => (Verdict::Inconclusive, "not measured".to_owned()),
        };
        Signal {
            name: name.to_owned(),
            unit: Unit::Level,
            canary: self.last.map(|(canary, _)| canary),
            baseline: self.last.map(|(_, baseline)| baseline),
            p: None,
            alpha: None,
            verdict,
            why,
        }
    }
}
