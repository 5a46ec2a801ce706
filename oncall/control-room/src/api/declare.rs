//! Schedules and escalation policies that are declared beside `oncall.yaml`: the same fields as there. What is wrong with
//! their values, the reader of the file says; names and kinds of fields are checked here.

use axum::{
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_http::{Json, Path, Problem};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    incidents::Answer,
    openapi::{Changes, Reads, Refusals},
};
use crate::{access::Visitor, duty::Part, error, room::Room};

/// A schedule, as oncall.yaml has it, without its name. Overrides have routes of their own.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredSchedule {
    /// Zone of times without an offset, such as Europe/Berlin.
    zone: String,
    /// Who is primary whenever no layer is.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<String>,
    /// From the lowest to the highest: the highest that counts wins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layers: Vec<DeclaredLayer>,
    /// Spans in which fixed shifts replace the layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    temporary: Vec<DeclaredTemporary>,
}

/// A rotation, and when it counts.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredLayer {
    /// Its name within the schedule.
    name: String,
    /// Its zone, if it is another than the schedule's.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    /// Who takes turns.
    rotation: DeclaredRotation,
    /// When it counts; always, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<Vec<DeclaredWindow>>,
}

/// People who take turns.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredRotation {
    /// hour, day, week or month.
    unit: String,
    /// Units per turn, 1 to 1000; 1, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<u32>,
    /// A hand-off to the first person, in wall time, such as 2026-01-05T09:00.
    start: String,
    /// Names, in order.
    people: Vec<String>,
}

/// A window of the week.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredWindow {
    /// Days or ranges of days, such as mon-fri; all, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<Vec<String>>,
    /// Hours and minutes, such as 09:00.
    from: String,
    /// The next day, unless it is later than `from`.
    until: String,
}

/// A span with fixed shifts, which follow one another from its begin to its end.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredTemporary {
    /// Its begin: a wall time in the schedule's zone, or a time with an offset.
    from: String,
    /// Its end, exclusively.
    until: String,
    /// In order.
    shifts: Vec<DeclaredShift>,
}

/// A shift with a fixed begin and end.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredShift {
    /// Who is primary.
    person: String,
    /// Its begin.
    from: String,
    /// Its end, exclusively.
    until: String,
}

/// An escalation policy, as oncall.yaml has it, without its name.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredPolicy {
    /// SEV-1 to SEV-5; those that no other policy names, if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    severities: Vec<String>,
    /// How often the steps are done once more, at most 5; 0, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat: Option<u32>,
    /// How long an acknowledgement holds, such as 30m, written as in production; until the end, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_expires: Option<String>,
    /// In order; at least one of them notifies.
    steps: Vec<DeclaredStep>,
}

/// A step; exactly one field is set.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredStep {
    /// Waits, such as 15m, written as in production.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<String>,
    /// Notifies a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_person: Option<String>,
    /// Notifies who is on call in a schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_schedule: Option<String>,
    /// Notifies one of several people, in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_round_robin: Option<Vec<String>>,
    /// Waits until one of the windows is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    only_during: Option<DeclaredGate>,
    /// Waits for alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    only_after: Option<DeclaredThreshold>,
    /// Calls one of the webhooks of oncall.yaml.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<String>,
}

/// Windows of the week in a zone.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredGate {
    /// Whose wall time they mean.
    zone: String,
    /// At least one.
    windows: Vec<DeclaredWindow>,
}

/// A number of alerts within a time.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredThreshold {
    /// How many, at least 2.
    alerts: u32,
    /// Such as 5m, written as in production.
    within: String,
}

/// Declares a schedule, or changes one that was declared. 409, if oncall.yaml has the name.
#[utoipa::path(put, path = "/api/v1/oncall/schedules/{schedule}", operation_id = "declare_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule")), request_body = DeclaredSchedule,
    responses(Changes, (status = 201, description = "It is new.")))]
pub(crate) async fn declare_schedule(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Json(asked): Json<DeclaredSchedule>,
) -> Result<Response, Problem> {
    declare(&room, &visitor, Part::Schedule, &name, fields(&asked)?).await
}

/// Withdraws a schedule that was declared. 409, if oncall.yaml has it, or a policy notifies it.
#[utoipa::path(delete, path = "/api/v1/oncall/schedules/{schedule}", operation_id = "withdraw_schedule",
    params(("schedule" = String, Path, description = "Name of the schedule")),
    responses(Refusals, (status = 204, description = "It is gone.")))]
pub(crate) async fn withdraw_schedule(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    room.duty.withdraw(&room.changes, &visitor.name, Part::Schedule, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An escalation policy as it is written, and whether the file or the API has it.
#[utoipa::path(get, path = "/api/v1/oncall/policies/{policy}", operation_id = "read_policy",
    params(("policy" = String, Path, description = "Name of the policy")), responses(Reads))]
pub(crate) async fn read_policy(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Path(name): Path<String>,
) -> Answer {
    Ok(Json(shown(&room, Part::Policy, &name)?))
}

/// Declares an escalation policy, or changes one that was declared. 409, if oncall.yaml has the name. Incidents that are
/// open keep the policy that they began with.
#[utoipa::path(put, path = "/api/v1/oncall/policies/{policy}", operation_id = "declare_policy",
    params(("policy" = String, Path, description = "Name of the policy")), request_body = DeclaredPolicy,
    responses(Changes, (status = 201, description = "It is new.")))]
pub(crate) async fn declare_policy(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Json(asked): Json<DeclaredPolicy>,
) -> Result<Response, Problem> {
    declare(&room, &visitor, Part::Policy, &name, fields(&asked)?).await
}

/// Withdraws an escalation policy that was declared. 409, if oncall.yaml has it.
#[utoipa::path(delete, path = "/api/v1/oncall/policies/{policy}", operation_id = "withdraw_policy",
    params(("policy" = String, Path, description = "Name of the policy")),
    responses(Refusals, (status = 204, description = "It is gone.")))]
pub(crate) async fn withdraw_policy(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    room.duty.withdraw(&room.changes, &visitor.name, Part::Policy, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is kept: the fields that were sent.
fn fields(asked: &impl Serialize) -> error::Result<Map<String, Value>> {
    Ok(serde_json::from_value(serde_json::to_value(asked)?)?)
}

async fn declare(
    room: &Room,
    visitor: &Visitor,
    part: Part,
    name: &str,
    fields: Map<String, Value>,
) -> Result<Response, Problem> {
    let new = room.duty.declare(&room.changes, &visitor.name, part, name, fields).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(room, part, name)?)).into_response())
}

/// It as it is written, under the name of what it is, and whose it is.
pub(super) fn shown(room: &Room, part: Part, name: &str) -> error::Result<Value> {
    let written = room.duty.written(part, name)?;
    let what: &'static str = part.into();
    let mut shown = json!({ what: written.entry });
    if let (Some(shown), Value::Object(rest)) = (shown.as_object_mut(), serde_json::to_value(&written)?) {
        shown.extend(rest);
    }
    Ok(shown)
}
