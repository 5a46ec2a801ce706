//! One page, as `GET /api/v1/pages` answers it and `observe::pager` reads it.

use chrono::{DateTime, Utc};
use incident::{
    Id,
    alerts::{Alert, Labels},
};
use serde::{Deserialize, Serialize};

/// What kind of page it is.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PageKind {
    /// An alert fired or cleared.
    #[default]
    Alert,
    /// A person was paged.
    Person,
    /// A chat message arrived.
    Message,
}

/// Something that reached the phone. A field that says nothing is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// 1 for the first one; given when it is kept.
    #[serde(default)]
    pub id: i64,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// What kind of page it is.
    #[serde(default)]
    pub kind: PageKind,
    /// The incident that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Id>,
    /// Who was paged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// On which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The step of the escalation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// `firing` or `resolved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Name of the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alertname: Option<String>,
    /// The alert's label `severity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// When the alert began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// All labels of the alert.
    #[serde(default)]
    pub labels: Labels,
    /// All annotations of the alert.
    #[serde(default)]
    pub annotations: Labels,
    /// The text of a message, or of a page to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Page {
    /// About an alert that fires, or that ended at a time.
    #[must_use]
    pub fn of_alert(
        alert: &Alert,
        annotations: Labels,
        ended: Option<DateTime<Utc>>,
        at: DateTime<Utc>,
    ) -> Self {
        let status = if ended.is_some() { "resolved" } else { "firing" };
        Self {
            received_at: at,
            status: Some(status.to_owned()),
            alertname: Some(alert.name.clone()),
            severity: alert.labels.get("severity").cloned(),
            starts_at: Some(alert.key.starts_at),
            ends_at: ended,
            labels: alert.labels.clone(),
            annotations,
            ..Self::default()
        }
    }
}
