//! What somebody found, as evidence in the timeline of an incident. A page only reads, because anybody can make a browser ask
//! for one; forms write: the one below a result, and the one of a query that is run for an incident.

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

/// The open incident that somebody looks for.
fn open(room: &Room, asked: &Asked) -> Option<Id> {
    let id = asked.incident()?;
    room.desk.open_ones().iter().any(|incident| incident.id == id).then_some(id)
}

/// The form of a query. While an incident is open, it goes by POST to `run`, which writes down that it was run; otherwise it
/// goes to the page.
pub(super) fn query(room: &Room, visitor: &Visitor, asked: &Asked, page: &str, fields: &Markup) -> Markup {
    html! {
        @match (open(room, asked), asked.given("incident")) {
            (Some(id), _) => {
                form.card.b-form method="post" action={ (page) "/run" } {
                    (csrf(room, visitor))
                    input type="hidden" name="incident" value=(id);
                    (fields)
                    p.help { "The timeline of " a href={ "/incidents/" (id) } { (id) } " says what you run here." }
                }
            },
            (None, incident) => {
                form.card.b-form method="get" action=(page) {
                    @if let Some(incident) = incident { input type="hidden" name="incident" value=(incident); }
                    (fields)
                }
            },
        }
    }
}

/// Writes down that somebody ran a query, once for each person and query, if an open incident was chosen; and leads to the
/// page.
pub(super) async fn ran(
    room: &Room,
    visitor: &Visitor,
    asked: &Asked,
    found: &Found<'_>,
) -> Answer<Redirect> {
    let to = Redirect::to(found.link);
    let Some(id) = open(room, asked) else { return Ok(to) };
    let incident = room.desk.get(id).await?;
    let evidence = evidence(room, found);
    let (source, query) = (visitor.source(), &evidence.query);
    let known = incident.timeline.iter().any(|entry| {
        entry.kind == EntryKind::Query
            && entry.source == source
            && entry.evidence.iter().any(|known| known.query == *query)
    });
    if !known {
        room.desk.act(id, source, noted("ran a query", evidence)).await?;
    }
    Ok(to)
}

fn evidence(room: &Room, found: &Found<'_>) -> Evidence {
    let cut = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let link = Some(format!("{}{}", room.config.base(), found.link));
    Evidence { query: cut(found.query), answer: cut(found.answer), link }
}

fn noted(text: &str, evidence: Evidence) -> What {
    What::Noted {
        kind: EntryKind::Query,
        happened_at: Utc::now(),
        text: text.to_owned(),
        evidence: vec![evidence],
        sealed: false,
    }
}

/// The form, if there is an incident to add to.
pub(super) fn form(room: &Room, visitor: &Visitor, asked: &Asked, found: &Found<'_>) -> Markup {
    let named = asked.incident();
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
    let text = match note.text.trim() {
        "" => "looked at a query",
        text => text,
    };
    let evidence = evidence(&room, &Found { query: &note.query, answer: &note.answer, link });
    room.desk.act(id, visitor.source(), noted(text, evidence)).await?;
    let and = if link.contains('?') { '&' } else { '?' };
    Ok(Redirect::to(&format!("{link}{and}noted={id}")))
}
