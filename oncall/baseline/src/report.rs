//! Findings, who let them through, and one number.

use chrono::NaiveDate;
use serde::Serialize;

use crate::{
    Baseline, Facts,
    checks::{CHECKS, Check},
};

/// What came of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each check, in the order of the table.
    pub checks: Vec<Outcome>,
    /// The share of checks that hold among those that looked at something, in percent, rounded down; waived findings hold.
    pub score: usize,
    /// Waivers that no finding needed, though what they are about was looked at, as `LAB-5.9 sre-lab/*`.
    pub unused: Vec<String>,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its name.
    pub id: &'static str,
    /// What must hold.
    pub title: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// How many subjects were looked at; `None` if the facts are missing.
    pub subjects: Option<usize>,
    /// What is wrong.
    pub findings: Vec<Judged>,
    /// What to do about it.
    pub fix: &'static str,
}

/// A finding, and the waiver that covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// What it is about.
    pub subject: String,
    /// What was found there.
    pub found: String,
    /// The last day of the waiver that covers it; it may be over.
    pub waived_until: Option<NaiveDate>,
    /// Whether it counts: there is no waiver, or its last day is over.
    pub open: bool,
}

impl Report {
    /// The findings that count.
    pub fn open(&self) -> impl Iterator<Item = (&Outcome, &Judged)> {
        let all =
            self.checks.iter().flat_map(|outcome| outcome.findings.iter().map(move |each| (outcome, each)));
        all.filter(|(_, finding)| finding.open)
    }

    /// How many findings do not count.
    #[must_use]
    pub fn waived(&self) -> usize {
        let all = self.checks.iter().flat_map(|outcome| &outcome.findings);
        all.filter(|finding| !finding.open).count()
    }
}

impl Outcome {
    /// Whether it looked at something, and nothing that counts is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.looked() && !self.findings.iter().any(|finding| finding.open)
    }

    fn looked(&self) -> bool {
        self.subjects.is_some_and(|subjects| subjects > 0)
    }
}

/// Judges `facts` by `baseline` on the day `today`.
#[must_use]
pub fn audit(facts: &Facts, baseline: &Baseline, today: NaiveDate) -> Report {
    let checks: Vec<Outcome> = CHECKS.iter().map(|check| outcome(check, facts, baseline, today)).collect();
    let looked = checks.iter().filter(|outcome| outcome.looked()).count();
    let holding = checks.iter().filter(|outcome| outcome.holds()).count();
    let unused = baseline
        .waivers
        .iter()
        .filter(|waiver| {
            checks.iter().any(|outcome| {
                let covered = outcome.findings.iter().any(|each| waiver.covers(outcome.id, &each.subject));
                outcome.id == waiver.check && outcome.looked() && !covered
            })
        })
        .map(|waiver| format!("{} {}", waiver.check, waiver.subject))
        .collect();
    Report { score: (holding * 100).checked_div(looked).unwrap_or(0), checks, unused }
}

fn outcome(check: &Check, facts: &Facts, baseline: &Baseline, today: NaiveDate) -> Outcome {
    let looked = (check.look)(facts, baseline);
    let subjects = looked.as_ref().map(|looked| looked.subjects);
    let findings = looked.map(|looked| looked.findings).unwrap_or_default().into_iter().map(|finding| {
        let covering = baseline.waivers.iter().filter(|waiver| waiver.covers(check.id, &finding.subject));
        let waived_until = covering.map(|waiver| waiver.until).max();
        let open = waived_until.is_none_or(|until| until < today);
        Judged { subject: finding.subject, found: finding.found, waived_until, open }
    });
    let findings = findings.collect();
    Outcome { id: check.id, title: check.title, source: check.source, subjects, findings, fix: check.fix }
}
