//! All rules in force, and what they say of a request.
//!
//! Invariant: with the guard on, no rules and no request take more steps than the budget, no rule more than its
//! cost. Once the time is over, no search runs for more than one further part.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    machine::{End, Leash, Machine},
    rule::{Engine, Mode, OnOverrun, Rule},
    target::{Asked, Target},
};

/// What bounds the rules.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Whether the rules are bounded at all (protection `regex-guard`).
    pub guard: bool,
    /// Steps for a request, all rules together.
    pub budget: u64,
    /// Time for a request, all rules together, as measured by [`Watch::spent`].
    pub time: Duration,
}

/// Looks on while rules work, and may end that.
pub trait Watch {
    /// A rule begins; `false` ends all.
    fn begins(&mut self) -> bool;
    /// A rule has worked for a while; `false` ends all.
    fn continues(&mut self, rule: usize) -> bool;
    /// A rule is through with a request.
    fn done(&mut self, rule: usize, steps: u64);
    /// How long the rules have worked on the request, when a rule last was through or asked to continue.
    fn spent(&self) -> Duration;
}

/// Nobody looks on.
impl Watch for () {
    fn begins(&mut self) -> bool {
        true
    }

    fn continues(&mut self, _: usize) -> bool {
        true
    }

    fn done(&mut self, _: usize, _: u64) {}

    fn spent(&self) -> Duration {
        Duration::ZERO
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It passes.
    Pass,
    /// This rule refuses it.
    Block(usize),
    /// Nobody knows: the rules were withdrawn before they were through.
    Withdrawn,
}

/// What is worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A rule found a request, and refuses it.
    Blocked,
    /// A rule found a request, and only counts it.
    Simulated,
    /// A rule was ended at its cost.
    Overrun,
}

/// What is worth counting, and of which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The place of the rule.
    pub rule: usize,
    /// What happened.
    pub what: What,
}

/// What the rules say of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What becomes of it.
    pub verdict: Verdict,
    /// What is worth counting.
    pub notes: Vec<Note>,
    /// Steps of all rules.
    pub steps: u64,
}

/// The rules in force, in the order in which they are asked.
#[derive(Debug, Default)]
pub struct RuleSet {
    entries: Vec<Entry>,
    /// What they look at, each once.
    targets: Vec<Target>,
}

#[derive(Debug)]
struct Entry {
    rule: Arc<Rule>,
    mode: Mode,
    /// Places in `targets`.
    looks_at: Vec<usize>,
}

impl RuleSet {
    /// Of these rules with these modes; those that are off are left out.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = (Arc<Rule>, Mode)>) -> Self {
        let mut set = Self::default();
        for (rule, mode) in rules {
            if mode == Mode::Off {
                continue;
            }
            let looks_at = rule.targets.iter().map(|target| set.place_of(target)).collect();
            set.entries.push(Entry { rule, mode, looks_at });
        }
        set
    }

    fn place_of(&mut self, target: &Target) -> usize {
        let known = self.targets.iter().position(|known| known == target);
        known.unwrap_or_else(|| {
            self.targets.push(target.clone());
            self.targets.len() - 1
        })
    }

    /// Whether there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the time for a request is known before it is judged.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.entries.iter().all(|entry| entry.rule.engine == Engine::Linear)
    }

    /// The rules, by their places.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.entries.iter().map(|entry| &entry.rule)
    }

    /// What the rules look at, for [`RuleSet::judge`].
    #[must_use]
    pub fn texts(&self, asked: &Asked<'_>) -> Vec<Bytes> {
        self.targets.iter().map(|target| target.of(asked)).collect()
    }

    /// What the rules say of a request with these texts.
    pub fn judge(
        &self,
        texts: &[Bytes],
        bounds: Bounds,
        machine: &mut Machine,
        watch: &mut dyn Watch,
    ) -> Judgement {
        let mut judgement = Judgement { verdict: Verdict::Pass, notes: Vec::new(), steps: 0 };
        for (place, entry) in self.entries.iter().enumerate() {
            if !watch.begins() {
                judgement.verdict = Verdict::Withdrawn;
                return judgement;
            }
            let left = bounds.budget.saturating_sub(judgement.steps);
            let (most, time) = if bounds.guard {
                // What is late has no steps left: it counts as an overrun of each rule that is still to come.
                let steps = if watch.spent() < bounds.time { entry.rule.cost.min(left) } else { 0 };
                (steps, bounds.time)
            } else {
                (u64::MAX, Duration::MAX)
            };
            let (end, steps) = entry.search(place, texts, (most, time), machine, watch);
            watch.done(place, steps);
            judgement.steps = judgement.steps.saturating_add(steps);
            let mut note = |what| judgement.notes.push(Note { rule: place, what });
            let found = match end {
                End::Found => true,
                End::Absent => false,
                End::Overrun => {
                    note(What::Overrun);
                    entry.rule.on_overrun == OnOverrun::Block
                }
                End::Stopped => {
                    judgement.verdict = Verdict::Withdrawn;
                    return judgement;
                }
            };
            match (found, entry.mode) {
                (true, Mode::Enforce) => {
                    note(What::Blocked);
                    judgement.verdict = Verdict::Block(place);
                    return judgement;
                }
                (true, _) => note(What::Simulated),
                (false, _) => {}
            }
        }
        judgement
    }
}

impl Entry {
    /// Looks at each text in turn, with `most` steps for all of them, until the request has taken `time`.
    fn search(
        &self,
        place: usize,
        texts: &[Bytes],
        (most, time): (u64, Duration),
        machine: &mut Machine,
        watch: &mut dyn Watch,
    ) -> (End, u64) {
        let mut steps = 0;
        for text in self.looks_at.iter().filter_map(|text| texts.get(*text)) {
            let mut late = false;
            let mut continues = || {
                let goes_on = watch.continues(place);
                late = goes_on && watch.spent() >= time;
                goes_on && !late
            };
            let mut leash = Leash { most: most - steps, before: steps, continues: &mut continues };
            let run = self.rule.matcher.search(text, machine, &mut leash);
            steps += run.steps;
            match run.end {
                End::Absent => {}
                End::Stopped if late => return (End::Overrun, steps),
                end => return (end, steps),
            }
        }
        (End::Absent, steps)
    }
}

#[cfg(test)]
mod tests;
