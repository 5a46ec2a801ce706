//! What `oncall.yaml` says, after it was checked.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Schedule, Windows, Zone};

/// How a person is reached.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ContactKind {
    /// A direct message; `to` is the id of a Slack member.
    Slack,
    /// A signed POST; `to` is a URL.
    Webhook,
    /// An event of the PagerDuty Events API v2; `to` names the secret with the routing key.
    Pagerduty,
    /// A notification on the desktop of the machine that notifies.
    Desktop,
    /// The bell of its terminal.
    Bell,
}

impl ContactKind {
    /// Names, for messages.
    pub const NAMES: &'static str = "slack, webhook, pagerduty, desktop or bell";

    /// What `to` has to be; nothing for contacts that are on the machine itself.
    #[must_use]
    pub const fn address(self) -> Option<&'static str> {
        match self {
            Self::Slack => Some("the id of a Slack member, such as U024BE7LH"),
            Self::Webhook => Some("a URL, such as https://example.org/page"),
            Self::Pagerduty => Some("the name of the secret that has the routing key"),
            Self::Desktop | Self::Bell => None,
        }
    }

    /// Whether it is on the machine that notifies.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.address().is_none()
    }
}

/// A contact point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// How.
    pub kind: ContactKind,
    /// Where, if the kind needs it.
    pub to: Option<String>,
}

/// Somebody who can be on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Unique name, as schedules and policies write it.
    pub name: String,
    /// For people to read.
    pub title: String,
    /// Where this person sleeps; nights and weekends are counted in it.
    pub zone: Zone,
    /// Contact points, the first one first.
    pub contacts: Vec<Contact>,
}

/// A URL that an escalation policy calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// Unique name.
    pub name: String,
    /// `http://` or `https://`.
    pub url: String,
}

/// Whom a step notifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One person.
    Person(String),
    /// The primary of a schedule, and everyone who was added to it.
    Schedule(String),
    /// One of several, in turn.
    RoundRobin(Vec<String>),
}

/// A step of an escalation policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Do nothing for a time, written as in production.
    Wait(Duration),
    /// Notify.
    Notify(Target),
    /// Continue once one of the windows is open.
    OnlyDuring(Windows),
    /// Continue once `count` alerts came within `within`, written as in production.
    OnlyAfter {
        /// At least 2.
        count: u32,
        /// The span that is looked at.
        within: Duration,
    },
    /// Call the webhook of this name.
    Webhook(String),
}

/// What happens, in which order, until somebody acknowledges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Unique name.
    pub name: String,
    /// Severities that it is for, 1 to 5; empty if it is for those that no other policy names.
    pub severities: Vec<u8>,
    /// The steps; at least one of them notifies.
    pub steps: Vec<Step>,
    /// How often they are done once more after the first time; at most 5.
    pub repeat: u32,
    /// How long an acknowledgement holds, written as in production. Afterwards the policy starts again.
    pub ack_expires: Option<Duration>,
}

/// All of `oncall.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rota {
    /// Everybody, by name.
    pub people: BTreeMap<String, Person>,
    /// Schedules, in the order of the file.
    pub schedules: Vec<Schedule>,
    /// Policies, in the order of the file.
    pub policies: Vec<Policy>,
    /// Webhooks, by name.
    pub webhooks: BTreeMap<String, Webhook>,
}

impl Rota {
    /// A schedule by name.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<&Schedule> {
        self.schedules.iter().find(|schedule| schedule.name == name)
    }

    /// The policy for a severity (1 is the worst), or the one that names no severity.
    #[must_use]
    pub fn policy(&self, severity: u8) -> Option<&Policy> {
        let named = self.policies.iter().find(|policy| policy.severities.contains(&severity));
        named.or_else(|| self.policies.iter().find(|policy| policy.severities.is_empty()))
    }

    /// Whom a step notifies at an instant, at most once each. `turn` chooses from a round robin: number the incidents,
    /// and pass the incident's.
    #[must_use]
    pub fn whom(&self, target: &Target, at: DateTime<Utc>, turn: u64) -> Vec<String> {
        match target {
            Target::Person(name) => vec![name.clone()],
            Target::RoundRobin(names) => {
                let index = usize::try_from(turn % (names.len().max(1) as u64)).unwrap_or_default();
                names.get(index).cloned().into_iter().collect()
            }
            Target::Schedule(name) => {
                let Some(schedule) = self.schedule(name) else { return Vec::new() };
                let mut people: Vec<String> =
                    schedule.primary(at).map(|primary| primary.person).into_iter().collect();
                let added = schedule.added(at).into_iter().filter(|person| !people.contains(person));
                let added: Vec<String> = added.collect();
                people.extend(added);
                people
            }
        }
    }
}
