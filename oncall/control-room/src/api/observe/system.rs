//! What fires, how the services do, what changed, what runbooks say, what happened; and how often all of this
//! was asked.

use axum::extract::State as Shared;
use chassis_http::{Json, Query};

use crate::{
    api::{incidents::Answer, openapi::Reads},
    mcp::{
        caller::Caller,
        tools::{self, AlertsAsked, ChangesAsked, IncidentsAsked, MapAsked, RunbooksAsked, UsageAsked},
    },
    room::Room,
};

/// Alerts that are pending or firing.
#[utoipa::path(
    get,
    path = "/api/v1/observe/alerts",
    operation_id = "observe_alerts",
    params(AlertsAsked),
    responses(Reads)
)]
pub(crate) async fn alerts(
    Shared(room): Shared<Room>,
    caller: Caller,
    Query(asked): Query<AlertsAsked>,
) -> Answer {
    Ok(Json(tools::alerts(&room, &caller, asked).await?.into_value()))
}

/// Services in the order of a request's path, with their numbers, their instances and who calls whom.
#[utoipa::path(get, path = "/api/v1/observe/map", operation_id = "observe_map", responses(Reads))]
pub(crate) async fn map(Shared(room): Shared<Room>, caller: Caller) -> Answer {
    Ok(Json(tools::map(&room, &caller, MapAsked {}).await?.into_value()))
}

/// What changed, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/observe/changes",
    operation_id = "observe_changes",
    params(ChangesAsked),
    responses(Reads)
)]
pub(crate) async fn changes(
    Shared(room): Shared<Room>,
    caller: Caller,
    Query(asked): Query<ChangesAsked>,
) -> Answer {
    Ok(Json(tools::changes(&room, &caller, asked).await?.into_value()))
}

/// The text of a runbook, without the section that says how to cause its alert; or the names of all.
#[utoipa::path(
    get,
    path = "/api/v1/observe/runbooks",
    operation_id = "observe_runbooks",
    params(RunbooksAsked),
    responses(Reads)
)]
pub(crate) async fn runbooks(
    Shared(room): Shared<Room>,
    caller: Caller,
    Query(asked): Query<RunbooksAsked>,
) -> Answer {
    Ok(Json(tools::runbooks(&room, &caller, asked).await?.into_value()))
}

/// The newest incidents; or one with its timeline.
#[utoipa::path(
    get,
    path = "/api/v1/observe/incident",
    operation_id = "observe_incident",
    params(IncidentsAsked),
    responses(Reads)
)]
pub(crate) async fn incident(
    Shared(room): Shared<Room>,
    caller: Caller,
    Query(asked): Query<IncidentsAsked>,
) -> Answer {
    Ok(Json(tools::incidents(&room, &caller, asked).await?.into_value()))
}

/// How many calls of tools there were, here and at `/mcp`: of those that look, of acts, and by tool. Is not
/// counted itself.
#[utoipa::path(
    get,
    path = "/api/v1/observe/usage",
    operation_id = "observe_usage",
    params(UsageAsked),
    responses(Reads)
)]
pub(crate) async fn usage(
    Shared(room): Shared<Room>,
    _caller: Caller,
    Query(asked): Query<UsageAsked>,
) -> Answer {
    Ok(Json(tools::usage(&room, &asked).await?.into_value()))
}
