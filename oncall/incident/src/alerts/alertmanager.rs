//! The webhook of Alertmanager, version 4, read leniently: 0.25 to 0.34 send different fields, and what is not known is
//! kept (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Alert, AlertKey, Labels, details};
use crate::Severity;

/// A message about a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Webhook {
    /// `4`.
    pub version: String,
    /// What identifies the group.
    pub group_key: String,
    /// How many alerts were left out of the message.
    pub truncated_alerts: u64,
    /// `firing` if any alert fires.
    pub status: String,
    /// Name of the receiver.
    pub receiver: String,
    /// Labels by which alerts are grouped.
    #[serde(deserialize_with = "nullable")]
    pub group_labels: Labels,
    /// Labels that all alerts have.
    #[serde(deserialize_with = "nullable")]
    pub common_labels: Labels,
    /// Annotations that all alerts have.
    #[serde(deserialize_with = "nullable")]
    pub common_annotations: Labels,
    /// Labels of the route, since 0.34.
    #[serde(deserialize_with = "nullable")]
    pub route_labels: Labels,
    /// Where Alertmanager is.
    #[serde(rename = "externalURL")]
    pub external_url: String,
    /// Why it was sent, since 0.33: `FirstNotification`, `RepeatIntervalElapsed` and others.
    #[serde(rename = "notification_reason")]
    pub notification_reason: Option<String>,
    /// The alerts.
    #[serde(deserialize_with = "nullable")]
    pub alerts: Vec<Notice>,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// An alert in a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Notice {
    /// `firing` or `resolved`.
    pub status: String,
    /// Its labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: Labels,
    /// Its annotations.
    #[serde(deserialize_with = "nullable")]
    pub annotations: Labels,
    /// When it began to fire.
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ended; the year 1 while it fires.
    pub ends_at: Option<DateTime<Utc>>,
    /// Where its query can be run.
    #[serde(rename = "generatorURL")]
    pub generator_url: String,
    /// What identifies its labels.
    pub fingerprint: String,
    /// Fields that are not known here.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Go writes an empty map or list as `null`.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Notice {
    /// The alert that it is about, in this message.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn alert(&self, message: &Webhook) -> Result<Alert, String> {
        let text = |map: &Labels, key: &str| map.get(key).filter(|text| !text.trim().is_empty()).cloned();
        let name = text(&self.labels, "alertname").ok_or("an alert without the label alertname")?;
        let starts_at = self.starts_at.ok_or_else(|| format!("{name}: startsAt is missing"))?;
        let fingerprint = if self.fingerprint.is_empty() {
            let labels: Vec<String> =
                self.labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
            labels.join(",")
        } else {
            self.fingerprint.clone()
        };
        let summary = text(&self.annotations, "summary").or_else(|| text(&self.annotations, "description"));
        Ok(Alert {
            key: AlertKey { fingerprint, starts_at },
            service: text(&self.labels, "service"),
            severity: Severity::of_labels(&self.labels),
            summary: summary.unwrap_or_else(|| name.clone()),
            link: (!self.generator_url.is_empty()).then(|| self.generator_url.clone()),
            runbook: text(&self.annotations, "runbook_url"),
            labels: self.labels.clone(),
            from: "alertmanager".to_owned(),
            details: details(self.other.clone().into_iter().chain(message.other.clone())),
            name,
        })
    }
}
