//! What everybody may do to the system, grouped by what it is about. Each act is shown before it is done: a
//! form leads to what would happen, and from there the act itself is one click. Below is what was done, with
//! an undo where there is one.

mod act;
mod done;
mod firewall;
mod form;
mod offers;
mod wish;

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::{Query, State},
    routing::{get, post},
};
use chrono::Utc;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use self::form::{Field, Group, Input, Offer};
use super::{
    Area,
    failure::{Answer, sentence},
    incident::id,
    layout::{Html, Page, Tab, page},
    parts::{Tone, button, csrf, error_summary, select, text_field},
};
use crate::{access::Visitor, error::Error, room::Room};

/// Acts that the page lists.
const RECENT: usize = 20;

pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/actions", get(show))
        .route("/actions/dry", post(act::dry))
        .route("/actions/run", post(act::run))
        .route("/actions/undo", post(act::undo));
    let declared =
        &[("GET", "/actions"), ("POST", "/actions/dry"), ("POST", "/actions/run"), ("POST", "/actions/undo")];
    (router, declared)
}

/// What is looked at.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// The incident for which something is done.
    #[serde(default)]
    incident: String,
    /// The act that was done a moment ago.
    done: Option<Uuid>,
}

/// A form that was sent and not taken, with its fields.
struct Wrong<'w> {
    error: &'w Error,
    fields: &'w BTreeMap<String, String>,
}

async fn show(State(room): State<Room>, visitor: Visitor, Query(asked): Query<Asked>) -> Answer {
    if !asked.incident.is_empty() {
        room.desk.get(id(&asked.incident)?).await?;
    }
    draw(&room, &visitor, &asked, None).await
}

async fn draw(room: &Room, visitor: &Visitor, asked: &Asked, wrong: Option<&Wrong<'_>>) -> Answer<Html> {
    let now = Utc::now();
    let recent = room.actions.recent_open(RECENT).await?;
    let done = asked.done.and_then(|id| recent.iter().find(|done| done.id == id));
    let view = View { room, visitor, incident: &asked.incident, wrong };
    let body = html! {
        div.stack {
            h1 { "Actions" }
            @if let Some(wrong) = wrong { (error_summary(&sentence(wrong.error))) }
            @if let Some(done) = done { (done::announced(room, visitor, done)) }
            p.muted {
                "Each is shown before it is done. What was done is in the timeline of "
                @if asked.incident.is_empty() { "the open incidents that it concerns" }
                @else { a href={ "/incidents/" (asked.incident) } { (asked.incident) } }
                " and in the list of changes. "
                a href="/protections" { "Protections" } " have their own page."
            }
            @for group in offers::groups(room) { (view.group(&group)) }
            (done::history(room, visitor, &recent, now))
        }
    };
    let frame = Page { title: "Actions", active: Tab::Actions, visitor, live: false };
    Ok(page(room, &frame, body))
}

/// What the forms need.
struct View<'v> {
    room: &'v Room,
    visitor: &'v Visitor,
    incident: &'v str,
    wrong: Option<&'v Wrong<'v>>,
}

impl View<'_> {
    fn group(&self, group: &Group) -> Markup {
        html! {
            section.card.stack.tight aria-labelledby={ "on-" (group.id) } {
                h2 id={ "on-" (group.id) } { (group.title) }
                @if !group.note.is_empty() { p.muted { (group.note) } }
                div.row { @for offer in &group.offers { (self.offer(&group.id, offer)) } }
            }
        }
    }

    /// A form behind a word; open, with what was written, if something was wrong with it.
    fn offer(&self, group: &str, offer: &Offer) -> Markup {
        let form = format!("{group}-{}", offer.action);
        let sent = self.wrong.map(|wrong| wrong.fields);
        let sent = sent.filter(|fields| fields.get("form").is_some_and(|sent| *sent == form));
        html! {
            details.act open[sent.is_some()] {
                summary { (offer.word) }
                form.stack method="post" action="/actions/dry" {
                    (csrf(self.room, self.visitor))
                    input type="hidden" name="form" value=(form);
                    input type="hidden" name="action" value=(offer.action);
                    input type="hidden" name="incident" value=(self.incident);
                    p.help { (offer.help) }
                    @for field in &offer.fields { (input(&form, field, sent)) }
                    div.actions { (button("Show what would happen", Tone::Info)) }
                }
            }
        }
    }
}

fn input(form: &str, field: &Field, sent: Option<&BTreeMap<String, String>>) -> Markup {
    let given = sent.and_then(|fields| fields.get(field.name));
    match &field.input {
        Input::Fixed(value) => html! { input type="hidden" name=(field.name) value=(value); },
        Input::Text(usual) => {
            let value = given.map_or(*usual, String::as_str);
            text_field(form, field.name, field.label, value, field.help)
        }
        Input::Choice(options) => {
            let first = options.first().map_or("", |(value, _)| value.as_str());
            select(form, field.name, field.label, options, given.map_or(first, String::as_str))
        }
    }
}
