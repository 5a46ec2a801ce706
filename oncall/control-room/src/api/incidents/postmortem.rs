//! The postmortem of an incident: Markdown, versioned. Two people who edit at once are told.

use axum::{
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_http::{Json, Problem, problems::NOT_FOUND};
use http::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Answer;
use crate::{
    access::Visitor,
    api::{
        input::Which,
        openapi::{Changes, Reads},
    },
    error::Error,
    papers::Version,
    room::Room,
};

/// Longest postmortem in bytes.
const LONGEST: usize = 1 << 20;
const MARKDOWN: &str = "text/markdown";

/// The latest version: JSON, or its text alone for `Accept: text/markdown`.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/postmortem", operation_id = "postmortem",
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Reads))]
pub(crate) async fn read(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    room.drills.may_read(&visitor, room.desk.get(id).await?.as_ref())?;
    let latest = room.papers.latest(id).await?.ok_or_else(|| {
        Problem::new(&NOT_FOUND, format!("{id} has no postmortem yet: a draft is made when it is resolved."))
    })?;
    let accepts = headers.get(ACCEPT).and_then(|accepts| accepts.to_str().ok()).unwrap_or_default();
    if accepts.contains(MARKDOWN) {
        return Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], latest.text).into_response());
    }
    Ok(Json(json(&latest)).into_response())
}

/// A new version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVersion {
    /// The version that was edited; 0 if there was none.
    expected_version: i64,
    /// Markdown; at most 1 MiB.
    text: String,
}

/// Writes a new version.
#[utoipa::path(put, path = "/api/v1/incidents/{id}/postmortem", operation_id = "write_postmortem", request_body = NewVersion,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn write(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<NewVersion>,
) -> Answer {
    if asked.text.trim().is_empty() || asked.text.len() > LONGEST {
        return Err(Error::field("/text", format!("Markdown, 1 to {LONGEST} bytes")).into());
    }
    room.desk.get(id).await?;
    let saved = room.papers.save(id, asked.expected_version, &visitor.name, &asked.text).await?;
    Ok(Json(json(&saved)))
}

/// All versions without their texts, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/postmortem/versions", operation_id = "postmortem_versions",
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Reads))]
pub(crate) async fn versions(Shared(room): Shared<Room>, _visitor: Visitor, Which(id): Which) -> Answer {
    room.desk.get(id).await?;
    let mut versions = room.papers.versions(id).await?;
    versions.sort_by_key(|one| one.version);
    let versions: Vec<Value> = versions
        .iter()
        .map(|one| json!({ "version": one.version, "at": one.at, "author": one.author, "bytes": one.text.len() }))
        .collect();
    Ok(Json(json!({ "versions": versions })))
}

fn json(version: &Version) -> Value {
    json!({
        "incident": version.incident,
        "version": version.version,
        "at": version.at,
        "author": version.author,
        "text": version.text,
    })
}
