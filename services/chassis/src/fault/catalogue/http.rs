//! Faults of requests that come in, and `/risky`.

use super::{FaultSpec, MINUTE, ParamSpec, Reach, count, duration, word, work};
use std::time::Duration;

/// Parameters of a delay; also of the upstream's.
pub(super) const DELAY: ParamSpec = duration("delay", "time added", "250ms", Duration::ZERO, MINUTE);
/// Spread around the delay.
pub(super) const JITTER: ParamSpec =
    duration("jitter", "half the width of the spread around `delay`", "0ms", Duration::ZERO, MINUTE);

/// `risky`: the hello-world of the lab.
pub const RISKY: FaultSpec = FaultSpec {
    name: "risky",
    summary: "`GET /risky` fails with 500 for a share of its calls; 20 % from the start.",
    reach: Reach::Work,
    params: &[],
    signals: "`http_requests_total{endpoint=\"/risky\",status=\"500\"}` rises; error spans and one error line per failure.",
    ends: "The only one that is on from the start. `PUT` tunes it until its ttl, then 20 % return; `DELETE /faults/risky` \
           ends it until the next start; `DELETE /faults` brings the 20 % back unless it was ended.",
    baseline: Some("rate=0.2"),
};

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
