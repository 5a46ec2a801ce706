//! The rules in force, with their meters. Replaced as a whole.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::{Refused, warnings::Warnings};
use crate::{
    domain::waf::{Judgement, Mode, Rule, RuleSet, Verdict, What},
    metrics::RuleMeter,
};

/// One rule, in force or not.
#[derive(Clone)]
pub struct Listed {
    /// The rule.
    pub rule: Arc<Rule>,
    /// What it does now.
    pub mode: Mode,
    /// Whether it was set at run time.
    pub pushed: bool,
    /// Whether its mode was set at run time.
    pub mode_set: bool,
    /// The rule of the files with its id: the same one, unless it was pushed.
    pub of_file: Option<Arc<Rule>>,
}

/// What is in force.
pub(super) struct Current {
    pub(super) enabled: bool,
    pub(super) rules: RuleSet,
    /// By the places of the rules.
    meters: Vec<RuleMeter>,
    /// In force or not.
    pub(super) all: Vec<Listed>,
    /// Others are in force: searches end.
    pub(super) withdrawn: AtomicBool,
    warnings: Arc<Warnings>,
}

impl Current {
    pub(super) fn new(
        enabled: bool,
        rules: RuleSet,
        meters: Vec<RuleMeter>,
        all: Vec<Listed>,
        warnings: Arc<Warnings>,
    ) -> Self {
        Self { enabled, rules, meters, all, withdrawn: AtomicBool::new(false), warnings }
    }

    /// Whether there is anything to judge by.
    pub(super) fn is_on(&self) -> bool {
        self.enabled && !self.rules.is_empty()
    }

    /// Counts what a judgement notes, and says what becomes of the request; `None` if the rules were
    /// withdrawn before.
    pub(super) fn settle(&self, judged: &Judgement) -> Option<Result<(), Refused>> {
        for note in &judged.notes {
            let Some(meter) = self.meters.get(note.rule) else { continue };
            match note.what {
                What::Blocked => meter.blocked.inc(),
                What::Simulated => meter.simulated.inc(),
                What::Overrun => meter.overruns.inc(),
            }
        }
        // The first one: for those after it, it may have left nothing of the budget.
        if let Some(note) = judged.notes.iter().find(|note| note.what == What::Overrun) {
            self.warnings.overrun(self.id(note.rule));
        }
        match judged.verdict {
            Verdict::Pass => Some(Ok(())),
            Verdict::Block(place) => Some(Err(Refused::Blocked(self.id(place).into()))),
            Verdict::Withdrawn => None,
        }
    }

    /// A rule works for longer than a request waits.
    pub(super) fn endless(&self, rule: usize) {
        self.warnings.endless(self.id(rule));
    }

    fn id(&self, place: usize) -> &str {
        self.rules.rules().nth(place).map_or("", |rule| rule.id.as_str())
    }

    /// A rule has worked.
    pub(super) fn spent(&self, rule: usize, time: Duration, steps: u64) {
        if let Some(meter) = self.meters.get(rule) {
            meter.cpu.inc_by(time.as_secs_f64());
            meter.steps.inc_by(steps);
        }
    }
}
