//! What Alertmanager keeps to itself: silenced and inhibited alerts, and why.

use observe::{
    alertmanager::{Silence, Told},
    prometheus::Alert,
};
use serde_json::Value;

use crate::{
    eyes::within,
    room::Room,
    watch::{Reach, Seen},
};

/// Alerts that reach nobody.
#[derive(Debug, Default)]
pub(super) struct Muted {
    told: Vec<Told>,
    silences: Vec<Silence>,
    /// Why it is not known.
    pub(super) problem: Option<String>,
}

/// Asks Alertmanager, unless it is known to be down.
pub(super) async fn read(room: &Room, seen: &Seen) -> Muted {
    if matches!(seen.alertmanager, Reach::Down(_)) {
        return Muted::default();
    }
    let alertmanager = &room.eyes.alertmanager;
    let both = async { tokio::try_join!(alertmanager.alerts(), alertmanager.silences()) };
    match within("Alertmanager", both).await {
        Ok((told, silences)) => Muted { told, silences, problem: None },
        Err(error) => Muted { problem: Some(error.to_string()), ..Muted::default() },
    }
}

impl Muted {
    /// Why an alert reaches nobody; nothing if it does.
    pub(super) fn why(&self, alert: &Alert) -> Option<String> {
        // Prometheus adds labels of its own when it sends.
        let is = |told: &&Told| alert.labels.iter().all(|(name, value)| told.labels.get(name) == Some(value));
        let told = self.told.iter().filter(|told| told.status.state == "suppressed").find(is)?;
        let silence = strings(&told.status.rest, "silencedBy")
            .find_map(|id| self.silences.iter().find(|silence| silence.id == id));
        Some(match silence {
            Some(silence) => {
                format!(
                    "silenced until {}: {}",
                    silence.ends_at.format("%Y-%m-%d %H:%M UTC"),
                    silence.comment
                )
            }
            None => "a worse alert about the same service fires".to_owned(),
        })
    }
}

fn strings<'v>(fields: &'v serde_json::Map<String, Value>, name: &str) -> impl Iterator<Item = &'v str> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_silenced_alert_says_until_when_and_why_and_an_inhibited_one_that_it_is() {
        let told = |name: &str, state: &str, by: &[&str]| {
            from_value::<Told>(json!({
                "labels": { "alertname": name, "cluster": "lab" }, "annotations": {}, "startsAt": "2026-11-29T07:00:00Z",
                "status": { "state": state, "silencedBy": by, "inhibitedBy": [] },
            }))
            .unwrap()
        };
        let silence = json!({ "id": "s1", "comment": "planned", "endsAt": "2026-11-29T08:00:00Z", "status": { "state": "active" } });
        let muted = Muted {
            told: vec![
                told("A", "suppressed", &["s1"]),
                told("B", "suppressed", &[]),
                told("C", "active", &[]),
            ],
            silences: vec![from_value(silence).unwrap()],
            problem: None,
        };
        let why = |name: &str| {
            let alert = json!({ "labels": { "alertname": name }, "annotations": {}, "state": "firing", "activeAt": null });
            muted.why(&from_value(alert).unwrap())
        };
        assert_eq!(why("A").unwrap(), "silenced until 2026-11-29 08:00 UTC: planned");
        assert_eq!(why("B").unwrap(), "a worse alert about the same service fires");
        assert_eq!(why("C"), None);
    }
}
