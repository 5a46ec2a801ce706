//! What changed in the system: releases, flags, restarts.

use axum::extract::State as Shared;
use chassis_http::{Json, Query};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{incidents::Answer, openapi::Reads, view};
use crate::{access::Visitor, room::Room};

/// How far back, if the caller does not say.
const SPAN: TimeDelta = TimeDelta::hours(24);

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesAsked {
    /// Only changes from this instant on (RFC 3339); the last 24 hours, if absent.
    since: Option<DateTime<Utc>>,
}

/// What changed, newest first; at most the last 500.
#[utoipa::path(
    get,
    path = "/api/v1/changes",
    operation_id = "changes",
    params(ChangesAsked),
    responses(Reads)
)]
pub(crate) async fn list(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Query(asked): Query<ChangesAsked>,
) -> Answer {
    let since = asked.since.unwrap_or_else(|| Utc::now() - SPAN);
    Ok(Json(view::list("changes", &room.changes.since(since))?))
}
