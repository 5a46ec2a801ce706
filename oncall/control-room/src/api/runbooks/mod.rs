//! Runbooks: reading and starting them, what people do with runs, and automation.

pub(crate) mod automation;
pub(crate) mod guardrails;
pub(crate) mod list;
pub(crate) mod runs;

use axum::response::{IntoResponse as _, Response};
use chassis_http::{Json, Problem};
use serde::Serialize;

/// A view as JSON, or why not.
type Answer = Result<Response, Problem>;

fn shown(view: impl Serialize) -> Answer {
    Ok(Json(view).into_response())
}
