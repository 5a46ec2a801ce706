//! The action items of a drill: it is proven again with each of them, and what it costs people is compared with what it
//! costs without.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use drill::{
    Drill,
    model::{Difference, Variant, Way, total},
};
use observe::Prometheus;
use serde_json::Value;

use super::proof::{Proof, time};
use crate::{commands::drill::view::Failure, terminal::out};

/// Seconds between two values of a measure.
const STEP: f64 = 1.0;

/// How a proof is called, with an item or without one.
pub(super) fn name(drill: &Drill, variant: Option<&Variant>) -> String {
    variant.map_or_else(|| drill.id.clone(), |variant| format!("{} with {}", drill.id, variant.name))
}

/// What a run cost by each measure, from the injection until everybody was served again. Ask before the next run begins:
/// then Prometheus forgets.
///
/// # Errors
/// When Prometheus does not answer.
pub(super) async fn measured(
    prometheus: &Prometheus,
    drill: &Drill,
    variant: Option<&Variant>,
    truth: &Value,
) -> Result<BTreeMap<String, f64>> {
    let mut all = BTreeMap::new();
    let Some((from, until)) = span(variant, truth) else { return Ok(all) };
    for measure in &drill.measures {
        let series = prometheus.query_range(&measure.query, from, until, STEP).await?;
        let points = series.first().into_iter().flat_map(observe::prometheus::Series::points);
        let sum = total(points.map(|(_, value)| value), STEP);
        all.extend(sum.map(|sum| (measure.name.clone(), sum)));
    }
    Ok(all)
}

/// From when to when. A push that goes to one edge first counts as done when it has been stopped, so what it cost lies
/// before that.
fn span(variant: Option<&Variant>, truth: &Value) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (injected, recovered) = (time(&truth["injected_at"])?, time(&truth["recovered_at"])?);
    let first = match variant.map(|variant| variant.way) {
        Some(Way::OneFirst(first)) => TimeDelta::from_std(first).unwrap_or_default(),
        _ => TimeDelta::zero(),
    };
    Some((injected - first, recovered))
}

/// Compares a proof with an item with the one without. An item that is not worth what the drill says is a failure.
pub(super) fn compare(variant: &Variant, without: &Proof, with: &mut Proof) {
    // One that has failed was not measured, and says why itself.
    if !with.passed() {
        return;
    }
    let differences = variant.differences(&without.measures, &with.measures);
    with.failures.extend(differences.iter().filter(|one| !one.holds()).map(failure));
    if !with.failures.is_empty() {
        "failed".clone_into(&mut with.verdict);
    }
}

/// Prints what is different with an item.
pub(super) fn print(variant: &Variant, without: &Proof, with: &Proof) {
    out!("  {}", variant.item);
    for one in variant.differences(&without.measures, &with.measures) {
        let Difference { measure, least, .. } = &one;
        out!("  {measure:18} {}, at least {least} times as much without", words(&one));
    }
}

fn failure(one: &Difference) -> Failure {
    Failure {
        phase: "compare".to_owned(),
        condition: format!("{} is less with the item", one.measure),
        query: String::new(),
        expected: format!("at least {} times as much without it", one.least),
        seen: words(one),
    }
}

/// `2310 without, 12 with`
fn words(one: &Difference) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), |value| format!("{value:.0}"));
    format!("{} without, {} with", number(one.without), number(one.with))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::{super::proof::tests::proof, *};
    use crate::commands::drill::files;

    fn outage() -> Drill {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        drills["cdn-waf-outage"].clone()
    }

    fn measured(failed: f64, seconds: f64) -> Proof {
        let measures = [("failed-requests", failed), ("breach-seconds", seconds)];
        let measures = measures.map(|(name, value)| (name.to_owned(), value)).into();
        Proof { measures, ..proof(Vec::new()) }
    }

    #[test]
    fn an_item_that_changes_too_little_fails_its_proof_and_says_by_how_much() {
        let drill = outage();
        let variant = drill.variants.iter().find(|one| one.name == "bounded-search").unwrap();
        assert_eq!(name(&drill, Some(variant)), "cdn-waf-outage with bounded-search");
        assert_eq!(name(&drill, None), "cdn-waf-outage");
        let without = measured(2310.0, 60.0);
        let mut well = measured(12.0, 3.0);
        compare(variant, &without, &mut well);
        assert!(well.passed() && well.failures.is_empty(), "{:?}", well.failures);
        let mut little = measured(12.0, 40.0);
        compare(variant, &without, &mut little);
        assert_eq!((little.verdict.as_str(), little.failures.len()), ("failed", 1));
        let wrong = &little.failures[0];
        assert_eq!(wrong.seen, "60 without, 40 with");
        assert!(wrong.condition.starts_with("breach-seconds"), "{}", wrong.condition);
        // What nobody measured proves nothing.
        let mut unknown = proof(Vec::new());
        compare(variant, &without, &mut unknown);
        assert_eq!(
            (unknown.verdict.as_str(), unknown.failures[0].seen.as_str()),
            ("failed", "60 without, ? with")
        );
        let mut broken = Proof { verdict: "invalid".to_owned(), ..proof(Vec::new()) };
        compare(variant, &without, &mut broken);
        assert_eq!((broken.verdict.as_str(), broken.failures.len()), ("invalid", 0));
    }

    #[test]
    fn what_a_push_costs_counts_from_its_first_edge_on() {
        let drill = outage();
        let of = |name: &str| drill.variants.iter().find(|one| one.name == name);
        let truth = json!({ "injected_at": "2026-11-21T10:00:10Z", "recovered_at": "2026-11-21T10:01:00Z" });
        let seconds = |variant| span(variant, &truth).map(|(from, until)| (until - from).num_seconds());
        assert_eq!((seconds(None), seconds(of("staged"))), (Some(50), Some(50)));
        assert_eq!(seconds(of("one-edge-first")), Some(60));
        assert_eq!(span(None, &json!({ "injected_at": "2026-11-21T10:00:10Z", "recovered_at": null })), None);
    }
}
