//! Faults of calls to a peer.

use std::time::Duration;

use chassis_faults::{
    FaultSpec, ParamSpec,
    spec::{MINUTE, count, duration, work},
};

const DELAY: ParamSpec = duration("delay", "time added", "250ms", Duration::ZERO, MINUTE);
const JITTER: ParamSpec =
    duration("jitter", "half the width of the spread around `delay`", "0ms", Duration::ZERO, MINUTE);

/// All of them, in the order of the documentation.
pub const ALL: &[&FaultSpec] = &[&UPSTREAM_ERROR, &UPSTREAM_LATENCY, &UPSTREAM_UNREACHABLE];

/// `upstream-error`: the peer answers with an error.
pub const UPSTREAM_ERROR: FaultSpec = work(
    "upstream-error",
    "Calls to the peer come back with an error status, without reaching it.",
    &[count("status", "status that the peer seems to answer with", "503", 500, 599)],
    "`http_client_requests_total{outcome}` moves from ok to errors, retries rise until the budget is spent, \
     `circuit_breaker_state` opens; own 503s; the peer itself sees fewer requests and is healthy.",
);

/// `upstream-latency`: the peer is slow.
pub const UPSTREAM_LATENCY: FaultSpec = work(
    "upstream-latency",
    "Calls to the peer take longer, as over a slow network.",
    &[DELAY, JITTER],
    "`http_client_request_duration_seconds` rises while the peer's own `http_request_duration_seconds` does not; past the \
     deadline timeouts, retries and the circuit breaker.",
);

/// `upstream-unreachable`: no connection to the peer.
pub const UPSTREAM_UNREACHABLE: FaultSpec = work(
    "upstream-unreachable",
    "Calls to the peer cannot connect: they go to a closed port.",
    &[],
    "`http_client_requests_total{outcome}` counts connection failures, `circuit_breaker_state` opens, own 503s; the peer \
     sees no traffic.",
);
