//! The access log: one line at `info` for each request that `http_requests_total` counts. Whatever serves requests writes this shape;
//! `docs/telemetry.md` explains its fields.
//!
//! Requests that succeed are sampled above a rate. A line says how many of them it represents, so that counts stay true. Requests
//! that fail always have a line. Why one failed is said by another line, at `error`: this one is the same for a success.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::StatusCode;
use prometheus::IntCounter;
use tokio::time::Instant;
use tracing::Level;

use chassis_telemetry::metrics::Metrics;

/// `target` of the lines, by which filters and queries select them: `LOG_LEVEL=info,access=off` writes none.
pub const TARGET: &str = "access";

/// Longest path and longest name of a client on a line, in bytes: clients choose them.
const LONGEST: usize = 256;

/// What a proxy adds to the line of a request that it sent on, or turned away. It is an extension of the answer.
#[derive(Debug, Clone, Default)]
pub struct Proxied {
    /// The id of the request, of the client's choice or made here.
    pub request_id: String,
    /// Name of the route in the proxy's own table.
    pub route: Option<Arc<str>>,
    /// Who the request was sent to.
    pub upstream: Option<Arc<str>>,
    /// How often it was sent.
    pub attempts: u64,
    /// The rule of the firewall that refused it.
    pub rule: Option<Arc<str>>,
}

/// One request and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// A standard method, or `_OTHER`.
    pub method: &'a str,
    /// Template of the route, or `unmatched`: as in the label `endpoint` of the metrics.
    pub route: &'a str,
    /// Path, without the query, which may hold a secret.
    pub path: &'a str,
    /// Status; 499 if the client left before the answer.
    pub status: StatusCode,
    /// Bytes of the answer's body, if they are known before it is sent.
    pub bytes: Option<u64>,
    /// Time from the last byte of the request to the head of the answer; `None` if the request never arrived completely.
    pub duration: Option<Duration>,
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<&'a str>,
    /// Where a proxy sent it.
    pub proxied: Option<&'a Proxied>,
}

impl Access<'_> {
    /// Writes the line, in the current trace. It is no event of the current span, which has these facts as attributes. `represents`
    /// comes from [`AccessLog::admit`].
    pub fn write(&self, represents: u64) {
        let seconds = self.duration.map(|time| Duration::from_micros(micros(time)).as_secs_f64());
        tracing::event!(
            target: TARGET,
            parent: None::<tracing::span::Id>,
            Level::INFO,
            {
                http.request.method = self.method,
                http.route = self.route,
                url.path = start_of(self.path),
                http.response.status_code = self.status.as_u16(),
                http.response.body.size = self.bytes,
                http.server.request.duration = seconds,
                network.peer.address = self.peer.map(display),
                user_agent.original = self.user_agent.map(start_of),
                request.id = self.proxied.map(|proxied| start_of(&proxied.request_id)),
                proxy.route = self.proxied.and_then(|proxied| proxied.route.as_deref()),
                proxy.upstream = self.proxied.and_then(|proxied| proxied.upstream.as_deref()),
                proxy.attempts = self.proxied.map(|proxied| proxied.attempts),
                proxy.rule = self.proxied.and_then(|proxied| proxied.rule.as_deref()),
                represents
            },
            "request"
        );
    }
}

/// Nobody needs more digits.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn start_of(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

chassis_telemetry::metrics! {
    /// What is counted.
    struct AccessMetrics {
        /// Requests without a line in the access log, because more than `ACCESS_LOG_RATE` succeeded per second.
        access_log_skipped_total: IntCounter,
    }
}

/// Decides which requests have a line. One atomic is all that requests share, so that a decision costs nanoseconds.
pub struct AccessLog {
    budget: Budget,
    skipped: IntCounter,
    /// Skipped requests that a line already represents.
    represented: AtomicU64,
}

impl AccessLog {
    /// Writes at most `rate` lines per second about requests that succeeded, and up to that many at once after a pause.
    #[must_use]
    pub fn new(rate: u32, metrics: &Metrics) -> Self {
        let skipped = AccessMetrics::register(metrics).access_log_skipped_total;
        Self { budget: Budget::new(rate), skipped, represented: AtomicU64::new(0) }
    }

    /// How many requests the line of this one represents, itself included; `None` if it has none, which is counted. A request that
    /// failed (400 and above) always has a line, and represents only itself.
    pub fn admit(&self, status: StatusCode, now: Instant) -> Option<u64> {
        if status.is_client_error() || status.is_server_error() {
            return Some(1);
        }
        if !self.budget.takes(now) {
            self.skipped.inc();
            return None;
        }
        let skipped = self.skipped.get();
        // Another line may have been faster, and represent more.
        let before = self.represented.fetch_max(skipped, Relaxed);
        Some(1 + skipped.saturating_sub(before))
    }
}

const SECOND: u64 = 1_000_000_000;

/// A token bucket that holds one second's worth of lines, as one number: the time at which it will be full again (the generic cell
/// rate algorithm of ATM, ITU-T I.371).
struct Budget {
    start: Instant,
    /// Time in which one line's worth flows in, in nanoseconds; `None`: never.
    each: Option<u64>,
    /// Nanoseconds since the start.
    full_at: AtomicU64,
}

impl Budget {
    fn new(rate: u32) -> Self {
        Self { start: Instant::now(), each: SECOND.checked_div(rate.into()), full_at: AtomicU64::new(0) }
    }

    /// Takes one line's worth, if it is there.
    fn takes(&self, now: Instant) -> bool {
        let Some(each) = self.each else { return false };
        let now = u64::try_from(now.saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX);
        let mut full_at = self.full_at.load(Relaxed);
        loop {
            let next = full_at.max(now).saturating_add(each);
            if next > now.saturating_add(SECOND) {
                return false;
            }
            match self.full_at.compare_exchange_weak(full_at, next, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(other) => full_at = other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: StatusCode = StatusCode::OK;

    /// How many of `count` requests at `now` have a line, and how many they represent.
    fn ask(log: &AccessLog, status: StatusCode, count: u64, now: Instant) -> (usize, u64) {
        let lines: Vec<u64> = (0..count).filter_map(|_| log.admit(status, now)).collect();
        (lines.len(), lines.iter().sum())
    }

    #[test]
    fn above_the_rate_successes_are_sampled_and_each_is_represented_once() {
        let log = AccessLog::new(10, &Metrics::new());
        let start = log.budget.start;
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(ask(&log, OK, 4, after(0)), (4, 4), "below the rate every request has a line");
        assert_eq!(ask(&log, OK, 50, after(0)), (6, 6), "a second's worth at once");
        assert_eq!(log.skipped.get(), 44);
        assert_eq!(ask(&log, OK, 50, after(100)), (1, 45), "the next line represents the skipped ones");
        assert_eq!(ask(&log, OK, 50, after(99)), (0, 0), "a clock that was read earlier takes nothing twice");
        assert_eq!(ask(&log, OK, 50, after(60_000)), (10, 109), "a pause adds a second's worth, and no more");
        // All 204, but the 40 since the last line.
        assert_eq!((log.skipped.get(), log.represented.load(Relaxed)), (183, 143));
    }

    #[test]
    fn failures_always_have_a_line_and_take_nothing_from_the_successes() {
        let log = AccessLog::new(1, &Metrics::new());
        let now = log.budget.start;
        for status in [400, 404, 429, 499, 500, 503, 599] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(ask(&log, status, 1000, now), (1000, 1000), "{status}");
        }
        assert_eq!(ask(&log, OK, 3, now), (1, 1));
        assert_eq!(
            ask(&log, StatusCode::NOT_FOUND, 1, now),
            (1, 1),
            "it does not represent skipped successes"
        );
        assert_eq!(log.skipped.get(), 2);
    }

    #[test]
    fn a_rate_of_zero_keeps_the_failures_alone() {
        let log = AccessLog::new(0, &Metrics::new());
        let later = log.budget.start + Duration::from_secs(3600);
        assert_eq!(ask(&log, OK, 10, later), (0, 0));
        assert_eq!(ask(&log, StatusCode::BAD_GATEWAY, 10, later), (10, 10));
    }

    #[test]
    fn threads_share_one_budget() {
        let log = AccessLog::new(100, &Metrics::new());
        let now = log.budget.start;
        let lines: usize = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| ask(&log, OK, 1000, now).0)).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).sum()
        });
        assert_eq!((lines, log.skipped.get()), (100, 7900));
    }

    #[test]
    fn what_a_client_chooses_is_cut_between_two_characters() {
        let path = format!("/{}", "é".repeat(200));
        assert_eq!(start_of(&path).len(), 255);
        assert_eq!(start_of("/orders"), "/orders");
    }
}
