//! Alerts that are pending or firing, as the control room saw them in its last look.

use observe::prometheus::Alert;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, asked::logged, bounds::first};
use crate::{
    error::{Error, Result},
    mcp::caller::Caller,
    room::Room,
    watch::{Reach, Seen},
};

/// Most alerts of an answer.
const ALERTS: usize = 50;

/// Which alerts.
#[derive(Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsAsked {
    /// Only `firing` or only `pending` ones.
    state: Option<String>,
    /// Only those about this service.
    service: Option<String>,
}

/// The alerts with what they say; `runbook` is the name for read_runbook.
///
/// # Errors
/// When the state does not exist.
pub(crate) async fn alerts(room: &Room, caller: &Caller, asked: AlertsAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    let seen = room.watch.seen();
    logged(room, caller, "list_alerts", arguments, async { shown(&seen, &asked) }).await
}

fn shown(seen: &Seen, asked: &AlertsAsked) -> Result<Answer> {
    if let Some(state) = asked.state.as_deref().filter(|state| !["firing", "pending"].contains(state)) {
        return Err(Error::field("state", format!("firing or pending, found `{state}`")));
    }
    let wanted = |alert: &&Alert| {
        asked.state.as_ref().is_none_or(|state| *state == alert.state)
            && asked.service.as_ref().is_none_or(|service| alert.labels.get("service") == Some(service))
    };
    let rows = seen.alerts.iter().filter(wanted).map(row).collect();
    let (alerts, note) = first(rows, ALERTS, "name a `service` or a `state`");
    let stale = match &seen.prometheus {
        Reach::Down(why) => Some(format!("Prometheus does not answer, these are the last known: {why}")),
        Reach::Unknown | Reach::Up => None,
    };
    Ok(Answer::new(json!({ "at": seen.at, "alerts": alerts })).noting(note).noting(stale))
}

fn row(alert: &Alert) -> Value {
    let text = |name: &str| alert.annotations.get(name);
    let label = |name: &str| alert.labels.get(name);
    let name = label("alertname");
    json!({
        "name": name, "state": alert.state, "since": alert.active_at, "severity": label("severity"),
        "service": label("service"), "summary": text("summary"), "description": text("description"),
        "value": alert.rest.get("value"), "labels": alert.labels, "runbook": name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let alert = |name: &str, service: &str, state: &str| {
            let labels = json!({ "alertname": name, "service": service, "severity": "page" });
            let alert = json!({
                "labels": labels, "annotations": { "summary": "orders fail" }, "state": state,
                "activeAt": "2026-11-29T12:00:00Z", "value": "0.4",
            });
            serde_json::from_value(alert).unwrap()
        };
        let alerts = vec![
            alert("OrderAvailabilityBudgetBurn", "order-api", "firing"),
            alert("HighLatency", "user-service", "pending"),
        ];
        Seen { alerts, ..Seen::default() }
    }

    fn names(state: Option<&str>, service: Option<&str>) -> Vec<String> {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let asked = AlertsAsked { state: own(state), service: own(service) };
        let alerts = shown(&seen(), &asked).unwrap().into_value()["alerts"].take();
        let alerts = alerts.as_array().cloned().unwrap();
        alerts.iter().map(|alert| alert["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn alerts_are_chosen_by_state_and_service_and_name_their_runbook() {
        assert_eq!(names(None, None), ["OrderAvailabilityBudgetBurn", "HighLatency"]);
        assert_eq!(names(Some("pending"), None), ["HighLatency"]);
        assert_eq!(names(None, Some("order-api")), ["OrderAvailabilityBudgetBurn"]);
        let first = row(&seen().alerts[0]);
        assert_eq!(
            (&first["runbook"], &first["value"]),
            (&json!("OrderAvailabilityBudgetBurn"), &json!("0.4"))
        );
        let wrong = AlertsAsked { state: Some("on".to_owned()), service: None };
        assert!(shown(&seen(), &wrong).unwrap_err().to_string().contains("found `on`"));
    }

    #[test]
    fn a_prometheus_that_is_silent_is_said() {
        let seen = Seen { prometheus: Reach::Down("refused".to_owned()), ..Seen::default() };
        let asked = AlertsAsked { state: None, service: None };
        let answer = shown(&seen, &asked).unwrap().into_value();
        assert!(answer["notes"][0].as_str().unwrap().ends_with("refused"), "{answer}");
    }
}
