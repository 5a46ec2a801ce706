//! Metrics: a query in PromQL, at an instant or over time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer,
    asked::logged,
    bounds::{SPAN, first, limit, text, when},
    prometheus::ask,
};
use crate::{
    error::{Error, Result},
    mcp::caller::Caller,
    room::Room,
};

/// Longest query in characters.
const LONGEST: usize = 2000;
/// Series of an answer, usually and at most.
const SERIES: (usize, usize) = (20, 100);
/// Points of a curve, usually and at most.
const POINTS: (i64, i64) = (60, 240);
/// What to do if not all series are in the answer.
const NARROW: &str = "aggregate (`sum by (…)`), take the largest (`topk`), select fewer, or set `limit`";

/// A query.
#[derive(Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricsAsked {
    /// PromQL, at most 2,000 characters.
    query: String,
    /// Where a curve begins: an instant (RFC 3339) or how long ago, such as 15m; at most 6 h before its end.
    /// Absent: no curve, the values at `end`.
    start: Option<String>,
    /// Where the curve ends, or the instant; now, if absent.
    end: Option<String>,
    /// Distance of the points, such as 15s; at most 240 fit. Absent: about 60 points.
    step: Option<String>,
    /// Most series, 1 to 100; 20, if absent.
    limit: Option<usize>,
}

/// Asks Prometheus: `samples` with their labels and values; or, with `start`, `series` with their points.
///
/// # Errors
/// When the query or its time is wrong or too wide, or Prometheus does not answer.
pub(crate) async fn metrics(room: &Room, caller: &Caller, asked: MetricsAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    logged(room, caller, "query_metrics", arguments, look(room, &asked, Utc::now())).await
}

async fn look(room: &Room, asked: &MetricsAsked, now: DateTime<Utc>) -> Result<Answer> {
    text("query", &asked.query, LONGEST)?;
    let most = limit(asked.limit, SERIES.0, SERIES.1)?;
    let end = asked.end.as_deref().map_or(Ok(now), |text| when("end", text, now))?;
    let prometheus = &room.config.sources.prometheus_url;
    let Some(start) = &asked.start else {
        let at = seconds(end).to_string();
        let data = ask(prometheus, "/api/v1/query", &[("query", &asked.query), ("time", &at)]).await?;
        let (samples, older) = rows(&data);
        let (samples, note) = first(samples, most, NARROW);
        return Ok(Answer::new(json!({ "at": end, "samples": samples })).noting(note).noting(older));
    };
    let start = when("start", start, now)?;
    let step = step(asked.step.as_deref(), start, end)?;
    let [from, until, every] =
        [seconds(start), seconds(end), step.as_secs_f64()].map(|number| number.to_string());
    let pairs = [
        ("query", asked.query.as_str()),
        ("start", from.as_str()),
        ("end", until.as_str()),
        ("step", every.as_str()),
    ];
    let data = ask(prometheus, "/api/v1/query_range", &pairs).await?;
    let (series, older) = rows(&data);
    let (series, note) = first(series, most, NARROW);
    let body = json!({ "from": start, "until": end, "step_seconds": step.as_secs_f64(), "series": series });
    Ok(Answer::new(body).noting(note).noting(older))
}

/// The distance of the points of a curve.
fn step(asked: Option<&str>, start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Duration> {
    let span = end - start;
    if span <= TimeDelta::zero() {
        return Err(Error::field("start", "before `end`"));
    }
    if span > SPAN {
        return Err(Error::field("start", format!("at most {} h before `end`", SPAN.num_hours())));
    }
    let span = span.to_std().unwrap_or_default();
    let shortest = |points: i64| span.as_secs_f64() / points as f64;
    let Some(text) = asked else {
        return Ok(Duration::from_secs_f64(shortest(POINTS.0).ceil().max(1.0)));
    };
    let number = text.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
    let step = number.or_else(|| humantime::parse_duration(text).ok()).filter(|step| !step.is_zero());
    let step = step.ok_or_else(|| Error::field("step", "a time above 0, such as 15s"))?;
    if step.as_secs_f64() < shortest(POINTS.1) {
        let least = shortest(POINTS.1).ceil();
        return Err(Error::field(
            "step",
            format!("at least {least} s: a curve has at most {} points", POINTS.1),
        ));
    }
    Ok(step)
}

/// Seconds since 1970.
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

/// A row for each series, whatever the kind of the result; and a sentence, if points are missing.
fn rows(data: &Value) -> (Vec<Value>, Option<String>) {
    let result = &data["result"];
    let list = || result.as_array().into_iter().flatten();
    match data["resultType"].as_str() {
        Some("matrix") => {
            let mut missing = false;
            let curve = |series: &Value| {
                let points = series["values"].as_array().map(Vec::as_slice).unwrap_or_default();
                let from = points.len().saturating_sub(usize::try_from(POINTS.1).unwrap_or_default());
                missing |= from > 0;
                let points = points[from..].iter().map(|point| json!([point[0], number(&point[1])]));
                json!({ "labels": series["metric"], "points": points.collect::<Vec<_>>() })
            };
            let curves: Vec<Value> = list().map(curve).collect();
            let note = format!("a series has only its newest {} points: ask for a shorter time", POINTS.1);
            (curves, missing.then_some(note))
        }
        Some("scalar" | "string") => (vec![json!({ "labels": {}, "value": number(&result[1]) })], None),
        _ => {
            let sample = |one: &Value| json!({ "labels": one["metric"], "value": number(&one["value"][1]) });
            (list().map(sample).collect(), None)
        }
    }
}

/// A number where JSON has one; NaN and the infinities stay words.
fn number(text: &Value) -> Value {
    let parsed = text.as_str().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    parsed.map_or_else(|| text.clone(), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_result_is_rows_of_labels_and_numbers() {
        let vector = json!({ "resultType": "vector", "result": [
            { "metric": { "service": "order-api" }, "value": [1.5, "0.25"] },
            { "metric": {}, "value": [1.5, "+Inf"] },
        ] });
        let (samples, note) = rows(&vector);
        assert_eq!(samples[0], json!({ "labels": { "service": "order-api" }, "value": 0.25 }));
        assert_eq!((&samples[1]["value"], note), (&json!("+Inf"), None));
        let scalar = json!({ "resultType": "scalar", "result": [1.5, "2"] });
        assert_eq!(rows(&scalar).0, [json!({ "labels": {}, "value": 2.0 })]);
        let values: Vec<Value> = (0..241).map(|at| json!([at, "1"])).collect();
        let matrix = json!({ "resultType": "matrix", "result": [{ "metric": {}, "values": values }] });
        let (curves, note) = rows(&matrix);
        assert_eq!(curves[0]["points"].as_array().unwrap().len(), 240);
        assert_eq!((&curves[0]["points"][0], note.is_some()), (&json!([1, 1.0]), true));
    }

    #[test]
    fn a_curve_is_at_most_six_hours_and_240_points() {
        let end: DateTime<Utc> = "2026-11-29T12:00:00Z".parse().unwrap();
        let of = |minutes, asked| step(asked, end - TimeDelta::minutes(minutes), end);
        assert_eq!(of(30, None).unwrap(), Duration::from_secs(30));
        assert_eq!(of(0, None).unwrap_err().to_string(), "start: before `end`");
        assert_eq!(of(361, None).unwrap_err().to_string(), "start: at most 6 h before `end`");
        assert_eq!(of(60, Some("15s")).unwrap(), Duration::from_secs(15));
        assert_eq!(of(60, Some("15")).unwrap(), Duration::from_secs(15));
        let narrow = of(60, Some("5s")).unwrap_err().to_string();
        assert_eq!(narrow, "step: at least 15 s: a curve has at most 240 points");
        for wrong in ["0", "-1", "inf", "often"] {
            assert!(of(60, Some(wrong)).unwrap_err().to_string().starts_with("step: a time"), "{wrong}");
        }
    }
}
