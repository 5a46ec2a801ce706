//! How a run fails: what was done is taken back, the last act first, and what stays is said.

use chrono::{DateTime, Utc};

use super::{Ending, Passed, Run, Undoing};
use crate::{
    Place,
    model::{Task, Undo},
};

impl Run {
    /// Ends at once. A person may be needed, so nothing is taken back.
    pub(super) fn stop(&mut self, at: DateTime<Utc>, why: &str) {
        if let Some(undoing) = &mut self.undoing {
            let mut rest = std::mem::take(&mut undoing.queue);
            if let Place::Undo(step) = self.place {
                rest.push(step);
            }
            rest.into_iter().for_each(|step| self.leave(step, "the run was stopped"));
        } else if let (Some(_), Place::Step(step), Some(Task::Act(_))) =
            (&self.here.begun, self.place, self.task())
        {
            // It may have been done.
            self.done.push(step);
        }
        self.end = Some(self.over(at, Ending::Stopped, why.to_owned()));
    }

    /// The current place failed. Takes back what was done, or ends.
    pub(super) fn fail(&mut self, at: DateTime<Utc>, how: Ending, why: String) {
        self.note_passed(at, None, false, why.clone());
        if let (Some(_), Place::Undo(step)) = (&self.undoing, self.place) {
            self.leave(step, &why);
            return self.take_back(at);
        }
        if self.done.is_empty() {
            self.end = Some(self.over(at, how, why));
            return;
        }
        // What is not as expected after an act is a failure of the act.
        let how = if how == Ending::Stopped { Ending::Failed } else { how };
        let mut undoing = Undoing { how, why, queue: Vec::new(), undone: Vec::new(), left: Vec::new() };
        for &step in &self.done {
            let task = self.plan.runbook.steps.get(step).map(|step| &step.task);
            match task {
                Some(Task::Act(act)) if matches!(act.undo, Undo::Act { .. }) => undoing.queue.push(step),
                Some(Task::Act(act)) => {
                    let Undo::Nothing { why } = &act.undo else { continue };
                    let what = self.plan.change(Place::Step(step)).map(|change| change.text());
                    undoing.left.extend(what.map(|what| format!("{what}: {why}")));
                }
                _ => {}
            }
        }
        self.undoing = Some(undoing);
        self.take_back(at);
    }

    /// The current place is passed, by somebody else than who confirmed it if `by` says so.
    pub(super) fn note_passed(&mut self, until: DateTime<Utc>, by: Option<String>, ok: bool, text: String) {
        let (who, confirmed) = self.here.confirmed.clone().unzip();
        let (place, from, by) = (self.place, self.since, by.or(who));
        self.passed.push(Passed { place, from, until, confirmed, by, ok, text });
    }

    /// Takes the next act back, or ends.
    pub(super) fn take_back(&mut self, at: DateTime<Utc>) {
        let next = self.undoing.as_mut().and_then(|undoing| undoing.queue.pop());
        match next {
            Some(step) => self.go(at, Place::Undo(step)),
            None => {
                let reason = self.undoing.as_ref().map(|undoing| (undoing.how, undoing.why.clone()));
                let (how, why) = reason.unwrap_or((Ending::Failed, String::new()));
                self.end = Some(self.over(at, how, why));
            }
        }
    }

    /// An act stays, for a reason.
    pub(super) fn leave(&mut self, step: usize, why: &str) {
        let what = self.plan.change(Place::Step(step)).map(|change| format!("{}: {why}", change.text()));
        if let Some(undoing) = &mut self.undoing {
            undoing.left.extend(what);
        }
    }
}
