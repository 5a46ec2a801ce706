//! Alertmanager's webhook, version 4: <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.
//!
//! Lenient: later versions add fields. `endsAt` is the year 1 while an alert fires.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Wrong, json};
use crate::page::{Page, Status, Words};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    version: String,
    receiver: String,
    #[serde(default)]
    group_key: Option<String>,
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: Status,
    labels: Words,
    #[serde(default)]
    annotations: Words,
    starts_at: DateTime<Utc>,
    #[serde(default)]
    ends_at: Option<DateTime<Utc>>,
}

/// The alerts of a notification as pages.
///
/// # Errors
/// The first field that is missing or invalid.
pub(super) fn pages(body: &[u8], now: DateTime<Utc>) -> Result<Vec<Page>, Wrong> {
    let payload: Payload = json(body)?;
    if payload.version != "4" {
        let right = format!("version 4 of Alertmanager's webhook, not `{}`", payload.version);
        return Err(Wrong::new("version", right));
    }
    let Payload { receiver, group_key, alerts, .. } = payload;
    let page = |(n, alert): (usize, Alert)| page(n, alert, &receiver, group_key.as_deref(), now);
    alerts.into_iter().enumerate().map(page).collect()
}

fn page(
    n: usize,
    alert: Alert,
    receiver: &str,
    group: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Page, Wrong> {
    let label = |name: &str| alert.labels.get(name).filter(|value| !value.is_empty()).cloned();
    let alertname = label("alertname").ok_or_else(|| {
        Wrong::new(format!("alerts[{n}].labels.alertname"), "the alert's name, which every alert has")
    })?;
    Ok(Page {
        id: 0,
        received_at: now,
        receiver: receiver.to_owned(),
        status: Some(alert.status),
        alertname: Some(alertname),
        severity: label("severity"),
        slo: label("slo"),
        service: label("service"),
        starts_at: Some(alert.starts_at),
        ends_at: alert.ends_at.filter(|end| alert.status == Status::Resolved && *end >= alert.starts_at),
        labels: alert.labels,
        annotations: alert.annotations,
        group: group.map(str::to_owned),
        text: None,
        repeats: 0,
    })
}
