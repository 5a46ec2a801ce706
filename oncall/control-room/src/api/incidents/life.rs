//! The life cycle: who works on it, how bad it is, where it is.

use axum::extract::State as Shared;
use chassis_http::Json;
use incident::{Severity, State, What};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answer, act};
use crate::{
    access::Visitor,
    api::{
        input::{Nothing, Which, Why, line, reason, required},
        openapi::Changes,
    },
    room::Room,
};

/// Says that somebody works on it. Escalation pauses.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/acknowledge", request_body = Nothing,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn acknowledge(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(_nothing): Json<Nothing>,
) -> Answer {
    act(&room, id, &visitor, What::Acknowledged).await
}

/// How bad it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetSeverity {
    /// SEV-1 to SEV-5, or critical, high, medium, low.
    #[schema(value_type = String)]
    severity: Severity,
    /// How that is known.
    #[serde(default)]
    why: String,
}

/// Changes the severity.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/severity", operation_id = "set_severity", request_body = SetSeverity,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn severity(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<SetSeverity>,
) -> Answer {
    let what = What::SeveritySet { severity: asked.severity, why: reason(asked.why)? };
    act(&room, id, &visitor, what).await
}

/// Where it goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Move {
    /// triage, active, mitigated, resolved, closed or dismissed.
    #[schema(value_type = String)]
    to: State,
    /// What was done, or seen.
    #[serde(default)]
    why: String,
}

/// Mitigates, resolves, closes, dismisses it, or makes it active again.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/state", operation_id = "move_incident", request_body = Move,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn state(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Move>,
) -> Answer {
    act(&room, id, &visitor, What::Moved { to: asked.to, why: reason(asked.why)? }).await
}

/// Its title.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Title {
    /// What people see, in a few words; at most 200 characters.
    title: String,
}

/// Renames it.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/title", operation_id = "rename_incident", request_body = Title,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn title(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Title>,
) -> Answer {
    act(&room, id, &visitor, What::Renamed { title: line("/title", asked.title)? }).await
}

/// Declares it a major incident: a response team is assembled.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/major", operation_id = "declare_major", request_body = Why,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn major(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Why>,
) -> Answer {
    act(&room, id, &visitor, What::DeclaredMajor { why: required(asked.why)? }).await
}
