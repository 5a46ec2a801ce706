//! RED metrics of inbound requests: rate, errors, duration, by route template.
//!
//! Handles are resolved once per method and template; a request finds its own by one hash look-up. Labels are bounded:
//! templates come from the router, methods are the standard ones or `_OTHER`, statuses are three digits.

use std::collections::HashMap;

use arc_swap::ArcSwap;
use axum::response::Response;
use http::{Method, StatusCode};
use prometheus::{IntCounter, IntCounterVec, IntGauge};
use tokio::time::Instant;

use crate::Routes;
use chassis_telemetry::metrics::{Histogram, HistogramVec, LATENCY_BUCKETS, Metrics};

/// `endpoint` of requests that match no route.
const UNMATCHED: &str = "unmatched";
/// Status of a request that ended without a response because the client or the connection was gone (nginx's number).
pub(super) const CANCELLED: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => unreachable!(),
};

/// Statuses whose series exist before the first request, by method.
fn usual_statuses(method: &str) -> &'static [u16] {
    match method {
        "POST" => &[201, 202, 400, 408, 409, 413, 415, 422, 499, 500, 503, 504],
        "PUT" | "PATCH" => &[200, 204, 400, 404, 408, 409, 413, 415, 422, 499, 500, 503, 504],
        "DELETE" => &[200, 204, 400, 404, 409, 499, 500, 503, 504],
        _ => &[200, 400, 404, 499, 500, 503, 504],
    }
}

chassis_telemetry::metrics! {
    /// The families.
    struct Families {
        /// Requests by method, route template and status; 499 when the client left before the answer.
        http_requests_total: IntCounterVec["method", "endpoint", "status"],
        /// Time from the last byte of the request to the head of the answer.
        http_request_duration_seconds: HistogramVec["method", "endpoint"](LATENCY_BUCKETS),
        /// Requests that have been read and have no answer yet.
        http_requests_in_flight: IntGauge,
    }
}

/// The metrics of one router.
pub(super) struct HttpMetrics {
    families: Families,
    /// By template; replaced as a whole when an undeclared one turns up, which ends after each was asked once.
    endpoints: ArcSwap<HashMap<String, Methods>>,
    /// Whether the series of a route exist before its first request.
    from_zero: bool,
}

/// The methods of one template, by label: few, so a scan is fastest.
type Methods = Vec<(&'static str, &'static Endpoint)>;

/// The handles of one method of one route. There are as many as series, so they live as long as the process: a count of holders
/// would be written by every request.
pub(super) struct Endpoint {
    /// `{METHOD} {template}`, as the span is named.
    pub(super) span_name: String,
    pub(super) method: &'static str,
    pub(super) template: String,
    statuses: Vec<(StatusCode, IntCounter)>,
    requests: IntCounterVec,
    duration: Histogram,
    in_flight: IntGauge,
}

impl HttpMetrics {
    pub(super) fn new(metrics: &Metrics, routes: &Routes) -> Self {
        let from_zero = routes.counted_from_zero;
        let this = Self { families: Families::register(metrics), endpoints: ArcSwap::default(), from_zero };
        for (method, template) in routes.declared.iter().filter(|_| from_zero) {
            let _ = this.endpoint(Some(template), method);
        }
        let _ = this.endpoint(None, &Method::GET);
        this
    }

    /// The handles for a request.
    pub(super) fn endpoint(&self, template: Option<&str>, method: &Method) -> &'static Endpoint {
        let (template, method) = (template.unwrap_or(UNMATCHED), label(method));
        let known = self.endpoints.load();
        let found = known.get(template).and_then(|methods| methods.iter().find(|(name, _)| *name == method));
        match found {
            Some((_, endpoint)) => endpoint,
            None => self.add(template, method),
        }
    }

    fn add(&self, template: &str, method: &'static str) -> &'static Endpoint {
        let families = &self.families;
        let counter = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            (status, families.http_requests_total.with_label_values(&[method, template, status.as_str()]))
        };
        // Without a route there is one response only.
        let usual = match template {
            UNMATCHED => &[404],
            _ if self.from_zero => usual_statuses(method),
            _ => &[],
        };
        let endpoint: &'static Endpoint = Box::leak(Box::new(Endpoint {
            span_name: if template == UNMATCHED { method.to_owned() } else { format!("{method} {template}") },
            method,
            template: template.to_owned(),
            statuses: usual.iter().copied().map(counter).collect(),
            requests: families.http_requests_total.clone(),
            duration: families.http_request_duration_seconds.with(&[method, template]),
            in_flight: families.http_requests_in_flight.clone(),
        }));
        self.endpoints.rcu(|known| {
            let mut known = HashMap::clone(known);
            let methods = known.entry(template.to_owned()).or_default();
            if !methods.iter().any(|(name, _)| *name == method) {
                methods.push((method, endpoint));
            }
            known
        });
        endpoint
    }
}

impl Endpoint {
    /// Counts the response to a request that was not read to its end, without a duration: the time was the client's.
    pub(super) fn refuse(&self, answer: Response) -> Response {
        self.count(answer.status());
        answer
    }

    /// Counts and times `work`, which began at `started`, even if it is dropped before its end.
    pub(super) async fn measure(&self, started: Instant, work: impl Future<Output = Response>) -> Response {
        self.in_flight.inc();
        let mut measured = Measured { endpoint: self, started, status: CANCELLED };
        let response = work.await;
        measured.status = response.status();
        response
    }

    fn count(&self, status: StatusCode) {
        match self.statuses.iter().find(|(known, _)| *known == status) {
            Some((_, counter)) => counter.inc(),
            None => self.requests.with_label_values(&[self.method, &self.template, status.as_str()]).inc(),
        }
    }
}

/// One request in progress.
struct Measured<'a> {
    endpoint: &'a Endpoint,
    started: Instant,
    status: StatusCode,
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        self.endpoint.in_flight.dec();
        self.endpoint.count(self.status);
        self.endpoint.duration.observe(self.started.elapsed().as_secs_f64());
    }
}

fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}
