//! Prometheus: queries, rules, alerts, targets.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Peer, Result};

/// The alert that always fires, to prove that monitoring works: a heartbeat, and nothing to act on.
pub const HEARTBEAT: &str = "Watchdog";

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

/// A client of one Prometheus.
#[derive(Debug, Clone)]
pub struct Prometheus(Peer);

/// One series at one moment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sample {
    /// Its labels, including `__name__`.
    pub metric: Labels,
    /// Seconds since 1970, and the value as Prometheus writes it.
    value: (f64, String),
}

/// One series over time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Series {
    /// Its labels, including `__name__`.
    pub metric: Labels,
    /// Seconds since 1970, and the values as Prometheus writes them.
    values: Vec<(f64, String)>,
}

/// An alert that is pending or firing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its labels, including `alertname`.
    pub labels: Labels,
    /// The text for people.
    pub annotations: Labels,
    /// `pending` or `firing`.
    pub state: String,
    /// When its condition became true.
    pub active_at: Option<DateTime<Utc>>,
    /// All other fields.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A group of rules.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RuleGroup {
    /// Its name.
    pub name: String,
    /// Recording and alerting rules, in order.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Rule {
    /// The alert or the recorded series.
    pub name: String,
    /// Its expression.
    pub query: String,
    /// `ok`, `err` or `unknown`.
    pub health: String,
    /// `alerting` or `recording`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A scraped target.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its labels after relabelling.
    pub labels: Labels,
    /// The URL that is scraped.
    pub scrape_url: String,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// Why it is down; empty while it is up.
    #[serde(default)]
    pub last_error: String,
}

/// Whether the alert with these labels is the heartbeat.
pub(crate) fn is_heartbeat(labels: &Labels) -> bool {
    labels.get("alertname").is_some_and(|name| name == HEARTBEAT)
}

impl Sample {
    /// Its value; `None` if Rust cannot parse the number.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.value.1.parse().ok()
    }
}

impl Series {
    /// Times in seconds since 1970, with their values.
    pub fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values.iter().filter_map(|(at, value)| Some((*at, value.parse().ok()?)))
    }
}

impl Prometheus {
    /// A client of this peer.
    #[must_use]
    pub const fn at(peer: Peer) -> Self {
        Self(peer)
    }

    /// Its base URL.
    #[must_use]
    pub fn base(&self) -> &str {
        self.0.base()
    }

    /// An instant query; returns the whole response, for callers that need Prometheus's own format.
    ///
    /// # Errors
    /// When Prometheus cannot be reached, or refuses the query; the same for the others below.
    pub async fn answer(&self, query: &str) -> Result<Value> {
        self.0.get(QUERY, &[("query", query)]).await
    }

    /// An instant query.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn query(&self, query: &str) -> Result<Vec<Sample>> {
        self.samples(&[("query", query)]).await
    }

    /// An instant query at another time.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn query_at(&self, query: &str, at: DateTime<Utc>) -> Result<Vec<Sample>> {
        self.samples(&[("query", query), ("time", &at.timestamp().to_string())]).await
    }

    /// A query over time, with a step in seconds.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn query_range(
        &self,
        query: &str,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        step: f64,
    ) -> Result<Vec<Series>> {
        const PATH: &str = "/api/v1/query_range";
        let (from, until) = (from.timestamp().to_string(), until.timestamp().to_string());
        let query = [("query", query), ("start", &from), ("end", &until), ("step", &step.to_string())];
        let mut answer = self.0.get(PATH, &query).await?;
        self.0.read(PATH, answer["data"]["result"].take())
    }

    /// The value of a query with one sample; `None` if it has none.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn value(&self, query: &str) -> Result<Option<f64>> {
        Ok(self.query(query).await?.first().and_then(Sample::value))
    }

    /// Pending and firing alerts; returns the whole response.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn alerts_answer(&self) -> Result<Value> {
        self.0.get(ALERTS, &[]).await
    }

    /// Pending and firing alerts, without the heartbeat.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn alerts(&self) -> Result<Vec<Alert>> {
        let mut answer = self.alerts_answer().await?;
        let mut alerts: Vec<Alert> = self.0.read(ALERTS, answer["data"]["alerts"].take())?;
        alerts.retain(|alert| !is_heartbeat(&alert.labels));
        Ok(alerts)
    }

    /// The loaded rules.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn rules(&self) -> Result<Vec<RuleGroup>> {
        const PATH: &str = "/api/v1/rules";
        let mut answer = self.0.get(PATH, &[]).await?;
        self.0.read(PATH, answer["data"]["groups"].take())
    }

    /// The scraped targets.
    ///
    /// # Errors
    /// As [`Prometheus::answer`].
    pub async fn targets(&self) -> Result<Vec<Target>> {
        const PATH: &str = "/api/v1/targets";
        let mut answer = self.0.get(PATH, &[("state", "active")]).await?;
        self.0.read(PATH, answer["data"]["activeTargets"].take())
    }

    async fn samples(&self, query: &[(&str, &str)]) -> Result<Vec<Sample>> {
        let mut answer = self.0.get(QUERY, query).await?;
        self.0.read(QUERY, answer["data"]["result"].take())
    }
}

const QUERY: &str = "/api/v1/query";
const ALERTS: &str = "/api/v1/alerts";
