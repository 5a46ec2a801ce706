//! A dry run: every step as it would be done, with live values, and which preconditions hold. Changes nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Answer, Call, Decision, Place, Plan,
    model::{Branch, Task, Undo},
    parameter::words,
};

/// What a dry run shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DryRun {
    /// What has to be so first.
    pub preconditions: Vec<Shown>,
    /// The steps.
    pub steps: Vec<Shown>,
    /// Whether every precondition holds now; one without an answer does not.
    pub ready: bool,
}

/// A place of the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Where.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub what: String,
    /// What kind of step it is, as in the file.
    pub kind: &'static str,
    /// What would be asked or done, in a line.
    pub text: String,
    /// What is expected, if something is asked.
    pub expected: Option<String>,
    /// What the answer is now.
    pub answer: Option<String>,
    /// Whether it is as expected now.
    pub holds: Option<bool>,
    /// What can be chosen, if it is a decision.
    pub branches: Vec<Fork>,
    /// What takes it back, if it is an act.
    pub undo: Option<String>,
    /// What the guardrails say now, if it is an act.
    pub decision: Option<Decision>,
}

/// A branch as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fork {
    /// Its name.
    pub name: String,
    /// When it is the right one.
    pub what: String,
    /// What would be asked, and the answer that chooses it; none, if only a person can choose it.
    pub condition: Option<String>,
}

/// A branch with what is known of it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The branch.
    #[serde(flatten)]
    pub fork: Fork,
    /// What the answer to its condition is now.
    pub answer: Option<String>,
    /// Whether it would be taken now in modes ask and auto.
    pub taken: bool,
}

/// What to ask for a dry run: everything that the plan asks, but for what its decisions do.
#[must_use]
pub fn questions(plan: &Plan) -> Vec<(Place, Call)> {
    let preconditions = (0..plan.runbook.preconditions.len()).map(Place::Precondition);
    let places = preconditions.chain((0..plan.runbook.steps.len()).map(Place::Step));
    places.filter_map(|place| Some((place, plan.look(place)?.0))).collect()
}

/// What its decisions ask: the condition of each branch that has one, by step and branch.
#[must_use]
pub fn conditions(plan: &Plan) -> Vec<((usize, usize), Call)> {
    let count = |task: &Task| match task {
        Task::Decide { branches } => branches.len(),
        _ => 0,
    };
    let steps = plan.runbook.steps.iter().enumerate();
    let all = steps.flat_map(|(step, it)| (0..count(&it.task)).map(move |branch| (step, branch)));
    all.filter_map(|(step, branch)| Some(((step, branch), plan.condition(step, branch)?.0))).collect()
}

/// The branches of a decision with the answers of now; none elsewhere. As in a run, the first branch whose condition holds is
/// taken; none, if a person has to choose, or if what is asked before has no answer.
#[must_use]
pub fn ways(plan: &Plan, step: usize, answers: &BTreeMap<(usize, usize), Answer>) -> Vec<Way> {
    let forks = forks(plan, Place::Step(step));
    let mut open = forks.iter().all(|fork| fork.condition.is_some());
    let mut ways = Vec::with_capacity(forks.len());
    for (branch, fork) in forks.into_iter().enumerate() {
        let answer = answers.get(&(step, branch));
        let known = answer.is_some_and(|answer| !matches!(answer, Answer::Failed { .. }));
        let holds = plan.condition(step, branch).zip(answer).is_some_and(|((_, is), found)| is.holds(found));
        let taken = open && known && holds;
        open = open && known && !holds;
        ways.push(Way { fork, answer: answer.map(Answer::text), taken });
    }
    ways
}

/// The plan with answers and decisions, as far as they are known.
#[must_use]
pub fn run(plan: &Plan, answers: &BTreeMap<Place, Answer>, decisions: &BTreeMap<Place, Decision>) -> DryRun {
    let shown = |place: Place| {
        let mut shown = show(plan, place)?;
        if let (Some((_, expect)), Some(answer)) = (plan.look(place), answers.get(&place)) {
            shown.answer = Some(answer.text());
            shown.holds = Some(expect.holds(answer));
        }
        shown.decision = decisions.get(&place).cloned();
        Some(shown)
    };
    let preconditions: Vec<Shown> =
        (0..plan.runbook.preconditions.len()).map(Place::Precondition).filter_map(shown).collect();
    let steps = (0..plan.runbook.steps.len()).map(Place::Step).filter_map(shown).collect();
    let ready = preconditions.iter().all(|shown| shown.holds == Some(true));
    DryRun { preconditions, steps, ready }
}

/// A place as people see it, without live values.
#[must_use]
pub fn show(plan: &Plan, place: Place) -> Option<Shown> {
    let (name, what) = plan.title(place)?;
    let look = plan.look(place);
    let task = match place {
        Place::Precondition(_) => None,
        Place::Step(index) | Place::Undo(index) => Some(&plan.runbook.steps.get(index)?.task),
    };
    let kind = match place {
        Place::Precondition(_) => "precondition",
        Place::Step(_) => task?.word(),
        Place::Undo(_) => "undo",
    };
    let branches = forks(plan, place);
    let text = match (&look, plan.change(place), task) {
        (Some((call, _)), ..) => call.text(),
        (None, Some(change), _) => change.text(),
        (None, None, Some(Task::Approve { why })) => why.clone(),
        (None, None, Some(Task::Decide { .. })) => in_a_line(&branches),
        (None, None, _) => return None,
    };
    let expected = look.map(|(_, expect)| match task {
        Some(Task::WaitUntil(wait) | Task::Verify(wait)) if wait.hold.is_zero() => {
            format!("{} within {}", expect.text(), words(wait.within))
        }
        Some(Task::WaitUntil(wait) | Task::Verify(wait)) => {
            format!("{} for {} within {}", expect.text(), words(wait.hold), words(wait.within))
        }
        _ => expect.text(),
    });
    let undo = match (place, task) {
        (Place::Step(index), Some(Task::Act(act))) => Some(match &act.undo {
            Undo::Act { .. } => plan.change(Place::Undo(index))?.text(),
            Undo::Nothing { why } => format!("cannot be taken back: {why}"),
        }),
        _ => None,
    };
    let (name, what) = (name.to_owned(), what.to_owned());
    Some(Shown {
        place,
        name,
        what,
        kind,
        text,
        expected,
        answer: None,
        holds: None,
        branches,
        undo,
        decision: None,
    })
}

/// The branches of a decision; none elsewhere.
fn forks(plan: &Plan, place: Place) -> Vec<Fork> {
    let Place::Step(step) = place else { return Vec::new() };
    let Some(Task::Decide { branches }) = plan.runbook.steps.get(step).map(|step| &step.task) else {
        return Vec::new();
    };
    let fork = |(index, branch): (usize, &Branch)| {
        let condition = plan.condition(step, index);
        Fork {
            name: branch.name.clone(),
            what: branch.what.clone(),
            condition: condition.map(|(call, expect)| format!("{} {}", call.text(), expect.text())),
        }
    };
    branches.iter().enumerate().map(fork).collect()
}

/// The branches in a line.
fn in_a_line(branches: &[Fork]) -> String {
    let way = |fork: &Fork| match &fork.condition {
        Some(condition) => format!("{} ({condition})", fork.name),
        None => fork.name.clone(),
    };
    branches.iter().map(way).collect::<Vec<_>>().join(", or ")
}
