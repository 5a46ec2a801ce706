//! The pager of the person on call.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Peer, Result, prometheus::Labels};

/// A client of lab-pager.
#[derive(Debug, Clone)]
pub struct Pager(Peer);

/// A notification as it reached the pager. Every field may be absent: a chat message has only its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// 1 for the first one since the pager started.
    pub id: u64,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// `firing` or `resolved`.
    pub status: Option<String>,
    /// Name of the alert.
    pub alertname: Option<String>,
    /// `page` or `ticket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// When the alert began.
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

impl Pager {
    /// A client of this peer.
    #[must_use]
    pub const fn at(peer: Peer) -> Self {
        Self(peer)
    }

    /// The pages with a larger id, oldest first.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn pages(&self, after: u64) -> Result<Vec<Page>> {
        const PATH: &str = "/pages";
        self.0.read(PATH, self.0.get(PATH, &[("after", &after.to_string())]).await?)
    }
}
