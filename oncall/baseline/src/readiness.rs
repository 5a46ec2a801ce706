//! The checklist of a production readiness review, filled from what is in the checkout: an item is done if there is evidence of it.
//!
//! Source: "The Evolving SRE Engagement Model", Site Reliability Engineering (2016), chapter 32. What only people can judge is not here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The checkout, as far as a review needs it.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The texts of files by their paths, such as `drills/first-page.yaml`.
    pub files: BTreeMap<String, String>,
    /// Objects of Kubernetes as the chart renders them for production.
    pub manifests: Vec<Value>,
}

/// One item of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What must hold, as a sentence.
    pub title: &'static str,
    /// Where it is seen to hold: paths, and objects as `PodDisruptionBudget/order-api`. None: it does not hold.
    pub evidence: Vec<String>,
}

impl Item {
    /// Whether it holds.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.evidence.is_empty()
    }
}

/// The checklist of `service`.
#[must_use]
pub fn checklist(service: &str, tree: &Tree) -> Vec<Item> {
    let item = |title, evidence| Item { title, evidence };
    vec![
        item(
            "Objectives say what users may expect.",
            with_line(tree, "dashboards/slos/", "service:", service),
        ),
        item(
            "Its metrics are a contract that a test keeps.",
            path(tree, &format!("services/{service}/tests/api/snapshots/metrics.txt")),
        ),
        item("A dashboard of its own shows them.", path(tree, &format!("dashboards/grafana/{service}.json"))),
        item("Runbooks say what to do about it.", mentioning(tree, "runbooks/", service)),
        item("Drills have broken it, and were solved.", with_line(tree, "drills/", "- service:", service)),
        item(
            "Its configuration is documented.",
            mentioning(tree, "docs/configuration.md", &format!("## {service}")),
        ),
        item(
            "Its failure modes are known, and what protects from them.",
            mentioning(tree, "docs/failure-modes.md", service),
        ),
        item("It says when it has started, is ready, and is alive.", probed(tree, service)),
        item("It runs more than once.", repeated(tree, service)),
        item("Maintenance does not stop all of it at once.", object(tree, "PodDisruptionBudget", service)),
        item("Only those who need it reach it.", object(tree, "NetworkPolicy", service)),
    ]
}

fn path(tree: &Tree, path: &str) -> Vec<String> {
    tree.files.contains_key(path).then(|| path.to_owned()).into_iter().collect()
}

fn below<'a>(tree: &'a Tree, start: &'a str) -> impl Iterator<Item = (&'a String, &'a String)> {
    tree.files.iter().filter(move |(path, _)| path.starts_with(start))
}

fn mentioning(tree: &Tree, start: &str, words: &str) -> Vec<String> {
    below(tree, start).filter(|(_, text)| has_words(text, words)).map(|(path, _)| path.clone()).collect()
}

/// Whether `words` are in a text, and not inside another word: `edge` is not in `knowledge`, nor in `edge-case`.
fn has_words(text: &str, words: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(words).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        !before.ends_with(inside) && !after.starts_with(inside)
    })
}

/// The files with a line that is this key and value.
fn with_line(tree: &Tree, start: &str, key: &str, value: &str) -> Vec<String> {
    let has = |text: &str| {
        text.lines().any(|line| line.trim().strip_prefix(key).is_some_and(|found| found.trim() == value))
    };
    below(tree, start).filter(|(_, text)| has(text)).map(|(path, _)| path.clone()).collect()
}

fn found<'a>(tree: &'a Tree, kinds: &'a [&str], name: &'a str) -> impl Iterator<Item = &'a Value> {
    tree.manifests.iter().filter(move |object| {
        object["metadata"]["name"] == name && kinds.iter().any(|kind| object["kind"] == *kind)
    })
}

fn named(object: &Value) -> String {
    format!(
        "{}/{}",
        object["kind"].as_str().unwrap_or_default(),
        object["metadata"]["name"].as_str().unwrap_or_default()
    )
}

fn object(tree: &Tree, kind: &str, name: &str) -> Vec<String> {
    found(tree, &[kind], name).map(named).collect()
}

const WORKLOADS: &[&str] = &["Deployment", "StatefulSet"];

fn probed(tree: &Tree, service: &str) -> Vec<String> {
    let probes = ["startupProbe", "readinessProbe", "livenessProbe"];
    let all = |workload: &&Value| {
        let container = &workload["spec"]["template"]["spec"]["containers"][0];
        probes.iter().all(|probe| !container[*probe].is_null())
    };
    found(tree, WORKLOADS, service).filter(all).map(named).collect()
}

fn repeated(tree: &Tree, service: &str) -> Vec<String> {
    let fixed = found(tree, WORKLOADS, service)
        .filter(|workload| workload["spec"]["replicas"].as_u64().is_some_and(|replicas| replicas > 1));
    let scaled = found(tree, &["HorizontalPodAutoscaler"], service)
        .filter(|scaler| scaler["spec"]["minReplicas"].as_u64().is_some_and(|replicas| replicas > 1));
    fixed.chain(scaled).map(named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree() -> Tree {
        let files = [
            ("dashboards/slos/a.yaml", "spec:\n  service: order-api\n"),
            ("drills/a.yaml", "faults:\n  - service: order-api\n"),
            ("runbooks/Burn.md", "Look at order-api."),
        ];
        let container = json!({"startupProbe": {}, "readinessProbe": {}, "livenessProbe": {}});
        Tree {
            files: files.map(|(path, text)| (path.to_owned(), text.to_owned())).into(),
            manifests: vec![json!({
                "kind": "Deployment", "metadata": {"name": "order-api"},
                "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}},
            })],
        }
    }

    #[test]
    fn an_item_is_done_if_there_is_evidence() {
        let done: Vec<_> = checklist("order-api", &tree()).into_iter().filter(Item::is_done).collect();
        let evidence: Vec<_> = done.iter().flat_map(|item| &item.evidence).map(String::as_str).collect();
        let workload = "Deployment/order-api";
        assert_eq!(
            evidence,
            ["dashboards/slos/a.yaml", "runbooks/Burn.md", "drills/a.yaml", workload, workload]
        );
    }

    #[test]
    fn a_name_is_a_word_of_its_own() {
        assert!(has_words("the edge, again", "edge") && has_words("## edge\n", "## edge"));
        assert!(!has_words("knowledge of an edge-case", "edge"));
    }

    #[test]
    fn a_service_of_another_name_has_none_of_it() {
        assert!(!checklist("order", &tree()).iter().any(Item::is_done));
        assert!(checklist("order-worker", &tree()).iter().all(|item| !item.is_done()));
    }

    #[test]
    fn one_replica_and_a_missing_probe_are_not_enough() {
        let mut tree = tree();
        tree.manifests[0]["spec"]["replicas"] = json!(1);
        tree.manifests[0]["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = Value::Null;
        assert!(probed(&tree, "order-api").is_empty() && repeated(&tree, "order-api").is_empty());
    }
}
