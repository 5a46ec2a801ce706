//! Runs: where they are, and what people do with them. Each verb answers the run as it is afterwards.

use axum::extract::State as Shared;
use chassis_http::{Json, Path, Query};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    access::Visitor,
    api::{
        input::{Newest, Why, required},
        openapi::{Reads, Refusals},
        view::{self, Answer, shown},
    },
    error::Error,
    room::Room,
    runbooks::view::{RunbookRunView, StepState},
};

/// Runs, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/runbook-runs",
    operation_id = "runbook_runs",
    params(Newest),
    responses(Reads)
)]
pub(crate) async fn all(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Query(asked): Query<Newest>,
) -> Answer {
    let runs = room.runbooks.runs(asked.limit()).await?;
    shown(view::list("runs", &runs)?)
}

/// A run.
#[utoipa::path(get, path = "/api/v1/runbook-runs/{id}", operation_id = "runbook_run",
    params(("id" = String, Path, description = "The run, such as RUN-7")),
    responses(Refusals, (status = 200, description = "The run.", body = RunbookRunView)))]
pub(crate) async fn one(Shared(room): Shared<Room>, _visitor: Visitor, Path(id): Path<String>) -> Answer {
    shown(room.runbooks.run(&id).await?)
}

/// Which step is confirmed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// The place of the step that you saw, such as step-3: another one is not confirmed by mistake. Absent:
    /// the current one.
    #[serde(default)]
    place: Option<String>,
    /// The branch that you choose, if the step is a decision.
    #[serde(default)]
    branch: Option<String>,
}

/// Says that the current step may be done.
#[utoipa::path(post, path = "/api/v1/runbook-runs/{id}/confirm", operation_id = "confirm_step",
    request_body = Confirmation, params(("id" = String, Path, description = "The run, such as RUN-7")),
    responses(Refusals, (status = 200, description = "The run.", body = RunbookRunView)))]
pub(crate) async fn confirm(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(asked): Json<Confirmation>,
) -> Answer {
    if let Some(place) = asked.place {
        let run = room.runbooks.run(&id).await?;
        let now = run.steps.iter().find(|step| step.state == StepState::Now);
        if now.is_none_or(|step| step.place != place) {
            let now = now.map_or("nothing", |step| step.place.as_str());
            return Err(Error::Conflict(format!("{id} is at {now}, not at {place}")).into());
        }
    }
    shown(room.runbooks.confirm(&room, &visitor, &id, asked.branch).await?)
}

/// Leaves the current step out.
#[utoipa::path(post, path = "/api/v1/runbook-runs/{id}/skip", operation_id = "skip_step", request_body = Why,
    params(("id" = String, Path, description = "The run, such as RUN-7")),
    responses(Refusals, (status = 200, description = "The run.", body = RunbookRunView)))]
pub(crate) async fn skip(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(asked): Json<Why>,
) -> Answer {
    let why = required(asked.why)?;
    shown(room.runbooks.skip(&room, &visitor, &id, &why).await?)
}

/// What is approved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    /// The digest of the request that you saw: nothing else is approved.
    digest: String,
}

/// Approves what the run may change. It takes a second person.
#[utoipa::path(post, path = "/api/v1/runbook-runs/{id}/approve", operation_id = "approve_run",
    request_body = Approval, params(("id" = String, Path, description = "The run, such as RUN-7")),
    responses(Refusals, (status = 200, description = "The run.", body = RunbookRunView)))]
pub(crate) async fn approve(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(asked): Json<Approval>,
) -> Answer {
    shown(room.runbooks.approve(&room, &visitor, &id, &asked.digest).await?)
}

/// Does not approve it; the run ends.
#[utoipa::path(post, path = "/api/v1/runbook-runs/{id}/decline", operation_id = "decline_run",
    request_body = Why, params(("id" = String, Path, description = "The run, such as RUN-7")),
    responses(Refusals, (status = 200, description = "The run.", body = RunbookRunView)))]
pub(crate) async fn decline(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(asked): Json<Why>,
) -> Answer {
    let why = required(asked.why)?;
    shown(room.runbooks.decline(&room, &visitor, &id, &why).await?)
}

/// Stops a run where it is. Nothing is taken back.
#[utoipa::path(post, path = "/api/v1/runbook-runs/{id}/stop", operation_id = "stop_run", request_body = Why,
    params(("id" = String, Path, description = "The run, such as RUN-7")),
    responses(Refusals, (status = 200, description = "The run.", body = RunbookRunView)))]
pub(crate) async fn stop(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(asked): Json<Why>,
) -> Answer {
    let why = required(asked.why)?;
    shown(room.runbooks.stop(&room, &visitor, &id, &why).await?)
}
