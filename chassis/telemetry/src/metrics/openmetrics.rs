//! OpenMetrics 1.0 text from gathered families: with what the `prometheus` crate's encoder does not write, mainly exemplars.
//!
//! Differences to the older text: a counter's family drops `_total`, numbers of `le` are canonical floats (`1.0`),
//! the document ends in `# EOF`.

use std::fmt::Write as _;

use prometheus::proto::{Histogram as HistogramValue, LabelPair, MetricFamily, MetricType};

use super::histogram::{Exemplar, HistogramVec};

/// The content type of what [`encode`] writes.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether an `Accept` header asks for OpenMetrics.
pub(super) fn accepted(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"))
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// Renders `families`; `exemplars` finds the histograms made by this process by their family name.
pub(super) fn encode(families: &[MetricFamily], exemplars: impl Fn(&str) -> Option<HistogramVec>) -> String {
    let mut out = String::with_capacity(64 * 1024);
    for family in families {
        let (name, kind) = family_name(family);
        let _ = writeln!(out, "# HELP {name} {}", escape(family.help()));
        let _ = writeln!(out, "# TYPE {name} {kind}");
        let source = exemplars(family.name());
        for metric in family.get_metric() {
            let labels = metric.get_label();
            match family.get_field_type() {
                MetricType::COUNTER => {
                    sample(&mut out, family.name(), "", labels, None, metric.get_counter().get_value());
                }
                MetricType::GAUGE => {
                    sample(&mut out, family.name(), "", labels, None, metric.get_gauge().get_value());
                }
                MetricType::HISTOGRAM => {
                    let found = source.as_ref().map(|source| source.exemplars(labels)).unwrap_or_default();
                    histogram(&mut out, family.name(), labels, metric.get_histogram(), &found);
                }
                // No program of the lab creates these.
                MetricType::SUMMARY | MetricType::UNTYPED => {}
            }
        }
    }
    out.push_str("# EOF\n");
    out
}

/// The family's name and type: a counter whose samples do not end in `_total` must not be declared as one.
fn family_name(family: &MetricFamily) -> (&str, &'static str) {
    let name = family.name();
    match family.get_field_type() {
        MetricType::COUNTER => {
            name.strip_suffix("_total").map_or((name, "unknown"), |family| (family, "counter"))
        }
        MetricType::GAUGE => (name, "gauge"),
        MetricType::HISTOGRAM => (name, "histogram"),
        MetricType::SUMMARY | MetricType::UNTYPED => (name, "unknown"),
    }
}

fn histogram(
    out: &mut String,
    name: &str,
    labels: &[LabelPair],
    value: &HistogramValue,
    exemplars: &[Option<Exemplar>],
) {
    let exemplar = |bucket: usize| exemplars.get(bucket).copied().flatten();
    let buckets = value.get_bucket();
    for (at, bucket) in buckets.iter().enumerate() {
        let bound = number(bucket.upper_bound());
        let count = counted(bucket.cumulative_count());
        line(out, name, "_bucket", labels, Some(("le", &bound)), &count, exemplar(at));
    }
    let count = counted(value.get_sample_count());
    line(out, name, "_bucket", labels, Some(("le", "+Inf")), &count, exemplar(buckets.len()));
    sample(out, name, "_sum", labels, None, value.get_sample_sum());
    line(out, name, "_count", labels, None, &count, None);
}

fn sample(
    out: &mut String,
    name: &str,
    suffix: &str,
    labels: &[LabelPair],
    extra: Option<(&str, &str)>,
    value: f64,
) {
    line(out, name, suffix, labels, extra, &number(value), None);
}

fn line(
    out: &mut String,
    name: &str,
    suffix: &str,
    labels: &[LabelPair],
    extra: Option<(&str, &str)>,
    value: &str,
    exemplar: Option<Exemplar>,
) {
    out.push_str(name);
    out.push_str(suffix);
    let own = labels.iter().map(|pair| (pair.name(), pair.value()));
    let mut open = '{';
    for (label, text) in own.chain(extra) {
        let _ = write!(out, "{open}{label}=\"{}\"", escape(text));
        open = ',';
    }
    if open == ',' {
        out.push('}');
    }
    let _ = write!(out, " {value}");
    if let Some(Exemplar { trace, value, at }) = exemplar {
        // 8 characters of name and 32 of value: far below the limit of 128.
        let _ = write!(out, " # {{trace_id=\"{trace}\"}} {} {at:.3}", number(value));
    }
    out.push('\n');
}

/// A canonical OpenMetrics number: always with a fraction or an exponent, so that every exporter writes `le` the same way.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    // `{:?}` writes the shortest text that reads back as the same number, and `1.0` rather than `1`.
    format!("{value:?}")
}

/// A count, written without a fraction.
fn counted(value: u64) -> String {
    value.to_string()
}

fn escape(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(['\\', '\n', '"']) {
        text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"").into()
    } else {
        text.into()
    }
}
