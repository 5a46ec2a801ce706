//! Postmortems: the list with the action items that are still open, and one of them as a page with its versions. What is late is
//! also on the first page.

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use chassis_http::{Path, Query};
use chrono::{DateTime, Utc};
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use incident::Id;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Area,
    editor::{self, framed},
    failure::Answer,
    incident::id,
    parts::{Tone, ago, badge, button, button_link, csrf, empty, markdown},
};
use crate::{
    access::Visitor,
    error::Error,
    papers::{Version, action_items},
    room::Room,
    watch::sli_curve,
};

/// Incidents whose titles are known: those in memory.
const TITLES: usize = 500;
/// How many late action items the first page lists.
const LATE: usize = 3;

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/postmortems", get(list))
        .route("/postmortems/{id}", get(show).post(editor::save))
        .route("/postmortems/{id}/edit", get(editor::edit))
        .route("/postmortems/{id}/markdown", get(export));
    (
        router,
        &[
            ("GET", "/postmortems"),
            ("GET", "/postmortems/{id}"),
            ("POST", "/postmortems/{id}"),
            ("GET", "/postmortems/{id}/edit"),
            ("GET", "/postmortems/{id}/markdown"),
        ],
    )
}

/// Links to the neighbours of this part of the site.
pub(super) fn tabs(active: &str) -> Markup {
    let entries = [("/postmortems", "Postmortems"), ("/measures", "Measures"), ("/playbooks", "Playbooks")];
    html! {
        nav.tabs aria-label="Reflect" {
            @for (path, name) in entries { a href=(path) aria-current=[(path == active).then_some("page")] { (name) } }
        }
    }
}

async fn list(State(room): State<Room>, visitor: Visitor) -> Answer {
    let now = Utc::now();
    let papers = room.papers.list().await?;
    let titles: BTreeMap<Id, String> =
        room.desk.recent(TITLES).into_iter().map(|incident| (incident.id, incident.title.clone())).collect();
    let body = html! {
        div.stack {
            (tabs("/postmortems"))
            h1 { "Postmortems" }
            div.split {
                section.card aria-label="Postmortems" {
                    @if papers.is_empty() {
                        (empty("No postmortem yet.", html! { "A draft is written when an incident resolves: times, impact and evidence are filled in." }))
                    }
                    @for paper in &papers { (entry(paper, titles.get(&paper.incident), now)) }
                }
                (items(&room, &visitor, now))
            }
        }
    };
    Ok(framed(&room, &visitor, "Postmortems", body))
}

fn entry(paper: &Version, title: Option<&String>, now: DateTime<Utc>) -> Markup {
    html! {
        article.incident {
            a.title href={ "/postmortems/" (paper.incident) } data-item {
                span.mono { (paper.incident) } @if let Some(title) = title { " " (title) }
            }
            p.muted { "Version " (paper.version) " by " (paper.author) ", " (ago(paper.at, now)) }
        }
    }
}

/// Action items that are still open: the late ones first, until somebody has done them.
fn items(room: &Room, visitor: &Visitor, now: DateTime<Utc>) -> Markup {
    let items = action_items(&room.desk, now);
    html! {
        section.card #action-items aria-labelledby="items-title" {
            h2 #items-title { "Open action items" @if !items.is_empty() { " " span.muted { (items.len()) } } }
            @if items.is_empty() { (empty("None.", html! { "Action items are tasks of an incident that are for later." })) }
            ul.stack.tight {
                @for (incident, task) in &items {
                    li.toolbar {
                        div {
                            p { a href={ "/incidents/" (incident) "#tasks" } { (task.text) } }
                            p.muted {
                                (incident) ", " (task.owner.as_deref().unwrap_or("nobody yet"))
                                @match task.due {
                                    Some(due) if due < now.date_naive() => { ", " (due) " " (badge(Tone::Warn, "late")) },
                                    Some(due) => { ", until " (due) },
                                    None => { ", without a date" },
                                }
                            }
                        }
                        form method="post" action={ "/incidents/" (incident) "/tasks/" (task.id) "/done" } {
                            (csrf(room, visitor))
                            (button("Done", Tone::Quiet))
                        }
                    }
                }
            }
        }
    }
}

/// Action items that are late, for the first page: nothing but their end removes them from it.
pub(super) fn late(room: &Room, now: DateTime<Utc>) -> Markup {
    let today = now.date_naive();
    let all = action_items(&room.desk, now).into_iter();
    let late: Vec<_> =
        all.filter_map(|(id, task)| Some((id, task.due.filter(|due| *due < today)?, task))).collect();
    html! {
        @if !late.is_empty() {
            section.card aria-labelledby="late-title" {
                div.toolbar { h2 #late-title { "Late action items" } a href="/postmortems#action-items" { "All that are open" } }
                ul.stack.tight {
                    @for (id, due, task) in late.iter().take(LATE) {
                        li {
                            (badge(Tone::Warn, "late")) " " a href={ "/incidents/" (id) "#tasks" } { (task.text) }
                            span.muted { " " (id) ", " (task.owner.as_deref().unwrap_or("nobody yet")) ", was due on " (due) }
                        }
                    }
                }
                @if late.len() > LATE { p.muted { (late.len() - LATE) " more are late" } }
            }
        }
    }
}

/// Which version.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    version: Option<i64>,
}

async fn show(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer<Response> {
    // The picture of a draft is beside it.
    if let Some(name) = name.strip_suffix(".svg") {
        return picture(&room, id(name)?).await;
    }
    let incident = room.desk.get(id(&name)?).await?;
    room.drills.may_read(&visitor, &incident)?;
    let versions = room.papers.versions(incident.id).await?;
    let chosen = match asked.version {
        Some(version) => Some(room.papers.get(incident.id, version).await?),
        None => room.papers.latest(incident.id).await?,
    };
    let now = Utc::now();
    let body = html! {
        div.stack {
            div.toolbar {
                div.row { a href="/postmortems" { "Postmortems" } span.muted { "/" } a.mono href={ "/incidents/" (incident.id) } { (incident.id) } }
                div.row {
                    (button_link("Edit", &format!("/postmortems/{}/edit", incident.id), Tone::Info))
                    @if chosen.is_some() { (button_link("Markdown", &format!("/postmortems/{}/markdown", incident.id), Tone::Quiet)) }
                }
            }
            div.split {
                article.card {
                    @match &chosen {
                        Some(version) => { (markdown(&version.text)) },
                        None => {
                            h1 { "Postmortem of " (incident.id) }
                            (empty("Nobody has written it yet.", html! { "A draft appears when the incident resolves. You can begin now: press Edit." }))
                        },
                    }
                }
                section.card aria-labelledby="versions-title" {
                    h2 #versions-title { "Versions" }
                    @if versions.is_empty() { (empty("None yet.", html! { "Every version is kept." })) }
                    ul.stack.tight {
                        @for version in &versions {
                            li {
                                a href={ "?version=" (version.version) }
                                    aria-current=[chosen.as_ref().is_some_and(|chosen| chosen.version == version.version).then_some("true")] {
                                    "Version " (version.version)
                                }
                                span.muted { " by " (version.author) ", " (ago(version.at, now)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(framed(&room, &visitor, &format!("Postmortem of {}", incident.id), body).into_response())
}

async fn picture(room: &Room, id: Id) -> Answer<Response> {
    let incident = room.desk.get(id).await?;
    let curve = sli_curve(room, &incident).await?;
    let curve = curve.ok_or_else(|| Error::NoSuch {
        what: "picture",
        name: format!("{id}.svg"),
        known: "pictures of incidents whose services have an objective".to_owned(),
    })?;
    // Its colours are in a style of its own, and it can do nothing else.
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    Ok((headers, curve.svg()).into_response())
}

async fn export(State(room): State<Room>, visitor: Visitor, Path(name): Path<String>) -> Answer<Response> {
    let id = id(&name)?;
    room.drills.may_read(&visitor, room.desk.get(id).await?.as_ref())?;
    let version = room.papers.latest(id).await?;
    let version = version.ok_or_else(|| Error::NoSuch {
        what: "postmortem",
        name: id.to_string(),
        known: "those that /postmortems lists".to_owned(),
    })?;
    let headers = [
        (CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.md\"")),
    ];
    Ok((headers, version.text).into_response())
}
