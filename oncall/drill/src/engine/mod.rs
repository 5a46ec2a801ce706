//! One run of a drill as a state machine: `baseline -> observe -> wrong -> solve -> recover -> reset -> finished`.
//!
//! Everything follows from [`Start`] and the recorded [`Event`]s. A replay after a crash gives the same state, and what
//! was due and not recorded is due again. Time alone moves only what has a deadline; what "has been good for 15 s" is
//! known from looks, so a program that stops looking never passes. Every way leads through the reset, and a run is
//! finished only once every fault is known to be ended: no failure, no abort and no order of events leaves one behind.
//!
//! A person's run has no wrong or solve phase: the person acts while the run observes.

mod action;
mod advance;
mod apply;
mod conditions;
mod event;
mod expire;
mod judge;
mod laps;
mod outcome;
mod plan;
mod proven;
mod waiting;
mod watch;
mod wrong;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use action::{Action, Ask, Due, Look};
pub use event::{Answers, Event, Mode, Proven, Responder, Start, What};
pub use laps::Lap;
pub use outcome::{Failure, Notice, Outcome, Record, Sighting, Verdict};
pub use waiting::Waiting;
use watch::Watches;

use crate::Drill;

/// How long the actions before the baseline may take: Prometheus forgets and starts again.
const PREPARE: Duration = Duration::from_secs(60);
/// How long an action may take before it counts as impossible.
const ACT: Duration = Duration::from_secs(60);
/// How late something may be noted that came in time.
const GRACE: Duration = Duration::from_secs(2);
/// How much later than its effect a cause may be seen: two metrics are scraped at different times.
const SLACK: Duration = Duration::from_secs(3);
/// How long a reset may take before it counts as failed. It continues all the same.
const RESET: Duration = Duration::from_secs(60);

/// Where a run is. The order is that of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Waits until the system is healthy.
    Baseline,
    /// Injects, and looks for what must be seen. A person responds.
    Observe,
    /// Does what does not help, by index.
    Wrong(usize),
    /// Does a step of the solution, by index.
    Solve(usize),
    /// Waits until users are served and nothing is left.
    Recover,
    /// Ends everything that the run began.
    Reset,
    /// Clean.
    Finished,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Baseline => f.write_str("baseline"),
            Self::Observe => f.write_str("observe"),
            Self::Wrong(index) => write!(f, "wrong action {}", index + 1),
            Self::Solve(index) => write!(f, "step {}", index + 1),
            Self::Recover => f.write_str("recover"),
            Self::Reset => f.write_str("reset"),
            Self::Finished => f.write_str("finished"),
        }
    }
}

/// What is known of one fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct FaultState {
    /// When it was set for the first time.
    set: Option<DateTime<Utc>>,
    /// Whether a restart or an action ended it.
    ended: bool,
    /// Whether an action did: then the run has to take it back.
    by_action: bool,
    /// How many restarts it has survived.
    generation: u32,
    /// When it has to be set again.
    again: Option<DateTime<Utc>>,
}

/// One run of a drill.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    drill: Arc<Drill>,
    start: Start,
    /// Newest time that is known.
    now: DateTime<Utc>,
    phase: Phase,
    /// When the phase began.
    since: DateTime<Utc>,
    /// Every phase so far, and when it began.
    phases: Vec<(Phase, DateTime<Utc>)>,
    watches: Watches,
    /// Actions that were done, and when.
    done: BTreeMap<String, DateTime<Utc>>,
    faults: Vec<FaultState>,
    /// When the baseline was passed.
    begun: Option<DateTime<Utc>>,
    /// When the first fault was set, or the baseline passed without one.
    injected: Option<DateTime<Utc>>,
    /// When an action that helps was done.
    helped: Option<DateTime<Utc>>,
    recovered: Option<DateTime<Utc>>,
    mitigated: Option<DateTime<Utc>>,
    /// Protections that a responder switched on: the drill does not switch them off again.
    restored: BTreeSet<(String, String)>,
    /// Surges that a response has ended, by name, and when.
    calmed: BTreeMap<String, DateTime<Utc>>,
    notices: Vec<Notice>,
    failures: Vec<Failure>,
    record: Record,
    /// Set when the reset begins.
    verdict: Option<Verdict>,
    /// Whether the reset took too long.
    dirty: bool,
    ended: Option<DateTime<Utc>>,
}

impl Run {
    /// A run that begins.
    #[must_use]
    pub fn new(drill: Arc<Drill>, start: Start) -> Self {
        let varied = start.variant.as_deref().and_then(|name| drill.varied(name));
        let drill = varied.map_or(drill, Arc::new);
        let faults = vec![FaultState::default(); drill.faults.len()];
        Self {
            now: start.at,
            phase: Phase::Baseline,
            since: start.at,
            phases: vec![(Phase::Baseline, start.at)],
            watches: Watches::default(),
            done: BTreeMap::new(),
            faults,
            begun: None,
            injected: None,
            helped: None,
            recovered: None,
            mitigated: None,
            restored: BTreeSet::new(),
            calmed: BTreeMap::new(),
            notices: Vec::new(),
            failures: Vec::new(),
            record: Record::default(),
            verdict: None,
            dirty: false,
            ended: None,
            drill,
            start,
        }
    }

    /// The run that these events add up to.
    #[must_use]
    pub fn replay<'e>(drill: Arc<Drill>, start: Start, events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut run = Self::new(drill, start);
        for event in events {
            run.apply(event);
        }
        run
    }

    /// The drill.
    #[must_use]
    pub fn drill(&self) -> &Drill {
        &self.drill
    }

    /// How it began.
    #[must_use]
    pub const fn start(&self) -> &Start {
        &self.start
    }

    /// What is due at `now` and not known to be done, in the order in which it has to be done. Changes nothing.
    #[must_use]
    pub fn due(&self, now: DateTime<Utc>) -> Vec<Due> {
        let ahead = self.ahead(now);
        let mut due = ahead.planned();
        due.retain(|due| due.at <= ahead.now && !ahead.done.contains_key(&due.id));
        due
    }

    /// What has to be looked at, now and about every second.
    #[must_use]
    pub fn looks(&self, now: DateTime<Utc>) -> Vec<Look> {
        self.ahead(now).watched()
    }

    /// When [`Run::due`] or the phase may change, if no event comes: set the timer to it.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ahead = self.ahead(now);
        let later = ahead.planned().into_iter().map(|due| due.at).filter(|at| *at > ahead.now);
        later.chain(ahead.deadline()).min()
    }

    /// Where it is at `now`.
    #[must_use]
    pub fn phase(&self, now: DateTime<Utc>) -> Phase {
        self.ahead(now).phase
    }

    /// The hints that the responder has taken.
    #[must_use]
    pub fn hints(&self) -> Vec<&str> {
        self.drill.hints.iter().take(self.record.hints).map(|hint| hint.text.as_str()).collect()
    }

    /// When a person's time is over; none before the injection and in a verification.
    #[must_use]
    pub fn time_box_ends(&self) -> Option<DateTime<Utc>> {
        let begun = self.begun.filter(|_| matches!(self.start.mode, Mode::Person { .. }))?;
        Some(plan::later(begun, self.drill.time_box))
    }

    /// When the first fault was set, or the baseline passed without one.
    #[must_use]
    pub const fn injected(&self) -> Option<DateTime<Utc>> {
        self.injected
    }

    /// What the responder has done so far.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// What was not met so far. The truth is in it.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Whether an action is known to be done, by its id.
    #[must_use]
    pub fn has_done(&self, action: &str) -> bool {
        self.done.contains_key(action)
    }

    /// The newest time that is known.
    #[must_use]
    pub const fn known_at(&self) -> DateTime<Utc> {
        self.now
    }

    /// Since when it resets; none before and after.
    #[must_use]
    pub fn resets_since(&self) -> Option<DateTime<Utc>> {
        (self.phase == Phase::Reset).then_some(self.since)
    }

    /// The longest time from the start to the end of a run in which everything answers.
    #[must_use]
    pub fn bound(&self) -> Duration {
        PREPARE + self.drill.baseline.within + self.longest() + RESET
    }

    fn ahead(&self, now: DateTime<Utc>) -> Self {
        let mut ahead = self.clone();
        ahead.advance(now);
        ahead
    }

    fn responder(&self) -> Option<Responder> {
        match &self.start.mode {
            Mode::Verify { responder } => Some(*responder),
            Mode::Person { .. } => None,
        }
    }

    /// Whether it does the solution of the drill.
    fn solves(&self) -> bool {
        self.responder() == Some(Responder::Solution)
    }
}
