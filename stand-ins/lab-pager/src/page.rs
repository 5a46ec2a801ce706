//! One page: an alert that fired or was resolved, as it reached the pager.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};

/// The status of an alert in a notification.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// The alert fires.
    Firing,
    /// It has ended.
    Resolved,
}

impl Status {
    /// All of them.
    pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

    /// The word in payloads and in the label `status`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Labels or annotations.
pub type Words = BTreeMap<String, String>;

/// One alert of one notification; an element of `GET /pages`.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// 1 for the first one since the pager started, without gaps: `GET /pages?after=` continues from it.
    pub id: u64,
    /// When the notification arrived (RFC 3339, milliseconds).
    #[serde(serialize_with = "millis")]
    pub received_at: DateTime<Utc>,
    /// Alertmanager's receiver; `slack` for a message to `/slack`.
    pub receiver: String,
    /// Absent if a chat message does not say.
    pub status: Option<Status>,
    /// Label `alertname`; absent if a chat message does not say.
    pub alertname: Option<String>,
    /// Label `severity`: page or ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Label `slo`, for alerts on an objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo: Option<String>,
    /// Label `service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// When the alert began, according to Prometheus.
    #[serde(serialize_with = "maybe_millis")]
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ended; absent while it fires.
    #[serde(serialize_with = "maybe_millis", skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// All labels of the alert.
    pub labels: Words,
    /// All annotations of the alert.
    pub annotations: Words,
    /// Alertmanager's group; a pager with incidents would use it as the key of an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The text of a chat message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How often the same alert was sent again with the same status: reminders and updates of its group.
    pub repeats: u64,
}

impl Page {
    /// The identity of a notification: receiver, alert, its start, its status. Chat messages are always different.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.status.is_some()
            && self.text.is_none()
            && other.text.is_none()
            && self.status == other.status
            && self.starts_at == other.starts_at
            && self.receiver == other.receiver
            && self.labels == other.labels
    }
}

fn millis<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn maybe_millis<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => millis(time, serializer),
        None => serializer.serialize_none(),
    }
}
