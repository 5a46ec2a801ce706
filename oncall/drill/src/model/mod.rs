//! What a drill is, after its file was checked.
//!
//! Everything but [`Drill::brief`] is the truth: nothing else of a drill may reach a trainee before it is over.

mod proof;
mod response;
mod story;
mod variant;
mod way;

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

pub use proof::{Node, Oracle, Page, Pages, Signal};
pub use response::{
    Accepted, Choice, Fresh, Harmful, Hint, Mitigations, Proof, Questions, Step, Validity, Wrong,
};
pub use story::{Baseline, Change, Check, Fault, FaultKind, Load, Noise, Surge, Tags, Weakened};
pub use variant::{Difference, Measure, Variant, total};
pub use way::Way;

use crate::names::{Criterion, Difficulty, Need};

/// A drill.
#[derive(Debug, Clone, PartialEq)]
pub struct Drill {
    /// Unique name, and the name of its file. Trainees see it, so it must not give the cause away.
    pub id: String,
    /// For people. The same holds.
    pub title: String,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// How long a person has.
    pub time_box: Duration,
    /// Drills to do before this one.
    pub prerequisites: Vec<String>,
    /// What it is about.
    pub tags: Tags,
    /// What it needs beside the lab.
    pub needs: Vec<Need>,
    /// How many replicas of which services it needs: no fewer, and no more.
    pub replicas: BTreeMap<String, u32>,
    /// Replays the same decisions.
    pub seed: u64,
    /// What the person on call is told.
    pub briefing: String,
    /// Runbooks that help, by alert.
    pub runbooks: Vec<String>,
    /// What callers do.
    pub load: Load,
    /// What happens beside it and harms nobody.
    pub noise: Vec<Noise>,
    /// Changes that belong to the story; those that faults name are the cause.
    pub changes: Vec<Change>,
    /// Protections that are off during the drill.
    pub weakened: Vec<Weakened>,
    /// What is broken. Sealed.
    pub faults: Vec<Fault>,
    /// When it may begin.
    pub baseline: Baseline,
    /// Shortest time to watch, even if everything was seen earlier: for what must stay absent.
    pub observe: Duration,
    /// What must be seen.
    pub signals: Vec<Signal>,
    /// Who must be paged, and who must not.
    pub pages: Pages,
    /// From the cause to the users: each node deviates, in this order.
    pub path: Vec<Node>,
    /// What the responder is asked.
    pub questions: Questions,
    /// What helps, what does not, and what harms.
    pub mitigations: Mitigations,
    /// When it is over.
    pub oracle: Oracle,
    /// When it must be stopped.
    pub abort: Vec<Check>,
    /// Help, in the order in which it is given.
    pub hints: Vec<Hint>,
    /// How much each criterion counts.
    pub weights: BTreeMap<Criterion, u32>,
    /// How the validity suite must end.
    pub validity: Validity,
    /// How to solve it.
    pub solve: Vec<Step>,
    /// What is measured while it is proven.
    pub measures: Vec<Measure>,
    /// The drill with one action item each.
    pub variants: Vec<Variant>,
    /// What was wrong and what to learn from it.
    pub debrief: String,
}

/// What a trainee may know before a drill is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brief {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// Seconds that there are.
    pub time_box_seconds: u64,
    /// Drills to do before.
    pub prerequisites: Vec<String>,
    /// What the person on call is told.
    pub briefing: String,
    /// What hints cost, in their order.
    pub hints: Vec<u32>,
    /// What the mechanism may be, by name; empty if it is not asked.
    pub mechanisms: Vec<String>,
    /// Whether the change is asked.
    pub asks_change: bool,
    /// Whether the time of the start is asked.
    pub asks_onset: bool,
    /// How many queries have to prove the answer.
    pub evidence: u32,
}

impl Drill {
    /// What a trainee may know.
    #[must_use]
    pub fn brief(&self) -> Brief {
        let mechanism = self.questions.mechanism.as_ref();
        let mut mechanisms = mechanism.map(|choice| choice.options.clone()).unwrap_or_default();
        // Authors tend to put the right one first: its position must not give it away.
        mechanisms.sort_unstable();
        Brief {
            id: self.id.clone(),
            title: self.title.clone(),
            difficulty: self.difficulty,
            time_box_seconds: self.time_box.as_secs(),
            prerequisites: self.prerequisites.clone(),
            briefing: self.briefing.clone(),
            hints: self.hints.iter().map(|hint| hint.cost).collect(),
            mechanisms,
            asks_change: self.questions.change.is_some(),
            asks_onset: self.questions.onset.is_some(),
            evidence: self.questions.evidence,
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.faults.is_empty() && self.questions.components.is_empty()
    }

    /// Every query of the drill, with the field that it is in.
    #[must_use]
    pub fn queries(&self) -> Vec<(String, &str)> {
        let mut all: Vec<(String, &str)> = Vec::new();
        let lists = [
            ("baseline.checks", &self.baseline.checks),
            ("oracle.sli", &self.oracle.sli),
            ("abort", &self.abort),
        ];
        for (field, list) in lists {
            let checks = list.iter().enumerate();
            all.extend(checks.map(|(index, check)| (format!("{field}[{index}]"), check.query.as_str())));
        }
        let signals = self.signals.iter().enumerate();
        all.extend(signals.map(|(index, signal)| (format!("signals[{index}]"), signal.query.as_str())));
        let path = self.path.iter().enumerate();
        all.extend(path.map(|(index, node)| (format!("causal_path[{index}]"), node.query.as_str())));
        for (index, wrong) in self.mitigations.wrong.iter().enumerate() {
            if let Some(proof) = &wrong.proof {
                all.push((format!("mitigations.wrong[{index}].still"), &proof.still.query));
            }
        }
        all.extend(waits("solve", &self.solve));
        let measures = self.measures.iter().enumerate();
        all.extend(measures.map(|(index, measure)| (format!("measures[{index}]"), measure.query.as_str())));
        for (index, variant) in self.variants.iter().enumerate() {
            all.extend(waits(
                &format!("variants[{index}].solve"),
                variant.solve.as_deref().unwrap_or_default(),
            ));
        }
        all
    }
}

/// The queries that steps wait for.
fn waits<'s>(field: &str, steps: &'s [Step]) -> Vec<(String, &'s str)> {
    let query = |(index, step): (usize, &'s Step)| match step {
        Step::Until { check, .. } => Some((format!("{field}[{index}].until"), check.query.as_str())),
        Step::Act(_) | Step::Wait(_) => None,
    };
    steps.iter().enumerate().filter_map(query).collect()
}
