//! What people tell each other: status updates, the war room; and what the control room finds out when it is asked to look.

use std::time::Duration;

use axum::extract::State as Shared;
use chassis_http::{Json, Query};
use incident::What;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use utoipa::IntoParams;

use super::{Answer, act, answer};
use crate::{
    access::Visitor,
    api::{
        input::{Nothing, Text, Which, text},
        openapi::{Changes, Reads},
        view,
    },
    room::Room,
    watch,
};

/// How long a caller waits for a diagnosis: less than a request may take. It continues without the caller.
const PATIENCE: Duration = Duration::from_secs(4);

/// Says what is known, for everybody.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/updates", operation_id = "post_update", request_body = Text,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn updates(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Text>,
) -> Answer {
    act(&room, id, &visitor, What::Updated { text: text("/text", asked.text)? }).await
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessagesAsked {
    /// Only messages with a larger number.
    #[serde(default)]
    after: i64,
}

/// What was said in the war room of this program, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/messages", operation_id = "messages",
    params(("id" = String, Path, description = "The incident, such as INC-7"), MessagesAsked), responses(Reads))]
pub(crate) async fn read(
    Shared(room): Shared<Room>,
    _visitor: Visitor,
    Which(id): Which,
    Query(asked): Query<MessagesAsked>,
) -> Answer {
    room.desk.get(id).await?;
    Ok(Json(view::list("messages", &room.notify.thread(id, asked.after).await?)?))
}

/// Says something in the war room, whichever kind it is; answers the message.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/messages", operation_id = "say", request_body = Text,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn say(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(asked): Json<Text>,
) -> Answer {
    room.desk.get(id).await?;
    let said = room.notify.say(&room, id, &visitor.name, &text("/text", asked.text)?).await?;
    Ok(Json(json!({ "message": said })))
}

/// Has the control room look at the affected services again; evidence appears in the timeline within 5 seconds.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/diagnose", operation_id = "diagnose", request_body = Nothing,
    params(("id" = String, Path, description = "The incident, such as INC-7")), responses(Changes))]
pub(crate) async fn diagnose(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Which(id): Which,
    Json(_nothing): Json<Nothing>,
) -> Answer {
    room.desk.get(id).await?;
    let (done, told) = oneshot::channel();
    let looking = room.clone();
    room.chassis.spawn(async move {
        // Fails only if the caller did not wait.
        let _ = done.send(watch::diagnose(&looking, id).await);
    });
    // Dropped without an answer when the program stops: what was found by then is in the timeline.
    if let Ok(Ok(found)) = tokio::time::timeout(PATIENCE, told).await {
        found?;
    }
    answer(&room, &room.desk.get(id).await?, &visitor)
}
