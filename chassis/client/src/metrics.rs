//! What outbound calls to one peer export.

use prometheus::{IntCounter, IntGauge};

use chassis_telemetry::metrics::{Histogram, LATENCY_BUCKETS, Metrics};

/// How a call ended, as the `outcome` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 2xx, or the 404 that means "none".
    Ok,
    /// Another 4xx.
    ClientError,
    /// 5xx.
    ServerError,
    /// No answer in time.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// An answer that cannot be read.
    Body,
    /// Not sent: breaker open or bulkhead full.
    Refused,
}

const OUTCOMES: &[(Outcome, &str)] = &[
    (Outcome::Ok, "ok"),
    (Outcome::ClientError, "client_error"),
    (Outcome::ServerError, "server_error"),
    (Outcome::Timeout, "timeout"),
    (Outcome::Unreachable, "unreachable"),
    (Outcome::Body, "body"),
    (Outcome::Refused, "refused"),
];

/// Handles of one peer, resolved once.
pub(crate) struct ClientMetrics {
    outcomes: Vec<(Outcome, IntCounter)>,
    duration: Histogram,
    /// Attempts after the first.
    pub(crate) retries: IntCounter,
    /// Refused because the breaker is open.
    pub(crate) refused_breaker: IntCounter,
    /// Refused because too many calls run.
    pub(crate) refused_bulkhead: IntCounter,
    /// 0 closed, 1 half-open, 2 open.
    pub(crate) breaker: IntGauge,
}

impl ClientMetrics {
    pub(crate) fn register(metrics: &Metrics, peer: &str) -> Self {
        let requests = metrics.counter_vec(
            "http_client_requests_total",
            "Attempts of outbound HTTP calls by peer and how they ended.",
            &["peer", "outcome"],
        );
        let duration = metrics.histogram_vec(
            "http_client_request_duration_seconds",
            "Duration of one attempt of an outbound HTTP call, by peer.",
            &["peer"],
            LATENCY_BUCKETS,
        );
        let refused = metrics.counter_vec(
            "http_client_refused_total",
            "Outbound calls that were not sent, by peer and reason.",
            &["peer", "reason"],
        );
        Self {
            outcomes: OUTCOMES
                .iter()
                .map(|(o, label)| (*o, requests.with_label_values(&[peer, label])))
                .collect(),
            duration: duration.with(&[peer]),
            retries: metrics
                .counter_vec("http_client_retries_total", "Attempts after the first, by peer.", &["peer"])
                .with_label_values(&[peer]),
            refused_breaker: refused.with_label_values(&[peer, "circuit_breaker"]),
            refused_bulkhead: refused.with_label_values(&[peer, "bulkhead"]),
            breaker: metrics
                .gauge_vec(
                    "circuit_breaker_state",
                    "State of the breaker towards a peer: 0 closed, 1 half-open, 2 open.",
                    &["peer"],
                )
                .with_label_values(&[peer]),
        }
    }

    /// Counts one attempt; `seconds` is absent where nothing was sent.
    pub(crate) fn record(&self, outcome: Outcome, seconds: Option<f64>) {
        if let Some((_, counter)) = self.outcomes.iter().find(|(o, _)| *o == outcome) {
            counter.inc();
        }
        if let Some(seconds) = seconds {
            self.duration.observe(seconds);
        }
    }
}
