//! The PagerDuty Events API v2 and its change events, so that whatever can page PagerDuty can page the lab
//! (<https://developer.pagerduty.com/docs/events-api-v2-overview>).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Alert, AlertKey, Details, Labels, details};
use crate::{Entry, EntryKind, Source};

/// Largest event in bytes; the server answers 413 above it.
pub const LARGEST: usize = 512_000;
/// Longest `dedup_key` in characters.
const LONGEST_KEY: usize = 255;
/// Longest `payload.summary` in characters.
const LONGEST_SUMMARY: usize = 1024;

/// `POST /v2/enqueue`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Which integration; PagerDuty's have 32 characters, the lab takes any.
    pub routing_key: String,
    /// `trigger`, `acknowledge` or `resolve`.
    pub event_action: String,
    /// What identifies the alert; made up for a trigger without one.
    pub dedup_key: Option<String>,
    /// Which program sent it.
    pub client: Option<String>,
    /// Where that program is.
    pub client_url: Option<String>,
    /// Links to show.
    pub links: Vec<Reference>,
    /// Images to show.
    pub images: Vec<Value>,
    /// What it is about; required for a trigger.
    pub payload: Option<Payload>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A link in an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// Where.
    pub href: String,
    /// What it leads to.
    pub text: Option<String>,
}

/// What an event is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payload {
    /// A sentence; at most 1,024 characters.
    pub summary: String,
    /// What is affected: a host, a cluster, a monitor.
    pub source: String,
    /// `critical`, `error`, `warning` or `info`.
    pub severity: String,
    /// When the source saw it, RFC 3339.
    pub timestamp: Option<String>,
    /// The part of the source that is responsible.
    pub component: Option<String>,
    /// A logical group of components.
    pub group: Option<String>,
    /// The kind of event.
    pub class: Option<String>,
    /// Anything else.
    pub custom_details: Value,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// `POST /v2/change/enqueue`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeEvent {
    /// Which integration.
    pub routing_key: String,
    /// What changed: `summary` is required, `source` and `timestamp` are not.
    pub payload: Option<Payload>,
    /// Links to show.
    pub links: Vec<Reference>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The answer to an event that was taken: 202.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// `success`.
    pub status: &'static str,
    /// `Event processed`, or `Change event processed`.
    pub message: &'static str,
    /// The key to acknowledge or resolve it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<String>,
}

/// The answer to an event that is wrong: 400.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// `invalid event`.
    pub status: &'static str,
    /// `Event object is invalid`.
    pub message: &'static str,
    /// What is wrong, a sentence each.
    pub errors: Vec<String>,
}

impl Rejected {
    /// The answer for these errors.
    #[must_use]
    pub const fn new(errors: Vec<String>) -> Self {
        Self { status: "invalid event", message: "Event object is invalid", errors }
    }
}

impl Event {
    /// Checks the event; `fresh` is the key for a trigger without one.
    ///
    /// # Errors
    /// The answer that names everything that is wrong.
    pub fn check(&self, fresh: &str) -> Result<Accepted, Rejected> {
        let mut errors = Vec::new();
        if self.routing_key.trim().is_empty() {
            errors.push("'routing_key' is missing or blank".to_owned());
        }
        let key = self.dedup_key.as_deref().filter(|key| !key.trim().is_empty());
        if key.is_some_and(|key| key.chars().count() > LONGEST_KEY) {
            errors.push(format!("'dedup_key' is longer than {LONGEST_KEY} characters"));
        }
        match self.event_action.as_str() {
            "trigger" => errors.extend(
                self.payload
                    .as_ref()
                    .map_or_else(|| vec!["'payload' is missing".to_owned()], |payload| payload.errors(true)),
            ),
            "acknowledge" | "resolve" if key.is_none() => {
                errors.push("'dedup_key' is missing or blank: expected that of the trigger".to_owned());
            }
            "acknowledge" | "resolve" => {}
            other => {
                errors.push(format!("'event_action' is `{other}`: expected trigger, acknowledge or resolve"))
            }
        }
        if errors.is_empty() {
            let key = key.unwrap_or(fresh).to_owned();
            Ok(Accepted { status: "success", message: "Event processed", dedup_key: Some(key) })
        } else {
            Err(Rejected::new(errors))
        }
    }

    /// The alert of a trigger.
    pub(super) fn alert(&self, key: AlertKey) -> Alert {
        let payload = self.payload.clone().unwrap_or_default();
        let mut labels = Labels::new();
        let parts = [
            ("source", Some(payload.source.clone())),
            ("component", payload.component.clone()),
            ("group", payload.group.clone()),
            ("class", payload.class.clone()),
            ("severity", Some(payload.severity.clone())),
        ];
        for (name, value) in parts {
            labels.extend(value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value)));
        }
        let service = labels.get("component").or_else(|| labels.get("source")).cloned();
        let details = self.details(&payload);
        Alert {
            key,
            name: payload.class.filter(|class| !class.is_empty()).unwrap_or_else(|| payload.summary.clone()),
            service,
            severity: crate::Severity::of_labels(&labels),
            summary: payload.summary,
            link: self.client_url.clone().or_else(|| self.links.first().map(|link| link.href.clone())),
            runbook: None,
            labels,
            from: "pagerduty".to_owned(),
            details,
        }
    }

    /// What has no place of its own in an alert.
    fn details(&self, payload: &Payload) -> Details {
        let custom: Vec<(String, Value)> = match payload.custom_details.clone() {
            Value::Object(map) => map.into_iter().collect(),
            other => vec![("custom_details".to_owned(), other)],
        };
        let named = |(name, value): (&str, Value)| (name.to_owned(), value);
        let more =
            [("client", json!(self.client)), ("links", json!(self.links)), ("images", json!(self.images))];
        let unknown = payload.other.clone().into_iter().chain(self.other.clone());
        details(custom.into_iter().chain(more.into_iter().map(named)).chain(unknown))
    }
}

impl Payload {
    fn errors(&self, alert: bool) -> Vec<String> {
        let mut errors = Vec::new();
        if self.summary.trim().is_empty() {
            errors.push("'payload.summary' is missing or blank".to_owned());
        }
        if self.summary.chars().count() > LONGEST_SUMMARY {
            errors.push(format!("'payload.summary' is longer than {LONGEST_SUMMARY} characters"));
        }
        if alert && self.source.trim().is_empty() {
            errors.push("'payload.source' is missing or blank".to_owned());
        }
        if alert && !["critical", "error", "warning", "info"].contains(&self.severity.as_str()) {
            let found = &self.severity;
            errors
                .push(format!("'payload.severity' is `{found}`: expected critical, error, warning or info"));
        }
        errors
    }
}

impl ChangeEvent {
    /// Checks the event.
    ///
    /// # Errors
    /// The answer that names everything that is wrong.
    pub fn check(&self) -> Result<Accepted, Rejected> {
        let mut errors = Vec::new();
        if self.routing_key.trim().is_empty() {
            errors.push("'routing_key' is missing or blank".to_owned());
        }
        match &self.payload {
            Some(payload) => errors.extend(payload.errors(false)),
            None => errors.push("'payload' is missing".to_owned()),
        }
        if errors.is_empty() {
            Ok(Accepted { status: "success", message: "Change event processed", dedup_key: None })
        } else {
            Err(Rejected::new(errors))
        }
    }

    /// The entry for timelines; without a readable timestamp it happened when it was received.
    #[must_use]
    pub fn entry(&self, received: DateTime<Utc>) -> Entry {
        let payload = self.payload.clone().unwrap_or_default();
        let at = payload.timestamp.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let source = if payload.source.is_empty() { "pagerduty".to_owned() } else { payload.source };
        Entry {
            at: at.map_or(received, |at| at.with_timezone(&Utc)),
            kind: EntryKind::Change,
            source: Source::System(source),
            text: payload.summary,
            evidence: Vec::new(),
            sealed: false,
        }
    }
}
