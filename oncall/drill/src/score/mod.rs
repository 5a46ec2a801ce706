//! What a run was worth, for people and agents alike: each criterion from 0 to 1, weighted, less what hints, wrong and
//! harmful actions cost.
//!
//! Times count from the injection, which a lab knows and production does not. A criterion that a drill cannot measure is
//! left out, and the others count for more.

mod localise;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

pub use localise::{Localised, localise};

use crate::{
    Act, Drill,
    engine::{Answers, Mode, Outcome, Verdict},
    names::Criterion,
};

/// Points that a wrong action costs.
const WRONG: u32 = 5;
/// Points that a harmful action costs.
const HARMFUL: u32 = 20;
/// An acknowledgement within this many seconds has full points, and none after the second.
const ACKNOWLEDGED: (f64, f64) = (30.0, 300.0);
/// A page or a remark within this many seconds has full points.
const DETECTED: f64 = 60.0;
/// Share of an error budget with full points, and with none.
const BURNED: (f64, f64) = (0.05, 0.5);

/// What a run was worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scorecard {
    /// The drill.
    pub drill: String,
    /// Who responded.
    pub responder: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Whether the responder could know the solution: then it is practice, and not to be compared with the others.
    pub seen: bool,
    /// 0 to 100.
    pub total: u32,
    /// One line for each criterion that counts.
    pub lines: Vec<Line>,
    /// What was taken away.
    pub deductions: Vec<Deduction>,
    /// How the answer names the cause, if there was one.
    pub localised: Option<Localised>,
}

/// One criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Which.
    pub criterion: Criterion,
    /// How much it counts.
    pub weight: u32,
    /// Points, 0 to 1; none if the drill cannot measure it.
    pub share: Option<f64>,
    /// The measured value, in words.
    pub value: String,
}

/// Points that were taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deduction {
    /// How many.
    pub points: u32,
    /// For what.
    pub why: String,
}

impl Scorecard {
    /// The score of a run; none for one that never began, or that only proved the drill.
    #[must_use]
    pub fn of(drill: &Drill, outcome: &Outcome) -> Option<Self> {
        let Mode::Person { name } = &outcome.mode else { return None };
        if outcome.verdict == Verdict::Invalid {
            return None;
        }
        let injected = outcome.injected?;
        let judge = Judge { drill, outcome, injected };
        let lines: Vec<Line> = Criterion::ALL
            .into_iter()
            .map(|criterion| {
                let (share, value) = judge.line(criterion);
                let weight = drill.weights.get(&criterion).copied().unwrap_or_default();
                Line { criterion, weight, share, value }
            })
            .collect();
        let deductions = judge.deductions();
        let counted = || lines.iter().filter_map(|line| Some((f64::from(line.weight), line.share?)));
        let weight: f64 = counted().map(|(weight, _)| weight).sum();
        let points: f64 = counted().map(|(weight, share)| weight * share).sum();
        let points = if weight > 0.0 { (100.0 * points / weight).round() as u32 } else { 0 };
        let taken: u32 = deductions.iter().map(|deduction| deduction.points).sum();
        Some(Self {
            drill: drill.id.clone(),
            responder: name.clone(),
            verdict: outcome.verdict,
            seen: outcome.seen,
            total: points.saturating_sub(taken),
            lines,
            deductions,
            localised: outcome.record.answers.as_ref().map(|answers| localise(drill, answers)),
        })
    }
}

/// 1 up to `full`, 0 from `none` on, and a straight line between.
fn linear(value: f64, full: f64, none: f64) -> f64 {
    if none <= full {
        return if value <= full { 1.0 } else { 0.0 };
    }
    ((none - value) / (none - full)).clamp(0.0, 1.0)
}

struct Judge<'a> {
    drill: &'a Drill,
    outcome: &'a Outcome,
    injected: DateTime<Utc>,
}

type Judged = (Option<f64>, String);

impl Judge<'_> {
    fn line(&self, criterion: Criterion) -> Judged {
        match criterion {
            Criterion::Detect => self.detect(),
            Criterion::Acknowledge => self.acknowledge(),
            Criterion::Localise => self.localise(),
            Criterion::Explain => self.explain(),
            Criterion::Mitigate => self.mitigate(),
            Criterion::Recover => self.recover(),
            Criterion::Communicate => self.communicate(),
            Criterion::Budget => self.budget(),
        }
    }

    /// The time box in seconds.
    fn time_box(&self) -> f64 {
        self.drill.time_box.as_secs_f64()
    }

    fn since(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> f64 {
        (until - from).max(TimeDelta::zero()).as_seconds_f64()
    }

    fn detect(&self) -> Judged {
        if self.drill.is_quiet() {
            return (None, "nothing to detect".to_owned());
        }
        let paged = self.outcome.paged().map(|page| page.at);
        // A person who acknowledges an incident that no alert opened has noticed it, too.
        let record = &self.outcome.record;
        let known = paged.into_iter().chain(record.noticed).chain(record.acknowledged);
        let Some(at) = known.min() else {
            return (Some(0.0), "nobody noticed".to_owned());
        };
        let seconds = self.since(self.injected, at);
        (Some(linear(seconds, DETECTED, self.time_box() / 2.0)), format!("{seconds:.0} s after the start"))
    }

    fn acknowledge(&self) -> Judged {
        let Some(page) = self.outcome.paged() else { return (None, "no page".to_owned()) };
        let Some(at) = self.outcome.record.acknowledged else {
            return (Some(0.0), "never".to_owned());
        };
        let seconds = self.since(page.at, at);
        let (full, none) = ACKNOWLEDGED;
        (Some(linear(seconds, full, none)), format!("{seconds:.0} s after the page"))
    }

    fn localise(&self) -> Judged {
        let Some(answers) = &self.outcome.record.answers else {
            return (Some(0.0), "no answer".to_owned());
        };
        let found = localise(self.drill, answers);
        let value = if !found.missed.is_empty() {
            format!("missed {}", found.missed.join(", "))
        } else if !found.extra.is_empty() {
            format!("found, and named {} too", found.extra.join(", "))
        } else if !found.ungrounded.is_empty() {
            format!("found, without evidence for {}", found.ungrounded.join(", "))
        } else {
            "found".to_owned()
        };
        (Some(found.share), value)
    }

    fn explain(&self) -> Judged {
        let questions = &self.drill.questions;
        let none = Answers::default();
        let answers = self.outcome.record.answers.as_ref().unwrap_or(&none);
        let mut parts: Vec<(&str, bool)> = Vec::new();
        if let Some(mechanism) = &questions.mechanism {
            parts.push(("mechanism", answers.mechanism.as_ref() == Some(&mechanism.answer)));
        }
        if let Some(change) = &questions.change {
            parts.push(("change", answers.change.as_ref() == Some(change)));
        }
        if let Some(exact) = questions.onset {
            let off = answers.onset.map(|onset| (onset - self.injected).abs().as_seconds_f64());
            parts.push(("onset", off.is_some_and(|off| off <= exact.as_secs_f64())));
        }
        if parts.is_empty() {
            return (None, "not asked".to_owned());
        }
        let right = parts.iter().filter(|(_, right)| *right).count();
        let words: Vec<String> = parts
            .iter()
            .map(|(name, right)| format!("{name} {}", if *right { "right" } else { "wrong" }))
            .collect();
        (Some(right as f64 / parts.len() as f64), words.join(", "))
    }

    fn mitigate(&self) -> Judged {
        let Some(affected) = self.outcome.affected else {
            return (None, "users were never affected".to_owned());
        };
        let Some(at) = self.outcome.mitigated else { return (Some(0.0), "not mitigated".to_owned()) };
        let seconds = self.since(affected, at);
        let share = linear(seconds, self.time_box() / 4.0, self.time_box());
        (Some(share), format!("users were affected for {seconds:.0} s"))
    }

    fn recover(&self) -> Judged {
        let Some(at) = self.outcome.recovered else { return (Some(0.0), "not recovered".to_owned()) };
        let seconds = self.since(self.injected, at);
        let none = self.time_box() + self.drill.oracle.within.as_secs_f64();
        (Some(linear(seconds, self.time_box() / 2.0, none)), format!("{seconds:.0} s after the start"))
    }

    /// One update in each quarter of the time box, for as long as it lasted.
    fn communicate(&self) -> Judged {
        if self.drill.is_quiet() {
            return (None, "nothing to tell".to_owned());
        }
        let record = &self.outcome.record;
        let until = self.outcome.recovered.or(record.submitted).unwrap_or(self.outcome.ended);
        let quarter = self.time_box() / 4.0;
        let quarters = (self.since(self.injected, until) / quarter).ceil().clamp(1.0, 4.0) as usize;
        let told = |index: usize| {
            record.updates.iter().any(|at| {
                let place = (self.since(self.injected, *at) / quarter) as usize;
                place.min(quarters - 1) == index
            })
        };
        let count = (0..quarters).filter(|index| told(*index)).count();
        (Some(count as f64 / quarters as f64), format!("updates in {count} of {quarters} quarters"))
    }

    fn budget(&self) -> Judged {
        let Some(share) = self.outcome.record.burned else { return (None, "not measured".to_owned()) };
        let (full, none) = BURNED;
        (Some(linear(share, full, none)), format!("{:.1} % of an error budget", share * 100.0))
    }

    fn deductions(&self) -> Vec<Deduction> {
        let record = &self.outcome.record;
        let hints = self.drill.hints.iter().take(record.hints).enumerate();
        let mut all: Vec<Deduction> = hints
            .map(|(index, hint)| Deduction { points: hint.cost, why: format!("hint {}", index + 1) })
            .collect();
        all.extend(record.acts.iter().filter_map(|(_, act)| self.deduction(act)));
        all
    }

    fn deduction(&self, act: &Act) -> Option<Deduction> {
        let of = &self.drill.mitigations;
        if let Some(harmful) = of.harmful.iter().find(|one| one.act == *act) {
            return Some(Deduction { points: HARMFUL, why: format!("{act}: {}", harmful.why) });
        }
        if let Some(wrong) = of.wrong.iter().find(|one| one.act == *act) {
            return Some(Deduction { points: WRONG, why: format!("{act}: {}", wrong.why) });
        }
        let needless = self.drill.is_quiet();
        needless.then(|| Deduction { points: WRONG, why: format!("{act}: nothing was wrong") })
    }
}
