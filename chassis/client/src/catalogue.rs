//! Faults of calls to a peer.

use std::time::Duration;

use chassis_faults::{
    Fault, catalogue, params,
    params::{MINUTE, count, duration},
    spec::work,
};

params! {
    /// Parameters of `upstream-error`.
    pub struct UpstreamError {
        /// status that the peer seems to answer with
        status: u64 = count("503", 500, 599),
    }

    /// Parameters of `upstream-latency`.
    pub struct UpstreamLatency {
        /// time added
        delay: Duration = duration("250ms", Duration::ZERO, MINUTE),
        /// half the width of the spread around `delay`
        jitter: Duration = duration("0ms", Duration::ZERO, MINUTE),
    }
}

catalogue! {
    /// `upstream-error`: the peer answers with an error.
    pub const UPSTREAM_ERROR: Fault<UpstreamError> = work(
        "upstream-error",
        "Calls to the peer come back with an error status, without reaching it.",
        "`http_client_requests_total{outcome}` moves from ok to errors, retries rise until the budget is spent, \
         `circuit_breaker_state` opens; own 503s; the peer itself sees fewer requests and is healthy.",
    );

    /// `upstream-latency`: the peer is slow.
    pub const UPSTREAM_LATENCY: Fault<UpstreamLatency> = work(
        "upstream-latency",
        "Calls to the peer take longer, as over a slow network.",
        "`http_client_request_duration_seconds` rises while the peer's own `http_request_duration_seconds` does not; past the \
         deadline timeouts, retries and the circuit breaker.",
    );

    /// `upstream-unreachable`: no connection to the peer.
    pub const UPSTREAM_UNREACHABLE: Fault = work(
        "upstream-unreachable",
        "Calls to the peer cannot connect: they go to a closed port.",
        "`http_client_requests_total{outcome}` counts connection failures, `circuit_breaker_state` opens, own 503s; the peer \
         sees no traffic.",
    );
}
