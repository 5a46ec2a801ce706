//! What a runbook may change and has to leave as it was: replicas, their protections and versions, the firewall, how the edge
//! splits requests, the load, silences.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{TimeDelta, Utc};
use observe::Alertmanager;

use super::hand;
use crate::{home::Home, installation::Installation, parts::edge::EDGE};

/// What ends that soon by itself is not left behind: a restart mutes the ticket about the new process for two minutes.
const SOON: TimeDelta = TimeDelta::seconds(150);

/// A lab at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// Protections by replica, and whether each is on; for an edge also its firewall and the rules.
    protections: BTreeMap<String, BTreeMap<String, bool>>,
    /// Values by what they are: the version of a replica, the weight of an upstream, the rate of the load.
    values: BTreeMap<String, String>,
    /// Silences that mute something now, and for longer than [`SOON`].
    silences: BTreeSet<String>,
}

impl Snapshot {
    pub(super) async fn take(home: &Home, place: &Installation, alertmanager: &Alertmanager) -> Result<Self> {
        let (mut protections, mut values) = (BTreeMap::new(), BTreeMap::new());
        for replica in place.replicas(None).await? {
            let switches = replica.protections().await?.into_iter().map(|one| (one.name, one.enabled));
            let mut switches: BTreeMap<String, bool> = switches.collect();
            values.insert(format!("the version of {replica}"), replica.version().await?);
            if replica.service == EDGE {
                let firewall = replica.firewall().await?;
                switches.insert("the firewall".to_owned(), firewall.enabled);
                let rules = firewall.rules.into_iter();
                switches.extend(rules.map(|rule| (format!("the rule {}", rule.id), rule.mode != "off")));
                let weights = replica.weights().await?.into_iter();
                values.extend(weights.map(|(route, weight)| {
                    (format!("the weight of {route} in {replica}"), weight.to_string())
                }));
            }
            protections.insert(replica.to_string(), switches);
        }
        // A lab may have no load.
        let load = hand::rate(home).await.ok();
        values.extend(load.map(|rps| ("the load per second".to_owned(), rps.to_string())));
        let (silences, soon) = (alertmanager.silences().await?.into_iter(), Utc::now() + SOON);
        let silences = silences.filter(|silence| silence.status.state == "active" && silence.ends_at > soon);
        let silences = silences.map(|silence| format!("{} ({})", silence.comment, silence.id)).collect();
        Ok(Self { protections, values, silences })
    }

    /// What is different in `after`.
    pub(super) fn differences(&self, after: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (replica, switches) in &self.protections {
            let Some(now) = after.protections.get(replica) else {
                found.push(format!("{replica} is gone"));
                continue;
            };
            for (name, on) in switches.iter().filter(|(name, on)| now.get(*name) != Some(on)) {
                found.push(format!("{name} of {replica} was {}", if *on { "on" } else { "off" }));
            }
        }
        let new = after.protections.keys().filter(|replica| !self.protections.contains_key(*replica));
        found.extend(new.map(|replica| format!("{replica} is new")));
        // What is not there any more belongs to a replica that is gone.
        for (what, before) in &self.values {
            if let Some(now) = after.values.get(what).filter(|now| *now != before) {
                found.push(format!("{what} was {before}, and is {now}"));
            }
        }
        found.extend(after.silences.difference(&self.silences).map(|silence| format!("silence: {silence}")));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(replicas: &[(&str, bool)], rps: &str, silences: &[&str]) -> Snapshot {
        let switches = |on: bool| BTreeMap::from([("timeout".to_owned(), on)]);
        Snapshot {
            protections: replicas.iter().map(|(name, on)| ((*name).to_owned(), switches(*on))).collect(),
            values: BTreeMap::from([("the load per second".to_owned(), rps.to_owned())]),
            silences: silences.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_left_behind_is_named() {
        let before = lab(&[("order-api", true), ("order-worker", true)], "50", &["old"]);
        assert_eq!(before.differences(&before), Vec::<String>::new());
        let after = lab(&[("order-api", false), ("order-api-2", true)], "0", &["restart"]);
        let found = before.differences(&after);
        let expected = [
            "timeout of order-api was on",
            "order-worker is gone",
            "order-api-2 is new",
            "the load per second was 50, and is 0",
            "silence: restart",
        ];
        assert_eq!(found, expected, "an old silence may end");
    }
}
