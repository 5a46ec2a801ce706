//! Faults of inbound requests.

use chassis_faults::{
    FaultSpec, ParamSpec,
    spec::{MINUTE, count, duration, word, work},
};
use std::time::Duration;

/// The delay of a fault; also used by the upstream faults.
pub(crate) const DELAY: ParamSpec = duration("delay", "time added", "250ms", Duration::ZERO, MINUTE);
/// Spread around the delay, half its width.
pub(crate) const JITTER: ParamSpec =
    duration("jitter", "half the width of the spread around `delay`", "0ms", Duration::ZERO, MINUTE);

/// All of them, in the order of the documentation.
pub const ALL: &[&FaultSpec] = &[&HTTP_ERROR, &HTTP_LATENCY, &HTTP_HANG, &HTTP_ABORT];

/// `http-error`: requests fail.
pub const HTTP_ERROR: FaultSpec = work(
    "http-error",
    "Requests are answered with an error before the handler sees them.",
    &[count("status", "status of the answer", "500", 500, 599)],
    "`http_requests_total{status=~\"5..\"}` rises and with it the error ratio; error spans without children; one error line \
     per failure; latency falls, because failing is fast.",
);

/// `http-latency`: requests are slow.
pub const HTTP_LATENCY: FaultSpec = work(
    "http-latency",
    "Requests wait before the handler sees them. `delay` is the mean: `fixed` varies by `jitter`, `uniform` goes from nothing to \
     twice the mean (or by `jitter`), `pareto` has a tail (half take 0.53 of the mean, one in a hundred 7 times; at most 1m).",
    &[DELAY, JITTER, word("distribution", "shape of the delay", "fixed", &["fixed", "uniform", "pareto"])],
    "`http_request_duration_seconds` and `http_requests_in_flight` rise; spans are long before their first child; past the \
     request timeout 504, past the concurrency limit 503 (`http_requests_shed_total`).",
);

/// `http-hang`: requests never get an answer.
pub const HTTP_HANG: FaultSpec = work(
    "http-hang",
    "Requests are accepted and never answered; they hold their slot until the request timeout or until the client leaves.",
    &[],
    "`http_requests_in_flight` stays high; 504 after the request timeout, then 503 by shedding; without the `timeout` \
     protection clients wait for their own deadline.",
);

/// `http-abort`: connections are reset.
pub const HTTP_ABORT: FaultSpec = work(
    "http-abort",
    "The TCP connection is reset (RST) instead of an answer; every request on it is lost.",
    &[],
    "Clients count connection errors (`http_client_requests_total{outcome}`, `load`), not statuses; the server counts \
     `http_requests_total{status=\"499\"}`, as if the clients had left; spans end without a status.",
);
