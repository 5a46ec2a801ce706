//! The forms of the page: what would happen, the act itself, and its undo.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use incident::Id;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{Asked, Wrong, draw, wish::Wish};
use crate::{
    access::{Form, Visitor},
    actions::Done,
    error::{Error, Result},
    room::Room,
    web::{
        failure::{Answer, Failure},
        layout::{Html, Page, Tab, page},
        parts::{Tone, badge, button, csrf},
    },
};

/// Acts among which one is looked up that is taken back.
const RECENT: usize = 500;

/// The fields of a form: each kind of act has its own.
type Fields = BTreeMap<String, String>;

/// An act to take back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Undo {
    id: Uuid,
}

pub(super) async fn dry(
    State(room): State<Room>,
    visitor: Visitor,
    Form(fields): Form<Fields>,
) -> Answer<Response> {
    match asked(&room, &visitor, &fields, true).await {
        Ok((done, _)) => Ok(would(&room, &visitor, &fields, &done).into_response()),
        Err(error) => again(&room, &visitor, &fields, error).await,
    }
}

pub(super) async fn run(
    State(room): State<Room>,
    visitor: Visitor,
    Form(fields): Form<Fields>,
) -> Answer<Response> {
    match asked(&room, &visitor, &fields, false).await {
        Ok((done, incident)) => Ok(to(&done, incident).into_response()),
        Err(error) => again(&room, &visitor, &fields, error).await,
    }
}

pub(super) async fn undo(
    State(room): State<Room>,
    visitor: Visitor,
    Form(Undo { id }): Form<Undo>,
) -> Answer<Redirect> {
    let known = room.actions.recent_open(RECENT).await?;
    let action = known.into_iter().find(|done| done.id == id).and_then(|done| done.undo);
    let action =
        action.ok_or_else(|| Error::Conflict("this act cannot be taken back any more".to_owned()))?;
    let done = room.actions.run(&room, &visitor, action, None, false).await?;
    Ok(to(&done, None))
}

async fn asked(room: &Room, visitor: &Visitor, fields: &Fields, dry: bool) -> Result<(Done, Option<Id>)> {
    let Wish { incident, action } = Wish::read(fields)?;
    Ok((room.actions.run(room, visitor, action, incident, dry).await?, incident))
}

/// The page with what was done.
fn to(done: &Done, incident: Option<Id>) -> Redirect {
    let incident = incident.map_or_else(String::new, |id| format!("&incident={id}"));
    Redirect::to(&format!("/actions?done={}{incident}", done.id))
}

/// The page with what was wrong, and the form as it was sent.
async fn again(room: &Room, visitor: &Visitor, fields: &Fields, error: Error) -> Answer<Response> {
    let incident = fields.get("incident").cloned().unwrap_or_default();
    let asked = Asked { incident, done: None };
    let page = draw(room, visitor, &asked, Some(&Wrong { error: &error, fields })).await?;
    Ok((Failure::from(error).status(), page).into_response())
}

/// What would happen, and the button that does it.
fn would(room: &Room, visitor: &Visitor, fields: &Fields, done: &Done) -> Html {
    let refused = done.results.iter().all(|outcome| !outcome.ok);
    let body = html! {
        div.stack {
            p { a href=(back(fields)) { "Actions" } }
            h1 { "What would happen" }
            div.callout.info.stack.tight role="status" {
                p { strong { "Nothing has changed yet." } }
                ul { @for outcome in &done.results {
                    li {
                        (outcome.replica) ": " (outcome.text)
                        @if !outcome.ok { " " (badge(Tone::Bad, "would fail")) }
                    }
                } }
            }
            @if refused {
                p { "It cannot be done like this. " a href=(back(fields)) { "Choose something else" } "." }
            } @else {
                (confirm(room, visitor, fields, done))
            }
        }
    };
    let frame = Page { title: "What would happen", active: Tab::Actions, visitor, live: false };
    page(room, &frame, body)
}

fn confirm(room: &Room, visitor: &Visitor, fields: &Fields, done: &Done) -> Markup {
    // Red where there is no way back.
    let tone = if done.action.undo().is_some() { Tone::Info } else { Tone::Bad };
    html! {
        form.stack method="post" action="/actions/run" {
            (csrf(room, visitor))
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            p { "It will be written down as: " (visitor.name) " " strong { (done.text) } "." }
            div.actions { (button("Do it", tone)) a.button.quiet href=(back(fields)) { "Change nothing" } }
        }
    }
}

fn back(fields: &Fields) -> String {
    match fields.get("incident").map(|name| name.parse::<Id>()) {
        Some(Ok(id)) => format!("/actions?incident={id}"),
        _ => "/actions".to_owned(),
    }
}
