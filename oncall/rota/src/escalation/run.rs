//! Where an escalation is in its policy, and how time and people move it. Knows nothing of what was sent.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Action, Due, Progress, StepId};
use crate::{Policy, Step};

/// What holds the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// Nothing but time.
    Running,
    /// An acknowledgement, and when it expires.
    Acknowledged(Option<DateTime<Utc>>),
    /// The policy is at its end.
    Exhausted,
    /// The incident is.
    Ended,
}

/// The cursor.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// Newest time that is known.
    pub(super) now: DateTime<Utc>,
    /// Times of alerts, oldest first.
    pub(super) alerts: Vec<DateTime<Utc>>,
    /// The step to do next.
    next: StepId,
    /// When it may be done at the earliest.
    ready: DateTime<Utc>,
    hold: Hold,
    /// Whether the last acknowledgement has expired.
    pub(super) expired: bool,
}

/// A time of production on a faster clock.
pub(super) fn scaled(time: Duration, speed: u32) -> TimeDelta {
    // At most a week: the reader sees to it.
    TimeDelta::from_std(time / speed.max(1)).unwrap_or(TimeDelta::MAX)
}

/// Whether a step reaches somebody.
fn reaches(step: &Step) -> bool {
    matches!(step, Step::Notify(_) | Step::Webhook(_))
}

fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl Run {
    pub(super) fn new(opened: DateTime<Utc>) -> Self {
        let next = StepId { generation: 0, round: 0, step: 0 };
        Self { now: opened, alerts: Vec::new(), next, ready: opened, hold: Hold::Running, expired: false }
    }

    /// Counts generations from here; only before anything has moved.
    pub(super) fn count_from(&mut self, generation: u32) {
        self.next.generation = generation;
    }

    /// Moves to `now` (never back) and returns the steps that became due on the way.
    pub(super) fn advance(&mut self, now: DateTime<Utc>, policy: &Policy, speed: u32) -> Vec<Due> {
        self.now = self.now.max(now);
        let mut due = Vec::new();
        loop {
            match self.hold {
                Hold::Acknowledged(Some(until)) if until <= self.now => self.again(until),
                Hold::Running if self.ready <= self.now => {
                    if !self.step(policy, speed, &mut due) {
                        return due;
                    }
                }
                _ => return due,
            }
        }
    }

    /// Does one step; false if it has to wait for alerts.
    fn step(&mut self, policy: &Policy, speed: u32, due: &mut Vec<Due>) -> bool {
        let Some(step) = policy.steps.get(self.next.step as usize) else {
            self.round(policy);
            return true;
        };
        let action = match step {
            Step::Wait(time) => {
                self.ready = later(self.ready, scaled(*time, speed));
                None
            }
            Step::OnlyDuring(windows) => {
                self.ready = windows.next(self.ready);
                None
            }
            Step::OnlyAfter { count, within } => {
                let Some(enough) = self.enough(*count as usize, scaled(*within, speed)) else { return false };
                self.ready = enough;
                None
            }
            Step::Notify(target) => Some(Action::Notify(target.clone())),
            Step::Webhook(name) => Some(Action::Webhook(name.clone())),
        };
        due.extend(action.map(|action| Due { step: self.next, at: self.ready, action, turn: 0 }));
        self.next.step += 1;
        true
    }

    /// The first instant from `ready` on at which enough alerts had come within a span.
    fn enough(&self, count: usize, within: TimeDelta) -> Option<DateTime<Utc>> {
        let last = self.alerts.windows(count.max(1)).filter(|alerts| {
            let (first, last) = (alerts[0], alerts[alerts.len() - 1]);
            // Still within the span at `ready`, if the last of them came before.
            last.max(self.ready) - first <= within
        });
        last.map(|alerts| alerts[alerts.len() - 1].max(self.ready)).min()
    }

    /// Begins the next round, or is at the end.
    fn round(&mut self, policy: &Policy) {
        if self.next.round < policy.repeat {
            self.next = StepId { round: self.next.round + 1, step: 0, ..self.next };
        } else {
            self.hold = Hold::Exhausted;
        }
    }

    /// Starts again after an acknowledgement has expired.
    fn again(&mut self, at: DateTime<Utc>) {
        self.next = StepId { generation: self.next.generation + 1, round: 0, step: 0 };
        self.ready = at;
        self.hold = Hold::Running;
        self.expired = true;
    }

    /// False if the incident is over. A second acknowledgement renews the first.
    pub(super) fn acknowledge(&mut self, expires: Option<TimeDelta>) -> bool {
        if self.hold == Hold::Ended {
            return false;
        }
        self.hold = Hold::Acknowledged(expires.map(|time| later(self.now, time)));
        self.expired = false;
        true
    }

    pub(super) fn end(&mut self) {
        self.hold = Hold::Ended;
    }

    /// Goes to the next step that reaches somebody, now: a person asked for it, acknowledged or not. At the end of the
    /// last round there is none.
    pub(super) fn skip(&mut self, policy: &Policy) {
        if self.hold == Hold::Ended {
            return;
        }
        let rest = policy.steps.iter().skip(self.next.step as usize);
        match rest.take_while(|step| !reaches(step)).count() + self.next.step as usize {
            found if found < policy.steps.len() => {
                self.next.step = u32::try_from(found).unwrap_or(u32::MAX);
                self.hold = Hold::Running;
            }
            _ if self.next.round < policy.repeat => {
                let first = policy.steps.iter().take_while(|step| !reaches(step)).count();
                let step = u32::try_from(first).unwrap_or(u32::MAX);
                self.next = StepId { round: self.next.round + 1, step, ..self.next };
                self.hold = Hold::Running;
            }
            _ => {}
        }
        self.ready = self.now;
    }

    /// When time alone moves the cursor. After the last step, too: a wait at its end separates the rounds.
    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        match self.hold {
            // One that is ready and has not moved waits for alerts.
            Hold::Running => Some(self.ready).filter(|ready| *ready > self.now),
            Hold::Acknowledged(until) => until,
            _ => None,
        }
    }

    pub(super) fn progress(&self) -> Progress {
        match self.hold {
            Hold::Running => Progress::Running,
            Hold::Acknowledged(until) => Progress::Acknowledged { until },
            Hold::Exhausted => Progress::Exhausted,
            Hold::Ended => Progress::Ended,
        }
    }
}
