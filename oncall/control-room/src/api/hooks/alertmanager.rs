//! `POST /hooks/alertmanager`: the webhook of Alertmanager, version 4. What can be used of a message is used; what cannot is
//! logged and named in the answer, because sending it again would not help.

use axum::{body::Body, extract::State as Shared};
use chassis_http::Json;
use http::HeaderMap;
use incident::alerts::alertmanager::Webhook;
use serde_json::json;

use super::{Sender, counted, receive, unreadable};
use crate::{
    api::{incidents::Answer, openapi::Changes},
    room::Room,
};

/// Takes a notification of Alertmanager.
#[utoipa::path(
    post,
    path = "/hooks/alertmanager",
    operation_id = "alertmanager",
    request_body(
        description = "Alertmanager's webhook, version 4; unknown fields are kept",
        content_type = "application/json"
    ),
    responses(Changes)
)]
pub(crate) async fn take(Shared(room): Shared<Room>, headers: HeaderMap, body: Body) -> Answer {
    let sender = Sender::Alertmanager;
    let body = receive(&room, sender, &headers, body).await?;
    let refuse = |field: &str, right: &str| unreadable(&room, sender, field, right);
    let message: Webhook = super::json(&body).map_err(|(field, right)| refuse(&field, &right))?;
    match message.version.as_str() {
        "4" => {}
        "" if !message.alerts.is_empty() => {}
        "" => return Err(refuse("version", "Alertmanager's webhook, version 4, with its alerts")),
        other => {
            return Err(refuse("version", &format!("version 4 of Alertmanager's webhook, not `{other}`")));
        }
    }
    let taken = counted(&room, sender, room.desk.alertmanager(&message).await)?;
    for why in &taken.ignored {
        tracing::warn!(receiver = message.receiver, why, "part of a notification cannot be used");
    }
    Ok(Json(json!({ "opened": taken.opened, "changed": taken.changed, "ignored": taken.ignored })))
}
