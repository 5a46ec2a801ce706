//! Messages as Slack's Block Kit, always inside its limits. Pure.
//!
//! Lengths are counted in UTF-16 units, which are never fewer than what Slack counts. Text from alerts and people is escaped,
//! so that it can neither mention anybody nor break out of a link.

use incident::{EntryKind, Incident, Role, Severity};
use serde::Serialize;
use serde_json::{Value, json};

use crate::notify::message::Message;

/// Longest header.
const HEADER: usize = 150;
/// Longest topic of a channel.
const TOPIC: usize = 250;
/// Longest title of an incident; the blocks of a message may have 13,000 characters in all, after JSON has escaped them.
const TITLE: usize = 400;
/// Longest description of an incident; its page has all of it.
const DESCRIPTION: usize = 1000;
/// Longest field.
const FIELD: usize = 300;
/// Longest text of people: an update, a page.
const TEXT: usize = 1500;
/// Longest text of one of several pages in a message.
const SHARE: usize = 200;
/// How many pages a message shows; it counts the others.
const SHOWN: usize = 8;
/// Longest URL that becomes a link.
const URL: usize = 300;
/// Longest message without blocks.
const PLAIN: usize = 3900;

/// A message: `text` is what notifications show, and what is left where blocks cannot be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Payload {
    /// The text.
    pub(crate) text: String,
    /// The blocks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) blocks: Vec<Value>,
    /// More blocks below them, with a bar in a colour at their side: only attachments have one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) attachments: Vec<Value>,
}

/// The summary of an incident; `page` is its URL.
pub(crate) fn summary(incident: &Incident, page: &str) -> Payload {
    let head = headline(incident);
    let roles = Role::ALL.into_iter().filter_map(|role| Some((role, incident.roles.get(&role)?)));
    let mut fields = vec![
        field("Services", &join(incident.services.iter().map(String::as_str))),
        field("Opened", &incident.opened_at.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
        field("Acknowledged", incident.acknowledged.as_ref().map_or("nobody", |known| known.by.as_str())),
    ];
    fields.extend(roles.map(|(role, person)| field(&role.to_string(), person)));
    let mut blocks = vec![section(&mrkdwn(&incident.title, TITLE))];
    if !incident.description.is_empty() {
        blocks.push(section(&mrkdwn(&incident.description, DESCRIPTION)));
    }
    blocks.push(json!({"type": "section", "fields": fields}));
    let update = incident.timeline.iter().rev().find(|entry| entry.kind == EntryKind::Update);
    if let Some(update) = update {
        blocks.push(section(&mrkdwn(&update.text, TEXT)));
        let said = format!("Update of {}, {}", update.source.name(), update.at.format("%H:%M:%S UTC"));
        blocks.push(json!({"type": "context", "elements": [markup(&mrkdwn(&said, FIELD))]}));
    }
    // Who reads this is in the war room already; its page has what else there is.
    blocks.extend(buttons(page, None));
    Payload {
        text: mrkdwn(&format!("{head}: {}", incident.title), TITLE),
        blocks: vec![header(&head)],
        attachments: vec![coloured(incident.severity, &blocks)],
    }
}

/// One message for all of these, which are for the same receiver. `room` is the URL of the war room, if there is one message and
/// its war room is not on its page.
pub(crate) fn pages(messages: &[&Message], room: Option<&str>) -> Payload {
    if let [message] = messages {
        let mut blocks = vec![section(&mrkdwn(&message.text, TEXT))];
        blocks.extend(buttons(&message.url, room));
        return Payload {
            text: mrkdwn(&format!("{}: {}", message.title, message.text), TITLE),
            blocks: vec![header(&message.title)],
            attachments: vec![coloured(message.severity, &blocks)],
        };
    }
    let head = format!("{} pages for you", messages.len());
    let shown = messages.iter().take(SHOWN).map(|message| {
        let title = mrkdwn(&message.title, SHARE);
        let title = if linkable(&message.url) { format!("<{}|{title}>", message.url) } else { title };
        let text = format!("*{title}*\n{}", mrkdwn(&message.text, SHARE));
        coloured(message.severity, &[section(&text)])
    });
    let mut attachments: Vec<Value> = shown.collect();
    let hidden = messages.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let more = json!({"type": "context", "elements": [markup(&format!("and {hidden} more"))]});
        attachments.push(json!({"blocks": [more]}));
    }
    let titles = join(messages.iter().map(|message| message.title.as_str()));
    Payload { text: mrkdwn(&format!("{head}: {titles}"), TITLE), blocks: vec![header(&head)], attachments }
}

/// What people said in the war room.
pub(crate) fn posts(messages: &[&Message]) -> Payload {
    let share = PLAIN / messages.len().max(1);
    let lines = messages.iter().map(|message| {
        let author = mrkdwn(&message.title, share / 8);
        format!("*{author}*: {}", mrkdwn(&message.text, share * 3 / 4))
    });
    Payload { text: lines.collect::<Vec<_>>().join("\n"), blocks: Vec::new(), attachments: Vec::new() }
}

/// The topic of a war room.
pub(crate) fn topic(incident: &Incident) -> String {
    let commander = incident.roles.get(&Role::Commander).map_or("nobody", String::as_str);
    mrkdwn(&format!("{} · commander: {commander} · {}", headline(incident), incident.title), TOPIC)
}

fn headline(incident: &Incident) -> String {
    let major = if incident.major { " · major" } else { "" };
    format!("{} · {}{major} · {}", incident.id, incident.severity, incident.state)
}

fn join<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    // More is cut anyway; the list may be long.
    let joined = texts.take(20).collect::<Vec<_>>().join(", ");
    if joined.is_empty() { "none known".to_owned() } else { joined }
}

/// Blocks beside a bar in the colour of a severity.
fn coloured(severity: Severity, blocks: &[Value]) -> Value {
    json!({"color": colour(severity), "blocks": blocks})
}

/// From red over amber to grey.
const fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "#b3261e",
        Severity::Sev2 => "#e4572e",
        Severity::Sev3 => "#e0a100",
        Severity::Sev4 => "#2f6fde",
        Severity::Sev5 => "#8a8f98",
    }
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": clipped(text, HEADER, false)}})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": markup(text)})
}

fn field(name: &str, value: &str) -> Value {
    markup(&format!("*{}*\n{}", mrkdwn(name, 40), mrkdwn(value, FIELD)))
}

fn markup(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text})
}

/// Links to the war room and the incident's page: Slack cannot call a program on this machine.
fn buttons(page: &str, room: Option<&str>) -> Option<Value> {
    let button = |id: &str, text: &str, url: String| json!({"type": "button", "action_id": id, "text": {"type": "plain_text", "text": text}, "url": url});
    let room = room.filter(|url| linkable(url)).map_or_else(|| format!("{page}#war-room"), str::to_owned);
    let acknowledge = format!("{page}#acknowledge");
    let elements = [button("join", "Join war room", room), button("acknowledge", "Acknowledge", acknowledge)];
    linkable(page).then(|| json!({"type": "actions", "elements": elements}))
}

fn linkable(url: &str) -> bool {
    url.starts_with("http") && url.len() <= URL && !url.contains(['<', '>', '|', '"', ' '])
}

/// Text that means itself in Slack's markup, of at most `limit` characters; never empty.
fn mrkdwn(text: &str, limit: usize) -> String {
    clipped(text, limit, true)
}

fn clipped(text: &str, limit: usize, escape: bool) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for character in text.trim().chars() {
        let mut buffer = [0; 4];
        let piece = match character {
            '&' if escape => "&amp;",
            '<' if escape => "&lt;",
            '>' if escape => "&gt;",
            '\n' if escape => "\n",
            other if other.is_control() => " ",
            other => &*other.encode_utf8(&mut buffer),
        };
        let size = piece.encode_utf16().count();
        if length + size >= limit {
            out.push('…');
            return out;
        }
        out.push_str(piece);
        length += size;
    }
    if out.is_empty() { "(no text)".to_owned() } else { out }
}
