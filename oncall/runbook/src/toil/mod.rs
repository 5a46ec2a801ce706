//! The ledger of toil: how long people work by hand, on what, and what of it is worth automating.
//!
//! Toil is work that is manual, repeats, and leaves nothing better: reactive work (look, decide, talk) and remediation
//! (change something by hand). Project work makes the system better, and overhead goes with every work, so neither is toil.
//! A team should spend at most half of its time on toil.

mod report;

pub use crate::class::Class;
use chrono::{DateTime, Utc};
pub use report::{Automated, Candidate, Report, Span, Task, Week, report};
use serde::{Deserialize, Serialize};

use crate::{Mode, Place, Run, Who};

/// The share of a team's time that toil may take.
pub const CAP: f64 = 0.5;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it was done.
    pub until: DateTime<Utc>,
    /// Who did it; nobody, if it was automated.
    pub person: Option<String>,
    /// The runbook, or what the person called it. The same task has the same name.
    pub task: String,
    /// The alert that it was for, if one.
    pub alert: Option<String>,
    /// What kind of work.
    pub class: Class,
}

impl Entry {
    /// Its length in minutes; 0, if it ends before it begins.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        (self.until - self.from).as_seconds_f64().max(0.0) / 60.0
    }
}

/// The work in a run: each manual step is its person's; a run without a person is one automated entry. A procedure that
/// nothing made necessary is planned work: without an incident, all of it has the class of its file.
#[must_use]
pub fn of_run(run: &Run) -> Vec<Entry> {
    let runbook = &run.plan().runbook;
    let planned = (runbook.alert.is_none() && run.incident().is_none()).then_some(runbook.class);
    let entry = |from, until, person, class| Entry {
        from,
        until,
        person,
        task: runbook.name.clone(),
        alert: runbook.alert.clone(),
        class,
    };
    let passed = run.passed();
    if run.mode() == Mode::Manual {
        let steps = passed.iter().filter(|passed| !matches!(passed.place, Place::Precondition(_)));
        let class = |place| {
            let changes = run.plan().change(place).is_some();
            planned.unwrap_or(if changes { Class::Remediation } else { Class::Reactive })
        };
        return steps
            .map(|step| entry(step.from, step.until, Some(name(run, step.by.as_ref())), class(step.place)))
            .collect();
    }
    let end = passed.last().map_or(run.started(), |last| last.until);
    let person = match run.by() {
        Who::Person(name) => Some(name.clone()),
        Who::Automation => None,
    };
    vec![entry(run.started(), end, person, planned.unwrap_or(Class::Remediation))]
}

/// The person of a step: who did it, or who runs the runbook.
fn name(run: &Run, by: Option<&String>) -> String {
    by.cloned().unwrap_or_else(|| run.by().to_string())
}
