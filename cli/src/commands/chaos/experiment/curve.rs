//! What was measured in the passes, over time.

use anyhow::Result;
use chrono::TimeDelta;
use observe::Prometheus;
use serde::Serialize;

use super::{file::Measure, pass::Pass};

/// Seconds that are drawn before and after what was broken.
const AROUND: i64 = 15;

/// What was measured in one pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Curve {
    /// Seconds after the first step, and the value.
    pub(super) points: Vec<(f64, f64)>,
    /// On average while something was broken; absent without a sample.
    pub(super) mean: Option<f64>,
    /// Seconds from the first step to the end of the last one.
    pub(super) broken: f64,
}

/// Asks for a measure over a pass.
///
/// # Errors
/// When Prometheus does not answer.
pub(super) async fn curve(prometheus: &Prometheus, measure: &Measure, pass: &Pass) -> Result<Curve> {
    let around = TimeDelta::seconds(AROUND);
    let series = prometheus.query_range(&measure.query, pass.from - around, pass.until + around, 1.0).await?;
    let from = pass.from.timestamp_millis() as f64 / 1000.0;
    let until = (pass.until - pass.from).as_seconds_f64();
    let points = series.first().into_iter().flat_map(observe::prometheus::Series::points);
    let points: Vec<(f64, f64)> =
        points.map(|(at, value)| (at - from, value)).filter(|(_, value)| value.is_finite()).collect();
    let broken: Vec<f64> =
        points.iter().filter(|(at, _)| (0.0..=until).contains(at)).map(|(_, value)| *value).collect();
    let mean = (!broken.is_empty()).then(|| broken.iter().sum::<f64>() / broken.len() as f64);
    Ok(Curve { points, mean, broken: until })
}
