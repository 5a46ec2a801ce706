//! `GET /greetings/{name}`: a greeting for anyone.

use axum::extract::State;
use chassis_http::{
    Path,
    openapi::{Problem, ToAnything},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::AppState;

/// A greeting.
#[derive(Debug, Serialize, ToSchema)]
pub struct Greeting {
    /// What is said.
    text: String,
}

/// Greets somebody.
#[utoipa::path(
    get,
    path = "/greetings/{name}",
    operation_id = "greet",
    params(("name" = String, Path, description = "Who is greeted.")),
    responses(
        ToAnything,
        (status = 200, description = "The greeting.", body = Greeting),
        (status = 400, description = "The name is not valid.", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn greet(State(state): State<AppState>, Path(name): Path<String>) -> axum::Json<Greeting> {
    state.metrics.greetings_total.inc();
    axum::Json(Greeting { text: format!("Good morning, {name}.") })
}
