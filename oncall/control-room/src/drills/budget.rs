//! What a run costs: the largest share of an error budget that was burned since the injection, as the
//! objectives themselves record it.

use chrono::{DateTime, Utc};
use observe::prometheus::Sample;

use crate::{error::Result, eyes::within, room::Room};

/// What is left of each budget, 0 to 1.
const LEFT: &str = "max by (slo) (slo:error_budget_remaining:ratio)";

/// The largest share, 0 to 1 and above; none if nothing is recorded.
///
/// # Errors
/// When Prometheus does not answer.
pub(super) async fn burned(room: &Room, injected: DateTime<Utc>) -> Result<Option<f64>> {
    let (before, after) = tokio::join!(
        within("Prometheus", room.eyes.prometheus.query_at(LEFT, injected)),
        within("Prometheus", room.eyes.prometheus.query(LEFT)),
    );
    Ok(largest(&before?, &after?))
}

fn largest(before: &[Sample], after: &[Sample]) -> Option<f64> {
    let spent = before.iter().filter_map(|one| {
        let name = one.metric.get("slo")?;
        let then = after.iter().find(|other| other.metric.get("slo") == Some(name))?;
        Some((one.value()? - then.value()?).max(0.0))
    });
    let largest = spent.filter(|share| share.is_finite()).max_by(f64::total_cmp)?;
    Some((largest * 10_000.0).round() / 10_000.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left(all: &[(&str, &str)]) -> Vec<Sample> {
        let one = |(slo, value): &(&str, &str)| {
            serde_json::from_value(json!({ "metric": { "slo": slo }, "value": [1.0, value] })).unwrap()
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn the_budget_that_suffered_most_counts_and_none_is_ever_refilled() {
        let before = left(&[("a", "1"), ("b", "0.9"), ("c", "0.5"), ("gone", "1")]);
        let after = left(&[("a", "0.98"), ("b", "0.65"), ("c", "0.6"), ("d", "0")]);
        assert_eq!(largest(&before, &after), Some(0.25));
        assert_eq!(largest(&before[2..3], &after), Some(0.0));
        assert_eq!(largest(&[], &after), None);
    }
}
