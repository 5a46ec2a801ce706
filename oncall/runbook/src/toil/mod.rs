//! The ledger of toil: how long people work by hand, on what, and what of it is worth automating.
//!
//! Toil is work that is manual, repeats, and leaves nothing better: reactive work (look, decide, talk) and remediation
//! (change something by hand). Project work makes the system better, and overhead goes with every work, so neither is toil.
//! A team should spend at most half of its time on toil.

mod once;
mod report;

pub use crate::class::Class;
use chrono::{DateTime, TimeDelta, Utc};
pub use report::{Automated, Candidate, ForAlert, Report, Span, Task, Week, report};
use serde::{Deserialize, Serialize};

use crate::{Mode, Place, Run, Who, model};

/// The share of a team's time that toil may take.
pub const CAP: f64 = 0.5;
/// How long a person is taken to have worked on what they did, if nothing says when they began: a longer time is a pause.
pub const BUSY: TimeDelta = TimeDelta::minutes(10);

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

/// The work in a run: each manual step is its person's, and each approval the second person's; what automation does by itself is
/// one automated entry. A procedure that nothing made necessary is planned work: without an incident, all of it has the class of its
/// file.
#[must_use]
pub fn of_run(run: &Run) -> Vec<Entry> {
    let runbook = &run.plan().runbook;
    let planned = (runbook.alert.is_none() && run.incident().is_none()).then_some(runbook.class);
    let entry = |(from, until): (DateTime<Utc>, DateTime<Utc>), person: Option<String>, class: Class| Entry {
        from,
        until,
        person,
        task: runbook.name.clone(),
        alert: runbook.alert.clone(),
        class: planned.unwrap_or(class),
    };
    let mut entries = Vec::new();
    if run.mode() == Mode::Manual {
        for step in run.passed().iter().filter(|passed| is_work(run, passed.place)) {
            // Somebody who comes back after the weekend has not read the step for so long.
            let from = step.from.max(step.confirmed.unwrap_or(step.until) - BUSY);
            let changes = run.plan().change(step.place).is_some();
            let class = if changes { Class::Remediation } else { Class::Reactive };
            let person = step.by.clone().unwrap_or_else(|| run.by().to_string());
            let pieces = without_waits(run, from, step.until).into_iter();
            entries.extend(pieces.map(|piece| entry(piece, Some(person.clone()), class)));
        }
    } else {
        let end = run.passed().last().map_or(run.started(), |last| last.until);
        match run.by() {
            Who::Automation => entries.push(entry((run.started(), end), None, Class::Remediation)),
            Who::Person(name) => {
                let pieces = without_waits(run, run.started(), end).into_iter();
                entries.extend(pieces.map(|piece| entry(piece, Some(name.clone()), Class::Remediation)));
            }
        }
    }
    let asked = run.approvals().iter().map(|one| {
        let read = (one.asked.max(one.at - BUSY), one.at);
        entry(read, Some(one.by.clone()), Class::Reactive)
    });
    entries.extend(asked);
    entries
}

/// Whether a place is work of who runs the runbook; an approval is the second person's.
fn is_work(run: &Run, place: Place) -> bool {
    match place {
        Place::Precondition(_) => false,
        Place::Undo(_) => true,
        Place::Step(step) => {
            let task = run.plan().runbook.steps.get(step).map(|step| &step.task);
            !matches!(task, Some(model::Task::Approve { .. }))
        }
    }
}

/// A time without the waits for a second person in it.
fn without_waits(
    run: &Run,
    mut from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut pieces = Vec::new();
    for approval in run.approvals() {
        if from <= approval.asked && approval.at <= until {
            pieces.push((from, approval.asked));
            from = approval.at;
        }
    }
    pieces.push((from, until.max(from)));
    pieces
}
