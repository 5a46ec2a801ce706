//! Faults, protections and the firewall: the switches on the admin ports, in all replicas at once.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::{Action, Outcome, firewall};
use crate::{FaultPoint, Place, Plan, Replica, Result};

pub(super) async fn act(
    action: &Action,
    place: &Place,
    token: Option<&str>,
    dry: bool,
) -> Result<Vec<Outcome>> {
    let mut tasks = JoinSet::new();
    for replica in place.replicas(action.target(), token).await? {
        let action = action.clone();
        tasks.spawn(async move {
            let said = if dry { action.would(&replica).await } else { action.at(&replica).await };
            match said {
                Ok((ok, text)) => Outcome { replica: replica.to_string(), ok, text },
                Err(error) => Outcome::bad(replica.to_string(), error.to_string()),
            }
        });
    }
    let mut outcomes = tasks.join_all().await;
    outcomes.sort_by(|one, other| one.replica.cmp(&other.replica));
    Ok(outcomes)
}

impl Action {
    /// Whether it worked in one replica, and what happened.
    async fn at(&self, replica: &Replica) -> Result<(bool, String)> {
        let text = match self {
            Self::SetFault { fault, parameters, .. } => {
                let parameters: Vec<(String, String)> = parameters.clone().into_iter().collect();
                let answer = replica.set_fault(fault, &parameters).await?;
                let plan = serde_json::from_value::<Plan>(answer["active"].clone()).ok();
                plan.map_or_else(
                    || format!("{fault} is on"),
                    |plan| format!("{fault} is on: {}", plan.words()),
                )
            }
            Self::EndFault { fault, .. } => {
                replica.end_fault(fault).await?;
                format!("{fault} has ended")
            }
            Self::EndFaults { .. } => {
                replica.end_faults().await?;
                "every fault that was switched on has ended".to_owned()
            }
            Self::SetProtection { name, enabled, ttl, .. } => {
                let now = replica.set_protection(name, *enabled, ttl.as_deref()).await?;
                switched(name, now.enabled, now.seconds_left)
            }
            _ => return firewall::at(self, replica).await.map(|text| text.map_or_else(no_switch, worked)),
        };
        Ok((true, text))
    }

    /// Whether it would work in one replica, and what would happen.
    async fn would(&self, replica: &Replica) -> Result<(bool, String)> {
        if let Self::SetProtection { name, enabled, .. } = self {
            let all = replica.protections().await?;
            let Some(found) = all.iter().find(|protection| protection.name == *name) else {
                let known: Vec<&str> = all.iter().map(|protection| protection.name.as_str()).collect();
                return Ok((false, format!("has no protection `{name}`; there are: {}", known.join(", "))));
            };
            let now = switched(name, found.enabled, found.seconds_left);
            let then = if *enabled { "on" } else { "off" };
            return Ok((true, format!("{now}; it would be {then}")));
        }
        if let Some(said) = firewall::would(self, replica).await? {
            return Ok(said);
        }
        let points = replica.faults().await?;
        Ok(match self {
            Self::EndFaults { .. } => {
                let on: Vec<&str> = points
                    .iter()
                    .filter(|point| point.active.is_some())
                    .map(|point| point.name.as_str())
                    .collect();
                let text = if on.is_empty() {
                    "no fault is on".to_owned()
                } else {
                    format!("would end: {}", on.join(", "))
                };
                (true, text)
            }
            Self::SetFault { fault, parameters, .. } => match point(&points, fault) {
                Ok(point) => would_set(point, parameters),
                Err(problem) => (false, problem),
            },
            Self::EndFault { fault, .. } => match point(&points, fault) {
                Ok(FaultPoint { active: Some(plan), .. }) => {
                    (true, format!("would end {fault}: {}", plan.words()))
                }
                Ok(_) => (true, format!("{fault} is not on: nothing would change")),
                Err(problem) => (false, problem),
            },
            _ => no_switch(),
        })
    }
}

impl Plan {
    /// Its parameters and its end, in a line.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = vec![format!("rate {}", self.rate)];
        let value =
            |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        words.extend(self.parameters.iter().map(|(name, given)| format!("{name} {}", value(given))));
        words.push(match self.seconds_left {
            Some(left) => format!("ends in {left:.0} s"),
            None => "on until it is ended".to_owned(),
        });
        words.join(", ")
    }
}

/// For actions that this file never gets.
fn no_switch() -> (bool, String) {
    (false, "not a switch".to_owned())
}

fn worked(text: String) -> (bool, String) {
    (true, text)
}

fn switched(name: &str, on: bool, left: Option<f64>) -> String {
    let word = if on { "on" } else { "off" };
    let left = left.map_or_else(String::new, |left| format!(" for {left:.0} s"));
    format!("{name} is {word}{left}")
}

fn point<'p>(points: &'p [FaultPoint], name: &str) -> std::result::Result<&'p FaultPoint, String> {
    points.iter().find(|point| point.name == name).ok_or_else(|| {
        let known: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        format!("has no fault `{name}`; there are: {}", known.join(", "))
    })
}

fn would_set(point: &FaultPoint, given: &BTreeMap<String, String>) -> (bool, String) {
    let known: Vec<&str> = point.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    if let Some(unknown) = given.keys().find(|name| !known.contains(&name.as_str())) {
        return (false, format!("{} has no parameter `{unknown}`; it has: {}", point.name, known.join(", ")));
    }
    let values = point.parameters.iter().filter_map(|parameter| {
        let value = given.get(&parameter.name).or(parameter.default.as_ref())?;
        Some(format!("{} {value}", parameter.name))
    });
    let values: Vec<String> = values.collect();
    let before = point.active.as_ref().map_or_else(String::new, |plan| format!("; now: {}", plan.words()));
    (true, format!("{} would be on: {}{before}", point.name, values.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn point_of(active: &serde_json::Value) -> FaultPoint {
        from_value(json!({
            "name": "http-error", "summary": "", "active": active,
            "parameters": [
                { "name": "status", "summary": "", "expects": "500 to 599", "default": "500" },
                { "name": "ttl", "summary": "", "expects": "a time", "default": "10m" },
                { "name": "route", "summary": "", "expects": "a text", "default": null },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn a_dry_run_names_every_value_and_refuses_what_the_fault_does_not_take() {
        let given = |name: &str| BTreeMap::from([(name.to_owned(), "5m".to_owned())]);
        let (ok, text) = would_set(&point_of(&json!(null)), &given("ttl"));
        assert_eq!((ok, &*text), (true, "http-error would be on: status 500, ttl 5m"));
        let active = json!({ "rate": 0.5, "parameters": { "status": "503" }, "expires_at": null, "seconds_left": 9.6 });
        let (_, text) = would_set(&point_of(&active), &given("ttl"));
        assert!(text.ends_with("; now: rate 0.5, status 503, ends in 10 s"), "{text}");
        let (ok, text) = would_set(&point_of(&json!(null)), &given("tl"));
        assert_eq!((ok, &*text), (false, "http-error has no parameter `tl`; it has: status, ttl, route"));
    }
}
