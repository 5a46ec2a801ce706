//! The rules that a Prometheus has loaded: which of them a detection depends on, and how they are with a
//! mutation.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use observe::Peer;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    raise::raise,
    scan::{Selector, selectors},
};

/// The series that says which alerts fire.
const ALERTS: &str = "ALERTS";
/// Its label with the alert's name.
const ALERT: &str = "alertname";

/// A rule, as Prometheus's API describes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Rule {
    /// `alerting` or `recording`.
    #[serde(rename = "type")]
    kind: String,
    /// The alert, or the series.
    name: String,
    query: String,
    /// Seconds for which the condition has to hold.
    #[serde(default)]
    duration: f64,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// What a detection depends on.
#[derive(Debug, Clone)]
pub(super) struct Needed {
    /// Rules, in the order in which Prometheus has them.
    pub(super) rules: Vec<Rule>,
    /// Selectors of what the services export.
    pub(super) raw: BTreeSet<String>,
}

/// A change of the detection that a proof has to notice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mutation {
    /// The alert does not exist.
    Deleted(String),
    /// Its threshold is out of reach.
    Raised(String),
    /// Nothing exports the metric any more.
    Gone(String),
}

impl std::fmt::Display for Mutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deleted(alert) => write!(f, "{alert} deleted"),
            Self::Raised(alert) => write!(f, "{alert} raised"),
            Self::Gone(metric) => write!(f, "{metric} gone"),
        }
    }
}

/// The rules that are loaded.
///
/// # Errors
/// When Prometheus cannot be reached.
pub(super) async fn loaded(prometheus: &Peer) -> Result<Vec<Rule>> {
    let answer = prometheus.get("/api/v1/rules", &[]).await?;
    let groups = answer["data"]["groups"].as_array().context("Prometheus did not answer with rules")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
    rules.map(|rule| Rule::deserialize(rule).map_err(anyhow::Error::from)).collect()
}

/// The alerts that a query asks for.
pub(super) fn alerts(query: &str) -> Vec<String> {
    let asked = selectors(query).into_iter().filter(|selector| selector.name == ALERTS);
    asked.filter_map(|selector| selector.wants(ALERT).map(str::to_owned)).collect()
}

/// What these queries depend on, through alerts and recorded series.
pub(super) fn needed(rules: &[Rule], queries: &[String]) -> Needed {
    let mut open: Vec<String> = queries.to_vec();
    let (mut asked, mut wanted, mut raw) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    while let Some(query) = open.pop() {
        if !asked.insert(query.clone()) {
            continue;
        }
        for selector in selectors(&query) {
            let is = |rule: &Rule| match selector.name.as_str() {
                ALERTS => {
                    rule.kind == "alerting" && selector.wants(ALERT).is_none_or(|alert| alert == rule.name)
                }
                name => rule.kind == "recording" && rule.name == name,
            };
            let makers: Vec<usize> =
                rules.iter().enumerate().filter(|(_, rule)| is(rule)).map(|(at, _)| at).collect();
            // A copy under the same name, with other labels, is recorded beside what is exported.
            let copies: Vec<&Rule> =
                makers.iter().map(|at| &rules[*at]).filter(|rule| copies(rule)).collect();
            if selector.name != ALERTS && (makers.is_empty() || !copies.is_empty()) {
                raw.insert(exported(&selector, &copies));
            }
            open.extend(makers.iter().map(|at| rules[*at].query.clone()));
            wanted.extend(makers);
        }
    }
    Needed { rules: wanted.into_iter().map(|at| rules[at].clone()).collect(), raw }
}

/// Whether a rule records a series under the name of one that it reads.
fn copies(rule: &Rule) -> bool {
    rule.kind == "recording" && selectors(&rule.query).iter().any(|selector| selector.name == rule.name)
}

/// The selector, without the copies.
fn exported(selector: &Selector, copies: &[&Rule]) -> String {
    let own = copies.iter().flat_map(|rule| &rule.labels);
    let own = own.map(|(name, value)| format!("{name}!=\"{value}\""));
    let labels = Some(selector.labels.clone()).filter(|labels| !labels.is_empty());
    let labels: Vec<String> = labels.into_iter().chain(own).collect();
    Selector { name: selector.name.clone(), labels: labels.join(", ") }.to_string()
}

/// The rules with a mutation; nothing if there is nothing to mutate.
pub(super) fn mutated(rules: &[Rule], mutation: &Mutation) -> Option<Vec<Rule>> {
    let mut rules = rules.to_vec();
    let is = |rule: &Rule, alert: &str| rule.kind == "alerting" && rule.name == alert;
    match mutation {
        Mutation::Deleted(alert) => {
            let before = rules.len();
            rules.retain(|rule| !is(rule, alert));
            (rules.len() < before).then_some(rules)
        }
        Mutation::Raised(alert) => {
            let mut raised = 0;
            for rule in rules.iter_mut().filter(|rule| is(rule, alert)) {
                let query = raise(&rule.query);
                raised += usize::from(query != rule.query);
                rule.query = query;
            }
            (raised > 0).then_some(rules)
        }
        Mutation::Gone(metric) => {
            rules.retain(|rule| rule.kind == "alerting" || rule.name != *metric);
            Some(rules)
        }
    }
}

/// The rules as a file: JSON, which is YAML. One group, so that they are evaluated in this order.
pub(super) fn file(rules: &[Rule]) -> Value {
    let rules: Vec<Value> = rules.iter().map(entry).collect();
    json!({ "groups": [{ "name": "replay", "interval": "1s", "rules": rules }] })
}

fn entry(rule: &Rule) -> Value {
    let kind = if rule.kind == "alerting" { "alert" } else { "record" };
    let mut entry = Map::new();
    entry.insert(kind.to_owned(), json!(rule.name));
    entry.insert("expr".to_owned(), json!(rule.query));
    if rule.duration > 0.0 {
        entry.insert("for".to_owned(), json!(format!("{:.0}ms", rule.duration * 1000.0)));
    }
    if !rule.labels.is_empty() {
        entry.insert("labels".to_owned(), json!(rule.labels));
    }
    Value::Object(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: &str, name: &str, query: &str) -> Rule {
        let (kind, name, query) = (kind.to_owned(), name.to_owned(), query.to_owned());
        Rule { kind, name, query, duration: 2.0, labels: BTreeMap::new() }
    }

    fn rules() -> Vec<Rule> {
        let copy = rule("recording", "up", "up{job=~\"order-api|user-service\"}");
        let copy =
            Rule { labels: BTreeMap::from([("job".to_owned(), "application-metrics".to_owned())]), ..copy };
        vec![
            rule(
                "recording",
                "slo:bad:ratio",
                "sum(rate(errors_total[5s])) / sum(rate(requests_total{job=\"a\"}[5s]))",
            ),
            rule("alerting", "Burn", "slo:bad:ratio > 14.4 * 0.001"),
            rule("alerting", "Down", "up{job!=\"application-metrics\"} == 0"),
            copy,
            rule("recording", "unrelated", "other_total"),
        ]
    }

    #[test]
    fn a_detection_needs_its_alerts_the_recorded_series_below_and_what_is_exported() {
        let query = "ALERTS{alertname=\"Burn\", alertstate=\"firing\"} offset 5s".to_owned();
        let found = needed(&rules(), &[query]);
        let names: Vec<&str> = found.rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, ["slo:bad:ratio", "Burn"]);
        let raw: Vec<&str> = found.raw.iter().map(String::as_str).collect();
        assert_eq!(raw, ["errors_total", "requests_total{job=\"a\"}"]);
        assert_eq!(alerts("ALERTS{alertname=\"Burn\"} and up == 0"), ["Burn"]);
    }

    #[test]
    fn a_copy_under_the_same_name_is_not_taken_for_what_is_exported() {
        let found = needed(&rules(), &["up{job=\"order-api\"} == 0".to_owned()]);
        let raw: Vec<&str> = found.raw.iter().map(String::as_str).collect();
        assert_eq!(
            raw,
            [
                "up{job=\"order-api\", job!=\"application-metrics\"}",
                "up{job=~\"order-api|user-service\", job!=\"application-metrics\"}"
            ]
        );
    }

    #[test]
    fn each_mutation_takes_away_what_it_says() {
        let rules = rules();
        let without = mutated(&rules, &Mutation::Deleted("Burn".to_owned())).unwrap();
        assert!(without.len() == 4 && without.iter().all(|rule| rule.name != "Burn"));
        let raised = mutated(&rules, &Mutation::Raised("Burn".to_owned())).unwrap();
        assert_eq!(raised[1].query, "slo:bad:ratio > 1e15 +  14.4 * 0.001");
        assert_eq!(raised[2].query, rules[2].query);
        let gone = mutated(&rules, &Mutation::Gone("slo:bad:ratio".to_owned())).unwrap();
        assert_eq!(gone.len(), 4);
        for mutation in [Mutation::Deleted("Other".to_owned()), Mutation::Raised("Other".to_owned())] {
            assert!(mutated(&rules, &mutation).is_none(), "{mutation}");
        }
    }
}
