//! Keeps one request from harming the others: catches panics, bounds time and concurrency.

use std::{convert::Infallible, panic::AssertUnwindSafe, time::Duration};

use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::StatusCode;
use prometheus::IntCounter;
use tokio::sync::Semaphore;

use super::{HttpConfig, Problem};
use chassis_faults::protection::{Protection, Protections};
use chassis_telemetry::{Chassis, panics};

/// Marks a response whose failure is already logged.
#[derive(Clone)]
pub(super) struct Logged;

/// The guards of one router.
pub(super) struct Guard {
    protections: Protections,
    timeout: Duration,
    slots: Semaphore,
    shed: IntCounter,
    panics: IntCounter,
}

impl Guard {
    pub(super) fn new(config: &HttpConfig, chassis: &Chassis) -> Self {
        let metrics = &chassis.metrics;
        Self {
            protections: chassis.protections.clone(),
            timeout: config.request_timeout,
            slots: Semaphore::new(config.max_in_flight.min(Semaphore::MAX_PERMITS)),
            shed: metrics.counter(
                "http_requests_shed_total",
                "Requests answered with 503 at once because too many were in flight.",
            ),
            panics: metrics.counter("http_panics_total", "Panics of handlers that were answered with 500."),
        }
    }

    /// Turns a panic into a 500.
    pub(super) async fn catch(&self, work: impl Future<Output = Response>) -> Response {
        // Nothing of an unwound handler is used again: its state is shared only through locks that detect a panic.
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => {
                self.panics.inc();
                let mut problem = Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "Internal error",
                    "The request could not be completed.",
                );
                problem.cause = Some(format!("panicked: {}", panics::text(panic.as_ref())));
                let mut response = problem.into_response();
                if panics::logged() {
                    response.extensions_mut().insert(Logged);
                }
                response
            }
        }
    }

    /// Answers 504 if `work` takes longer than the request timeout.
    pub(super) async fn bound(&self, work: impl Future<Output = Response>) -> Response {
        if !self.protections.on(Protection::Timeout) {
            return work.await;
        }
        tokio::time::timeout(self.timeout, work)
            .await
            .unwrap_or_else(|_| overtime(self.timeout).into_response())
    }

    /// Holds a slot during `work`. Without a free one: answers 503, or waits if shedding is switched off.
    pub(super) async fn admit(&self, work: impl Future<Output = Result<Response, Infallible>>) -> Response {
        let slot = match self.slots.try_acquire() {
            Ok(slot) => Some(slot),
            Err(_) if self.protections.on(Protection::LoadShedding) => {
                self.shed.inc();
                return overloaded().into_response();
            }
            // Never closed.
            Err(_) => self.slots.acquire().await.ok(),
        };
        let response = work.await.unwrap_or_else(|never| match never {});
        drop(slot);
        response
    }
}

/// The response to a request that timed out.
pub(crate) fn overtime(limit: Duration) -> Problem {
    let detail = format!("The request took longer than {}.", humantime::format_duration(limit));
    let mut problem = Problem::new(StatusCode::GATEWAY_TIMEOUT, "timeout", "Timeout", detail);
    problem.cause = Some(format!("no answer within {limit:?}"));
    problem
}

fn overloaded() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "overloaded",
        "Overloaded",
        "Too many requests are in flight; this one was not started.",
    )
    .retry_after(1)
}
