//! Faults of inbound requests.

use std::time::Duration;

use chassis_faults::{
    Fault, catalogue, choice, params,
    params::{MINUTE, choice, count, duration},
    spec::work,
};

params! {
    /// Parameters of `http-error`.
    pub struct HttpError {
        /// status of the answer
        status: u64 = count("500", 500, 599),
    }

    /// Parameters of `http-latency`.
    pub struct HttpLatency {
        /// time added
        delay: Duration = duration("250ms", Duration::ZERO, MINUTE),
        /// half the width of the spread around `delay`
        jitter: Duration = duration("0ms", Duration::ZERO, MINUTE),
        /// shape of the delay
        distribution: Distribution = choice("fixed"),
    }
}

choice! {
    /// How delays lie around their mean.
    pub enum Distribution {
        /// At the mean, give or take the jitter.
        Fixed = "fixed",
        /// From nothing to twice the mean, or by the jitter.
        Uniform = "uniform",
        /// Mostly short, with a long tail.
        Pareto = "pareto",
    }
}

catalogue! {
    /// `http-error`: requests fail.
    pub const HTTP_ERROR: Fault<HttpError> = work(
        "http-error",
        "Requests are answered with an error before the handler sees them.",
        "`http_requests_total{status=~\"5..\"}` rises and with it the error ratio; error spans without children; one error line \
         per failure; latency falls, because failing is fast.",
    );

    /// `http-latency`: requests are slow.
    pub const HTTP_LATENCY: Fault<HttpLatency> = work(
        "http-latency",
        "Requests wait before the handler sees them. `delay` is the mean: `fixed` varies by `jitter`, `uniform` goes from nothing to \
         twice the mean (or by `jitter`), `pareto` has a tail (half take 0.53 of the mean, one in a hundred 7 times; at most 1m).",
        "`http_request_duration_seconds` and `http_requests_in_flight` rise; spans are long before their first child; past the \
         request timeout 504, past the concurrency limit 503 (`http_requests_shed_total`).",
    );

    /// `http-hang`: requests never get an answer.
    pub const HTTP_HANG: Fault = work(
        "http-hang",
        "Requests are accepted and never answered; they hold their slot until the request timeout or until the client leaves.",
        "`http_requests_in_flight` stays high; 504 after the request timeout, then 503 by shedding; without the `timeout` \
         protection clients wait for their own deadline.",
    );

    /// `http-abort`: connections are reset.
    pub const HTTP_ABORT: Fault = work(
        "http-abort",
        "The TCP connection is reset (RST) instead of an answer; every request on it is lost.",
        "Clients count connection errors (`http_client_requests_total{outcome}`, `load`), not statuses; the server counts \
         `http_requests_total{status=\"499\"}`, as if the clients had left; spans end without a status.",
    );
}
