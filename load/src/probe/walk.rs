//! Walks through a journey step by step. The first step that fails ends it.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::Utc;
use contracts::{
    orders::{OrderStatus, PlaceOrder},
    users::{PROBE_USER, seeded_user_tier},
};
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use tokio::time;
use uuid::Uuid;

use super::{
    ask::Asker,
    board::{Board, Run},
    config::ProbeConfig,
    journey::{self, Answer, Failure, Journey, Outcome, Step},
    metrics::{ProbeMetrics, Upstream},
    trace::Trace,
};

/// Pause before an order is read again.
const POLL: Duration = Duration::from_millis(250);

/// Walks the journeys.
pub struct Walker {
    asker: Asker,
    /// Base URL of the edge, without a slash at its end.
    base: String,
    timeout: Duration,
    settle_timeout: Duration,
    metrics: Arc<ProbeMetrics>,
    board: Arc<Board>,
}

/// The step that failed, and why.
type Broken = (Step, Failure);

impl Walker {
    /// Through the edge of `config`.
    #[must_use]
    pub fn new(asker: Asker, config: &ProbeConfig, metrics: Arc<ProbeMetrics>, board: Arc<Board>) -> Self {
        Self {
            asker,
            base: config.url.to_string().trim_end_matches('/').to_owned(),
            timeout: config.timeout,
            settle_timeout: config.settle_timeout,
            metrics,
            board,
        }
    }

    /// Walks `journey` for the `run`-th time; counts it, and keeps and logs what was seen.
    pub async fn walk(&self, journey: Journey, run: u64) {
        let (trace, begun) = (Trace::begin(), Instant::now());
        let ended = match journey {
            Journey::Order => self.order(run, trace).await,
            Journey::Account => self.account(trace).await,
        };
        let (at, seconds, trace_id) = (Utc::now(), begun.elapsed().as_secs_f64(), trace.id());
        let failed = ended.as_ref().err().map(|(step, failure)| (*step, failure));
        let outcome = failed.map_or(Outcome::Ok, |(_, failure)| failure.outcome);
        self.metrics.walked(journey, outcome, at);
        let (name, ended_as) = (journey.as_str(), outcome.as_str());
        match failed {
            Some((step, failure)) => {
                let (step, reason) = (step.as_str(), failure.reason.as_str());
                tracing::warn!(
                    journey = name,
                    step,
                    outcome = ended_as,
                    reason,
                    trace_id,
                    "a journey failed"
                );
            }
            None => tracing::debug!(journey = name, seconds, trace_id, "a journey succeeded"),
        }
        self.board.walked(journey, Run::new(at, seconds, trace_id, failed));
    }

    async fn order(&self, run: u64, trace: Trace) -> Result<(), Broken> {
        let placed = journey::order(run);
        let id = self.step(Journey::Order, Step::Place, trace, self.place(&placed, trace)).await?;
        let status = self.step(Journey::Order, Step::Settle, trace, self.settle(id, trace)).await?;
        let read = async {
            let answer = self.read(&format!("/orders/{id}"), Upstream::OrderApi, trace, self.timeout).await?;
            journey::read_back(&answer, id, &placed, status)
        };
        self.step(Journey::Order, Step::Read, trace, read).await
    }

    async fn account(&self, trace: Trace) -> Result<(), Broken> {
        let read = async {
            let path = format!("/users/{}", journey::user());
            let answer = self.read(&path, Upstream::UserService, trace, self.timeout).await?;
            journey::account(&answer)
        };
        self.step(Journey::Account, Step::Read, trace, read).await
    }

    /// Measures a step.
    async fn step<T>(
        &self,
        journey: Journey,
        step: Step,
        trace: Trace,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Broken> {
        let begun = Instant::now();
        let ended = work.await;
        let outcome = ended.as_ref().err().map_or(Outcome::Ok, |failure| failure.outcome);
        self.metrics.stepped(journey, step, outcome, begun.elapsed(), trace);
        ended.map_err(|failure| (step, failure))
    }

    async fn place(&self, order: &PlaceOrder, trace: Trace) -> Result<Uuid, Failure> {
        let body = serde_json::to_vec(order).map_err(|error| unsent(&error))?;
        let mut request = self.request(Method::POST, "/orders", body.into())?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let key = HeaderValue::from_str(&Uuid::new_v4().to_string()).map_err(|error| unsent(&error))?;
        headers.insert("idempotency-key", key);
        let answer = self.asker.ask(request, Upstream::OrderApi, trace, self.timeout).await?;
        journey::accepted(&answer, order)
    }

    /// Reads an order until it is settled. A read that fails is no failure yet, as long as there is time for another.
    async fn settle(&self, id: Uuid, trace: Trace) -> Result<OrderStatus, Failure> {
        let (path, deadline) = (format!("/orders/{id}"), time::Instant::now() + self.settle_timeout);
        let waited = humantime::format_duration(self.settle_timeout);
        let mut last = Failure::new(Outcome::Timeout, format!("not settled within {waited}"));
        loop {
            let left = deadline.saturating_duration_since(time::Instant::now());
            if left.is_zero() {
                return Err(last);
            }
            let answer = self.read(&path, Upstream::OrderApi, trace, left.min(self.timeout)).await;
            match answer.and_then(|answer| journey::settled(&answer)) {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => last = Failure::new(Outcome::Timeout, format!("still pending after {waited}")),
                Err(failure) => last = failure,
            }
            time::sleep_until(deadline.min(time::Instant::now() + POLL)).await;
        }
    }

    async fn read(
        &self,
        path: &str,
        upstream: Upstream,
        trace: Trace,
        within: Duration,
    ) -> Result<Answer, Failure> {
        let request = self.request(Method::GET, path, Bytes::new())?;
        self.asker.ask(request, upstream, trace, within).await
    }

    /// A request of the probes' user.
    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, Failure> {
        let tier = seeded_user_tier(PROBE_USER).as_str();
        let baggage = format!("user.id={},user.tier={tier}", journey::user());
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request.header("baggage", baggage).body(Full::new(body)).map_err(|error| unsent(&error))
    }
}

fn unsent(error: &dyn std::error::Error) -> Failure {
    Failure::new(Outcome::Transport, format!("the request cannot be sent: {error}"))
}
