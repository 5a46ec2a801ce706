//! Whether the answer names the cause, and whether its evidence lies on the causal path.

use serde::Serialize;

use crate::{Drill, engine::Answers};

/// What a histogram appends to the name of its metric.
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// How an answer names the cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Localised {
    /// Components that are the cause and were not named.
    pub missed: Vec<String>,
    /// Components that were named and are not the cause.
    pub extra: Vec<String>,
    /// Components that no evidence on the causal path supports.
    pub ungrounded: Vec<String>,
    /// Points, 0 to 1.
    pub share: f64,
}

/// Judges an answer: precision at full recall. Missing one component is worth nothing, because the repair would miss it,
/// too; naming more than there are divides the points. An answer without evidence on the path is worth half: it may be a
/// guess.
#[must_use]
pub fn localise(drill: &Drill, answers: &Answers) -> Localised {
    let truth = &drill.questions.components;
    let mut named = answers.components.clone();
    named.sort_unstable();
    named.dedup();
    let missed: Vec<String> = truth.iter().filter(|one| !named.contains(one)).cloned().collect();
    let extra: Vec<String> = named.iter().filter(|one| !truth.contains(one)).cloned().collect();
    let ungrounded: Vec<String> =
        truth.iter().filter(|one| !grounded(drill, answers, one)).cloned().collect();
    let precision = match (truth.len(), named.len()) {
        (0, 0) => 1.0,
        (0, _) => 0.0,
        _ if !missed.is_empty() => 0.0,
        (truth, named) => truth as f64 / named as f64,
    };
    let proof = match (drill.questions.evidence, truth.len()) {
        (0, _) | (_, 0) => 1.0,
        (wanted, of) => {
            let given = answers.evidence.iter().filter(|query| lies_on_path(drill, query)).count();
            let enough = (given as f64 / f64::from(wanted)).min(1.0);
            let supported = (of - ungrounded.len()) as f64 / of as f64;
            0.5 + 0.5 * enough * supported
        }
    };
    Localised { missed, extra, ungrounded, share: precision * proof }
}

/// Whether some evidence is about a metric that deviates at this component.
fn grounded(drill: &Drill, answers: &Answers, component: &str) -> bool {
    if drill.questions.evidence == 0 {
        return true;
    }
    let nodes = || drill.path.iter().filter(|node| node.service == component);
    answers.evidence.iter().any(|query| nodes().any(|node| asks(query, &node.metric)))
}

fn lies_on_path(drill: &Drill, query: &str) -> bool {
    drill.path.iter().any(|node| asks(query, &node.metric))
}

/// Whether a query names a metric, and not only one whose name begins or ends like it.
fn asks(query: &str, metric: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    query.match_indices(metric).any(|(at, _)| {
        let rest = &query[at + metric.len()..];
        let rest = SUFFIXES.iter().find_map(|suffix| rest.strip_prefix(suffix)).unwrap_or(rest);
        !query[..at].ends_with(word) && !rest.starts_with(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_asks_for_a_metric_by_its_whole_name() {
        assert!(asks("rate(http_requests_total{service=\"x\"}[15s])", "http_requests_total"));
        assert!(asks("rate(http_request_duration_seconds_bucket[15s])", "http_request_duration_seconds"));
        assert!(!asks("load_http_requests_total", "http_requests_total"));
        assert!(!asks("http_requests_total_by_day", "http_requests_total"));
    }
}
