//! Evidence: a query, what it answered in a line, and where to ask again.

use incident::Evidence;
use observe::prometheus::Sample;

use super::{Found, scope::Scope};
use crate::eyes::links;

/// Longest text that is repeated from elsewhere.
const LONGEST: usize = 200;

/// A sentence that is known from a query of Prometheus.
pub(super) fn found(scope: &Scope, query: String, text: String, answer: String) -> Found {
    let link = Some(links::explore(&scope.base, &query));
    Found { text, evidence: vec![Evidence { query, answer, link }] }
}

/// The values of an answer by some of their labels, the largest first.
pub(super) fn ranked(samples: &[Sample], labels: &[&str]) -> Vec<(String, f64)> {
    let name = |sample: &Sample| {
        let words = labels.iter().filter_map(|label| sample.metric.get(*label));
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    let value = |sample: &Sample| sample.value().filter(|value| value.is_finite());
    let mut ranked: Vec<_> =
        samples.iter().filter_map(|sample| Some((name(sample), value(sample)?))).collect();
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranked
}

/// Names in a sentence: `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// One line of untrusted text, cut if it is long.
pub(super) fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut cut: String = line.chars().take(LONGEST).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_ranked_and_named_by_the_labels_that_they_have() {
        let sample = |labels: serde_json::Value, value: &str| -> Sample {
            serde_json::from_value(json!({ "metric": labels, "value": [1.0, value] })).unwrap()
        };
        let samples = [
            sample(json!({ "service": "a", "status": "500" }), "1"),
            sample(json!({ "service": "b" }), "3"),
            sample(json!({ "service": "c" }), "NaN"),
        ];
        let ranked = ranked(&samples, &["service", "status"]);
        assert_eq!(ranked, [("b".to_owned(), 3.0), ("a 500".to_owned(), 1.0)]);
    }

    #[test]
    fn texts_of_others_stay_one_short_line() {
        assert_eq!(short("a\nb"), "a b");
        assert_eq!(short(&"ä".repeat(300)).chars().count(), LONGEST + 1);
        assert_eq!(list(&["a".to_owned(), "b".to_owned(), "c".to_owned()]), "a, b and c");
    }
}
