//! HTTP out: one client per peer with deadline, retry budget, hedged reads, circuit breaker, bulkhead, metrics, traces and the
//! `upstream-*` faults, stacked as `Measured(Protected(Faulty(real)))`.

mod breaker;
pub mod catalogue;
mod error;
mod metrics;
mod transport;

use std::{pin::pin, sync::Arc, time::Duration};

use futures::future::{Either, select};
use rand::RngExt as _;
use serde::de::DeserializeOwned;
use tokio::{sync::Semaphore, time::Instant};
use tower::retry::budget::{Budget as _, TpsBudget};
use tracing::{Instrument as _, field};

use breaker::Breaker;
use chassis_faults::protection::{Protection, Protections};
use chassis_telemetry::{Chassis, traces};
pub use error::ClientError;
use metrics::{ClientMetrics, Outcome};
use transport::Transport;

/// Retries allowed, as a share of the calls in [`BUDGET_WINDOW`]: enough for brief failures, too few for a storm.
const RETRY_SHARE: f32 = 0.2;
/// Retries per second that are always allowed, so that a quiet client can retry at all.
const RETRY_FLOOR: u32 = 1;
/// Time that a call counts towards the budget.
const BUDGET_WINDOW: Duration = Duration::from_secs(10);
/// How long a connection waits for its next call: less than the `DRAIN_DELAY` of a peer (5 s in the chart), in which it closes each
/// connection with its response. One that has waited longer may close while a call is on its way.
const IDLE: Duration = Duration::from_secs(4);
/// First pause between attempts; doubles, with full jitter.
const BACKOFF: Duration = Duration::from_millis(20);
/// Share of the deadline after which an answer is late: the second attempt has twice as long as the first one had. Dean and Barroso,
/// "The Tail at Scale" (CACM 2013), hedge at the 95th percentile; the deadline of a healthy peer is far above it.
const LATE: u32 = 3;

/// Settings of the client of one peer.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Name of the peer: the `peer` label.
    pub peer: &'static str,
    /// Base URL.
    pub base: url::Url,
    /// Deadline of one call, retries included.
    pub timeout: Duration,
    /// Calls that run at once before the bulkhead refuses.
    pub max_concurrent: usize,
    /// Attempts of one call, the first included.
    pub attempts: u32,
}

/// A client of one peer. Cheap to clone.
#[derive(Clone)]
pub struct PeerClient {
    inner: Arc<Inner>,
}

struct Inner {
    config: ClientConfig,
    transport: Transport,
    metrics: ClientMetrics,
    protections: Protections,
    breaker: Breaker,
    bulkhead: Semaphore,
    budget: TpsBudget,
}

impl PeerClient {
    /// A client of one peer, with its metrics registered and its fault points resolved.
    #[must_use]
    pub fn new(config: ClientConfig, chassis: &Chassis) -> Self {
        let metrics = ClientMetrics::register(&chassis.metrics, config.peer);
        let service = &chassis.service;
        // Redirects and proxies would hide where a call went. The name tells the peer's access log who called.
        let http = reqwest::Client::builder()
            .user_agent(format!("{}/{}", service.name, service.version))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_max_idle_per_host(config.max_concurrent)
            .pool_idle_timeout(IDLE)
            .build()
            .unwrap_or_default();
        let inner = Inner {
            transport: Transport::new(config.peer, config.base.clone(), http, &chassis.faults),
            breaker: Breaker::new(metrics.breaker.clone()),
            bulkhead: Semaphore::new(config.max_concurrent),
            budget: TpsBudget::new(BUDGET_WINDOW, RETRY_FLOOR, RETRY_SHARE),
            protections: chassis.protections.clone(),
            metrics,
            config,
        };
        Self { inner: Arc::new(inner) }
    }

    /// `GET {base}{path}` as JSON; `None` on 404. `route` is the template for metrics and spans.
    ///
    /// # Errors
    /// See [`ClientError`]; 5xx and failed connections are retried within the budget first.
    pub async fn get<T: DeserializeOwned>(
        &self,
        route: &'static str,
        path: &str,
    ) -> Result<Option<T>, ClientError> {
        let inner = &*self.inner;
        let timeout = inner.config.timeout;
        let deadline = inner.protections.on(Protection::Timeout).then(|| Instant::now() + timeout);
        inner.budget.deposit();
        let mut attempt = 1;
        loop {
            let result = inner.hedged(route, path, &mut attempt, deadline).await;
            let again =
                result.as_ref().is_err_and(ClientError::is_peer_failure) && attempt < inner.config.attempts;
            if !again || !inner.may_retry(attempt, deadline).await {
                return result;
            }
            attempt += 1;
            inner.metrics.retries.inc();
        }
    }
}

impl Inner {
    /// One attempt, and a second one while the answer to the first is late: with several replicas it usually reaches another one. The first
    /// good answer counts. Both come out of the budget of retries, so that a peer that is slow for everyone gets few of them.
    async fn hedged<T: DeserializeOwned>(
        &self,
        route: &'static str,
        path: &str,
        attempt: &mut u32,
        deadline: Option<Instant>,
    ) -> Result<Option<T>, ClientError> {
        let mut first = pin!(self.attempt(route, path, *attempt, deadline));
        if *attempt < self.config.attempts && self.protections.on(Protection::HedgedReads) {
            match tokio::time::timeout(self.config.timeout / LATE, &mut first).await {
                Ok(result) => return result,
                Err(_) if !self.afford() => {}
                Err(_) => {
                    *attempt += 1;
                    self.metrics.retries.inc();
                    let second = pin!(self.attempt(route, path, *attempt, deadline));
                    return match select(first, second).await {
                        Either::Left((Err(_), second)) => second.await,
                        Either::Right((Err(_), first)) => first.await,
                        Either::Left((answer, _)) | Either::Right((answer, _)) => answer,
                    };
                }
            }
        }
        first.await
    }

    /// Takes one retry out of the budget, if there is one.
    fn afford(&self) -> bool {
        !self.protections.on(Protection::RetryBudget) || self.budget.withdraw()
    }

    /// Pauses before the next attempt; `false` where the budget or the deadline forbids one.
    async fn may_retry(&self, attempt: u32, deadline: Option<Instant>) -> bool {
        if !self.afford() {
            return false;
        }
        let pause = BACKOFF.saturating_mul(1 << attempt.min(10)).mul_f64(rand::rng().random::<f64>());
        if deadline.is_some_and(|d| Instant::now() + pause >= d) {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }

    /// One measured attempt, with its protections.
    async fn attempt<T: DeserializeOwned>(
        &self,
        route: &'static str,
        path: &str,
        attempt: u32,
        deadline: Option<Instant>,
    ) -> Result<Option<T>, ClientError> {
        let span = traces::span_here(|| {
            tracing::info_span!(
                "http client",
                otel.name = %format_args!("GET {route}"),
                otel.kind = "client",
                otel.status_code = field::Empty,
                http.request.method = "GET",
                http.request.resend_count = (attempt > 1).then_some(attempt - 1),
                http.response.status_code = field::Empty,
                server.address = self.config.base.host_str(),
                server.port = self.config.base.port_or_known_default().map(i64::from),
                url.template = route,
                peer.service = self.config.peer,
                error.type = field::Empty,
            )
        });
        let started = Instant::now();
        let result = self.protected(path, deadline).instrument(span.clone()).await;
        let outcome = transport::outcome(&result);
        let sent = (outcome != Outcome::Refused).then(|| started.elapsed().as_secs_f64());
        span.in_scope(|| self.metrics.record(outcome, sent));
        describe(&span, &result);
        result
    }

    async fn protected<T: DeserializeOwned>(
        &self,
        path: &str,
        deadline: Option<Instant>,
    ) -> Result<Option<T>, ClientError> {
        let peer = self.config.peer;
        let _place = match self.protections.on(Protection::Bulkhead).then(|| self.bulkhead.try_acquire()) {
            Some(Err(_)) => {
                self.metrics.refused_bulkhead.inc();
                return Err(ClientError::Refused { peer, reason: "too many calls at once" });
            }
            place => place,
        };
        let admission = if self.protections.on(Protection::CircuitBreaker) {
            let Some(admission) = self.breaker.admit() else {
                self.metrics.refused_breaker.inc();
                return Err(ClientError::Refused { peer, reason: "circuit breaker open" });
            };
            Some(admission)
        } else {
            None
        };
        let call = self.transport.get(path);
        let result = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, call)
                .await
                .unwrap_or(Err(ClientError::Timeout { peer, after: self.config.timeout })),
            None => call.await,
        };
        if let Some(admission) = admission {
            admission.report(!result.as_ref().is_err_and(ClientError::is_peer_failure));
        }
        result
    }
}

/// Records how an attempt ended on its span, as in the HTTP semantic conventions.
fn describe<T>(span: &tracing::Span, result: &Result<Option<T>, ClientError>) {
    match result {
        Ok(Some(_)) => {
            span.record("http.response.status_code", 200);
        }
        Ok(None) => {
            span.record("http.response.status_code", 404);
        }
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            match error {
                ClientError::Status { status, .. } => {
                    span.record("http.response.status_code", i64::from(*status));
                    span.record("error.type", field::display(status));
                }
                ClientError::Timeout { .. } => {
                    span.record("error.type", "timeout");
                }
                ClientError::Unreachable { .. } => {
                    span.record("error.type", "connection_error");
                }
                ClientError::Refused { .. } => {
                    span.record("error.type", "refused");
                }
                ClientError::Body { .. } => {
                    span.record("error.type", "invalid_body");
                }
            }
        }
    }
}
