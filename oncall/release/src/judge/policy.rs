//! What counts as worse, and how sure one has to be.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// How a release is judged. [`Policy::default`] suits a service with an objective of 99.9 % and ten requests per second to
/// its canary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Greatest chance, from 0 to 1, that a release that is no worse than the old version is failed by a test of shares or
    /// latency, over all of its steps.
    pub alpha: f64,
    /// The smallest rise of the share of failures that a step has to be able to see, from 0 to 1. It says how many requests
    /// are needed.
    pub rise: f64,
    /// A rise of less than this is no reason to fail, however sure it is.
    pub tolerance: f64,
    /// How many times as long as the baseline the canary may take, at its median, 95th or 99th percentile.
    pub slower: f64,
    /// The objective of the latency, in seconds: a bound of the histogram.
    pub objective: f64,
    /// Shares beside that of errors which have to be measured, by name.
    pub shares: Vec<String>,
    /// What must hold of everything and has to be checked, by name: not one breach is normal.
    #[serde(default)]
    pub invariants: Vec<String>,
    /// How many times as full as the baseline the canary may be, by the name of what is full.
    pub saturation: BTreeMap<String, f64>,
    /// How many measurements in a row have to be too full.
    pub sustained: usize,
    /// The least share of the baseline's requests that the canary has to answer, from 0 to 1; 0 if they do not get the same
    /// number, so that nothing follows from it.
    #[serde(default)]
    pub answers: f64,
    /// The length of the stretches of time in most of which a canary has to be worse before it fails: longer than a stall of
    /// an instance, whose requests are not independent.
    #[serde(default = "stretch")]
    pub stretch: Duration,
    /// The least time of a step.
    pub hold: Duration,
    /// The longest time of a step: what is inconclusive then stays so.
    pub patience: Duration,
    /// The greatest age of the newest measurement of a step that passes.
    pub fresh: Duration,
    /// The longest time until a canary is ready and has its requests.
    pub settle: Duration,
    /// The longest time that an inconclusive release waits for a person before it is rolled back.
    pub person: Duration,
    /// Whether only a person decides: the judge says what it sees, and a step waits for a person to continue or stop it.
    #[serde(default)]
    pub by_hand: bool,
}

impl Default for Policy {
    fn default() -> Self {
        let saturation = [("cpu", 1.5), ("memory", 1.5)];
        Self {
            alpha: 0.01,
            rise: 0.03,
            tolerance: 0.002,
            slower: 1.25,
            objective: 0.25,
            shares: Vec::new(),
            invariants: Vec::new(),
            saturation: saturation.into_iter().map(|(name, most)| (name.to_owned(), most)).collect(),
            sustained: 10,
            answers: 0.0,
            stretch: stretch(),
            hold: Duration::from_secs(15),
            patience: Duration::from_secs(300),
            fresh: Duration::from_secs(10),
            settle: Duration::from_secs(60),
            person: Duration::from_secs(900),
            by_hand: false,
        }
    }
}

/// The usual one. A canary that is always worse fails after a dozen of them.
fn stretch() -> Duration {
    Duration::from_secs(4)
}
