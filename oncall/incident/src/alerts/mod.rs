//! Alerts as other systems send them, and the state of each: one per fingerprint and start.
//!
//! Deliveries are repeated, late and incomplete, so a group is only a view: an alert that is missing from a message has
//! not cleared, a repeated one has not fired again, and a message about the end of an unknown alert begins nothing.

pub mod alertmanager;
pub mod pagerduty;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Severity;

/// Longest value of a detail, in bytes of JSON.
const LONGEST: usize = 4096;
/// Longest name of a detail, in characters.
const LONGEST_NAME: usize = 100;
/// How many details an alert keeps.
const MOST: usize = 20;

/// Labels, annotations.
pub type Labels = BTreeMap<String, String>;
/// Fields that have no place of their own here, by name.
pub type Details = BTreeMap<String, Value>;

/// Which alert: one that fires again has a new start, so it is a new alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    /// What identifies the labels.
    pub fingerprint: String,
    /// When it began to fire.
    pub starts_at: DateTime<Utc>,
}

/// The label of every alert about an objective.
const OBJECTIVE: &str = "slo";

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Which.
    pub key: AlertKey,
    /// Its name: `OrderAvailabilityBudgetBurn`.
    pub name: String,
    /// The service it is about, if it says so.
    pub service: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// What it says, in a sentence.
    pub summary: String,
    /// Where its query can be run.
    pub link: Option<String>,
    /// Its runbook.
    pub runbook: Option<String>,
    /// Everything that identifies it.
    pub labels: Labels,
    /// Which system sent it.
    pub from: String,
    /// What else its sender said: fields of Alertmanager that are not known here; details, links and images of PagerDuty. At most 20
    /// values of at most 4 KiB; of a longer one only its length is kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: Details,
}

impl Alert {
    /// Whether it is a ticket about an error budget. A spent budget comes back as the outage leaves its window, hours or days after
    /// the last user was affected.
    #[must_use]
    pub fn is_of_budget(&self) -> bool {
        self.severity == Severity::Sev4 && self.labels.contains_key(OBJECTIVE)
    }
}

/// What is kept of these fields: those that say something, the first ones.
fn details(fields: impl IntoIterator<Item = (String, Value)>) -> Details {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let bounded = |(name, value): (String, Value)| {
        let length = value.to_string().len();
        let long = || Value::from(format!("{length} bytes, too long to be kept"));
        (name.chars().take(LONGEST_NAME).collect::<String>(), if length > LONGEST { long() } else { value })
    };
    fields.into_iter().filter(|(_, value)| says(value)).take(MOST).map(bounded).collect()
}

/// What a message changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An alert fires that did not fire before.
    Fired(Box<Alert>),
    /// An alert that is already known to fire was sent once more.
    Repeated(AlertKey),
    /// An alert has ended, at this time.
    Cleared(AlertKey, DateTime<Utc>),
    /// Somebody took it over in the system that sent it.
    Acknowledged(AlertKey),
    /// The end of an alert that is not known, or had already ended: nothing to do.
    Unknown(AlertKey),
    /// Part of a message cannot be used; why not.
    Unusable(String),
}

#[derive(Debug, Clone)]
struct Known {
    firing: bool,
    seen: DateTime<Utc>,
}

/// The state of every alert.
#[derive(Debug, Clone, Default)]
pub struct Book {
    alerts: BTreeMap<AlertKey, Known>,
}

impl Book {
    /// Takes a message of Alertmanager.
    pub fn alertmanager(&mut self, message: &alertmanager::Webhook, now: DateTime<Utc>) -> Vec<Change> {
        message.alerts.iter().map(|notice| self.notice(message, notice, now)).collect()
    }

    fn notice(
        &mut self,
        message: &alertmanager::Webhook,
        notice: &alertmanager::Notice,
        now: DateTime<Utc>,
    ) -> Change {
        let alert = match notice.alert(message) {
            Ok(alert) => alert,
            Err(why) => return Change::Unusable(why),
        };
        match notice.status.as_str() {
            "firing" => self.fired(alert, now),
            "resolved" => {
                let ended = notice.ends_at.filter(|ends| *ends > alert.key.starts_at && *ends <= now);
                self.cleared(alert.key, ended.unwrap_or(now), now)
            }
            other => Change::Unusable(format!(
                "{}: expected status firing or resolved, found `{other}`",
                alert.name
            )),
        }
    }

    /// Takes an event of the PagerDuty Events API. `dedup_key` is the event's own, or the one that was made for it.
    pub fn pagerduty(&mut self, event: &pagerduty::Event, dedup_key: &str, now: DateTime<Utc>) -> Change {
        let fingerprint = format!("pagerduty:{dedup_key}");
        let known = self.firing(&fingerprint);
        let key = known.clone().unwrap_or(AlertKey { fingerprint, starts_at: now });
        match (event.event_action.as_str(), known) {
            ("trigger", _) => self.fired(event.alert(key), now),
            ("resolve", _) => self.cleared(key, now, now),
            ("acknowledge", Some(key)) => Change::Acknowledged(key),
            ("acknowledge", None) => Change::Unknown(key),
            (other, _) => Change::Unusable(format!(
                "expected event_action trigger, acknowledge or resolve, found `{other}`"
            )),
        }
    }

    /// An alert that is known to fire from another source, for example when a store is read again.
    pub fn restore(&mut self, key: AlertKey, firing: bool, seen: DateTime<Utc>) {
        self.alerts.insert(key, Known { firing, seen });
    }

    fn fired(&mut self, alert: Alert, now: DateTime<Utc>) -> Change {
        let known = self.alerts.insert(alert.key.clone(), Known { firing: true, seen: now });
        // A late message about an alert that ended is taken as a new fire: a page too many is better than one too few.
        if known.is_some_and(|known| known.firing) {
            Change::Repeated(alert.key)
        } else {
            Change::Fired(Box::new(alert))
        }
    }

    fn cleared(&mut self, key: AlertKey, ended: DateTime<Utc>, now: DateTime<Utc>) -> Change {
        match self.alerts.get_mut(&key) {
            Some(known) if known.firing => {
                *known = Known { firing: false, seen: now };
                Change::Cleared(key, ended)
            }
            _ => Change::Unknown(key),
        }
    }

    /// The alert with this fingerprint that fires.
    fn firing(&self, fingerprint: &str) -> Option<AlertKey> {
        let first = AlertKey { fingerprint: fingerprint.to_owned(), starts_at: DateTime::<Utc>::MIN_UTC };
        let same = self.alerts.range(first..).take_while(|(key, _)| key.fingerprint == fingerprint);
        same.filter(|(_, known)| known.firing).last().map(|(key, _)| key.clone())
    }

    /// How many alerts fire.
    #[must_use]
    pub fn count(&self) -> usize {
        self.alerts.values().filter(|known| known.firing).count()
    }

    /// Forgets alerts that ended and were last heard of before `before`, so that the book stays small.
    pub fn forget(&mut self, before: DateTime<Utc>) {
        self.alerts.retain(|_, known| known.firing || known.seen >= before);
    }
}
