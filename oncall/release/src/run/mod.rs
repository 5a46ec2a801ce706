//! A release as a state machine: events in, the next thing to do out.
//!
//! ```text
//! commit -> settle -> watch -> (pass) commit of the next step ... commit of the promotion -> settle -> released
//!                       |-> (inconclusive) held -> (a person continues) next step
//!                       |-> (pass, but a budget is spent) held
//!                       |-> (by hand: its longest time is over) held
//!                       |-> (fail), and from anywhere: abort, failure, time over -> commit that reverts -> settle
//! ```
//!
//! Everything follows from the recorded [`Event`]s. After a crash, replay them: [`Run::next`] is what it was. A commit that
//! was next is next again, and its key says whether it was made. Going back is a commit, too: the repository always says
//! what should run and why.

mod ahead;
mod apply;
mod event;
mod left;
mod next;
mod plan;
mod refused;

use chrono::{DateTime, Utc};
use serde::Serialize;

pub use self::{
    ahead::Ahead,
    event::{Event, What},
    next::{Change, End, How, Next},
    plan::{Plan, STEPS},
    refused::Refused,
};
use crate::{Judge, Opinion, judge::Count};

/// What a commit is for.
#[derive(Debug, Clone)]
enum Goal {
    /// A judged step, by its place.
    Step(usize),
    Promote,
    Revert {
        how: How,
        why: String,
        /// The key of a commit that may have been made without a record.
        unsure: Option<String>,
    },
}

#[derive(Debug, Clone)]
enum Phase {
    Commit(Goal),
    Settle(Goal),
    Watch {
        step: usize,
        judge: Box<Judge>,
    },
    Held {
        step: usize,
        why: String,
        /// Whether budgets hold up the step after this one, which passed.
        frozen: bool,
    },
    Ended(End),
}

/// A step that was judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Passed {
    /// Percent of the requests that the canary had.
    pub weight: u32,
    /// When it began to be watched.
    pub from: DateTime<Utc>,
    /// When it was judged.
    pub until: DateTime<Utc>,
    /// What was said, with its numbers.
    pub opinion: Opinion,
    /// Who continued it although it was inconclusive, and why.
    pub by: Option<(String, String)>,
}

/// One release.
#[derive(Debug, Clone)]
pub struct Run {
    plan: Plan,
    phase: Phase,
    /// Since when the phase lasts.
    since: DateTime<Utc>,
    started: DateTime<Utc>,
    /// The time of the newest event.
    now: DateTime<Utc>,
    commits: Vec<String>,
    passed: Vec<Passed>,
    /// Requests that the canary had, among all.
    exposed: Count,
    /// When the canary answered first.
    met: Option<DateTime<Utc>>,
    /// The end of the newest block.
    measured: Option<DateTime<Utc>>,
    /// How many steps had been judged when a person last let one through a freeze.
    let_through: Option<usize>,
    /// The judge of the newest step that was judged: it keeps watching while a release waits for a person.
    last: Option<Box<Judge>>,
}

impl Run {
    /// A release from its events.
    ///
    /// # Errors
    /// When the first one is no start, or any of them does not fit.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Self, Refused> {
        let mut events = events.into_iter();
        let nothing = || Refused::Unexpected { what: "nothing", next: "expected the start".to_owned() };
        let mut run = Self::start(events.next().ok_or_else(nothing)?)?;
        events.try_for_each(|event| run.apply(event)).map(|()| run)
    }

    /// What it is meant to do.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// When it began.
    #[must_use]
    pub fn started(&self) -> DateTime<Utc> {
        self.started
    }

    /// When something happened to it last.
    #[must_use]
    pub fn newest(&self) -> DateTime<Utc> {
        self.now
    }

    /// When users first met the new version, if they did.
    #[must_use]
    pub fn met(&self) -> Option<DateTime<Utc>> {
        self.met
    }

    /// Its end, if it is over.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        match &self.phase {
            Phase::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Its state, in one word: `commit`, `settle`, `watch`, `held`, or how it ended.
    #[must_use]
    pub fn state(&self) -> String {
        match &self.phase {
            Phase::Commit(Goal::Revert { .. }) | Phase::Settle(Goal::Revert { .. }) => {
                "rolling-back".to_owned()
            }
            Phase::Commit(_) => "commit".to_owned(),
            Phase::Settle(_) => "settle".to_owned(),
            Phase::Watch { .. } => "watch".to_owned(),
            Phase::Held { .. } => "held".to_owned(),
            Phase::Ended(end) => end.how.to_string(),
        }
    }

    /// The steps that were judged, in their order.
    #[must_use]
    pub fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// Its commits that were made, the first one first; a revert is not among them.
    #[must_use]
    pub fn commits(&self) -> &[String] {
        &self.commits
    }

    /// What the judge says of the step that is watched.
    #[must_use]
    pub fn opinion(&self, now: DateTime<Utc>) -> Option<Opinion> {
        match &self.phase {
            Phase::Watch { judge, .. } => Some(judge.opinion(now)),
            _ => None,
        }
    }

    /// Requests that the canary answered (`bad`, because they were at risk) among all of the service (`all`) since the
    /// release began.
    #[must_use]
    pub fn exposed(&self) -> Count {
        self.exposed
    }
}
