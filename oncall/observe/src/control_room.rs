//! The control room: incidents and what people do about them, and what reached the phone of the person on call.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Peer, Result, prometheus::Labels};

/// A client of one control room. Its API is JSON that people read (`/openapi.json`), so that a caller names the path and the fields.
#[derive(Debug, Clone)]
pub struct ControlRoom(Peer);

/// What reached the phone of the person on call: an alert, a notification of a person, or a chat message. A field that does not
/// belong to its kind is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// 1 for the first one that the control room has kept.
    pub id: u64,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// `alert`, `person` (somebody was notified of an incident) or `message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The incident, such as `INC-7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Who was paged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// On which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The step of the escalation, such as `0.0.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// `firing` or `resolved`.
    #[serde(default)]
    pub status: Option<String>,
    /// Name of the alert.
    #[serde(default)]
    pub alertname: Option<String>,
    /// `page` or `ticket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// When the alert began.
    #[serde(default)]
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
    /// The text of a chat message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl ControlRoom {
    /// A client of this peer; give the peer the token.
    #[must_use]
    pub const fn at(peer: Peer) -> Self {
        Self(peer)
    }

    /// For a person: who acts.
    #[must_use]
    pub fn acting_as(self, person: Option<String>) -> Self {
        Self(self.0.person(person))
    }

    /// For an instructor, who may set faults and see the truth. Where that takes a token, the peer has to have it.
    #[must_use]
    pub fn as_instructor(self) -> Self {
        Self(self.0.role(Some("instructor".to_owned())))
    }

    /// For calls that take longer than usual, such as the restart of a service.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self(self.0.patience(patience))
    }

    /// Its base URL, where the pages are.
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.base()
    }

    /// Reads.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses; the same for the others below.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        self.0.get(path, query).await
    }

    /// Reads a document that is not JSON: a report, a page.
    ///
    /// # Errors
    /// As [`ControlRoom::get`].
    pub async fn text(&self, path: &str, query: &[(&str, &str)]) -> Result<String> {
        self.0.text(path, query).await
    }

    /// Changes something.
    ///
    /// # Errors
    /// As [`ControlRoom::get`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.0.post(path, body).await
    }

    /// Replaces something.
    ///
    /// # Errors
    /// As [`ControlRoom::get`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.0.put(path, &[], body).await
    }

    /// What reached the phone after this page, oldest first.
    ///
    /// # Errors
    /// As [`ControlRoom::get`].
    pub async fn pages(&self, after: u64) -> Result<Vec<Page>> {
        const PATH: &str = "/api/v1/pages";
        let mut answer = self.0.get(PATH, &[("after", &after.to_string())]).await?;
        self.0.read(PATH, answer["pages"].take())
    }
}
