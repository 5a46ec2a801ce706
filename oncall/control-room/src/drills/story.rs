//! The changes and messages of a drill, as everyone sees them. A change that harms nobody looks like one that
//! does: both have a name, by which it can be taken back, and come from the same source.

use chrono::{DateTime, Utc};
use drill::names::ChangeKind;

use super::live::Live;
use crate::{
    bus::Kind,
    changes::Change,
    error::Result,
    phone::{Page, PageKind},
    room::Room,
    store,
};

/// Who reports all changes.
const BY: &str = "pipeline";
/// Rows that are looked through for a message that was shown before a crash.
const RECENT: usize = 50;

/// The names of the changes that the drill has made so far, in the order in which they are told.
pub(super) fn made(live: &Live) -> Vec<String> {
    let done = |kind: &str, index: usize| live.run.has_done(&format!("{kind}[{index}]"));
    let noise = live.drill.noise.iter().enumerate();
    let noise = noise.filter(|(index, _)| done("noise", *index));
    let changes = live.drill.changes.iter().enumerate().filter(|(index, _)| done("change", *index));
    let mut made: Vec<(std::time::Duration, String)> = noise
        .filter_map(|(_, noise)| Some((noise.after, noise.name.clone()?)))
        .chain(changes.map(|(_, change)| (change.after, change.name.clone())))
        .collect();
    made.sort();
    made.into_iter().map(|(_, name)| name).collect()
}

/// Adds a change to the list that everyone sees; once, however often it is due.
pub(super) async fn change(
    room: &Room,
    (name, kind, service, text): (&str, ChangeKind, &str, &str),
    due: DateTime<Utc>,
) -> Result<()> {
    let text = format!("{text} ({name})");
    if room.changes.since(due).iter().any(|known| known.text == text) {
        return Ok(());
    }
    record(room, kind.to_string(), Some(service), text).await
}

async fn record(room: &Room, kind: String, service: Option<&str>, text: String) -> Result<()> {
    let service = service.filter(|service| !service.is_empty()).map(str::to_owned);
    let change = Change { at: Utc::now(), kind, service, text, by: BY.to_owned(), link: None };
    room.changes.record_in(&room.desk, change).await
}

/// Shows a message to the person on call; once.
pub(super) async fn say(room: &Room, text: &str, due: DateTime<Utc>) -> Result<()> {
    let pages = store::journal_of(&room.store, Kind::Page, RECENT).await?;
    if pages.iter().any(|page| page.at >= due && page.data["text"] == text) {
        return Ok(());
    }
    let page = Page {
        received_at: Utc::now(),
        kind: PageKind::Message,
        channel: Some("chat".to_owned()),
        text: Some(text.to_owned()),
        ..Page::default()
    };
    room.phone.keep(page).await
}
