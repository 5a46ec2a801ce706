//! A service level agreement: what customers were sold beside the objective, and what is owed to them when it is missed.
//!
//! An objective is what a team aims at; an agreement is a contract, and looser: its first threshold is the target, and each lower
//! one owes a larger share of the price of the period as a credit.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::window::percent;

/// What was sold. At least one credit; thresholds fall and credits rise from one to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sla {
    credits: Vec<Credit>,
}

/// What is owed below a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Credit {
    /// Share of good events, above 0 and below 1. At this share nothing is owed yet.
    pub below: f64,
    /// Share of the price of the period, above 0 and at most 1.
    pub owed: f64,
}

/// What was sold, and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlaState {
    /// The agreement.
    pub sla: Sla,
    /// Share of the price that is owed as a service credit; 0 if the agreement is kept, `None` if nothing is known.
    pub owed: Option<f64>,
}

/// The expected form, for messages.
const FORM: &str = "expected thresholds with credits, strictest first, such as `below 99.5 % owes 10 %, below 99 % owes 25 %`";

impl Sla {
    /// Parses `below 99.5 % owes 10 %, below 99 % owes 25 %`.
    ///
    /// # Errors
    /// A sentence with what is wrong and the expected form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let credits = text.split(',').map(Credit::parse).collect::<Result<Vec<_>, _>>()?;
        for pair in credits.windows(2) {
            if pair[1].below >= pair[0].below || pair[1].owed <= pair[0].owed {
                return Err(format!(
                    "`{}` after `{}`: each threshold is lower than the one before it, and owes more; {FORM}",
                    pair[1], pair[0]
                ));
            }
        }
        Ok(Self { credits })
    }

    /// The share of good events that was sold: below it something is owed.
    #[must_use]
    pub fn target(&self) -> f64 {
        self.credits.first().map_or(0.0, |credit| credit.below)
    }

    /// Thresholds with their credits, strictest first.
    #[must_use]
    pub fn credits(&self) -> &[Credit] {
        &self.credits
    }

    /// Share of the price that is owed at this share of good events; 0 if the agreement is kept.
    #[must_use]
    pub fn owed(&self, good: f64) -> f64 {
        let missed = self.credits.iter().take_while(|credit| good < credit.below);
        missed.last().map_or(0.0, |credit| credit.owed)
    }

    /// How it stands at this share of good events.
    #[must_use]
    pub fn state(&self, good: Option<f64>) -> SlaState {
        SlaState { sla: self.clone(), owed: good.map(|good| self.owed(good)) }
    }
}

impl Credit {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("`{text}` is not a threshold with a credit: {FORM}");
        let rest = text.strip_prefix("below ").ok_or_else(wrong)?;
        let (below, owed) = rest.split_once(" owes ").ok_or_else(wrong)?;
        // `below 0.99` would leave open whether that is a percentage.
        let percentage =
            |text: &str| Some(text.trim()).filter(|text| text.ends_with('%')).and_then(chassis_text::share);
        let below = percentage(below).filter(|share| *share > 0.0 && *share < 1.0).ok_or_else(wrong)?;
        let owed = percentage(owed).filter(|share| *share > 0.0).ok_or_else(wrong)?;
        Ok(Self { below, owed })
    }
}

impl SlaState {
    /// `99.5 % kept`, `99.5 % missed: 10 % owed`, `99.5 %: no data`.
    #[must_use]
    pub fn words(&self) -> String {
        let target = percent(self.sla.target());
        match self.owed {
            None => format!("{target}: no data"),
            Some(owed) if owed > 0.0 => format!("{target} missed: {} owed", percent(owed)),
            Some(_) => format!("{target} kept"),
        }
    }
}

impl fmt::Display for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "below {} owes {}", percent(self.below), percent(self.owed))
    }
}

impl fmt::Display for Sla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.credits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "below 99.5 % owes 10 %, below 99 % owes 25 %, below 95 % owes 100 %";

    #[test]
    fn the_lowest_threshold_that_was_missed_says_what_is_owed() {
        let sla = Sla::parse(TEXT).unwrap();
        assert_eq!(sla.to_string(), TEXT);
        assert!((sla.target() - 0.995).abs() < 1e-12);
        for (good, owed) in [(1.0, 0.0), (0.995, 0.0), (0.994, 0.1), (0.99, 0.1), (0.98, 0.25), (0.5, 1.0)] {
            assert!((sla.owed(good) - owed).abs() < 1e-12, "{good}");
        }
        assert_eq!(sla.state(Some(0.999)).words(), "99.5 % kept");
        assert_eq!(sla.state(Some(0.98)).words(), "99.5 % missed: 25 % owed");
        assert_eq!(sla.state(None).words(), "99.5 %: no data");
    }

    #[test]
    fn anything_but_falling_thresholds_and_rising_credits_is_refused() {
        for text in [
            "",
            "99.5 %",
            "below 99.5 %",
            "below 99.5 owes 10",
            "below 100 % owes 10 %",
            "below 0 % owes 10 %",
            "below 99 % owes 0 %",
            "below 99 % owes 101 %",
            "below 99 % owes 10 %, below 99.5 % owes 25 %",
            "below 99 % owes 10 %, below 98 % owes 10 %",
            "below 99 % owes 10 %,",
            "below NaN % owes 10 %",
        ] {
            let problem = Sla::parse(text).unwrap_err();
            assert!(problem.contains("strictest first"), "{text}: {problem}");
        }
    }
}
