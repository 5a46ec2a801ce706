//! Drills: the list, a briefing, a run with its clock, and what it was worth.
//!
//! A trainee gets what `Drill::brief` has and nothing else of a drill before it is over; what may be seen of a
//! run, `crate::drills` has decided before it comes here. Each form does one thing and leads back to a page.

mod acts;
mod answer;
mod briefing;
pub(super) mod clock;
pub(super) mod facts;
mod gauges;
mod learned;
mod list;
mod over;
mod progress;
pub(super) mod run;
mod scorecard;
pub(super) mod truth;
mod view;
mod work;

use axum::{
    Router,
    routing::{get, post},
};

use super::Area;
use crate::error::Error;

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/drills", get(list::show))
        .route("/drills/{id}", get(briefing::show))
        .route("/drills/runs", get(list::runs).post(acts::begin))
        .route("/drills/runs/{n}", get(run::show))
        .route("/drills/runs/{n}/notice", post(acts::notice))
        .route("/drills/runs/{n}/hint", post(acts::hint))
        .route("/drills/runs/{n}/answer", post(acts::answer))
        .route("/drills/runs/{n}/update", post(acts::update))
        .route("/drills/runs/{n}/submit", post(acts::submit))
        .route("/drills/runs/{n}/abort", post(acts::abort))
        .route("/drills/runs/{n}/pause", post(acts::pause))
        .route("/drills/runs/{n}/learned", post(acts::learned));
    (router, DECLARED)
}

const DECLARED: &[(&str, &str)] = &[
    ("GET", "/drills"),
    ("GET", "/drills/{id}"),
    ("GET", "/drills/runs"),
    ("POST", "/drills/runs"),
    ("GET", "/drills/runs/{n}"),
    ("POST", "/drills/runs/{n}/notice"),
    ("POST", "/drills/runs/{n}/hint"),
    ("POST", "/drills/runs/{n}/answer"),
    ("POST", "/drills/runs/{n}/update"),
    ("POST", "/drills/runs/{n}/submit"),
    ("POST", "/drills/runs/{n}/abort"),
    ("POST", "/drills/runs/{n}/pause"),
    ("POST", "/drills/runs/{n}/learned"),
];

/// Reads the number of a run in a path.
fn number(text: &str) -> Result<i64, Error> {
    text.parse().map_err(|_| Error::NoSuch {
        what: "run",
        name: text.to_owned(),
        known: "those at /drills/runs".to_owned(),
    })
}
