//! What the responder learned, in their own words: kept with the run, and the end of its report.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chassis_http::Path;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    number,
    run::{View, Wrong, refused},
};
use crate::{
    access::{Form, Visitor},
    room::Room,
    web::{
        failure::Answer,
        parts::{Tone, markdown, text_area},
    },
};

/// The text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Learned {
    text: String,
}

/// The card with what was written, and the form.
pub(super) fn card(view: &View<'_>) -> Markup {
    let saved = view.run.learned.as_deref().unwrap_or_default();
    let text = view.wrong.map(|wrong| wrong.text.as_str()).filter(|text| !text.is_empty()).unwrap_or(saved);
    let help = "Markdown. What misled you? What would you look at first next time? It is part of the report.";
    let field = text_area("learned", "text", "In your own words", text, help);
    html! {
        section.card.stack #learned aria-labelledby="learned-title" {
            h2 #learned-title { "What I learned" }
            @if !saved.is_empty() { (markdown(saved)) }
            @if view.visitor.name == view.run.responder || view.visitor.is_instructor() {
                (view.form("learned", Some(&field), "Save", Tone::Info))
            }
        }
    }
}

pub(super) async fn save(
    State(room): State<Room>,
    visitor: Visitor,
    Path(n): Path<String>,
    Form(Learned { text }): Form<Learned>,
) -> Answer<Response> {
    let id = number(&n)?;
    // Browsers send line ends as the protocol has them, files have those of Unix.
    let text = text.replace("\r\n", "\n");
    match room.drills.learned(&visitor, id, &text).await {
        Ok(_) => Ok(Redirect::to(&format!("/drills/runs/{id}#learned")).into_response()),
        Err(why) => refused(&room, &visitor, id, why, Wrong { text, ..Wrong::default() }).await,
    }
}
