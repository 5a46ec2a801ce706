//! Lists, one incident, its timeline; and a new one by hand.

use axum::{
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_core::Fields;
use chassis_http::{Json, Problem, Query};
use chrono::{DateTime, Utc};
use http::{StatusCode, header::LOCATION};
use incident::{EntryKind, Id, Severity, State};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::Answer;
use crate::{
    access::Visitor,
    api::{
        input::Which,
        openapi::{Reads, Refusals},
        view,
    },
    desk::{Filter, New},
    room::Room,
};

/// Incidents on a page if the caller does not say.
const LIMIT: usize = 20;
/// Most incidents on a page.
const MOST: usize = 100;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAsked {
    /// Only those that somebody still has to do something about, or only the others.
    open: Option<bool>,
    /// Only those in this state.
    #[param(value_type = Option<String>)]
    state: Option<State>,
    /// Only those of this severity, such as SEV-2.
    #[param(value_type = Option<String>)]
    severity: Option<Severity>,
    /// Only those that affect this service.
    service: Option<String>,
    /// Only those with a smaller number: `next` of the page before.
    #[param(value_type = Option<String>)]
    before: Option<Id>,
    /// Incidents on a page, 1 to 100, by default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// Lists incidents, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/incidents",
    operation_id = "list_incidents",
    params(ListAsked),
    responses(Reads)
)]
pub(crate) async fn list(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Query(asked): Query<ListAsked>,
) -> Answer {
    let limit = asked.limit.unwrap_or(LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Fields::one("limit", format_args!("a whole number from 1 to {MOST}")).into());
    }
    let filter =
        Filter { open: asked.open, state: asked.state, severity: asked.severity, service: asked.service };
    // One more than the page has tells whether another page follows.
    let mut found = room.desk.list(&filter, asked.before, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.id);
    let incidents: Vec<Value> = found.iter().map(|one| view::summary(one)).collect();
    Ok(Json(json!({ "incidents": incidents, "next": next })))
}

/// A new incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIncident {
    /// What people see, in a few words; at most 200 characters.
    title: String,
    /// What is known so far, in a few sentences; at most 2,000 characters.
    #[serde(default)]
    description: String,
    /// SEV-1 to SEV-5, or critical, high, medium, low.
    #[schema(value_type = String)]
    severity: Severity,
    /// Affected services, as far as known.
    #[serde(default)]
    services: Vec<String>,
}

/// Opens an incident by hand.
#[utoipa::path(post, path = "/api/v1/incidents", operation_id = "open_incident", request_body = NewIncident,
    responses(Refusals, (status = 201, description = "The incident is open; `Location` says where.")))]
pub(crate) async fn create(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Json(asked): Json<NewIncident>,
) -> Result<Response, Problem> {
    let NewIncident { title, description, severity, services } = asked;
    let new = New { title, description, severity, services };
    let opened = room.desk.create(visitor.source(), new).await?;
    let body = view::incident(&opened, visitor.role, room.drills.hides_truth(&visitor))?;
    let place = format!("/api/v1/incidents/{}", opened.id);
    Ok((StatusCode::CREATED, [(LOCATION, place)], Json(body)).into_response())
}

/// Shows an incident with its timeline, measures, escalation, war room and deliveries.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", operation_id = "show_incident",
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Reads))]
pub(crate) async fn show(Shared(room): Shared<Room>, visitor: Visitor, Which(id): Which) -> Answer {
    let found = room.desk.get(id).await?;
    Ok(Json(view::whole(&room, &found, &visitor).await?))
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineAsked {
    /// Only entries of this kind, such as `diagnosis`.
    #[param(value_type = Option<String>)]
    kind: Option<EntryKind>,
    /// Only entries about what happened after this instant (RFC 3339).
    after: Option<DateTime<Utc>>,
}

/// What happened, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/timeline", operation_id = "timeline",
    params(("id" = String, Path, description = "The incident, such as INC-7"), TimelineAsked), responses(Reads))]
pub(crate) async fn timeline(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Query(asked): Query<TimelineAsked>,
) -> Answer {
    let found = room.desk.get(id).await?;
    let mut entries = view::timeline(&found, visitor.role, room.drills.hides_truth(&visitor));
    entries.retain(|entry| asked.kind.is_none_or(|kind| entry.kind == kind));
    entries.retain(|entry| asked.after.is_none_or(|after| entry.at > after));
    Ok(Json(view::list("timeline", &entries)?))
}
