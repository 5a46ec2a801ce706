//! What somebody found, as evidence in the timeline of an incident. A page only reads; this form writes.

use axum::{extract::State, response::Redirect};
use chrono::Utc;
use incident::{EntryKind, Evidence, Id, What};
use maud::{Markup, html};
use serde::Deserialize;

use super::asked::Asked;
use crate::{
    access::{Form, Visitor},
    error::Error,
    room::Room,
    web::{
        failure::Answer,
        parts::{Tone, button, csrf, select, text_field},
    },
};

/// Longest query or answer that is kept.
const LONGEST: usize = 4000;

/// The fields of the form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    incident: String,
    query: String,
    answer: String,
    link: String,
    #[serde(default)]
    text: String,
}

/// What was found: the query, what came back, and the address of the page.
pub(super) struct Found<'f> {
    pub(super) query: &'f str,
    pub(super) answer: &'f str,
    pub(super) link: &'f str,
}

/// The form, if there is an incident to add to.
pub(super) fn form(room: &Room, visitor: &Visitor, asked: &Asked, found: &Found<'_>) -> Markup {
    let named: Option<Id> = asked.given("incident").and_then(|id| id.parse().ok());
    let mut options: Vec<(String, String)> = room
        .desk
        .open_ones()
        .iter()
        .map(|incident| (incident.id.to_string(), format!("{} {}", incident.id, incident.title)))
        .collect();
    if let Some(id) = named.map(|id| id.to_string())
        && !options.iter().any(|(known, _)| *known == id)
    {
        options.push((id.clone(), id));
    }
    let chosen = named.map(|id| id.to_string()).or_else(|| options.first().map(|(id, _)| id.clone()));
    let noted = asked.given("noted").and_then(|id| id.parse::<Id>().ok());
    html! {
        @if let Some(id) = noted {
            p.callout.good role="status" { "Added to the timeline of " a href={ "/incidents/" (id) } { (id) } "." }
        }
        @if let Some(chosen) = chosen {
            form.card.b-form method="post" action="/explore/note" {
                (csrf(room, visitor))
                input type="hidden" name="query" value=(found.query);
                input type="hidden" name="answer" value=(found.answer);
                input type="hidden" name="link" value=(found.link);
                (select("note", "incident", "Incident", &options, &chosen))
                (text_field("note", "text", "What does it show?", "", ""))
                (button(&format!("Add to {chosen}"), Tone::Quiet))
            }
        }
    }
}

/// Adds it.
pub(super) async fn add(
    State(room): State<Room>,
    visitor: Visitor,
    Form(note): Form<Note>,
) -> Answer<Redirect> {
    let id: Id = note.incident.parse().map_err(|wrong: String| Error::field("incident", wrong))?;
    let link = note.link.as_str();
    if !link.starts_with("/explore") || link.contains(char::is_whitespace) || link.len() > LONGEST {
        return Err(Error::field("link", "expected the address of a page below /explore").into());
    }
    if note.query.trim().is_empty() || note.query.len() > LONGEST {
        return Err(Error::field("query", format!("expected 1 to {LONGEST} bytes")).into());
    }
    let answer: String = note.answer.chars().take(LONGEST).collect();
    let text = match note.text.trim() {
        "" => "looked at a query",
        text => text,
    };
    let evidence =
        Evidence { query: note.query.clone(), answer, link: Some(format!("{}{link}", room.config.base())) };
    let what = What::Noted {
        kind: EntryKind::Query,
        happened_at: Utc::now(),
        text: text.to_owned(),
        evidence: vec![evidence],
        sealed: false,
    };
    room.desk.act(id, visitor.source(), what).await?;
    let and = if link.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{link}{and}noted={id}")))
}
