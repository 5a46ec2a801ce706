//! What people write down: notes, tasks, links.

use axum::extract::State as Shared;
use chassis_http::Json;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use incident::{EntryKind, Link, What};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answer, act, answer};
use crate::{
    access::Visitor,
    api::{
        input::{Nothing, Part, Proof, Which, address, line, person, text},
        openapi::Changes,
    },
    error::Error,
    room::Room,
};

/// Kinds of entries that people may write. The others follow from what happens.
const BY_HAND: [EntryKind; 8] = [
    EntryKind::Note,
    EntryKind::Query,
    EntryKind::Action,
    EntryKind::Change,
    EntryKind::Restart,
    EntryKind::Symptom,
    EntryKind::Diagnosis,
    EntryKind::Impact,
];

/// An entry in the timeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// What happened or was seen.
    text: String,
    /// note (by default), query, action, change, restart, symptom, diagnosis or impact.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    kind: Option<EntryKind>,
    /// When it happened; now, if absent.
    #[serde(default)]
    happened_at: Option<DateTime<Utc>>,
    /// How that is known.
    #[serde(default)]
    evidence: Vec<Proof>,
}

/// Writes an entry into the timeline.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notes", operation_id = "note", request_body = NewNote,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn notes(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<NewNote>,
) -> Answer {
    let kind = asked.kind.unwrap_or(EntryKind::Note);
    if !BY_HAND.contains(&kind) {
        let names: Vec<String> = BY_HAND.iter().map(ToString::to_string).collect();
        return Err(Error::field("/kind", format!("one of {}", names.join(", "))).into());
    }
    let now = Utc::now();
    let happened_at = asked.happened_at.unwrap_or(now);
    if happened_at > now + TimeDelta::minutes(1) {
        return Err(Error::field("/happened_at", format!("a time that is not after {now}")).into());
    }
    let evidence = asked.evidence.into_iter().map(Proof::evidence).collect::<Result<_, _>>()?;
    let text = text("/text", asked.text)?;
    act(&room, id, &visitor, What::Noted { kind, happened_at, text, evidence, sealed: false }).await
}

/// Something to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTask {
    /// What.
    text: String,
    /// Who does it.
    #[serde(default)]
    owner: Option<String>,
    /// Until when, such as 2026-12-24.
    #[serde(default)]
    due: Option<NaiveDate>,
    /// Whether it prevents the next incident (an action item of the postmortem), or ends this one.
    #[serde(default)]
    follow_up: bool,
}

/// Adds a task.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/tasks", operation_id = "add_task", request_body = NewTask,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn tasks(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<NewTask>,
) -> Answer {
    let owner = asked.owner.map(|owner| person(&room, "/owner", owner)).transpose()?;
    let text = text("/text", asked.text)?;
    let done = room.desk.task(id, visitor.source(), &text, owner, asked.due, asked.follow_up).await?;
    answer(&room, &done, &visitor)
}

/// Says that a task is done.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/tasks/{n}/done", operation_id = "task_done", request_body = Nothing,
    params(("id" = String, Path, description = "The incident, such as INC-7"), ("n" = u32, Path, description = "The task")),
    responses(Changes))]
pub(crate) async fn task_done(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Part(id, task): Part,
    Json(_nothing): Json<Nothing>,
) -> Answer {
    act(&room, id, &visitor, What::TaskDone { id: task }).await
}

/// Something to read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    /// What it leads to.
    title: String,
    /// Where: http, https, or a path of the control room.
    url: String,
}

/// Adds a link.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/links", operation_id = "add_link", request_body = NewLink,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn links(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<NewLink>,
) -> Answer {
    let link = Link { title: line("/title", asked.title)?, url: address("/url", asked.url)? };
    act(&room, id, &visitor, What::Linked { link }).await
}
