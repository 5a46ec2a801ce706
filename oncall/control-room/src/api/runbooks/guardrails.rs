//! Rules of the guardrails that are declared beside `guardrails.yaml`. They only deny.

use axum::{
    extract::State as Shared,
    response::{IntoResponse as _, Response},
};
use chassis_http::{Json, Path, Problem};
use http::StatusCode;

use crate::{
    access::Visitor,
    api::{
        openapi::Refusals,
        view::{Answer, shown},
    },
    room::Room,
    runbooks::{Denial, DenialFields},
};

/// A rule that was declared.
#[utoipa::path(get, path = "/api/v1/automation/guardrails/{rule}", operation_id = "read_guardrail",
    params(("rule" = String, Path, description = "Name of the rule")),
    responses(Refusals, (status = 200, description = "The rule.", body = Denial)))]
pub(crate) async fn read_guardrail(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Path(name): Path<String>,
) -> Answer {
    shown(room.runbooks.denial(&name)?)
}

/// Declares a rule that denies, or changes one that was declared. A denial wins over every other rule, also for people and
/// for what takes an act back. 409, if guardrails.yaml has the name.
#[utoipa::path(put, path = "/api/v1/automation/guardrails/{rule}", operation_id = "declare_guardrail",
    params(("rule" = String, Path, description = "Name of the rule")), request_body = DenialFields,
    responses(Refusals, (status = 200, description = "The rule.", body = Denial),
        (status = 201, description = "The rule, which is new.", body = Denial)))]
pub(crate) async fn declare_guardrail(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Json(asked): Json<DenialFields>,
) -> Result<Response, Problem> {
    let new = room.runbooks.deny(&room, &visitor, &name, asked).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(room.runbooks.denial(&name)?)).into_response())
}

/// Withdraws a rule that was declared: what guardrails.yaml says holds again.
#[utoipa::path(delete, path = "/api/v1/automation/guardrails/{rule}", operation_id = "withdraw_guardrail",
    params(("rule" = String, Path, description = "Name of the rule")),
    responses(Refusals, (status = 204, description = "It is gone.")))]
pub(crate) async fn withdraw_guardrail(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    room.runbooks.withdraw_denial(&room, &visitor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
