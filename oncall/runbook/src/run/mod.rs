//! A run as a state machine: events in, the next thing to do out.
//!
//! Everything follows from the recorded [`Event`]s. After a crash, replay them: [`Run::next`] is what it was. An act
//! that had begun is next again, with what was seen before it began, so that the caller can find out whether it was
//! done before doing it once more. One that was allowed and had not begun is decided once more: [`Run::undecided`].
//!
//! A step that fails after an act takes back what was done, the last act first. What cannot be taken back is in
//! [`End::left`].

mod apply;
mod back;
mod choose;
mod event;
mod next;
mod rails;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
pub use event::{Event, Mode, Refused, What, Who};
pub use next::{Approval, Begun, End, Ending, Next, Passed, Request};
use sha2::{Digest as _, Sha256};

use crate::{
    Call, Change, Decision, Place, Plan, Verdict,
    answer::Expect,
    dry,
    model::{Task, Wait},
};

/// What is known about the current place.
#[derive(Debug, Clone, Default)]
struct Here {
    /// Manual: who said that it may be done.
    confirmed: Option<(String, DateTime<Utc>)>,
    decision: Option<Decision>,
    /// Whether it was decided before, and counts already.
    again: bool,
    begun: Option<Begun>,
    /// Since when a wait has held.
    held: Option<DateTime<Utc>>,
    /// The branch of a decision whose condition is next.
    branch: usize,
}

/// Why a run takes back its acts.
#[derive(Debug, Clone)]
struct Undoing {
    how: Ending,
    why: String,
    /// Steps whose acts are still to be taken back, the first one last.
    queue: Vec<usize>,
    undone: Vec<String>,
    left: Vec<String>,
}

/// One run of a runbook.
#[derive(Debug, Clone)]
pub struct Run {
    id: String,
    plan: Plan,
    mode: Mode,
    by: Who,
    incident: Option<String>,
    started: DateTime<Utc>,
    place: Place,
    /// Since when `place` is current.
    since: DateTime<Utc>,
    here: Here,
    /// Whether a second person approved the acts.
    approved: bool,
    approvals: Vec<Approval>,
    /// People who work on the run.
    hands: BTreeSet<String>,
    /// Branches that were chosen.
    chosen: BTreeSet<String>,
    /// Steps whose acts were done, or may have been, and were not taken back.
    done: Vec<usize>,
    undoing: Option<Undoing>,
    passed: Vec<Passed>,
    end: Option<End>,
}

impl Run {
    /// The run that these events add up to.
    ///
    /// # Errors
    /// The first event that is refused.
    pub fn replay<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<Self, Refused> {
        let mut events = events.into_iter();
        let mut run = Self::start(events.next().ok_or(Refused::NotStarted)?)?;
        for event in events {
            run.apply(event)?;
        }
        Ok(run)
    }

    /// What is next. Changes nothing.
    #[must_use]
    pub fn next(&self) -> Next {
        if let Some(end) = &self.end {
            return Next::Ended(end.clone());
        }
        let place = self.place;
        let task = self.task();
        if let Some(Task::Approve { why }) = task {
            return Next::Approve(self.request(why.clone()));
        }
        let guided = self.mode == Mode::Manual && !matches!(place, Place::Precondition(_));
        if guided && self.here.confirmed.is_none() {
            // A place without anything to show does not exist: the reader sees to it.
            if let Some(shown) = dry::show(&self.plan, place) {
                return Next::Confirm(shown);
            }
        }
        if let Some((call, _)) = self.look() {
            let until = self.wait().map(|wait| later(self.asked(), wait));
            return Next::Look { place, call, until };
        }
        match self.plan.change(place) {
            Some(change) => self.change(place, change),
            None => Next::Ended(self.over(self.since, Ending::Failed, format!("{place} does not exist"))),
        }
    }

    /// What is next for a change: approval, decision, the act.
    fn change(&self, place: Place, change: Change) -> Next {
        let undo = self.takes_back();
        if self.mode == Mode::Ask && !self.approved {
            return Next::Approve(self.request("the run is in mode ask".to_owned()));
        }
        if change.verb.needs_approval() && !self.approved {
            return Next::Approve(self.request(format!("nobody does a {} alone", change.verb)));
        }
        match &self.here.decision {
            None => Next::Decide { place, change, approved: self.approved, undo },
            Some(decision) if decision.verdict == Verdict::Ask && !self.approved => {
                Next::Approve(self.request(decision.reasons.join("; ")))
            }
            Some(_) => Next::Act { place, change, begun: self.here.begun.clone() },
        }
    }

    /// What a second person is asked.
    fn request(&self, why: String) -> Request {
        let changes = self.plan.changes();
        // Cannot fail: strings, numbers and maps with string keys.
        let text = serde_json::to_vec(&changes).unwrap_or_default();
        let digest = hex::encode(Sha256::digest(text));
        Request { why, changes, not: self.hands.clone(), digest }
    }

    /// The task of the current step; none at a precondition, and while acts are taken back.
    fn task(&self) -> Option<&Task> {
        match self.place {
            Place::Step(index) => self.plan.runbook.steps.get(index).map(|step| &step.task),
            Place::Precondition(_) | Place::Undo(_) => None,
        }
    }

    /// What is asked at the current place; at a decision, the condition of the branch that is next.
    fn look(&self) -> Option<(Call, &Expect)> {
        match (self.place, self.task()) {
            (Place::Step(step), Some(Task::Decide { .. })) => self.plan.condition(step, self.here.branch),
            _ => self.plan.look(self.place),
        }
    }

    /// The current wait.
    fn wait(&self) -> Option<&Wait> {
        match self.task() {
            Some(Task::WaitUntil(wait) | Task::Verify(wait)) => Some(wait),
            _ => None,
        }
    }

    /// Since when the current question is asked.
    fn asked(&self) -> DateTime<Utc> {
        self.here.confirmed.as_ref().map_or(self.since, |(_, at)| *at)
    }

    /// The end, as of now.
    fn over(&self, at: DateTime<Utc>, how: Ending, why: String) -> End {
        let (mut undone, mut left) = (Vec::new(), Vec::new());
        if let Some(undoing) = &self.undoing {
            undone.clone_from(&undoing.undone);
            left.clone_from(&undoing.left);
        }
        if how != Ending::Succeeded && self.undoing.is_none() {
            left.extend(
                self.done.iter().filter_map(|step| Some(self.plan.change(Place::Step(*step))?.text())),
            );
        }
        End { how, at, why, undone, left }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it does.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it goes.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Who started it.
    #[must_use]
    pub const fn by(&self) -> &Who {
        &self.by
    }

    /// Who works on it. None of them can approve it.
    #[must_use]
    pub const fn hands(&self) -> &BTreeSet<String> {
        &self.hands
    }

    /// Its incident, if it has one.
    #[must_use]
    pub fn incident(&self) -> Option<&str> {
        self.incident.as_deref()
    }

    /// When it started.
    #[must_use]
    pub const fn started(&self) -> DateTime<Utc> {
        self.started
    }

    /// Where it is.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Places that it has passed, in order.
    #[must_use]
    pub fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// What second people agreed to, in order.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// Whether something that it did lasts until it is taken back, and is not taken back yet.
    pub(crate) fn holds(&self) -> bool {
        let lasts = |step: &usize| {
            let change = self.plan.change(Place::Step(*step));
            change.is_some_and(|change| change.verb.lasts())
        };
        self.done.iter().any(lasts)
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }
}

/// The latest instant of a wait.
fn later(from: DateTime<Utc>, wait: &Wait) -> DateTime<Utc> {
    let within = TimeDelta::from_std(wait.within).unwrap_or(TimeDelta::MAX);
    from.checked_add_signed(within).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
