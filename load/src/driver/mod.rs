//! Turns a plan into requests. The open loop follows the schedule and never waits; the closed loop keeps N callers busy
//! and measures capacity. Both limit the time of a request, and finish requests in flight when stopped.

mod closed;
mod open;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    mix::OperationKind,
    record::{Recorder, Sample},
    schedule::Arrivals,
    target::{Outcome, Reply, Target},
    workload::{Operation, Workload},
};

/// What determines when the next request starts.
#[derive(Debug, Clone)]
pub enum Pace {
    /// The clock: arrivals at a rate that can change at run time.
    Open {
        /// How gaps vary.
        arrivals: Arrivals,
        /// Requests per second; 0 pauses.
        rate: watch::Receiver<f64>,
        /// Requests in flight at most; more are dropped and counted.
        max_in_flight: usize,
    },
    /// The responses: each of N callers sends its next request after a response.
    Closed {
        /// N.
        concurrency: usize,
    },
}

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Open or closed loop.
    pub pace: Pace,
    /// What is asked for.
    pub workload: Workload,
    /// Seed of the arrival times.
    pub seed: u64,
    /// Longest time for a request, from when it is sent.
    pub timeout: Duration,
    /// When to stop by itself.
    pub duration: Option<Duration>,
    /// Longest wait for requests in flight at the end.
    pub drain: Duration,
}

/// Runs `plan` until its duration is over or `stop` is cancelled, then until nothing is in flight or the drain is over.
pub async fn run<T: Target>(plan: Plan, target: Arc<T>, recorder: Arc<Recorder>, stop: CancellationToken) {
    let caller = Caller {
        target,
        recorder,
        timeout: plan.timeout,
        abandon: CancellationToken::new(),
        in_flight: TaskTracker::new(),
    };
    let end = plan.duration.map(|duration| Instant::now() + duration);
    match plan.pace.clone() {
        Pace::Open { arrivals, rate, max_in_flight } => {
            let loop_ = open::OpenLoop::new(&plan, arrivals, rate, max_in_flight);
            loop_.run(&caller, plan.workload, end, &stop).await;
        }
        Pace::Closed { concurrency } => closed::run(&caller, plan.workload, concurrency, end, &stop).await,
    }
    caller.finish(plan.drain).await;
}

/// Waits until `at`, or forever.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Sends one operation and records the result. Cheap to clone.
struct Caller<T> {
    target: Arc<T>,
    recorder: Arc<Recorder>,
    timeout: Duration,
    abandon: CancellationToken,
    in_flight: TaskTracker,
}

impl<T> Clone for Caller<T> {
    fn clone(&self) -> Self {
        Self {
            target: Arc::clone(&self.target),
            recorder: Arc::clone(&self.recorder),
            timeout: self.timeout,
            abandon: self.abandon.clone(),
            in_flight: self.in_flight.clone(),
        }
    }
}

impl<T: Target> Caller<T> {
    async fn call(&self, operation: Operation, intended: Instant) {
        let _in_flight = self.recorder.in_flight();
        let planned = operation.kind();
        let sent = Instant::now();
        let reply = self.bounded(operation, planned).await;
        let done = Instant::now();
        self.recorder.record(Sample {
            operation: reply.operation,
            outcome: reply.outcome,
            intended,
            response_time: done.saturating_duration_since(intended),
            service_time: done.saturating_duration_since(sent),
        });
    }

    async fn bounded(&self, operation: Operation, planned: OperationKind) -> Reply {
        let without_answer = |outcome| Reply { operation: planned, outcome };
        tokio::select! {
            biased;
            reply = self.target.send(operation) => reply,
            () = tokio::time::sleep(self.timeout) => without_answer(Outcome::Timeout),
            () = self.abandon.cancelled() => without_answer(Outcome::Abandoned),
        }
    }

    /// Waits for requests in flight; after `drain` drops them, which records them as abandoned.
    async fn finish(&self, drain: Duration) {
        self.in_flight.close();
        if tokio::time::timeout(drain, self.in_flight.wait()).await.is_err() {
            self.abandon.cancel();
            self.in_flight.wait().await;
        }
    }
}
