//! Decisions: which branch a run takes, and which steps it passes over because of that.

use chrono::{DateTime, Utc};

use super::{Refused, Run};
use crate::{Answer, Runbook, model::Task};

impl Run {
    /// Refuses a missing choice, and one that names no branch.
    pub(super) fn one_of_them(&self, branch: Option<&str>) -> Result<(), Refused> {
        let branches = match self.task() {
            Some(Task::Decide { branches }) => branches.as_slice(),
            _ => &[],
        };
        let sound = match branch {
            Some(branch) => branches.iter().any(|known| known.name == branch),
            None => branches.is_empty(),
        };
        if sound {
            return Ok(());
        }
        let names: Vec<&str> = branches.iter().map(|known| known.name.as_str()).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let found = branch.map_or_else(|| "none".to_owned(), |branch| format!("`{branch}`"));
        Err(Refused::Branch { place: self.place, known, found })
    }

    /// Takes a branch.
    pub(super) fn choose(&mut self, at: DateTime<Utc>, branch: &str, text: String) {
        self.chosen.insert(branch.to_owned());
        self.pass(at, true, text, None);
    }

    /// Takes the branch whose condition was just checked, because of the answer.
    pub(super) fn choose_next(&mut self, at: DateTime<Utc>, answer: &Answer) {
        let Some(Task::Decide { branches }) = self.task() else { return };
        let Some(name) = branches.get(self.here.branch).map(|branch| branch.name.clone()) else { return };
        self.choose(at, &name, format!("{name}: {}", answer.text()));
    }

    /// Whether nothing is to be done in a step: it belongs to a branch that was not chosen, or takes back what was left out.
    pub(super) fn is_idle(&self, step: usize) -> bool {
        let Some(step) = self.plan.runbook.steps.get(step) else { return false };
        let elsewhere = step.when.as_ref().is_some_and(|branch| !self.chosen.contains(branch));
        elsewhere || matches!(&step.task, Task::Undo { act } if !self.done.contains(act))
    }
}

/// The first step that does what nobody does alone.
pub(super) fn never_alone(runbook: &Runbook) -> Option<&str> {
    let never = |task: &Task| matches!(task, Task::Act(act) if act.verb.needs_approval());
    runbook.steps.iter().find(|step| never(&step.task)).map(|step| step.name.as_str())
}

/// The first decision that needs a person: one of its branches has no condition.
pub(super) fn undecidable(runbook: &Runbook) -> Option<&str> {
    let needs = |task: &Task| match task {
        Task::Decide { branches } => branches.iter().any(|branch| branch.look.is_none()),
        _ => false,
    };
    runbook.steps.iter().find(|step| needs(&step.task)).map(|step| step.name.as_str())
}
