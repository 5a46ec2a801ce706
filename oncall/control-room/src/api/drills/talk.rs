//! What a responder says in the run in progress. Each answers the run as it is afterwards.

use axum::extract::State as Shared;
use chassis_http::{Json, Path, Problem};
use chrono::{DateTime, Utc};
use drill::{What, engine::Answers};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    access::Visitor,
    api::{
        input::{Nothing, Text, Why, line, reason, text},
        openapi::Changes,
    },
    drills::RunView,
    error::{Error, Result},
    room::Room,
};

/// Most components and queries of an answer.
const MOST: usize = 20;

/// The run, or why not.
type Answer = std::result::Result<Json<RunView>, Problem>;

async fn tell(room: &Room, visitor: &Visitor, id: i64, what: What) -> Answer {
    Ok(Json(room.drills.tell(room, visitor, id, what).await?))
}

/// Takes the next hint, which costs points.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/hint", operation_id = "drill_hint",
    request_body = Nothing, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn hint(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(_nothing): Json<Nothing>,
) -> Answer {
    tell(&room, &visitor, id, What::Hint).await
}

/// What the responder thinks. Questions that a drill does not ask may be absent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrillAnswer {
    /// The components that are the cause; empty: nothing is wrong.
    #[serde(default)]
    components: Vec<String>,
    /// What fails: one of the drill's `mechanisms`.
    #[serde(default)]
    mechanism: Option<String>,
    /// The change that caused it, by the name in its parentheses, or `none`.
    #[serde(default)]
    change: Option<String>,
    /// Since when.
    #[serde(default)]
    onset: Option<DateTime<Utc>>,
    /// Queries that prove it.
    #[serde(default)]
    evidence: Vec<String>,
}

impl DrillAnswer {
    fn answers(self) -> Result<Answers> {
        for (field, list) in [("/components", &self.components), ("/evidence", &self.evidence)] {
            if list.len() > MOST {
                return Err(Error::field(field, format!("at most {MOST}, found {}", list.len())));
            }
        }
        let lines = |field: &str, list: Vec<String>| -> Result<Vec<String>> {
            list.into_iter().map(|one| line(field, one)).collect()
        };
        let queries = self.evidence.into_iter().map(|query| text("/evidence", query));
        let one = |field: &str, value: Option<String>| value.map(|value| line(field, value)).transpose();
        Ok(Answers {
            components: lines("/components", self.components)?,
            mechanism: one("/mechanism", self.mechanism)?,
            change: one("/change", self.change)?,
            onset: self.onset,
            evidence: queries.collect::<Result<_>>()?,
        })
    }
}

/// Answers the drill's questions. A later answer replaces an earlier one, until the run is submitted.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/answer", operation_id = "drill_answer",
    request_body = DrillAnswer, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn answer(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(asked): Json<DrillAnswer>,
) -> Answer {
    tell(&room, &visitor, id, What::Answered { answers: asked.answers()? }).await
}

/// Tells others what is known: an update of the incident, if there is one.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/update", operation_id = "drill_update",
    request_body = Text, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn update(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(asked): Json<Text>,
) -> Answer {
    tell(&room, &visitor, id, What::Updated { text: text("/text", asked.text)? }).await
}

/// Says that something is wrong, before any page has come.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/notice", operation_id = "drill_notice",
    request_body = Nothing, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn notice(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(_nothing): Json<Nothing>,
) -> Answer {
    tell(&room, &visitor, id, What::Noticed).await
}

/// Says that somebody works on it; acknowledges the incidents of the run, too.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/acknowledge", operation_id = "drill_acknowledge",
    request_body = Nothing, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn acknowledge(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(_nothing): Json<Nothing>,
) -> Answer {
    tell(&room, &visitor, id, What::Acknowledged).await
}

/// Says that it is over. Answers stay as they are from now on.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/submit", operation_id = "drill_submit",
    request_body = Nothing, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn submit(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(_nothing): Json<Nothing>,
) -> Answer {
    tell(&room, &visitor, id, What::Submitted).await
}

/// Stops the run and puts everything back. If that fails for a minute, an instructor may call this again to give
/// it up.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/abort", operation_id = "drill_abort",
    request_body = Why, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn abort(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(asked): Json<Why>,
) -> Answer {
    tell(&room, &visitor, id, What::Aborted { why: reason(asked.why)? }).await
}

/// Keeps what the responder learned, as the last part of the report; only when the run is over.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/learned", operation_id = "drill_learned",
    request_body = Text, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn learned(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(asked): Json<Text>,
) -> Answer {
    Ok(Json(room.drills.learned(&visitor, id, &asked.text).await?))
}

/// Whether it stands still.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrillPause {
    /// Pause, or continue.
    paused: bool,
}

/// Pauses the clock of a run, or lets it continue; for instructors, and at most ten minutes in a run. What is
/// broken stays broken.
#[utoipa::path(post, path = "/api/v1/drills/runs/{id}/pause", operation_id = "drill_pause",
    request_body = DrillPause, params(("id" = i64, Path, description = "The run's number")),
    responses(Changes, (status = 200, description = "The run.", body = RunView)))]
pub(crate) async fn pause(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(asked): Json<DrillPause>,
) -> Answer {
    // Only the drills know which run is in progress: this refuses another number.
    let run = room.drills.run(&visitor, id).await?;
    if run.ended_at.is_some() {
        return Err(Error::Conflict(format!("run {id} is over")).into());
    }
    room.drills.pause(&room, &visitor, asked.paused).await?;
    Ok(Json(room.drills.run(&visitor, id).await?))
}
