//! What the edge exports beyond the chassis: of its routes and upstreams, and of the firewall. Labels come
//! from files that are read, never from requests.

use std::time::Duration;

use chassis_telemetry::metrics::{
    Counter, CounterVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    LATENCY_BUCKETS,
};
use http::StatusCode;

use crate::domain::{outlier::Reason, retry::Failure};

chassis_telemetry::metrics! {
    /// Of routes and upstreams. Cheap to clone.
    #[derive(Clone)]
    pub(crate) struct ProxyMetrics {
        /// Requests that were sent to an upstream, by route, upstream and status of the answer; without those
        /// whose client left.
        edge_requests_total: IntCounterVec["route", "upstream", "status"],
        /// Time from the request to the head of the answer, all attempts included, by route and upstream.
        edge_request_duration_seconds: HistogramVec["route", "upstream"](LATENCY_BUCKETS),
        /// Attempts, by replica and how they ended.
        edge_attempts_total: IntCounterVec["upstream", "endpoint", "outcome"],
        /// Duration of one attempt until the head of the answer, by replica.
        edge_attempt_duration_seconds: HistogramVec["upstream", "endpoint"](LATENCY_BUCKETS),
        /// Requests that a replica has not answered completely yet.
        edge_in_flight: IntGaugeVec["upstream", "endpoint"],
        /// 1 while a replica gets no requests because of what it answered before.
        pub(crate) edge_ejected: IntGaugeVec["upstream", "endpoint"],
        /// 1 while a replica gets no requests because somebody has drained it.
        pub(crate) edge_drained: IntGaugeVec["upstream", "endpoint"],
        /// How often a replica was taken out, and why.
        edge_ejections_total: IntCounterVec["upstream", "endpoint", "reason"],
        /// Attempts after the first one.
        edge_retries_total: IntCounterVec["upstream"],
        /// Attempts that were not made because the budget of retries was used up.
        edge_retries_refused_total: IntCounterVec["upstream"],
        /// Requests answered with 429 because their client had asked too often.
        edge_rate_limited_total: IntCounterVec["route"],
    }
}

chassis_telemetry::metrics! {
    /// Of the firewall. Cheap to clone.
    #[derive(Clone)]
    pub(crate) struct FirewallMetrics {
        /// Requests that a rule found, by rule and what became of them: blocked or simulated.
        edge_waf_matches_total: IntCounterVec["rule", "action"],
        /// Searches that were ended at the cost of their rule or at the budget of their request.
        edge_waf_overruns_total: IntCounterVec["rule"],
        /// Steps, by rule.
        edge_waf_steps_total: IntCounterVec["rule"],
        /// Processor time, by rule; counted during a search, too.
        edge_waf_cpu_seconds_total: CounterVec["rule"],
        /// Requests answered with 502 because the firewall gave no verdict in time.
        pub(crate) edge_waf_stuck_total: IntCounter,
        /// Requests that wait for a thread of the firewall.
        pub(crate) edge_waf_waiting: IntGauge,
        /// Threads of the firewall that work.
        pub(crate) edge_waf_threads_busy: IntGauge,
        /// Threads of the firewall.
        pub(crate) edge_waf_threads: IntGauge,
        /// 1 if the firewall is on, 0 after its kill switch was used.
        pub(crate) edge_waf_enabled: IntGauge,
        /// Rules in force.
        pub(crate) edge_waf_rules: IntGauge,
    }
}

chassis_telemetry::metrics! {
    /// Of the files.
    pub(crate) struct FileMetrics {
        /// 1 while the files that were read last are in force, 0 while they were refused.
        pub(crate) edge_files_sound: IntGauge,
    }

    /// Changes of the files of routes and rules, by what became of them.
    edge_reloads_total["result"] = { pub(crate) applied: "applied", pub(crate) refused: "refused" };
}

/// Statuses whose series exist before the first request.
const USUAL: [u16; 8] = [200, 202, 400, 404, 500, 502, 503, 504];

/// The handles of one route with one of its upstreams.
pub(crate) struct RouteMeter {
    labels: [String; 2],
    requests: IntCounterVec,
    statuses: Vec<(StatusCode, IntCounter)>,
    duration: Histogram,
}

impl RouteMeter {
    pub(crate) fn new(metrics: &ProxyMetrics, route: &str, upstream: &str) -> Self {
        let requests = metrics.edge_requests_total.clone();
        let counter = |status: u16| {
            let status = StatusCode::from_u16(status).ok()?;
            Some((status, requests.with_label_values(&[route, upstream, status.as_str()])))
        };
        let statuses = USUAL.into_iter().filter_map(counter).collect();
        let duration = metrics.edge_request_duration_seconds.with(&[route, upstream]);
        Self { labels: [route.to_owned(), upstream.to_owned()], requests, statuses, duration }
    }

    /// An answer came, or was made here for want of one.
    pub(crate) fn answered(&self, status: StatusCode, after: Duration) {
        self.duration.observe(after.as_secs_f64());
        match self.statuses.iter().find(|(known, _)| *known == status) {
            Some((_, counter)) => counter.inc(),
            None => {
                let [route, upstream] = &self.labels;
                self.requests.with_label_values(&[route.as_str(), upstream.as_str(), status.as_str()]).inc();
            }
        }
    }
}

/// How an attempt ended if it brought an answer.
const ANSWERED: [&str; 3] = ["ok", "client_error", "server_error"];

/// The handles of one replica.
pub(crate) struct EndpointMeter {
    answered: [IntCounter; 3],
    unreachable: IntCounter,
    broken: IntCounter,
    late: IntCounter,
    duration: Histogram,
    /// Not answered completely yet.
    pub(crate) in_flight: IntGauge,
    ejections: [IntCounter; 3],
}

impl EndpointMeter {
    pub(crate) fn new(metrics: &ProxyMetrics, upstream: &str, endpoint: &str) -> Self {
        let attempts =
            |outcome: &str| metrics.edge_attempts_total.with_label_values(&[upstream, endpoint, outcome]);
        let ejections = |reason: Reason| {
            metrics.edge_ejections_total.with_label_values(&[upstream, endpoint, reason.as_str()])
        };
        Self {
            answered: ANSWERED.map(attempts),
            unreachable: attempts(Failure::Unreachable.outcome()),
            broken: attempts(Failure::Broken.outcome()),
            late: attempts(Failure::Late.outcome()),
            duration: metrics.edge_attempt_duration_seconds.with(&[upstream, endpoint]),
            in_flight: metrics.edge_in_flight.with_label_values(&[upstream, endpoint]),
            ejections: Reason::ALL.map(ejections),
        }
    }

    /// An attempt brought an answer.
    pub(crate) fn answered(&self, status: StatusCode, after: Duration) {
        let [ok, client, server] = &self.answered;
        let counter = match status.as_u16() {
            500.. => server,
            400..500 => client,
            _ => ok,
        };
        counter.inc();
        self.duration.observe(after.as_secs_f64());
    }

    /// An attempt brought no answer.
    pub(crate) fn failed(&self, failure: Failure, after: Duration) {
        match failure {
            Failure::Unreachable => self.unreachable.inc(),
            Failure::Broken => self.broken.inc(),
            Failure::Late => self.late.inc(),
            Failure::Status(status) => return self.answered(status, after),
        }
        self.duration.observe(after.as_secs_f64());
    }

    /// It was taken out.
    pub(crate) fn ejected(&self, reason: Reason) {
        let place = Reason::ALL.iter().position(|known| *known == reason);
        place.and_then(|place| self.ejections.get(place)).into_iter().for_each(IntCounter::inc);
    }
}

/// The handles of one upstream.
pub(crate) struct UpstreamMeter {
    /// Attempts after the first one.
    pub(crate) retries: IntCounter,
    /// Attempts for which there was no budget.
    pub(crate) refused: IntCounter,
}

impl UpstreamMeter {
    pub(crate) fn new(metrics: &ProxyMetrics, upstream: &str) -> Self {
        Self {
            retries: metrics.edge_retries_total.with_label_values(&[upstream]),
            refused: metrics.edge_retries_refused_total.with_label_values(&[upstream]),
        }
    }
}

impl ProxyMetrics {
    /// Requests of a route that were too many.
    pub(crate) fn limited(&self, route: &str) -> IntCounter {
        self.edge_rate_limited_total.with_label_values(&[route])
    }
}

/// The handles of one rule.
pub(crate) struct RuleMeter {
    /// Refused.
    pub(crate) blocked: IntCounter,
    /// Found, and let through.
    pub(crate) simulated: IntCounter,
    /// Ended at its cost.
    pub(crate) overruns: IntCounter,
    /// Steps.
    pub(crate) steps: IntCounter,
    /// Processor time in seconds.
    pub(crate) cpu: Counter,
}

impl RuleMeter {
    pub(crate) fn new(metrics: &FirewallMetrics, rule: &str) -> Self {
        let matches = |action| metrics.edge_waf_matches_total.with_label_values(&[rule, action]);
        Self {
            blocked: matches("blocked"),
            simulated: matches("simulated"),
            overruns: metrics.edge_waf_overruns_total.with_label_values(&[rule]),
            steps: metrics.edge_waf_steps_total.with_label_values(&[rule]),
            cpu: metrics.edge_waf_cpu_seconds_total.with_label_values(&[rule]),
        }
    }
}
