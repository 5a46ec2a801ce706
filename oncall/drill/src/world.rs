//! Whether everything that a drill names exists: services, faults and their parameters, alerts, runbooks, metrics,
//! protections. A program fills [`World`] from what runs, the tests from the repository.

use std::collections::{BTreeMap, BTreeSet};

use chassis_text::byte_size;

use crate::{
    Act, Drill,
    model::{FaultKind, Step},
};

/// What exists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// Services and stores that may be the cause.
    pub components: BTreeSet<String>,
    /// Faults by service, each with what its parameters take, by name.
    pub faults: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    /// Alerts.
    pub alerts: BTreeSet<String>,
    /// Runbooks, by alert.
    pub runbooks: BTreeSet<String>,
    /// Metrics.
    pub metrics: BTreeSet<String>,
    /// Protections.
    pub protections: BTreeSet<String>,
    /// Rules of the firewall that drills push.
    pub rules: BTreeSet<String>,
    /// Parts of the lab that can be stopped and started.
    pub parts: BTreeSet<String>,
    /// Scripts that drills run, in PostgreSQL and elsewhere.
    pub scripts: BTreeSet<String>,
    /// Databases.
    pub databases: BTreeSet<String>,
    /// Who uses whom: the first one calls, reads or consumes from the second.
    pub edges: BTreeSet<(String, String)>,
    /// All drills.
    pub drills: BTreeSet<String>,
}

/// What a drill names and does not exist, and what in its public texts gives the cause away. Empty if all is well.
/// Metrics in queries are not looked at, but those of the causal path are.
#[must_use]
pub fn check(drill: &Drill, world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    faults(drill, world, &mut wrong);
    path(drill, world, &mut wrong);
    alerts(drill, world, &mut wrong);
    leaks(drill, world, &mut wrong);
    for act in acts(drill) {
        action(act, world, &mut wrong);
    }
    for weakened in &drill.weakened {
        known(&weakened.service, world.faults.keys(), "weakened.service", &mut wrong);
        known(&weakened.protection, world.protections.iter(), "weakened.protection", &mut wrong);
    }
    for change in &drill.changes {
        known(&change.service, world.components.iter(), "changes.service", &mut wrong);
    }
    for service in drill.replicas.keys() {
        known(service, world.faults.keys(), "replicas", &mut wrong);
    }
    for service in drill.noise.iter().filter_map(|noise| noise.service.as_ref()) {
        known(service, world.components.iter(), "noise.service", &mut wrong);
    }
    for component in &drill.questions.components {
        known(component, world.components.iter(), "questions.components", &mut wrong);
    }
    for prerequisite in &drill.prerequisites {
        known(prerequisite, world.drills.iter(), "prerequisites", &mut wrong);
    }
    wrong
}

fn known<'k>(name: &str, known: impl Iterator<Item = &'k String>, field: &str, wrong: &mut Vec<String>) {
    let names: Vec<&str> = known.map(String::as_str).collect();
    if !names.contains(&name) {
        wrong.push(format!("{field}: there is no `{name}`; there are: {}", names.join(", ")));
    }
}

fn faults(drill: &Drill, world: &World, wrong: &mut Vec<String>) {
    for fault in &drill.faults {
        if fault.kind == FaultKind::Part {
            known(&fault.service, world.parts.iter(), "faults.service", wrong);
            continue;
        }
        if fault.kind == FaultKind::Script {
            known(&fault.service, world.components.iter(), "faults.service", wrong);
            known(&fault.fault, world.scripts.iter(), "faults.sql", wrong);
            continue;
        }
        let Some(faults) = world.faults.get(&fault.service) else {
            known(&fault.service, world.faults.keys(), "faults.service", wrong);
            continue;
        };
        if fault.kind == FaultKind::Rule {
            known(&fault.fault, world.rules.iter(), "faults.rule", wrong);
            continue;
        }
        let Some(parameters) = faults.get(&fault.fault) else {
            known(&fault.fault, faults.keys(), &format!("faults of {}", fault.service), wrong);
            continue;
        };
        for (name, value) in &fault.parameters {
            match parameters.get(name) {
                None => known(name, parameters.keys(), &format!("parameters of {}", fault.fault), wrong),
                Some(takes) if !fits(takes, value) => {
                    wrong.push(format!("{name} of {}: `{value}` is not {takes}", fault.fault));
                }
                Some(_) => {}
            }
        }
    }
}

/// A cause and its effect are neighbours, in either direction, or the same.
fn path(drill: &Drill, world: &World, wrong: &mut Vec<String>) {
    for node in &drill.path {
        known(&node.service, world.components.iter(), "causal_path.service", wrong);
        if !world.metrics.contains(&node.metric) {
            wrong.push(format!("causal_path: nothing exports `{}`", node.metric));
        }
        let from = drill.path.iter().find(|other| node.from.as_ref() == Some(&other.name));
        let Some(from) = from.filter(|from| from.service != node.service) else { continue };
        let (one, other) = (from.service.clone(), node.service.clone());
        let edge = (one.clone(), other.clone());
        if !world.edges.contains(&edge) && !world.edges.contains(&(other, one)) {
            wrong.push(format!("causal_path: {} and {} are no neighbours", edge.0, edge.1));
        }
    }
}

fn alerts(drill: &Drill, world: &World, wrong: &mut Vec<String>) {
    let expected = drill.pages.expected.iter().map(|page| &page.alert);
    let named =
        expected.chain(&drill.pages.allowed).chain(&drill.pages.forbidden).chain(&drill.oracle.alerts_left);
    for alert in named.filter(|alert| !world.alerts.contains(*alert)) {
        wrong.push(format!("there is no alert `{alert}`"));
    }
    for runbook in drill.runbooks.iter().filter(|runbook| !world.runbooks.contains(*runbook)) {
        wrong.push(format!("runbooks: there is no `{runbook}`"));
    }
    for page in &drill.pages.expected {
        known(&page.service, world.components.iter(), "pages.expected.service", wrong);
    }
}

/// What a trainee reads before the end must not name a fault or a rule.
fn leaks(drill: &Drill, world: &World, wrong: &mut Vec<String>) {
    let noise = drill
        .noise
        .iter()
        .flat_map(|noise| [Some(noise.text.as_str()), noise.name.as_deref()].into_iter().flatten());
    let changes = drill.changes.iter().flat_map(|change| [change.text.as_str(), change.name.as_str()]);
    let texts = [drill.id.as_str(), drill.title.as_str(), drill.briefing.as_str()];
    for text in texts.into_iter().chain(noise).chain(changes) {
        let lower = text.to_lowercase();
        for fault in world.faults.values().flat_map(BTreeMap::keys).chain(&world.rules) {
            // Names of one word, such as `crash`, are words of everyday language.
            if fault.contains('-')
                && (lower.contains(fault.as_str()) || lower.contains(&fault.replace('-', " ")))
            {
                wrong.push(format!("`{text}` names the fault {fault}"));
            }
        }
    }
    wrong.dedup();
}

fn acts(drill: &Drill) -> Vec<&Act> {
    let of = &drill.mitigations;
    let items = drill.variants.iter().filter_map(|variant| variant.solve.as_ref()).flatten();
    let steps = drill.solve.iter().chain(items);
    let steps = steps.filter_map(|step| if let Step::Act(act) = step { Some(act) } else { None });
    let accepted = of.accepted.iter().map(|one| &one.act);
    let others = of.wrong.iter().map(|one| &one.act).chain(of.harmful.iter().map(|one| &one.act));
    accepted.chain(others).chain(steps).collect()
}

fn action(act: &Act, world: &World, wrong: &mut Vec<String>) {
    match act {
        // `order-api-2` is a replica of order-api.
        Act::Restart { service } => {
            known(of_replica(service), world.faults.keys(), &act.to_string(), wrong);
        }
        Act::Firewall { service, .. }
        | Act::Limit { service, .. }
        | Act::RemoveFiles { service }
        | Act::Redrive { service }
        | Act::Scale { service, .. } => known(service, world.faults.keys(), &act.to_string(), wrong),
        Act::Protect { service, protection, .. } => {
            known(service, world.faults.keys(), &act.to_string(), wrong);
            known(protection, world.protections.iter(), &act.to_string(), wrong);
        }
        // One that is not pushed by a drill is in the folder `waf`, and is not looked at.
        Act::Rule { service, .. } => known(service, world.faults.keys(), &act.to_string(), wrong),
        Act::Start { part } => known(part, world.parts.iter(), &act.to_string(), wrong),
        Act::EndSessions { database } => known(database, world.databases.iter(), &act.to_string(), wrong),
        Act::Silence { alert } if !world.alerts.contains(alert) => {
            wrong.push(format!("there is no alert `{alert}`"));
        }
        Act::Rollback { .. }
        | Act::FlushCache
        | Act::Load { .. }
        | Act::Silence { .. }
        | Act::Restore
        | Act::Failover
        | Act::Refused { .. } => {}
    }
}

/// The service of a replica.
fn of_replica(name: &str) -> &str {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.rsplit_once('-').filter(|(_, rest)| number(rest)).map_or(name, |(service, _)| service)
}

/// Whether a value is what a parameter takes, as the catalogue of faults words it.
fn fits(takes: &str, value: &str) -> bool {
    if let Some(words) = takes.strip_prefix("one of ") {
        return words.split(", ").any(|word| word == value);
    }
    let range = takes.rsplit_once("from ").and_then(|(_, range)| range.split_once(" to "));
    let Some((least, most)) = range else { return true };
    let read: fn(&str) -> Option<f64> = if takes.starts_with("a duration") {
        |text: &str| humantime::parse_duration(text).ok().map(|time| time.as_secs_f64())
    } else if takes.starts_with("a size") {
        bytes
    } else {
        |text: &str| text.parse().ok()
    };
    match (read(value), read(least), read(most)) {
        (Some(value), Some(least), Some(most)) => (least..=most).contains(&value),
        // A text has a length, and no order.
        (_, None, _) | (_, _, None) => true,
        (None, ..) => false,
    }
}

/// A size such as `512` or `64KiB`.
#[expect(clippy::cast_precision_loss, reason = "the catalogue has no size near 2^53")]
fn bytes(text: &str) -> Option<f64> {
    byte_size(text).ok().map(|bytes| bytes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_by_the_words_of_the_catalogue() {
        for (takes, right, wrong) in [
            ("a number from 0 to 1", "0.2", "1.2"),
            ("a whole number from 500 to 599", "503", "404"),
            ("a duration such as 250ms or 5m, from 10ms to 1h", "250ms", "2h"),
            ("a size such as 512 or 64KiB, from 1MiB to 1GiB", "64MiB", "64KiB"),
            ("one of on, off", "off", "maybe"),
        ] {
            assert!(fits(takes, right), "{takes}: {right}");
            assert!(!fits(takes, wrong) && !fits(takes, "nonsense"), "{takes}: {wrong}");
        }
        assert!(fits("a text of 1 to 200 characters", "/orders"));
    }
}
