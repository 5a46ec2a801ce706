//! `POST /hooks/slack`: the message of a Slack incoming webhook, as Alertmanager's `slack_configs` and people's scripts send it
//! (<https://api.slack.com/messaging/webhooks>). It reaches the phone. A chat message has no labels, so no incident follows
//! from it; only its title is parsed.

use axum::{body::Body, extract::State as Shared};
use chassis_http::Problem;
use chrono::Utc;
use http::HeaderMap;
use serde::Deserialize;

use super::{Sender, counted, receive, unreadable};
use crate::{
    api::openapi::Refusals,
    phone::{Page, PageKind},
    room::Room,
};

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
struct Attachment {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    fallback: Option<String>,
}

/// Takes a chat message; answers `ok`, as Slack does.
#[utoipa::path(
    post,
    path = "/hooks/slack",
    operation_id = "slack",
    request_body(description = "The message of a Slack incoming webhook", content_type = "application/json"),
    responses(Refusals, (status = 200, description = "`ok`."))
)]
pub(crate) async fn take(
    Shared(room): Shared<Room>,
    headers: HeaderMap,
    body: Body,
) -> Result<&'static str, Problem> {
    let sender = Sender::Slack;
    let body = receive(&room, sender, &headers, body).await?;
    let message = super::json(&body).map_err(|(field, right)| unreadable(&room, sender, &field, &right))?;
    let text = text(message);
    if text.is_empty() {
        let right = "a text, or attachments with a title, a text or a fallback";
        return Err(unreadable(&room, sender, "text", right));
    }
    let (status, alertname) = title(&text).unzip();
    let page = Page {
        received_at: Utc::now(),
        kind: PageKind::Message,
        channel: Some("slack".to_owned()),
        status,
        alertname: alertname.flatten(),
        text: Some(text),
        ..Page::default()
    };
    counted(&room, sender, room.phone.keep(page).await)?;
    Ok("ok")
}

/// All of its words, a part on each line.
fn text(message: Message) -> String {
    let parts = message.attachments.into_iter().flat_map(|part| {
        // The fallback repeats the title for clients that show no attachments.
        let head = part.title.or(part.fallback);
        [head, part.text]
    });
    let words = message.text.into_iter().chain(parts.flatten()).filter(|text| !text.trim().is_empty());
    words.collect::<Vec<_>>().join("\n")
}

/// Status and alert of Alertmanager's default title, `[FIRING:1] HighErrorRate order-api (ticket …)`.
fn title(text: &str) -> Option<(String, Option<String>)> {
    let (mark, rest) = text.strip_prefix('[')?.split_once(']')?;
    let status = match mark.split(':').next() {
        Some("FIRING") => "firing",
        Some("RESOLVED") => "resolved",
        _ => return None,
    };
    Some((status.to_owned(), rest.split_whitespace().next().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_title_of_alertmanager_has_a_status() {
        let name = Some("NoTraffic".to_owned());
        assert_eq!(title("[FIRING:1] NoTraffic (order-api page)"), Some(("firing".to_owned(), name.clone())));
        assert_eq!(title("[RESOLVED] NoTraffic"), Some(("resolved".to_owned(), name)));
        for text in ["the demo starts", "[lunch] at 12", "[FIRING:1"] {
            assert_eq!(title(text), None, "{text}");
        }
    }
}
