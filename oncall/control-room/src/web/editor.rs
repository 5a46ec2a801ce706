//! The editor of a postmortem: a draft to begin with, versions that nobody overwrites by accident, and no text that is lost.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chassis_http::Path;
use chrono::Utc;
use http::StatusCode;
use incident::{
    Id, Viewer,
    postmortem::{Draft, draft},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    failure::{Answer, sentence},
    incident::id,
    layout::{Html, Page, Tab, page},
    parts::{Tone, button, csrf, error_summary},
};
use crate::{
    access::{Form, Visitor},
    error::Error,
    room::Room,
    watch::sli_curve,
};

/// What a refresh of the frame needs; these pages do not move by themselves.
pub(super) fn framed(room: &Room, visitor: &Visitor, title: &str, body: Markup) -> Html {
    page(room, &Page { title, active: Tab::Postmortems, visitor, live: false }, body)
}

pub(super) async fn edit(State(room): State<Room>, visitor: Visitor, Path(name): Path<String>) -> Answer {
    let incident = room.desk.get(id(&name)?).await?;
    room.drills.may_read(&visitor, &incident)?;
    let (text, version) = match room.papers.latest(incident.id).await? {
        Some(version) => (version.text, version.version),
        None => {
            let curve = sli_curve(&room, &incident).await.ok().flatten();
            let picture = format!("{}.svg", incident.id);
            let picture = curve.as_ref().map(|_| picture.as_str());
            // Everybody reads it, so nothing in it is sealed.
            let known = Draft { viewer: Viewer::Trainee, curve: curve.as_ref(), picture, now: Utc::now() };
            (draft(&incident, &known), 0)
        }
    };
    Ok(editor(&room, &visitor, incident.id, version, &text, None))
}

fn editor(room: &Room, visitor: &Visitor, id: Id, version: i64, text: &str, wrong: Option<&str>) -> Html {
    let path = format!("/postmortems/{id}");
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong {
                (error_summary(wrong))
                p { "Your text is below. " a href=(path) target="_blank" { "Read the other version" } " and send yours again with what it has." }
            }
            h1 { "Postmortem of " (id) }
            p.muted { "Markdown. Blameless: describe conditions, not people. Say what made each step sensible at the time." }
            form.stack method="post" action=(path) {
                (csrf(room, visitor))
                input type="hidden" name="expected_version" value=(version);
                div.field {
                    label for="paper-text" { "Text" }
                    textarea.tall id="paper-text" name="text" spellcheck="true" { "\n" (text) }
                }
                div.actions { (button("Save", Tone::Info)) a href=(path) { "Cancel" } }
            }
        }
    };
    framed(room, visitor, &format!("Edit the postmortem of {id}"), body)
}

/// A new version of the text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    expected_version: i64,
    text: String,
}

pub(super) async fn save(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(saved): Form<Saved>,
) -> Answer<Response> {
    let id = id(&name)?;
    // Browsers send line ends as the protocol has them, files have those of Unix.
    let text = saved.text.replace("\r\n", "\n");
    match room.papers.save(id, saved.expected_version, &visitor.name, &text).await {
        Ok(_) => Ok(Redirect::to(&format!("/postmortems/{id}")).into_response()),
        Err(wrong @ (Error::Conflict(_) | Error::Field { .. })) => {
            let newest = room.papers.latest(id).await?.map_or(0, |version| version.version);
            let status = if matches!(wrong, Error::Conflict(_)) {
                StatusCode::CONFLICT
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            Ok((status, editor(&room, &visitor, id, newest, &text, Some(&sentence(&wrong)))).into_response())
        }
        Err(other) => Err(other.into()),
    }
}
