//! Runbooks: what there is, what one would do now, and starting it.

use std::collections::BTreeMap;

use axum::{
    extract::State as Shared,
    response::{IntoResponse as _, Response},
};
use chassis_http::{Json, Path, Problem};
use http::{StatusCode, header::LOCATION};
use incident::Id;
use runbook::Mode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    access::Visitor,
    api::{
        openapi::{Reads, Refusals},
        view::{self, Answer, shown},
    },
    room::Room,
    runbooks::{
        dry::Wanted,
        view::{DryView, RunbookRunView, RunbookView},
    },
};

/// Runbooks that can run.
#[utoipa::path(get, path = "/api/v1/runbooks", operation_id = "runbooks", responses(Reads))]
pub(crate) async fn all(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    let books: Vec<RunbookView> =
        room.runbooks.all().iter().filter_map(|book| room.runbooks.outline(&book.name).ok()).collect();
    shown(view::list("runbooks", &books)?)
}

/// A runbook: its parameters and steps.
#[utoipa::path(get, path = "/api/v1/runbooks/{name}", operation_id = "runbook",
    params(("name" = String, Path, description = "Name of the runbook, such as TargetDown")),
    responses(Refusals, (status = 200, description = "The runbook.", body = RunbookView)))]
pub(crate) async fn one(Shared(room): Shared<Room>, _visitor: Visitor, Path(name): Path<String>) -> Answer {
    shown(room.runbooks.outline(&name)?)
}

/// What to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryAsked {
    /// Given parameters.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// Labels of an alert, for parameters that are not given.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The incident that a run would be for; its alert has the labels.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    incident: Option<Id>,
}

/// What it would do now, with live values and the decision of the guardrails. Changes nothing.
#[utoipa::path(post, path = "/api/v1/runbooks/{name}/dry", operation_id = "dry_run", request_body = DryAsked,
    params(("name" = String, Path, description = "Name of the runbook")),
    responses(Refusals, (status = 200, description = "What it would do.", body = DryView)))]
pub(crate) async fn dry(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Path(name): Path<String>,
    Json(asked): Json<DryAsked>,
) -> Answer {
    let DryAsked { parameters, labels: given, incident } = asked;
    let mut labels = match incident {
        Some(id) => room.runbooks.labels(&room, &name, id).await?,
        None => BTreeMap::new(),
    };
    labels.extend(given);
    shown(room.runbooks.dry(&room, &name, &Wanted { incident, parameters, labels }).await?)
}

/// What to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRunbookRun {
    /// manual: you are guided, and confirm each step. ask: a second person approves before the first act.
    /// auto: all by itself.
    #[schema(value_type = String)]
    mode: Mode,
    /// The incident that it is for.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    incident: Option<Id>,
    /// Given parameters; the others come from the alert of the incident.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// Begins a run.
#[utoipa::path(post, path = "/api/v1/runbooks/{name}/runs", operation_id = "begin_run",
    request_body = NewRunbookRun, params(("name" = String, Path, description = "Name of the runbook")),
    responses(Refusals,
        (status = 201, description = "It runs; `Location` says where.", body = RunbookRunView)))]
pub(crate) async fn begin(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Json(asked): Json<NewRunbookRun>,
) -> Result<Response, Problem> {
    let NewRunbookRun { mode, incident, parameters } = asked;
    let run = room.runbooks.begin(&room, &visitor, &name, mode, incident, parameters).await?;
    let place = format!("/api/v1/runbook-runs/{}", run.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(run)).into_response())
}
