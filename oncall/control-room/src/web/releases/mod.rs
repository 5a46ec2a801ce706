//! `/releases`: the figures of delivery, and every release; `/releases/{id}`: one of them. They only show it, and pass on what a
//! person says.

mod figures;
mod one;
mod signals;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use chassis_http::Path;
use chrono::Utc;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    Area,
    failure::{Answer, Failure, sentence},
    layout::{Page, Tab, page},
    parts::{Tone, ago, badge, empty},
};
use crate::{
    access::{Form, Visitor},
    error::{Error, Result},
    releases::view::ReleaseView,
    room::Room,
};

/// Releases that are listed.
const LISTED: usize = 50;

pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/releases", get(list))
        .route("/releases/{id}", get(show))
        .route("/releases/{id}/continue", post(resume))
        .route("/releases/{id}/abort", post(abort));
    let declared = &[
        ("GET", "/releases"),
        ("GET", "/releases/{id}"),
        ("POST", "/releases/{id}/continue"),
        ("POST", "/releases/{id}/abort"),
    ];
    (router, declared)
}

async fn list(State(room): State<Room>, visitor: Visitor) -> Answer {
    let (releases, delivery) = (room.releases.list(LISTED).await?, room.releases.delivery(&room).await?);
    let live = releases.iter().any(|release| !release.is_over());
    let body = html! {
        div.stack {
            h1 { "Releases" }
            p.muted { "A new version gets few requests first, is compared with the old one, and goes back by itself if it is worse." }
            (figures::card(&delivery))
            (table(&releases, room.eyes.tools.lab.is_some()))
        }
    };
    Ok(page(&room, &Page { title: "Releases", active: Tab::Releases, visitor: &visitor, live }, body))
}

/// `here`: the lab is on this machine.
fn table(releases: &[ReleaseView], here: bool) -> Markup {
    if releases.is_empty() {
        let command = if here {
            "lab release start order-api --version v2 --env USER_SERVICE_TIMEOUT=2s --why 'Wait longer'"
        } else {
            "lab --context NAME release start order-api --version TAG --why 'Faster orders'"
        };
        let hint = html! { "Start one in a terminal: " code { (command) } };
        return empty("There has been no release.", hint);
    }
    let now = Utc::now();
    html! {
        section.card.scroll tabindex="0" role="region" aria-labelledby="all-title" {
            h2 #all-title { "All releases" }
            table.table.rows {
                thead {
                    tr {
                        th scope="col" { "Release" } th scope="col" { "Service" } th scope="col" { "From, to" } th scope="col" { "State" }
                        th scope="col" { "Started" } th scope="col" { "What for" }
                    }
                }
                tbody {
                    @for release in releases {
                        tr {
                            th scope="row" { a.mono href={ "/releases/" (release.id) } data-item { (release.id) } }
                            td { (release.service) }
                            td { (release.old) " → " strong { (release.new) } }
                            td { (state(release)) }
                            td { (ago(release.started_at, now)) ", by " (release.by) }
                            td { (release.why) }
                        }
                    }
                }
            }
        }
    }
}

/// Where a release is: a shape, a word and a colour.
fn state(release: &ReleaseView) -> Markup {
    let tone = match release.state.as_str() {
        "released" => Tone::Good,
        "rolled-back" | "rolling-back" | "held" => Tone::Warn,
        "stuck" => Tone::Bad,
        "aborted" => Tone::Quiet,
        _ => Tone::Info,
    };
    let word = match (release.state.as_str(), release.weight) {
        ("watch", Some(weight)) => format!("canary at {weight} %"),
        ("commit" | "settle", _) => "next step".to_owned(),
        ("held", _) => "waits for a person".to_owned(),
        (word, _) => word.replace('-', " "),
    };
    badge(tone, &word)
}

async fn show(State(room): State<Room>, visitor: Visitor, Path(id): Path<String>) -> Answer {
    let (release, curves) = (room.releases.show(&id).await?, room.releases.curves(&id).await?);
    Ok(one::draw(&room, &visitor, &release, &curves, None))
}

/// A reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    why: String,
}

async fn resume(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let done = room.releases.resume(&room, &visitor, &id, &why).await;
    answer(&room, &visitor, &id, done).await
}

async fn abort(
    State(room): State<Room>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Why { why }): Form<Why>,
) -> Answer<Response> {
    let done = room.releases.abort(&room, &visitor, &id, &why).await;
    answer(&room, &visitor, &id, done).await
}

/// Back to the release, or its page with what was wrong.
async fn answer(room: &Room, visitor: &Visitor, id: &str, done: Result<ReleaseView>) -> Answer<Response> {
    let error = match done {
        Ok(release) => return Ok(Redirect::to(&format!("/releases/{}", release.id)).into_response()),
        Err(error @ Error::NoSuch { .. }) => return Err(error.into()),
        Err(error) => error,
    };
    let said = sentence(&error);
    let status = Failure::from(error).status();
    let (release, curves) = (room.releases.show(id).await?, room.releases.curves(id).await?);
    Ok((status, one::draw(room, visitor, &release, &curves, Some(&said))).into_response())
}
