//! Runs and runbooks as views.

use incident::Id;
use runbook::{
    Change, Next, Place, Run, Runbook,
    dry::{self, Fork, Shown},
    parameter::Kind,
    run::{Passed, Request},
};

use super::view::{
    BranchView, OutlineView, ParameterView, RequestView, RunState, RunbookRunView, RunbookView, StepState,
    StepView,
};

/// What a step that somebody left out says.
const LEFT_OUT: &str = "left out by ";

/// A run.
pub(super) fn run(run: &Run) -> RunbookRunView {
    let (next, runbook) = (run.next(), &run.plan().runbook);
    let (state, text) = state(run);
    let end = run.end();
    RunbookRunView {
        id: run.id().to_owned(),
        runbook: runbook.name.clone(),
        title: runbook.title.clone(),
        mode: run.mode(),
        by: run.by().to_string(),
        incident: incident_of(run),
        started_at: run.started(),
        ended_at: end.map(|end| end.at),
        state,
        next: end.is_none().then_some(text),
        request: match next {
            Next::Approve(request) => Some(self::request(&request)),
            _ => None,
        },
        steps: steps(run),
        ending: end.map(|end| end.how.to_string()),
        why: end.map(|end| end.why.clone()),
        undone: end.map(|end| end.undone.clone()).unwrap_or_default(),
        left: end.map(|end| end.left.clone()).unwrap_or_default(),
    }
}

/// The incident of a run.
pub(super) fn incident_of(run: &Run) -> Option<Id> {
    run.incident().and_then(|id| id.parse().ok())
}

/// Who or what has the next move, and what it is.
pub(super) fn state(run: &Run) -> (RunState, String) {
    match run.next() {
        Next::Confirm(shown) if !shown.branches.is_empty() => {
            (RunState::WaitingForYou, format!("choose at {}: {}", shown.name, shown.text))
        }
        Next::Confirm(shown) => {
            (RunState::WaitingForYou, format!("confirm or leave out {}: {}", shown.name, shown.text))
        }
        Next::Approve(request) => {
            (RunState::WaitingForApproval, format!("a second person approves, because {}", request.why))
        }
        Next::Look { call, .. } => (RunState::Running, format!("asks {}", call.text())),
        Next::Decide { change, .. } => {
            (RunState::Running, format!("asks the guardrails whether to {}", change.text()))
        }
        Next::Act { change, .. } => (RunState::Running, format!("is about to {}", change.text())),
        Next::Ended(end) => (RunState::Ended, format!("{}: {}", end.how, end.why)),
    }
}

fn request(request: &Request) -> RequestView {
    let text = |(place, change): &(Place, Change)| match place {
        Place::Undo(_) => format!("to take it back: {}", change.text()),
        _ => change.text(),
    };
    RequestView {
        why: request.why.clone(),
        changes: request.changes.iter().map(text).collect(),
        not: request.not.clone(),
        digest: request.digest.clone(),
    }
}

/// Preconditions and steps, and the acts that were or are taken back.
fn steps(run: &Run) -> Vec<StepView> {
    let runbook = &run.plan().runbook;
    let preconditions = (0..runbook.preconditions.len()).map(Place::Precondition);
    let places = preconditions.chain((0..runbook.steps.len()).map(Place::Step));
    let undone = run.passed().iter().map(|passed| passed.place).chain([run.place()]);
    let mut undone: Vec<Place> = undone.filter(|place| matches!(place, Place::Undo(_))).collect();
    undone.dedup();
    places.chain(undone).filter_map(|place| Some(step(run, &dry::show(run.plan(), place)?))).collect()
}

fn step(run: &Run, shown: &Shown) -> StepView {
    let place = shown.place;
    let passed = run.passed().iter().rev().find(|passed| passed.place == place);
    let is_now = run.end().is_none() && run.place() == place;
    let state = match passed {
        Some(passed) => done(passed),
        None if is_now => StepState::Now,
        // A later one was passed, so this one was not needed.
        None if run.passed().iter().any(|passed| is_later(passed.place, place)) => StepState::Skipped,
        None => StepState::Todo,
    };
    let planned = match &shown.expected {
        Some(expected) => format!("{}: {expected}", shown.text),
        None => shown.text.clone(),
    };
    StepView {
        place: place.to_string(),
        name: shown.name.clone(),
        what: shown.what.clone(),
        kind: shown.kind.to_owned(),
        state,
        text: passed.map_or(planned, |passed| passed.text.clone()),
        branches: shown.branches.iter().map(branch).collect(),
        at: passed.map(|passed| passed.until),
        by: passed.and_then(|passed| passed.by.clone()),
    }
}

fn branch(fork: &Fork) -> BranchView {
    let Fork { name, what, condition } = fork.clone();
    BranchView { name, what, condition }
}

fn done(passed: &Passed) -> StepState {
    if passed.ok {
        StepState::Done
    } else if passed.by.is_some() && passed.text.starts_with(LEFT_OUT) {
        StepState::Skipped
    } else {
        StepState::Failed
    }
}

fn is_later(one: Place, other: Place) -> bool {
    matches!((one, other), (Place::Step(one), Place::Step(other)) if one > other)
}

/// A runbook.
pub(super) fn runbook(runbook: &Runbook) -> RunbookView {
    let parameters = runbook.parameters.iter().map(|parameter| ParameterView {
        name: parameter.name.clone(),
        what: parameter.what.clone(),
        expects: parameter.kind.expects(),
        choices: match &parameter.kind {
            Kind::Choice { of } => of.clone(),
            _ => Vec::new(),
        },
        default: parameter.default.clone(),
        label: parameter.label.clone(),
    });
    let steps = runbook.steps.iter().map(|step| OutlineView {
        name: step.name.clone(),
        what: step.what.clone(),
        kind: step.task.word().to_owned(),
    });
    RunbookView {
        name: runbook.name.clone(),
        alert: runbook.alert.clone(),
        title: runbook.title.clone(),
        services: runbook.services.iter().map(|service| service.text().to_owned()).collect(),
        parameters: parameters.collect(),
        steps: steps.collect(),
    }
}
