//! Answers what a run asks. What cannot be answered does not hold: who sees nothing knows nothing.

use std::time::Duration;

use drill::Ask;
use observe::prometheus::{Alert, Sample};
use serde_json::Value;
use switchboard::Replica;

use super::{fading, invariants, live::Live};
use crate::{
    actions::{elsewhere, token},
    error::{Error, Result},
    eyes::within,
    room::Room,
};

/// Longest wait for one answer. A look comes every second, so a slow one delays the next.
const PATIENCE: Duration = Duration::from_secs(6);
/// Longest text of what was seen, in characters.
const LONGEST: usize = 200;
/// Samples and names in it.
const SHOWN: usize = 3;
/// The window over which arriving requests are counted: enough scrapes on any clock of a lab.
const ARRIVING: &str = "sum(rate(load_requests_total[10s]))";
/// The service that has a firewall, and balances.
pub(super) const EDGE: &str = "edge";
/// The share of the load that has to arrive.
const ARRIVED: f64 = 0.8;

/// What an answer is: whether it holds, and what was seen.
type Answer = (bool, String);

/// The answer.
pub(super) async fn answer(room: &Room, live: &Live, ask: &Ask) -> Answer {
    let (holds, seen) = match tokio::time::timeout(PATIENCE, asked(room, live, ask)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => (false, error.to_string()),
        Err(_) => (false, format!("no answer within {} s", PATIENCE.as_secs())),
    };
    (holds, cut(&seen))
}

async fn asked(room: &Room, live: &Live, ask: &Ask) -> Result<Answer> {
    match ask {
        Ask::Query { query } => {
            let samples = within("Prometheus", room.eyes.prometheus.query(query)).await?;
            Ok((!samples.is_empty(), listed(samples.iter().map(sample), samples.len())))
        }
        Ask::NoAlert { except, fading: may_fade } => {
            let mut alerts = within("Prometheus", room.eyes.prometheus.alerts()).await?;
            if *may_fade && !firing(&alerts, except).is_empty() {
                let clock = room.config.clock;
                let met = within("Prometheus", room.eyes.prometheus.query(&fading::query(clock))).await?;
                alerts.retain(|alert| !fading::is_fading(alert, clock, &met));
            }
            Ok(none(firing(&alerts, except)))
        }
        Ask::NoFault => {
            let mut set = Vec::new();
            for replica in replicas(room).await? {
                let points = replica.faults().await.map_err(elsewhere)?;
                let on = points.iter().filter(|point| is_set(point));
                set.extend(on.map(|point| format!("{} in {replica}", point.name)));
            }
            let stopped = room.eyes.tools.lab.iter().flat_map(switchboard::Lab::stopped);
            set.extend(stopped.map(|part| format!("{part} is stopped")));
            let scripts = room.eyes.tools.lab.iter().flat_map(switchboard::Lab::scripts);
            set.extend(scripts.map(|script| format!("{} is not undone", script.name)));
            Ok(none(set))
        }
        Ask::Firewall { without } => firewall(room, without).await,
        Ask::NoneDrained => drained(room).await,
        Ask::ProtectionsOn { except } => {
            let mut off = Vec::new();
            for replica in replicas(room).await? {
                let protections = replica.protections().await.map_err(elsewhere)?;
                let is_excepted = |name: &str| {
                    except.iter().any(|(service, known)| *service == replica.service && known == name)
                };
                let missing = protections.iter().filter(|one| !one.enabled && !is_excepted(&one.name));
                off.extend(missing.map(|one| format!("{} of {replica}", one.name)));
            }
            Ok(none(off))
        }
        Ask::LoadAtBaseline { rps } => load(room, f64::from(*rps)).await,
        Ask::Invariant { invariant } => invariants::holds(room, live, *invariant).await,
    }
}

/// Whether the firewall of every edge is on, without these rules.
async fn firewall(room: &Room, without: &[String]) -> Result<Answer> {
    let mut changed = Vec::new();
    for edge in replicas(room).await?.iter().filter(|replica| replica.service == EDGE) {
        let firewall = edge.firewall().await.map_err(elsewhere)?;
        if !firewall.enabled {
            changed.push(format!("the firewall of {edge} is off"));
        }
        let rules = firewall.rules.iter().filter(|rule| without.contains(&rule.id));
        changed.extend(rules.map(|rule| format!("{} in {edge}", rule.id)));
    }
    Ok(none(changed))
}

/// Whether every edge sends requests to all replicas that it knows.
async fn drained(room: &Room) -> Result<Answer> {
    let mut left = Vec::new();
    for edge in replicas(room).await?.iter().filter(|replica| replica.service == EDGE) {
        for endpoint in edge.drained().await.map_err(elsewhere)? {
            let name = room.eyes.tools.replica_at(&endpoint).unwrap_or(endpoint);
            left.push(format!("{name} is drained at {edge}"));
        }
    }
    Ok(none(left))
}

/// Every replica that is known here.
///
/// # Errors
/// When there is none, or one of a cluster cannot be reached.
pub(super) async fn replicas(room: &Room) -> Result<Vec<Replica>> {
    let all = room.eyes.place.replicas(None, token(room)).await.map_err(elsewhere)?;
    if all.is_empty() {
        return Err(Error::Elsewhere("no service is known here: set INSTANCES".to_owned()));
    }
    Ok(all)
}

/// Whether somebody set it; what fails by design from the start is no fault of a drill.
fn is_set(point: &switchboard::FaultPoint) -> bool {
    point.active.as_ref().is_some_and(|plan| plan.rest.get("baseline") != Some(&Value::Bool(true)))
}

/// Names of alerts that fire and should not. Tickets about budgets look back for hours.
fn firing(alerts: &[Alert], except: &[String]) -> Vec<String> {
    let label = |alert: &Alert, name: &str| alert.labels.get(name).cloned().unwrap_or_default();
    let looks_back = |alert: &Alert| alert.labels.contains_key("slo") && label(alert, "severity") != "page";
    let counts = |alert: &&Alert| {
        alert.state == "firing" && !looks_back(alert) && !except.contains(&label(alert, "alertname"))
    };
    alerts.iter().filter(counts).map(|alert| label(alert, "alertname")).collect()
}

async fn load(room: &Room, wanted: f64) -> Result<Answer> {
    let target = room.eyes.tools.load_rate().await.map_err(elsewhere)?;
    let arrives = within("Prometheus", room.eyes.prometheus.value(ARRIVING)).await?.unwrap_or_default();
    let holds = (target - wanted).abs() < 0.5 && arrives >= wanted * ARRIVED;
    Ok((holds, format!("{target} requests per second are sent, {arrives:.1} arrive")))
}

/// It holds if there are none.
fn none(found: Vec<String>) -> Answer {
    if found.is_empty() {
        return (true, String::new());
    }
    let count = found.len();
    (false, listed(found.into_iter(), count))
}

/// The first ones, and how many more there are.
fn listed(all: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = all.take(SHOWN).collect();
    let more = count.saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}

/// A sample in a few words.
fn sample(sample: &Sample) -> String {
    let labels = sample.metric.iter().filter(|(name, _)| *name != "__name__");
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
    let value = sample.value().map_or_else(|| "not a number".to_owned(), |value| format!("{value:.4}"));
    if labels.is_empty() { value } else { format!("{{{}}} {value}", labels.join(", ")) }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(name: &str, severity: &str, slo: bool, state: &str) -> Alert {
        let mut labels = json!({ "alertname": name, "severity": severity });
        if slo {
            labels["slo"] = json!("order-availability");
        }
        let value = json!({ "labels": labels, "annotations": {}, "state": state, "activeAt": null });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn alerts_count_while_they_fire_unless_they_are_excepted_or_look_back_for_hours() {
        let alerts = [
            alert("OrderAvailabilityBudgetBurn", "page", true, "firing"),
            alert("OrderAvailabilityBudgetSpent", "ticket", true, "firing"),
            alert("HighErrorRate", "ticket", false, "firing"),
            alert("NoTraffic", "page", false, "pending"),
        ];
        assert_eq!(firing(&alerts, &[]), ["OrderAvailabilityBudgetBurn", "HighErrorRate"]);
        assert_eq!(firing(&alerts, &["HighErrorRate".to_owned()]), ["OrderAvailabilityBudgetBurn"]);
    }

    #[test]
    fn what_fails_by_design_is_no_fault_of_a_drill() {
        let point = |active: Value| -> switchboard::FaultPoint {
            serde_json::from_value(json!({ "name": "x", "summary": "", "active": active })).unwrap()
        };
        let plan = |baseline: bool| json!({ "rate": 0.2, "expires_at": null, "seconds_left": null, "baseline": baseline });
        assert!(is_set(&point(plan(false))));
        assert!(!is_set(&point(plan(true))) && !is_set(&point(Value::Null)));
    }

    #[test]
    fn what_was_seen_fits_in_a_line() {
        let one: Sample = serde_json::from_value(
            json!({ "metric": { "__name__": "up", "job": "a" }, "value": [1.0, "1"] }),
        )
        .unwrap();
        assert_eq!(sample(&one), "{job=a} 1.0000");
        assert_eq!(none(Vec::new()), (true, String::new()));
        let five = (1..=5).map(|n| n.to_string()).collect();
        assert_eq!(none(five), (false, "1, 2, 3 and 2 more".to_owned()));
        assert_eq!(cut(&"ä".repeat(300)).chars().count(), LONGEST + 1);
    }
}
