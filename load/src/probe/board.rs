//! What was seen last, on the admin port: `GET /probes` -- the last run and the last failure of each journey, with their traces, and
//! the samples that the firewall judges wrongly.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, Router, extract::State, routing::get};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde::Serialize;

use super::journey::{Failure, Journey, Step};

/// The paths of [`routes`].
pub const PATHS: &[&str] = &["/probes"];

/// A journey that ended.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Finds its spans and log lines.
    pub trace_id: String,
    /// `ok`, or how its last step failed.
    pub outcome: &'static str,
    /// The step that failed.
    pub step: Option<&'static str>,
    /// Why it failed.
    pub reason: Option<String>,
}

impl Run {
    /// One that ended at `at`, with the failed step if there is one.
    #[must_use]
    pub fn new(at: DateTime<Utc>, seconds: f64, trace_id: String, failed: Option<(Step, &Failure)>) -> Self {
        Self {
            at,
            seconds,
            trace_id,
            outcome: failed.map_or("ok", |(_, failure)| failure.outcome.as_str()),
            step: failed.map(|(step, _)| step.as_str()),
            reason: failed.map(|(_, failure)| failure.reason.clone()),
        }
    }
}

/// What is known of one journey.
#[derive(Debug, Clone, Default, Serialize)]
struct Seen {
    last: Option<Run>,
    last_failure: Option<Run>,
}

/// A sample that the firewall judges wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misjudged {
    /// The rule whose case it is.
    pub rule: String,
    /// What it is, in words.
    pub what: String,
    /// `attack` or `look-alike`.
    pub sample: &'static str,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Shown {
    journeys: BTreeMap<&'static str, Seen>,
    misjudged: Vec<Misjudged>,
}

/// What was seen last.
#[derive(Default)]
pub struct Board {
    shown: Mutex<Shown>,
}

impl Board {
    /// Keeps a run.
    pub fn walked(&self, journey: Journey, run: Run) {
        let mut shown = self.shown.lock();
        let seen = shown.journeys.entry(journey.as_str()).or_default();
        if run.step.is_some() {
            seen.last_failure = Some(run.clone());
        }
        seen.last = Some(run);
    }

    /// Replaces the samples that are judged wrongly.
    pub fn misjudged(&self, samples: Vec<Misjudged>) {
        self.shown.lock().misjudged = samples;
    }
}

/// The routes.
pub fn routes(board: Arc<Board>) -> Router {
    Router::new().route("/probes", get(show)).with_state(board)
}

async fn show(State(board): State<Arc<Board>>) -> Json<Shown> {
    Json(board.shown.lock().clone())
}
