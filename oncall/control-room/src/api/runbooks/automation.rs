//! Whether automation acts, who did what, and what it costs people.

use axum::{extract::State as Shared, response::IntoResponse as _};
use chassis_http::{Json, Query};
use chrono::{DateTime, TimeDelta, Utc};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    access::Visitor,
    api::{
        input::required,
        openapi::{Reads, Refusals},
        view::{Answer, shown},
    },
    room::Room,
    runbooks::view::AutomationView,
};

/// Span of the report of toil if the caller does not say.
const SPAN: TimeDelta = TimeDelta::days(7);

/// Whether automation acts on alerts, since when and why.
#[utoipa::path(get, path = "/api/v1/automation", operation_id = "automation",
    responses(Refusals, (status = 200, description = "The switch.", body = AutomationView)))]
pub(crate) async fn read(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    shown(room.runbooks.automation())
}

/// The switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    /// On, or off.
    on: bool,
    /// Why, in a sentence.
    why: String,
}

/// Switches automation on or off. Off is the kill switch: what runs by itself is stopped at once, and nothing
/// is taken back.
#[utoipa::path(put, path = "/api/v1/automation", operation_id = "switch_automation", request_body = Switch,
    responses(Refusals, (status = 200, description = "The switch.", body = AutomationView)))]
pub(crate) async fn switch(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Json(asked): Json<Switch>,
) -> Answer {
    let why = required(asked.why)?;
    shown(room.runbooks.switch(&room, &visitor, asked.on, &why).await?)
}

/// The audit log, one entry per line of JSON, in a chain of hashes.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "audit",
    responses(Refusals, (status = 200, description = "Lines of JSON: application/x-ndjson.")))]
pub(crate) async fn audit(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    let log = room.runbooks.audit().await?;
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], log).into_response())
}

/// Since when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ToilAsked {
    /// Begin (RFC 3339), at most 400 days ago; 7 days ago, if absent.
    since: Option<DateTime<Utc>>,
}

/// Minutes of people by kind and task, what repeats, what is worth automating, and the share of the time on
/// call.
#[utoipa::path(get, path = "/api/v1/toil", operation_id = "toil", params(ToilAsked), responses(Reads))]
pub(crate) async fn toil(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Query(asked): Query<ToilAsked>,
) -> Answer {
    shown(room.runbooks.toil(asked.since.unwrap_or_else(|| Utc::now() - SPAN)).await?)
}
