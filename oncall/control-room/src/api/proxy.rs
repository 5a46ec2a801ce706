//! Queries to Prometheus for the curves of pages: reading only, and bounded in time, points and size.

use std::time::Duration;

use axum::{
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_http::{
    Problem, Query,
    problems::{INVALID_REQUEST, UPSTREAM_UNAVAILABLE},
};
use chrono::DateTime;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use url::Url;
use utoipa::IntoParams;

use super::openapi::Reads;
use crate::{access::Visitor, error::Error};

/// Longest wait for Prometheus: less than a request may take, so that the answer says what is slow.
const PATIENCE: Duration = Duration::from_millis(4500);
/// Most points of a curve, as Prometheus has it.
const POINTS: f64 = 11_000.0;
/// Largest answer in bytes.
const LARGEST: usize = 2 << 20;
/// Longest query in characters.
const LONGEST: usize = 8000;

/// A client of Prometheus. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Proxy {
    client: reqwest::Client,
    base: String,
}

impl Proxy {
    pub(crate) fn to(prometheus: &Url) -> Self {
        let builder = reqwest::Client::builder().timeout(PATIENCE).no_proxy();
        let base = prometheus.as_str().trim_end_matches('/').to_owned();
        // Without TLS, building the client cannot fail.
        Self { client: builder.build().unwrap_or_default(), base }
    }

    /// The answer, as Prometheus gave it.
    async fn ask(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Response, Problem> {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let unreachable = |error: reqwest::Error| {
            let detail = format!("Prometheus at {} does not answer; see its row in `lab status`.", self.base);
            Problem::new(&UPSTREAM_UNAVAILABLE, detail).retry_after(1).because(&error)
        };
        let url = format!("{}{path}?{query}", self.base);
        let mut answer = self.client.get(url).send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + piece.len() > LARGEST {
                return Err(Error::field(
                    "query",
                    format!("a narrower query: its answer is larger than {LARGEST} bytes"),
                )
                .into());
            }
            body.extend_from_slice(&piece);
        }
        if status.is_success() {
            return Ok(([(CONTENT_TYPE, "application/json")], body).into_response());
        }
        Err(refused(status.as_u16(), &body))
    }
}

/// What Prometheus says about a query that it does not run.
fn refused(status: u16, body: &[u8]) -> Problem {
    let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let said = said["error"].as_str().unwrap_or("no reason").to_owned();
    if matches!(status, 400 | 422) {
        return Problem::new(&INVALID_REQUEST, "Prometheus does not run this query.").field("query", said);
    }
    Problem::new(&UPSTREAM_UNAVAILABLE, format!("Prometheus answers {status}: {said}.")).retry_after(1)
}

/// A query at an instant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InstantAsked {
    /// PromQL.
    query: String,
    /// Seconds since 1970, or RFC 3339; now, if absent.
    time: Option<String>,
}

/// Asks Prometheus for the value of a query; answers as Prometheus does.
#[utoipa::path(get, path = "/api/v1/query", operation_id = "query", params(InstantAsked), responses(Reads))]
pub(crate) async fn query(
    Shared(proxy): Shared<Proxy>,
    _visitor: Visitor,
    Query(asked): Query<InstantAsked>,
) -> Result<Response, Problem> {
    let query = promql(&asked.query)?;
    let time = asked.time.map(|time| instant("time", &time)).transpose()?.map(|time| time.to_string());
    let mut pairs = vec![("query", query)];
    pairs.extend(time.as_deref().map(|time| ("time", time)));
    proxy.ask("/api/v1/query", &pairs).await
}

/// A query over time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeAsked {
    /// PromQL.
    query: String,
    /// Seconds since 1970, or RFC 3339.
    start: String,
    /// The same; not before `start`.
    end: String,
    /// Seconds, or a time such as 15s. At most 11,000 points fit between `start` and `end`.
    step: String,
}

/// Asks Prometheus for a curve; answers as Prometheus does.
#[utoipa::path(
    get,
    path = "/api/v1/query_range",
    operation_id = "query_range",
    params(RangeAsked),
    responses(Reads)
)]
pub(crate) async fn query_range(
    Shared(proxy): Shared<Proxy>,
    _visitor: Visitor,
    Query(asked): Query<RangeAsked>,
) -> Result<Response, Problem> {
    let query = promql(&asked.query)?;
    let [start, end, step] = span(&asked.start, &asked.end, &asked.step)?.map(|number| number.to_string());
    let pairs = [("query", query), ("start", start.as_str()), ("end", end.as_str()), ("step", step.as_str())];
    proxy.ask("/api/v1/query_range", &pairs).await
}

fn promql(query: &str) -> Result<&str, Error> {
    let length = query.chars().count();
    if query.trim().is_empty() || length > LONGEST {
        return Err(Error::field("query", format!("PromQL of 1 to {LONGEST} characters, found {length}")));
    }
    Ok(query)
}

/// Start, end and step in seconds.
fn span(start: &str, end: &str, step: &str) -> Result<[f64; 3], Error> {
    let (start, end) = (instant("start", start)?, instant("end", end)?);
    let step = seconds(step).ok_or_else(|| Error::field("step", "seconds above 0, or a time such as 15s"))?;
    if end < start {
        return Err(Error::field("end", "not before `start`"));
    }
    if (end - start) / step + 1.0 > POINTS {
        let least = (end - start) / (POINTS - 1.0);
        return Err(Error::field(
            "step",
            format!("at least {least:.3} s: a curve has at most {POINTS} points"),
        ));
    }
    Ok([start, end, step])
}

fn instant(field: &str, text: &str) -> Result<f64, Error> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let date = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_micros() as f64 / 1e6);
    number
        .or_else(date)
        .ok_or_else(|| Error::field(field, "seconds since 1970, or a time such as 2026-11-29T07:06:40Z"))
}

fn seconds(text: &str) -> Option<f64> {
    let number = text.parse::<f64>().ok();
    let number = number.or_else(|| humantime::parse_duration(text).ok().map(|time| time.as_secs_f64()));
    number.filter(|number| number.is_finite() && *number > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_a_beginning_an_end_and_at_most_11000_points() {
        assert_eq!(span("100", "1970-01-01T00:10:00Z", "15s").unwrap(), [100.0, 600.0, 15.0]);
        assert_eq!(span("0", "10999", "1").unwrap(), [0.0, 10_999.0, 1.0]);
        for (start, end, step, field) in [
            ("now", "1", "1", "start"),
            ("0", "NaN", "1", "end"),
            ("2", "1", "1", "end"),
            ("0", "1", "0", "step"),
            ("0", "1", "inf", "step"),
            ("0", "11000", "1", "step"),
        ] {
            let refused = span(start, end, step).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("{field}: ")), "{refused}");
        }
    }

    #[test]
    fn what_prometheus_says_about_a_query_is_about_the_query() {
        let problem = refused(400, br#"{"status":"error","error":"parse error: unexpected end"}"#);
        assert_eq!(
            (problem.status.as_u16(), &*problem.errors["query"]),
            (400, "parse error: unexpected end")
        );
        assert_eq!(refused(502, b"<html>").status, 503);
    }
}
