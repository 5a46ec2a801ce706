//! Which adapter takes a message.

use chrono::Utc;

use super::rows::Row;
use crate::{
    Room,
    notify::{
        channel::Channel,
        failure::Failure,
        local,
        message::Message,
        pagerduty::Action,
        rooms::WarRoomPort,
        slack::{self, blocks},
        webhook,
    },
};

/// Sends the rows as one message. All but those of a person or a war room come alone.
pub(super) async fn send(room: &Room, batch: &[Row]) -> Result<(), Failure> {
    let Some(first) = batch.first() else { return Ok(()) };
    let parts = room.notify.parts();
    let messages: Vec<&Message> = batch.iter().map(|row| &row.message).collect();
    let address = first.address.as_deref();
    match first.channel {
        Channel::Desktop => {
            let (title, text) = spoken(&messages);
            local::desktop(&title, &text).await
        }
        Channel::Bell => local::bell().await,
        Channel::Slack => {
            let bot = parts.slack.as_ref().ok_or_else(|| {
                Failure::Never("SLACK_TOKEN is not set: a direct message needs the token of a bot".to_owned())
            })?;
            let place = war_room(room, &messages).await;
            let pages = blocks::pages(&messages, place.as_deref());
            bot.direct(required(address, "the id of a Slack member")?, &pages).await
        }
        Channel::Room => {
            let bot = parts.slack.as_ref().ok_or_else(|| {
                Failure::Never("SLACK_TOKEN is not set any more: the war room is in Slack".to_owned())
            })?;
            WarRoomPort::post(bot, required(address, "a channel")?, &blocks::posts(&messages)).await
        }
        Channel::Announcement => {
            let hook = parts.announcements.as_ref();
            let hook = hook.ok_or_else(|| Failure::Never("SLACK_WEBHOOK is not set any more".to_owned()))?;
            let place = war_room(room, &messages).await;
            slack::announce(&parts.client, hook, &blocks::pages(&messages, place.as_deref())).await
        }
        Channel::Webhook | Channel::Service => {
            let url = required(address, "a URL")?;
            webhook::post(
                &parts.client,
                parts.webhook_secret.as_ref(),
                url,
                &first.key,
                &first.body,
                Utc::now(),
            )
            .await
        }
        Channel::Pagerduty => {
            let action = first.step.as_deref().and_then(|step| step.parse().ok()).unwrap_or(Action::Trigger);
            let name = required(address, "the name of a key of PAGERDUTY_KEYS")?;
            parts.pagerduty.send(&parts.client, name, action, &first.message).await
        }
    }
}

/// The channel of the incident that a single message is about, once it is open in Slack.
async fn war_room(room: &Room, messages: &[&Message]) -> Option<String> {
    let [message] = messages else { return None };
    let known = room.notify.war_room(message.incident?).await.ok().flatten()?;
    let is_channel = known.kind == "slack" && known.state == "open";
    known.url.filter(|_| is_channel)
}

fn required<'a>(address: Option<&'a str>, what: &str) -> Result<&'a str, Failure> {
    address.ok_or_else(|| Failure::Never(format!("the contact has no `to`: expected {what}")))
}

/// Title and text for a device that shows two lines.
fn spoken(messages: &[&Message]) -> (String, String) {
    match messages {
        [message] => (message.title.clone(), format!("{}\n{}", message.text, message.url)),
        _ => {
            let titles: Vec<&str> = messages.iter().map(|message| message.title.as_str()).collect();
            (format!("{} pages for you", messages.len()), titles.join("\n"))
        }
    }
}
