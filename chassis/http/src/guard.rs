//! Keeps one request from harming the others: catches panics, bounds time and concurrency.

use std::{
    convert::Infallible, future::poll_fn, panic::AssertUnwindSafe, pin::pin, task::Poll, time::Duration,
};

use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use prometheus::IntCounter;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep_until},
};

use super::{
    HttpConfig, Problem,
    problems::{OVERLOADED, TIMEOUT},
};
use chassis_faults::protection::{Protection, Protections};
use chassis_telemetry::{Chassis, panics};

/// Marks a response whose failure is already logged.
#[derive(Clone)]
pub(super) struct Logged;

chassis_telemetry::metrics! {
    /// What the guards count.
    struct GuardMetrics {
        /// Requests answered with 503 at once because too many were in flight.
        http_requests_shed_total: IntCounter,
        /// Panics of handlers that were answered with 500.
        http_panics_total: IntCounter,
    }
}

/// The guards of one router.
pub(super) struct Guard {
    protections: Protections,
    timeout: Duration,
    slots: Semaphore,
    metrics: GuardMetrics,
}

impl Guard {
    pub(super) fn new(config: &HttpConfig, chassis: &Chassis) -> Self {
        Self {
            protections: chassis.protections.clone(),
            timeout: config.request_timeout,
            slots: Semaphore::new(config.max_in_flight.min(Semaphore::MAX_PERMITS)),
            metrics: GuardMetrics::register(&chassis.metrics),
        }
    }

    /// Turns a panic into a 500.
    pub(super) async fn catch(&self, work: impl Future<Output = Response>) -> Response {
        // Nothing of an unwound handler is used again: its state is shared only through locks that detect a panic.
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => {
                self.metrics.http_panics_total.inc();
                let cause = Some(format!("panicked: {}", panics::text(panic.as_ref())));
                let mut response = Problem { cause, ..Problem::internal() }.into_response();
                if panics::logged() {
                    response.extensions_mut().insert(Logged);
                }
                response
            }
        }
    }

    /// Answers 504 when `work`, which began at `started`, takes longer than a request may. What is done at once needs no timer.
    pub(super) async fn bound(&self, started: Instant, work: impl Future<Output = Response>) -> Response {
        if !self.protections.on(Protection::Timeout) {
            return work.await;
        }
        let mut work = pin!(work);
        let mut late = pin!(None);
        poll_fn(|cx| {
            if let Poll::Ready(response) = work.as_mut().poll(cx) {
                return Poll::Ready(response);
            }
            if late.is_none() {
                late.set(Some(sleep_until(started + self.timeout)));
            }
            let over = late.as_mut().as_pin_mut().is_some_and(|late| late.poll(cx).is_ready());
            if over { Poll::Ready(overtime(self.timeout).into_response()) } else { Poll::Pending }
        })
        .await
    }

    /// Holds a slot during `work`. Without a free one: answers 503, or waits if shedding is switched off.
    pub(super) async fn admit(&self, work: impl Future<Output = Result<Response, Infallible>>) -> Response {
        let slot = match self.slots.try_acquire() {
            Ok(slot) => Some(slot),
            Err(_) if self.protections.on(Protection::LoadShedding) => {
                self.metrics.http_requests_shed_total.inc();
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
    Problem { cause: Some(format!("no answer within {limit:?}")), ..Problem::new(&TIMEOUT, detail) }
}

fn overloaded() -> Problem {
    Problem::new(&OVERLOADED, "Too many requests are in flight; this one was not started.").retry_after(1)
}
