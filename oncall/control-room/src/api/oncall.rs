//! Who is on call, shifts, calendars, overrides, and what the file asks of people.

use axum::{
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_http::{Json, Path, Problem, Query};
use chrono::{DateTime, TimeDelta, Utc};
use http::{StatusCode, header::CONTENT_TYPE};
use rota::{Person, schedule};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    declare,
    incidents::Answer,
    openapi::{Reads, Refusals},
    view,
};
use crate::{access::Visitor, duty::Part, room::Room};

/// Span of shifts if the caller does not say.
const SPAN: TimeDelta = TimeDelta::days(14);

/// Who is on call now and next, overrides, people, and what is wrong with the file.
#[utoipa::path(get, path = "/api/v1/oncall", operation_id = "on_call", responses(Reads))]
pub(crate) async fn now(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    let state = room.duty.rota();
    Ok(Json(json!({
        "schedules": room.duty.now(Utc::now()),
        "overrides": room.duty.overrides(),
        "people": room.duty.people().iter().map(person).collect::<Vec<_>>(),
        "file": state.file,
        "read_at": state.read_at,
        "problems": state.problems,
    })))
}

/// Without addresses: a webhook's may be a secret.
fn person(person: &Person) -> Value {
    let contacts: Vec<_> = person.contacts.iter().map(|contact| contact.kind).collect();
    json!({ "name": person.name, "title": person.title, "zone": person.zone, "contacts": contacts })
}

/// Which shifts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShiftsAsked {
    /// Begin (RFC 3339); now, if absent.
    from: Option<DateTime<Utc>>,
    /// End (RFC 3339); 14 days after the begin, if absent.
    until: Option<DateTime<Utc>>,
}

/// The shifts of a schedule, oldest first, cut at the ends of the span.
#[utoipa::path(get, path = "/api/v1/oncall/schedules/{schedule}/shifts", operation_id = "shifts",
    params(("schedule" = String, Path, description = "Name of the schedule"), ShiftsAsked), responses(Reads))]
pub(crate) async fn shifts(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Path(schedule): Path<String>,
    Query(asked): Query<ShiftsAsked>,
) -> Answer {
    let from = asked.from.unwrap_or_else(Utc::now);
    let until = asked.until.or_else(|| from.checked_add_signed(SPAN)).unwrap_or(from);
    Ok(Json(view::list("shifts", &room.duty.shifts(&schedule, from, until)?)?))
}

/// Whose shifts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CalendarAsked {
    /// Only this person's.
    person: Option<String>,
}

/// A schedule as it is written, and whether the file or the API has it. At its name with `.ics`: its next 90 days, as an
/// iCalendar to subscribe to.
#[utoipa::path(get, path = "/api/v1/oncall/schedules/{schedule}", operation_id = "read_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule; with .ics for the calendar, such as first-line.ics"), CalendarAsked),
    responses(Refusals, (status = 200, description = "The schedule as JSON, or an iCalendar.")))]
pub(crate) async fn read_schedule(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Path(schedule): Path<String>,
    Query(asked): Query<CalendarAsked>,
) -> Result<Response, Problem> {
    let Some(schedule) = schedule.strip_suffix(".ics") else {
        if asked.person.is_some() {
            return Err(Problem::invalid("person", format!("none, or the calendar: {schedule}.ics")));
        }
        return Ok(Json(declare::shown(&room, Part::Schedule, &schedule)?).into_response());
    };
    let text = room.duty.ical(schedule, asked.person.as_deref(), Utc::now())?;
    Ok(([(CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response())
}

/// A change of who is on call, for a time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOverride {
    /// Name of the schedule.
    schedule: String,
    /// What changes.
    change: OverrideChange,
    /// From this instant on (RFC 3339).
    from: DateTime<Utc>,
    /// Until this instant, exclusively; at most 90 days later.
    until: DateTime<Utc>,
}

/// What an override changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum OverrideChange {
    /// One more person is on call, not as primary.
    Add(String),
    /// A person is not on call; the layer below takes over.
    Remove(String),
    /// A person's shifts are taken by another.
    Replace {
        /// Whose shifts.
        person: String,
        /// Who takes them.
        with: String,
    },
}

impl From<OverrideChange> for schedule::Change {
    fn from(change: OverrideChange) -> Self {
        match change {
            OverrideChange::Add(person) => Self::Add(person),
            OverrideChange::Remove(person) => Self::Remove(person),
            OverrideChange::Replace { person, with } => Self::Replace { person, with },
        }
    }
}

/// Adds an override.
#[utoipa::path(post, path = "/api/v1/oncall/overrides", operation_id = "add_override", request_body = NewOverride,
    responses(Refusals, (status = 201, description = "The override, with its number.")))]
pub(crate) async fn add_override(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Json(asked): Json<NewOverride>,
) -> Result<Response, Problem> {
    let NewOverride { schedule, change, from, until } = asked;
    let added = room.duty.add_override(&visitor.name, &schedule, change.into(), from, until).await?;
    Ok((StatusCode::CREATED, Json(json!({ "override": added }))).into_response())
}

/// Removes an override that was made here; those of the file are removed there.
#[utoipa::path(delete, path = "/api/v1/oncall/overrides/{id}", operation_id = "remove_override",
    params(("id" = i64, Path, description = "Number of the override")),
    responses(Refusals, (status = 204, description = "It is gone.")))]
pub(crate) async fn remove_override(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    room.duty.remove_override(&visitor.name, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gaps, balance, nights and weekends, and hand-offs of the next 52 weeks.
#[utoipa::path(get, path = "/api/v1/oncall/check", operation_id = "check_on_call", responses(Reads))]
pub(crate) async fn check(Shared(room): Shared<Room>, _visitor: Visitor) -> Answer {
    let (state, report) = (room.duty.rota(), room.duty.report(Utc::now()));
    Ok(Json(json!({ "report": report, "file": state.file, "problems": state.problems })))
}
