//! Automation: whether it acts and what holds it back, runs of runbooks and what people do with them, and what manual work costs.
//!
//! A run continues by itself; these pages only show it and pass on what a person says.

mod acts;
mod guardrails;
mod run;
mod start;
mod state;
mod switch;
mod toil;
pub(super) mod wish;

use axum::{
    Router,
    routing::{get, post},
};
use maud::{Markup, html};

use super::Area;

pub(super) use self::state::{badge_of, table};

pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/automation", get(switch::show).post(switch::turn))
        .route("/runbook-runs/{id}", get(run::show))
        .route("/runbook-runs/{id}/confirm", post(acts::confirm))
        .route("/runbook-runs/{id}/skip", post(acts::skip))
        .route("/runbook-runs/{id}/approve", post(acts::approve))
        .route("/runbook-runs/{id}/decline", post(acts::decline))
        .route("/runbook-runs/{id}/stop", post(acts::stop))
        // The same name as in the page's own route: a path has one name for each place.
        .route("/runbooks/{alert}/dry", post(start::dry))
        .route("/runbooks/{alert}/runs", post(start::begin))
        .route("/toil", get(toil::show));
    let declared = &[
        ("GET", "/automation"),
        ("POST", "/automation"),
        ("GET", "/runbook-runs/{id}"),
        ("POST", "/runbook-runs/{id}/confirm"),
        ("POST", "/runbook-runs/{id}/skip"),
        ("POST", "/runbook-runs/{id}/approve"),
        ("POST", "/runbook-runs/{id}/decline"),
        ("POST", "/runbook-runs/{id}/stop"),
        ("POST", "/runbooks/{alert}/dry"),
        ("POST", "/runbooks/{alert}/runs"),
        ("GET", "/toil"),
    ];
    (router, declared)
}

/// The pages that belong together.
pub(super) fn tabs(active: &str) -> Markup {
    let entries = [("/runbooks", "Runbooks"), ("/automation", "Automation"), ("/toil", "Toil")];
    html! {
        nav.tabs aria-label="Runbooks and automation" {
            @for (path, name) in entries { a href=(path) aria-current=[(path == active).then_some("page")] { (name) } }
        }
    }
}
