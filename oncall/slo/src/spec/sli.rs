//! The indicator: a ratio of two counters, a histogram with a threshold, or a rate that has to be reached.

use serde_saphyr::Spanned;

use super::{
    THROUGHPUT,
    notes::Throughput,
    raw::{Indicator, MetricHolder, MetricSource, Objective, RatioMetric, ThresholdMetric},
    reader::Reader,
};
use crate::{Flow, Sli, selector::Selector};

const SPEC: &str = "spec.indicator.spec";

/// Reads the indicator; the threshold of a `thresholdMetric` is in the objective, the rates of a throughput are in annotations.
pub(super) fn read(
    reader: &mut Reader,
    indicator: &Spanned<Indicator>,
    objective: Option<&Spanned<Objective>>,
    throughput: Option<&Throughput>,
) -> Option<Sli> {
    let spec = &indicator.value.spec;
    match (&spec.value.ratio_metric, &spec.value.threshold_metric) {
        (Some(ratio), None) => {
            let own = objective.map(|objective| &objective.value);
            if let Some(op) = own.and_then(|own| own.op.as_ref()) {
                reader.wrong(op, "spec.objectives[0].op", "expected none with a ratioMetric");
            }
            if let Some(value) = own.and_then(|own| own.value.as_ref()) {
                reader.wrong(value, "spec.objectives[0].value", "expected none with a ratioMetric");
            }
            let sli = self::ratio(reader, ratio)?;
            match (sli, throughput) {
                (sli, None) => Some(sli),
                (Sli::Good { good, total }, Some(rates)) => Some(Sli::Throughput(Flow {
                    done: good,
                    offered: total,
                    floor: rates.floor,
                    from: rates.from,
                })),
                (_, Some(_)) => {
                    let message = format!(
                        "{THROUGHPUT} needs `good`, what is done, in addition to `total`, what is offered"
                    );
                    reader.wrong(ratio, &format!("{SPEC}.ratioMetric"), message);
                    None
                }
            }
        }
        (None, Some(threshold)) if throughput.is_some() => {
            let message =
                format!("expected a ratioMetric with {THROUGHPUT}: what is done, of what is offered");
            reader.wrong(threshold, &format!("{SPEC}.thresholdMetric"), message);
            None
        }
        (None, Some(threshold)) => self::threshold(reader, threshold, objective?),
        _ => {
            reader.wrong(spec, SPEC, "expected either ratioMetric or thresholdMetric");
            None
        }
    }
}

fn ratio(reader: &mut Reader, ratio: &Spanned<RatioMetric>) -> Option<Sli> {
    let field = |name: &str| format!("{SPEC}.ratioMetric.{name}");
    let RatioMetric { counter, good, bad, total, raw, .. } = &ratio.value;
    if !counter.value {
        reader.wrong(
            counter,
            &field("counter"),
            "expected `true`: gauges cannot be summed over time by events",
        );
    }
    if let Some(raw) = raw {
        reader.wrong(raw, &field("raw"), "not supported: expected `total` with `good` or `bad`");
    }
    let Some(total) = total else {
        reader.wrong(ratio, &field("total"), "missing: expected all events");
        return None;
    };
    let total = selector(reader, &total.metric_source, &field("total"));
    let part = |reader: &mut Reader, name: &str, holder: &MetricHolder| {
        selector(reader, &holder.metric_source, &field(name))
    };
    match (good, bad) {
        (Some(good), None) => {
            let good = part(reader, "good", good);
            Some(Sli::Good { good: good?, total: total? })
        }
        (None, Some(bad)) => {
            let bad = part(reader, "bad", bad);
            Some(Sli::Bad { bad: bad?, total: total? })
        }
        _ => {
            reader.wrong(
                ratio,
                &format!("{SPEC}.ratioMetric"),
                "expected either `good` or `bad` in addition to `total`",
            );
            None
        }
    }
}

fn threshold(
    reader: &mut Reader,
    threshold: &Spanned<ThresholdMetric>,
    objective: &Spanned<Objective>,
) -> Option<Sli> {
    let histogram = selector(reader, &threshold.value.metric_source, &format!("{SPEC}.thresholdMetric"));
    let field = |name: &str| format!("spec.objectives[0].{name}");
    match &objective.value.op {
        Some(op) if op.value == "lte" => {}
        Some(op) => {
            let message =
                format!("expected `lte`, found `{}`: a bucket counts what is at most its bound", op.value);
            reader.wrong(op, &field("op"), message);
        }
        None => reader.wrong(objective, &field("op"), "missing: expected `lte` with a thresholdMetric"),
    }
    let Some(value) = &objective.value.value else {
        reader.wrong(objective, &field("value"), "missing: expected the longest good time, in seconds");
        return None;
    };
    if !(value.value > 0.0 && value.value.is_finite()) {
        reader.wrong(value, &field("value"), format!("expected seconds above 0, found {}", value.value));
        return None;
    }
    reader.state.place(value, &field("value"));
    Some(Sli::Latency { histogram: histogram?, threshold: value.value })
}

fn selector(reader: &mut Reader, source: &MetricSource, field: &str) -> Option<Selector> {
    if source.kind.value != "Prometheus" {
        let message = format!("expected `Prometheus`, found `{}`", source.kind.value);
        reader.wrong(&source.kind, &format!("{field}.metricSource.type"), message);
    }
    let query = &source.spec.query;
    let field = format!("{field}.metricSource.spec.query");
    reader.state.place(query, &field);
    reader.take(query, &field, Selector::parse(&query.value))
}
