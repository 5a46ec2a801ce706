//! What outbound calls to one peer export.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use chassis_telemetry::metrics::{Histogram, HistogramVec, LATENCY_BUCKETS, Metrics};

chassis_telemetry::metrics! {
    /// The families.
    struct Families {
        /// Attempts of outbound HTTP calls by peer and how they ended.
        http_client_requests_total: IntCounterVec["peer", "outcome"],
        /// Duration of one attempt of an outbound HTTP call, by peer.
        http_client_request_duration_seconds: HistogramVec["peer"](LATENCY_BUCKETS),
        /// Outbound calls that were not sent, by peer and reason.
        http_client_refused_total: IntCounterVec["peer", "reason"],
        /// Attempts after the first, retries and hedged reads, by peer.
        http_client_retries_total: IntCounterVec["peer"],
        /// State of the breaker towards a peer: 0 closed, 1 half-open, 2 open.
        circuit_breaker_state: IntGaugeVec["peer"],
    }
}

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
        let families = Families::register(metrics);
        let outcome = |(outcome, label): &(Outcome, &str)| {
            (*outcome, families.http_client_requests_total.with_label_values(&[peer, label]))
        };
        let refused = |reason| families.http_client_refused_total.with_label_values(&[peer, reason]);
        Self {
            outcomes: OUTCOMES.iter().map(outcome).collect(),
            duration: families.http_client_request_duration_seconds.with(&[peer]),
            retries: families.http_client_retries_total.with_label_values(&[peer]),
            refused_breaker: refused("circuit_breaker"),
            refused_bulkhead: refused("bulkhead"),
            breaker: families.circuit_breaker_state.with_label_values(&[peer]),
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
