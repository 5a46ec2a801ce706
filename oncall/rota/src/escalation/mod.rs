//! The escalation of one incident as a state machine: a policy and events in, what is due out.
//!
//! Everything follows from the policy and the recorded [`Event`]s: a replay after a crash gives the same
//! [`Due`] steps with the same ids. A step that was recorded as sent is never due again. So record [`Event::Sent`] in
//! the same transaction that hands the notification over for sending, and nobody is notified twice for one step.
//!
//! Waits are written as in production and divided by the speed of the clock. Time-of-day gates and schedules are not:
//! people sleep at the same speed in a lab.

mod run;

use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Policy, Target};
use run::Run;

/// What happened, in the order in which it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// An alert joined the incident; counts for [`crate::Step::OnlyAfter`].
    Alert {
        /// When.
        at: DateTime<Utc>,
    },
    /// A due step was handed over for sending.
    Sent {
        /// When.
        at: DateTime<Utc>,
        /// Which step.
        step: StepId,
    },
    /// Somebody works on it: the escalation pauses, and ends unless the acknowledgement expires.
    Acknowledged {
        /// When.
        at: DateTime<Utc>,
    },
    /// A person wants the next level now.
    Escalated {
        /// When.
        at: DateTime<Utc>,
    },
    /// The incident is over: nothing is due any more.
    Ended {
        /// When.
        at: DateTime<Utc>,
    },
}

impl Event {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Alert { at }
            | Self::Sent { at, .. }
            | Self::Acknowledged { at }
            | Self::Escalated { at }
            | Self::Ended { at } => *at,
        }
    }
}

/// Which step, of which repetition, of which beginning. Written `0.1.2`; use it as the idempotency key of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId {
    /// How often the policy had begun again: an acknowledgement expired, or the incident became active again
    /// ([`Escalation::from_generation`]).
    pub generation: u32,
    /// How often the policy had been repeated since.
    pub round: u32,
    /// Index in the policy.
    pub step: u32,
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.generation, self.round, self.step)
    }
}

impl FromStr for StepId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
        match parts.as_deref() {
            Some([generation, round, step]) => {
                Ok(Self { generation: *generation, round: *round, step: *step })
            }
            _ => Err(format!("expected the id of a step such as 0.1.2, found `{text}`")),
        }
    }
}

impl Serialize for StepId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StepId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What a due step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Notify; ask [`crate::Rota::whom`] with the turn of [`Due`], and with the time at which you send: a step may be late.
    Notify(Target),
    /// Call the webhook of this name.
    Webhook(String),
}

/// A step that has to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The same after every replay.
    pub step: StepId,
    /// Since when.
    pub at: DateTime<Utc>,
    /// What to do.
    pub action: Action,
    /// For [`crate::Rota::whom`]: chooses from a round robin, a different person in each round.
    pub turn: u64,
}

/// Where an escalation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Steps are due now or later.
    Running,
    /// Somebody acknowledged; if the acknowledgement expires, then at this instant.
    Acknowledged {
        /// When the policy starts again.
        until: Option<DateTime<Utc>>,
    },
    /// All steps and repetitions are done, and nobody has acknowledged.
    Exhausted,
    /// The incident is over.
    Ended,
}

/// The escalation of one incident.
#[derive(Debug, Clone)]
pub struct Escalation {
    policy: Policy,
    /// How much faster than in production waits pass; at least 1.
    speed: u32,
    /// Chooses from round robins.
    turn: u64,
    run: Run,
    /// Steps that have become due, oldest first, and not been withdrawn.
    due: Vec<Due>,
    sent: BTreeSet<StepId>,
}

impl Escalation {
    /// Begins when the incident opens. `turn` is the incident's number; `speed` is the lab clock's divisor (60), or 1
    /// in production.
    #[must_use]
    pub fn new(policy: Policy, opened: DateTime<Utc>, turn: u64, speed: u32) -> Self {
        Self {
            policy,
            speed: speed.max(1),
            turn,
            run: Run::new(opened),
            due: Vec::new(),
            sent: BTreeSet::new(),
        }
    }

    /// Counts generations from here, so that an incident that becomes active again has steps with new ids. Call it
    /// before the first event.
    #[must_use]
    pub fn from_generation(mut self, generation: u32) -> Self {
        self.run.count_from(generation);
        self
    }

    /// The policy that it follows; a changed file changes only escalations that begin later.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes an event. One that is older than what is already known counts as of the newest known time.
    pub fn apply(&mut self, event: &Event) {
        self.advance(event.at());
        match event {
            Event::Alert { .. } => {
                self.run.alerts.push(self.run.now);
                self.advance(self.run.now);
            }
            Event::Sent { step, .. } => {
                self.sent.insert(*step);
            }
            Event::Acknowledged { .. } => {
                if self.run.acknowledge(self.policy.ack_expires.map(|time| run::scaled(time, self.speed))) {
                    self.withdraw();
                }
            }
            Event::Escalated { .. } => {
                self.run.skip(&self.policy);
                self.advance(self.run.now);
            }
            Event::Ended { .. } => {
                self.run.end();
                self.withdraw();
            }
        }
    }

    /// Steps that are due at `now` and not yet recorded as sent, oldest first. Changes nothing.
    #[must_use]
    pub fn due(&self, now: DateTime<Utc>) -> Vec<Due> {
        let mut ahead = self.clone();
        ahead.advance(now);
        ahead.due.retain(|due| !self.sent.contains(&due.step));
        ahead.due
    }

    /// When [`Escalation::due`] may have more than at `now`, if no event comes: set the timer to it.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut ahead = self.clone();
        ahead.advance(now);
        ahead.run.next()
    }

    /// Where it is at `now`.
    #[must_use]
    pub fn progress(&self, now: DateTime<Utc>) -> Progress {
        let mut ahead = self.clone();
        ahead.advance(now);
        ahead.run.progress()
    }

    /// Whether the last acknowledgement has expired at `now`.
    #[must_use]
    pub fn expired(&self, now: DateTime<Utc>) -> bool {
        let mut ahead = self.clone();
        ahead.advance(now);
        ahead.run.expired
    }

    fn advance(&mut self, now: DateTime<Utc>) {
        for mut due in self.run.advance(now, &self.policy, self.speed) {
            due.turn = self
                .turn
                .wrapping_add(u64::from(due.step.generation))
                .wrapping_add(u64::from(due.step.round));
            self.due.push(due);
        }
    }

    /// What has not been sent yet need not be sent any more.
    fn withdraw(&mut self) {
        let sent = &self.sent;
        self.due.retain(|due| sent.contains(&due.step));
    }
}
