//! What a runbook may change and has to leave as it was: replicas, their protections, the firewall, silences.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{TimeDelta, Utc};
use observe::Alertmanager;

use crate::{installation::Installation, parts::edge::EDGE};

/// What ends that soon by itself is not left behind: a restart mutes the ticket about the new process for two minutes.
const SOON: TimeDelta = TimeDelta::seconds(150);

/// A lab at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// Protections by replica, and whether each is on; for an edge also its firewall and the rules.
    protections: BTreeMap<String, BTreeMap<String, bool>>,
    /// Silences that mute something now, and for longer than [`SOON`].
    silences: BTreeSet<String>,
}

impl Snapshot {
    pub(super) async fn take(place: &Installation, alertmanager: &Alertmanager) -> Result<Self> {
        let mut protections = BTreeMap::new();
        for replica in place.replicas(None).await? {
            let switches = replica.protections().await?.into_iter().map(|one| (one.name, one.enabled));
            let mut switches: BTreeMap<String, bool> = switches.collect();
            if replica.service == EDGE {
                let firewall = replica.firewall().await?;
                switches.insert("the firewall".to_owned(), firewall.enabled);
                let rules = firewall.rules.into_iter();
                switches.extend(rules.map(|rule| (format!("the rule {}", rule.id), rule.mode != "off")));
            }
            protections.insert(replica.to_string(), switches);
        }
        let (silences, soon) = (alertmanager.silences().await?.into_iter(), Utc::now() + SOON);
        let silences = silences.filter(|silence| silence.status.state == "active" && silence.ends_at > soon);
        let silences = silences.map(|silence| format!("{} ({})", silence.comment, silence.id)).collect();
        Ok(Self { protections, silences })
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
        found.extend(after.silences.difference(&self.silences).map(|silence| format!("silence: {silence}")));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(replicas: &[(&str, bool)], silences: &[&str]) -> Snapshot {
        let switches = |on: bool| BTreeMap::from([("timeout".to_owned(), on)]);
        Snapshot {
            protections: replicas.iter().map(|(name, on)| ((*name).to_owned(), switches(*on))).collect(),
            silences: silences.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_left_behind_is_named() {
        let before = lab(&[("order-api", true), ("order-worker", true)], &["old"]);
        assert_eq!(before.differences(&before), Vec::<String>::new());
        let after = lab(&[("order-api", false), ("order-api-2", true)], &["restart"]);
        let found = before.differences(&after);
        let expected =
            ["timeout of order-api was on", "order-worker is gone", "order-api-2 is new", "silence: restart"];
        assert_eq!(found, expected, "an old silence may end");
    }
}
