//! What the judge says, with its numbers.

use serde::{Deserialize, Serialize};

/// Three, because "not known" is neither of the other two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Verdict {
    /// Enough was seen, and it is no worse.
    Pass,
    /// It is worse.
    Fail,
    /// Nobody can say yet.
    Inconclusive,
}

/// Of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// From 0 to 1.
    Share,
    /// Seconds.
    Seconds,
    /// Whatever fills up; only its ratio means something.
    Level,
}

/// One of the things that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Its name: `errors`, `latency`.
    pub name: String,
    /// The unit of both numbers.
    pub unit: Unit,
    /// Of the canary, if it is known.
    pub canary: Option<f64>,
    /// Of the baseline, if it is known.
    pub baseline: Option<f64>,
    /// The chance of such evidence, or stronger, at any time, if the canary is no worse; none where there is no test.
    pub p: Option<f64>,
    /// The p at which it fails.
    pub alpha: Option<f64>,
    /// What it says.
    pub verdict: Verdict,
    /// In words, with the numbers.
    pub why: String,
}

/// What can be said of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// In one word.
    pub verdict: Verdict,
    /// In a sentence.
    pub why: String,
    /// Signal by signal.
    pub signals: Vec<Signal>,
    /// Requests of canary or baseline, whichever has fewer.
    pub requests: u64,
    /// How many of them are needed.
    pub needed: u64,
}

impl Opinion {
    /// A failed signal fails; all have to pass; and nothing passes while `waits`.
    pub(super) fn of(signals: Vec<Signal>, waits: Option<String>, requests: u64, needed: u64) -> Self {
        let of = |verdict: Verdict| {
            let those = signals.iter().filter(move |signal| signal.verdict == verdict);
            those.map(|signal| format!("{}: {}", signal.name, signal.why)).collect::<Vec<_>>().join("; ")
        };
        let (failed, open) = (of(Verdict::Fail), of(Verdict::Inconclusive));
        let (verdict, why) = match (failed.is_empty(), open.is_empty(), waits) {
            (false, _, _) => (Verdict::Fail, failed),
            (true, _, Some(waits)) => (Verdict::Inconclusive, waits),
            (true, false, None) => (Verdict::Inconclusive, open),
            (true, true, None) => (Verdict::Pass, of(Verdict::Pass)),
        };
        Self { verdict, why, signals, requests, needed }
    }
}
