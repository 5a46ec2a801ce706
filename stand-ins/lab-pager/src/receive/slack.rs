//! The message of a Slack incoming webhook, as Alertmanager's `slack_configs` and people's scripts send it:
//! <https://api.slack.com/messaging/webhooks>. A chat message has no labels; its title is parsed, nothing is guessed.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Wrong, json};
use crate::page::{Page, Status, Words};

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

/// A message as one page.
///
/// # Errors
/// When it is not such a message, or is empty.
pub(super) fn pages(body: &[u8], now: DateTime<Utc>) -> Result<Vec<Page>, Wrong> {
    let message: Message = json(body)?;
    let parts = message.attachments.into_iter().flat_map(|a| {
        // The fallback repeats the title for clients that show no attachments.
        let head = a.title.or(a.fallback);
        [head, a.text]
    });
    let words = message.text.into_iter().chain(parts.flatten()).filter(|text| !text.trim().is_empty());
    let text = words.collect::<Vec<_>>().join("\n");
    if text.is_empty() {
        return Err(Wrong::new("text", "a text, or attachments with a title, a text or a fallback"));
    }
    let (status, alertname) = title(&text);
    Ok(vec![Page {
        id: 0,
        received_at: now,
        receiver: "slack".to_owned(),
        status,
        alertname,
        severity: None,
        slo: None,
        service: None,
        starts_at: None,
        ends_at: None,
        labels: Words::new(),
        annotations: Words::new(),
        group: None,
        text: Some(text),
        repeats: 0,
    }])
}

/// Parses Alertmanager's default title, `[FIRING:1] HighErrorRate order-api (ticket …)`.
fn title(text: &str) -> (Option<Status>, Option<String>) {
    let Some((mark, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else {
        return (None, None);
    };
    let status = match mark.split(':').next() {
        Some("FIRING") => Status::Firing,
        Some("RESOLVED") => Status::Resolved,
        _ => return (None, None),
    };
    (Some(status), rest.split_whitespace().next().map(str::to_owned))
}
