//! Alertmanager: its alerts and silences, and telling it that an alert has ended.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Peer, Result,
    prometheus::{Alert, Labels, is_heartbeat},
};

/// A client of one Alertmanager.
#[derive(Debug, Clone)]
pub struct Alertmanager(Peer);

/// An alert that reached it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// Its labels.
    pub labels: Labels,
    /// The text for people.
    pub annotations: Labels,
    /// When it began.
    pub starts_at: DateTime<Utc>,
    /// How Alertmanager treats it.
    pub status: Status,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How Alertmanager treats an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// `active`, `suppressed` or `unprocessed`.
    pub state: String,
    /// The silences and inhibiting alerts.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Its author's reason.
    pub comment: String,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// `active`, `pending` or `expired`.
    pub status: Status,
}

const ALERTS: &str = "/api/v2/alerts";

impl Alertmanager {
    /// A client of this peer.
    #[must_use]
    pub const fn at(peer: Peer) -> Self {
        Self(peer)
    }

    /// Alerts that reached it and have not ended, without the heartbeat.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn alerts(&self) -> Result<Vec<Told>> {
        let mut alerts: Vec<Told> = self.0.read(ALERTS, self.0.get(ALERTS, &[]).await?)?;
        alerts.retain(|alert| !is_heartbeat(&alert.labels));
        Ok(alerts)
    }

    /// The silences, including expired ones.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn silences(&self) -> Result<Vec<Silence>> {
        const PATH: &str = "/api/v2/silences";
        self.0.read(PATH, self.0.get(PATH, &[]).await?)
    }

    /// Tells it that these alerts end now.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses.
    pub async fn end(&self, alerts: &[Told]) -> Result<()> {
        let now = Utc::now();
        let ended = alerts.iter().map(|told| posted(&told.labels, &told.annotations, told.starts_at, now));
        self.post(ended.collect()).await
    }

    /// Tells it, as Prometheus does, that these alerts fire: it ends those that nobody tells again before `ends`.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses.
    pub async fn fire(&self, alerts: &[Alert], ends: DateTime<Utc>) -> Result<()> {
        let fires = |alert: &Alert| {
            posted(&alert.labels, &alert.annotations, alert.active_at.unwrap_or_else(Utc::now), ends)
        };
        self.post(alerts.iter().map(fires).collect()).await
    }

    async fn post(&self, alerts: Vec<Value>) -> Result<()> {
        if !alerts.is_empty() {
            self.0.post(ALERTS, &Value::Array(alerts)).await?;
        }
        Ok(())
    }
}

fn posted(labels: &Labels, annotations: &Labels, starts: DateTime<Utc>, ends: DateTime<Utc>) -> Value {
    let ends = ends.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({ "labels": labels, "annotations": annotations, "startsAt": starts, "endsAt": ends })
}
