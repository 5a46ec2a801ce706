//! What was exported during a run, second by second, in the notation of promtool.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use observe::{Prometheus, prometheus::Labels};
use serde_json::{Value, json};

/// What a histogram or a summary appends to the name of its metric.
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// One series from the first second on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    labels: Labels,
    /// Nothing where it did not exist.
    values: Vec<Option<f64>>,
}

/// The series of these selectors, for this number of seconds.
///
/// # Errors
/// When Prometheus cannot be reached.
pub(super) async fn recorded(
    prometheus: &Prometheus,
    selectors: &BTreeSet<String>,
    from: DateTime<Utc>,
    seconds: usize,
) -> Result<Vec<Recorded>> {
    let until = from + TimeDelta::seconds(i64::try_from(seconds)?);
    let mut all: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
    for selector in selectors {
        for series in prometheus.query_range(selector, from, until, 1.0).await? {
            let values = all.entry(series.metric.clone()).or_insert_with(|| vec![None; seconds + 1]);
            for (at, value) in series.points() {
                let place = (at - epoch(from)).round();
                // Below the seconds of a run.
                if let Some(slot) = values.get_mut(place.max(0.0) as usize) {
                    *slot = Some(value);
                }
            }
        }
    }
    Ok(all.into_iter().map(|(labels, values)| Recorded { labels, values }).collect())
}

/// Whole seconds since 1970, as Prometheus answers them.
fn epoch(at: DateTime<Utc>) -> f64 {
    at.timestamp() as f64
}

impl Recorded {
    /// Whether it belongs to a metric; a histogram has several series.
    pub(super) fn is_of(&self, metric: &str) -> bool {
        let name = self.labels.get("__name__").map_or("", String::as_str);
        name == metric || SUFFIXES.iter().any(|suffix| name.strip_suffix(suffix) == Some(metric))
    }

    /// A series of a service, from its first second on.
    #[cfg(test)]
    pub(super) fn of(name: &str, service: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let labels = [("__name__", name), ("service", service)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { labels, values: values.into_iter().map(Some).collect() }
    }

    /// As promtool reads it.
    pub(super) fn entry(&self) -> Value {
        json!({ "series": notation(&self.labels), "values": values(&self.values) })
    }
}

/// `name{label="value"}`
fn notation(labels: &Labels) -> String {
    let name = labels.get("__name__").map_or("", String::as_str);
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let others = labels.iter().filter(|(name, _)| *name != "__name__");
    let others: Vec<String> = others.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{name}{{{}}}", others.join(", "))
}

/// One word for each second: a number, `stale` where the series ends, `_` where there is nothing.
fn values(values: &[Option<f64>]) -> String {
    let mut words = Vec::with_capacity(values.len());
    let mut there = false;
    for value in values {
        words.push(match value {
            // Without an exponent, which is read as a sequence in some versions.
            Some(value) if value.is_finite() => value.to_string(),
            Some(value) if value.is_nan() => "NaN".to_owned(),
            Some(value) if *value > 0.0 => "Inf".to_owned(),
            Some(_) => "-Inf".to_owned(),
            // Without the mark, the last value would be looked back at for five minutes.
            None if there => "stale".to_owned(),
            None => "_".to_owned(),
        });
        there = value.is_some();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(list: &[(&str, &str)]) -> Labels {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_series_is_written_second_by_second_with_its_gaps_and_its_end() {
        let series = Recorded {
            labels: labels(&[("__name__", "up"), ("job", "a\"b\\c")]),
            values: vec![
                None,
                Some(1.0),
                Some(1_500_000.25),
                None,
                None,
                Some(f64::NAN),
                Some(f64::NEG_INFINITY),
            ],
        };
        assert_eq!(
            series.entry(),
            json!({ "series": "up{job=\"a\\\"b\\\\c\"}", "values": "_ 1 1500000.25 stale _ NaN -Inf" })
        );
    }

    #[test]
    fn a_histogram_has_the_series_of_its_metric() {
        let of = |name: &str| Recorded { labels: labels(&[("__name__", name)]), values: Vec::new() };
        for name in ["x_seconds", "x_seconds_bucket", "x_seconds_count"] {
            assert!(of(name).is_of("x_seconds"), "{name}");
        }
        assert!(!of("x_seconds_total").is_of("x_seconds") && !of("y").is_of("x_seconds"));
    }
}
