//! Explore: a query with its curve, traces and their waterfall, log lines. Pages only read: forms add to an incident what was
//! run and found.

mod asked;
mod examples;
mod logs;
mod metrics;
mod note;
mod panes;
mod trace;
mod traces;

use axum::{
    Extension, Router,
    response::Redirect,
    routing::{get, post},
};
use chassis_http::Path;
use maud::{Markup, html};

use super::{Area, boards::common::Common};

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/explore", get(metrics::show))
        .route("/explore/chart.json", get(metrics::chart))
        .route("/explore/traces", get(traces::show))
        .route("/explore/traces/{id}", get(trace::show))
        .route("/explore/logs", get(logs::show))
        .route("/explore/run", post(metrics::run))
        .route("/explore/traces/run", post(traces::run))
        .route("/explore/logs/run", post(logs::run))
        .route("/explore/note", post(note::add))
        // As Jaeger's own page has it.
        .route("/trace/{id}", get(jaeger))
        .layer(Extension(Common::default()));
    (
        router,
        &[
            ("GET", "/explore"),
            ("GET", "/explore/chart.json"),
            ("GET", "/explore/traces"),
            ("GET", "/explore/traces/{id}"),
            ("GET", "/explore/logs"),
            ("POST", "/explore/run"),
            ("POST", "/explore/traces/run"),
            ("POST", "/explore/logs/run"),
            ("POST", "/explore/note"),
            ("GET", "/trace/{id}"),
        ],
    )
}

async fn jaeger(Path(id): Path<String>) -> Redirect {
    Redirect::permanent(&format!("/explore/traces/{}", ::boards::range::encode(&id)))
}

/// Which of the three is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Metrics,
    Traces,
    Logs,
}

/// Links to the three, with the same context: time range and incident.
fn tabs(active: Kind, context: &str) -> Markup {
    let all = [
        (Kind::Metrics, "/explore", "Metrics"),
        (Kind::Traces, "/explore/traces", "Traces"),
        (Kind::Logs, "/explore/logs", "Logs"),
    ];
    html! {
        div.toolbar {
            h1 { "Explore" }
            nav.tabs aria-label="What to explore" {
                @for (kind, path, title) in all {
                    a href={ (path) "?" (context) } aria-current=[(kind == active).then_some("page")] { (title) }
                }
            }
        }
    }
}
