//! Silences of Alertmanager: one for an alert, or for an alert of one service. Setting one again moves its
//! end.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use observe::Peer;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Outcome, time};
use crate::{Error, Result, Tools, tools::state::Part};

const PATH: &str = "/api/v2/silences";
/// Who set it, for people who look at Alertmanager.
const AUTHOR: &str = "control-room";
/// Longest silence: what is forgotten must not stay quiet over night and the next one.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Labels of the muted alerts, and their values.
type Labels<'l> = BTreeSet<(&'l str, &'l str)>;

/// Which alert.
pub(super) struct Muted<'m>(Labels<'m>);

impl<'m> Muted<'m> {
    /// # Errors
    /// When a name is empty.
    pub(super) fn new(alert: &'m str, service: Option<&'m str>) -> Result<Self> {
        let labels = [("alertname", Some(alert)), ("service", service)];
        let labels = labels.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let labels: Labels<'m> = labels.collect();
        let empty = labels.iter().find(|(_, value)| value.trim().is_empty()).map(|(name, _)| *name);
        match empty {
            None => Ok(Self(labels)),
            Some(name) => {
                let field = if name == "service" { "service" } else { "alert" };
                Err(Error::Wrong { field, expected: "expected a name, found none".to_owned() })
            }
        }
    }

    /// For people.
    fn words(&self) -> String {
        let of = |name: &str| self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let service = of("service").map_or_else(String::new, |service| format!(" of {service}"));
        format!("{}{service}", of("alertname").unwrap_or_default())
    }
}

pub(super) async fn act(tools: &Tools, muted: &Muted<'_>, ttl: Duration, dry: bool) -> Result<Vec<Outcome>> {
    if ttl.is_zero() || ttl > LONGEST {
        let expected = format!("expected up to {}, found {}", time::words(LONGEST), time::words(ttl));
        return Err(Error::Wrong { field: "ttl", expected });
    }
    let alertmanager = tools.alertmanager()?;
    let until = (Utc::now() + whole(ttl)).format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let firing = firing(&alertmanager, muted).await?;
    let words = muted.words();
    let noun = if firing == 1 { "alert fires" } else { "alerts fire" };
    if dry {
        let text = format!("{words} would reach nobody until {until}; {firing} such {noun} now");
        return Ok(vec![Outcome::good("alertmanager", text)]);
    }
    set(&alertmanager, &muted.0, ttl, "silenced through the control room").await?;
    let text = format!("{words} reaches nobody until {until}; {firing} such {noun} now");
    Ok(vec![Outcome::good("alertmanager", text)])
}

pub(super) async fn expire(tools: &Tools, muted: &Muted<'_>, dry: bool) -> Result<Vec<Outcome>> {
    let alertmanager = tools.alertmanager()?;
    let found = known(&alertmanager, &muted.0).await?;
    if !dry {
        for id in &found {
            alertmanager.call(Method::DELETE, &format!("/api/v2/silence/{id}"), &[]).await?;
        }
    }
    let words = muted.words();
    let text = match (found.len(), dry) {
        (0, _) => format!("there is no silence of {words}: nothing to end"),
        (_, true) => format!("the silence of {words} would end"),
        (_, false) => format!("the silence of {words} has ended"),
    };
    Ok(vec![Outcome::good("alertmanager", text)])
}

/// Keeps the ticket about a process that was replaced to itself while a part is restarted on request: it is
/// no news. That it crashes again and again, or is gone, still is.
pub(super) async fn planned(tools: &Tools, part: &Part, ttl: Duration) -> Result<()> {
    let address = part.address().unwrap_or_default();
    let labels = Labels::from([
        ("alertname", "ProcessRestarted"),
        ("service", part.service()),
        ("instance", address.as_str()),
    ]);
    set(&tools.alertmanager()?, &labels, ttl, "restarted on request").await
}

async fn set(alertmanager: &Peer, labels: &Labels<'_>, ttl: Duration, comment: &str) -> Result<()> {
    // With its id, the old one is replaced.
    let old = known(alertmanager, labels).await?;
    let now = Utc::now();
    let matchers: Vec<Value> = labels
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true }))
        .collect();
    let mut body = json!({
        "matchers": matchers, "startsAt": text(now), "endsAt": text(now + whole(ttl)), "createdBy": AUTHOR,
        "comment": comment,
    });
    if let Some(id) = old.first() {
        body["id"] = json!(id);
    }
    alertmanager.post(PATH, &body).await?;
    Ok(())
}

/// Ids of the silences with exactly these labels that have not expired.
async fn known(alertmanager: &Peer, labels: &Labels<'_>) -> Result<Vec<String>> {
    let all = alertmanager.get(PATH, &[]).await?;
    let all = all.as_array().into_iter().flatten();
    let ours = all.filter(|silence| silence["status"]["state"] != "expired" && has(silence, labels));
    Ok(ours.filter_map(|silence| silence["id"].as_str().map(str::to_owned)).collect())
}

fn has(silence: &Value, labels: &Labels<'_>) -> bool {
    let matchers = silence["matchers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let exact = |matcher: &Value| matcher["isRegex"] == false && matcher["isEqual"] != false;
    let found: Option<Labels<'_>> = matchers.iter().map(label).collect();
    matchers.iter().all(exact) && found.is_some_and(|found| found == *labels)
}

fn label(matcher: &Value) -> Option<(&str, &str)> {
    Some((matcher["name"].as_str()?, matcher["value"].as_str()?))
}

/// How many alerts of this kind fire.
async fn firing(alertmanager: &Peer, muted: &Muted<'_>) -> Result<usize> {
    // Quoted as in JSON, which is how Alertmanager reads a value.
    let filters: Vec<String> =
        muted.0.iter().map(|(name, value)| format!("{name}={}", Value::from(*value))).collect();
    let query: Vec<(&str, &str)> = filters.iter().map(|filter| ("filter", filter.as_str())).collect();
    let alerts = alertmanager.get("/api/v2/alerts", &query).await?;
    Ok(alerts.as_array().map_or(0, Vec::len))
}

fn whole(ttl: Duration) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX / 1000))
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_silence_with_exactly_these_labels_is_ours() {
        let muted = Muted::new("HighLatency", Some("order-api")).unwrap();
        let matcher = |name: &str, value: &str| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true });
        let (alert, service) = (matcher("alertname", "HighLatency"), matcher("service", "order-api"));
        let silence = |matchers: Vec<Value>| json!({ "id": "1", "matchers": matchers });
        assert!(has(&silence(vec![service.clone(), alert.clone()]), &muted.0));
        assert!(!has(&silence(vec![alert.clone()]), &muted.0), "it mutes more");
        let more = vec![alert.clone(), service.clone(), matcher("severity", "page")];
        assert!(!has(&silence(more), &muted.0), "it mutes less");
        let mut regex = service;
        regex["isRegex"] = json!(true);
        assert!(!has(&silence(vec![alert, regex]), &muted.0));
        assert_eq!(muted.words(), "HighLatency of order-api");
    }

    #[tokio::test]
    async fn a_silence_needs_a_name_and_an_end() {
        let said = |alert: &str, service: Option<&str>| {
            Muted::new(alert, service).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(said(" ", None), "alert: expected a name, found none");
        assert_eq!(said("HighLatency", Some("")), "service: expected a name, found none");
        let muted = Muted::new("HighLatency", None).unwrap();
        let week = Duration::from_secs(7 * 86_400);
        let refused = act(&Tools::default(), &muted, week, true).await.unwrap_err().to_string();
        assert!(refused.starts_with("ttl: expected up to 1day"), "{refused}");
    }
}
