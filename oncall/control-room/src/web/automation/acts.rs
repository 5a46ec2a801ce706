//! What people say about a run: each form does one thing and leads back to the run's page, or says there what was wrong.

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use chassis_http::Path;
use serde::Deserialize;

use super::run;
use crate::{
    access::{Form, Visitor},
    error::{Error, Result},
    room::Room,
    runbooks::view::{RunbookRunView, StepState},
    web::failure::{Answer, Failure, sentence},
};

/// The step that was seen, and the branch that was chosen, if it is a decision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    place: String,
    branch: Option<String>,
}

/// The request that was seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    digest: String,
}

/// A reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    why: String,
}

/// Back to the run, or its page with what was wrong.
async fn answer(room: &Room, visitor: &Visitor, id: &str, done: Result<RunbookRunView>) -> Answer<Response> {
    let error = match done {
        Ok(run) => return Ok(Redirect::to(&format!("/runbook-runs/{}", run.id)).into_response()),
        Err(error @ Error::NoSuch { .. }) => return Err(error.into()),
        Err(error) => error,
    };
    let said = sentence(&error);
    let status = Failure::from(error).status();
    let run = room.runbooks.run(id).await?;
    Ok((status, run::draw(room, visitor, &run, Some(&said))).into_response())
}

pub(super) async fn confirm(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Seen { place, branch }): Form<Seen>,
) -> Answer<Response> {
    let run = room.runbooks.run(&id).await?;
    let now = run.steps.iter().find(|step| step.state == StepState::Now);
    // Somebody else may have confirmed it meanwhile, and the next step was not seen.
    let done = if now.is_some_and(|step| step.place == place) {
        room.runbooks.confirm(&room, &visitor, &id, branch).await
    } else {
        Err(Error::Conflict(format!("{id} is not at {place} any more: read what is next")))
    };
    answer(&room, &visitor, &id, done).await
}

pub(super) async fn skip(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let done = room.runbooks.skip(&room, &visitor, &id, &why).await;
    answer(&room, &visitor, &id, done).await
}

pub(super) async fn approve(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Approval { digest }): Form<Approval>,
) -> Answer<Response> {
    let done = room.runbooks.approve(&room, &visitor, &id, &digest).await;
    answer(&room, &visitor, &id, done).await
}

pub(super) async fn decline(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let done = room.runbooks.decline(&room, &visitor, &id, &why).await;
    answer(&room, &visitor, &id, done).await
}

pub(super) async fn stop(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let done = room.runbooks.stop(&room, &visitor, &id, &why).await;
    answer(&room, &visitor, &id, done).await
}
