//! Dashboards: the files of `dashboards/grafana`, at Grafana's paths, drawn by the crate `boards`.
//!
//! A board is a plain page: variables and time range are a form, folded rows are links. A script only draws it again and
//! adds a cursor. Panels are asked for in parallel, and one that fails does not keep the others from being shown. The file
//! of a board has the name of its uid, so only the file that is shown is read in full.

mod address;
mod ask;
mod choices;
pub(super) mod common;
mod list;
mod marks;
mod panel;
pub(super) mod sources;
mod view;

use std::borrow::Cow;

use ::boards::{Board, range::Range, scope::Scope};
use axum::{
    Extension, Json, Router,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use chassis_http::Path;
use chrono::Utc;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use self::{address::Address, ask::Asking, common::Common, sources::PAGE};
pub(super) use self::{ask::entry, view::quick_ranges};
use super::{
    Area,
    failure::Answer,
    layout::{Page, Tab, page},
};
use crate::{access::Visitor, error::Error, room::Room};

/// The routes of this module.
pub(super) fn routes() -> Area {
    let router = Router::new()
        .route("/dashboards", get(list::show))
        .route("/d/{uid}", get(show))
        .route("/d/{uid}/{slug}", get(show_named))
        .route("/d/{uid}/panels/{panel}", get(chart))
        .layer(Extension(Common::default()));
    (
        router,
        &[
            ("GET", "/dashboards"),
            ("GET", "/d/{uid}"),
            ("GET", "/d/{uid}/{slug}"),
            ("GET", "/d/{uid}/panels/{panel}"),
        ],
    )
}

async fn show(
    state: State<Room>,
    common: Extension<Common>,
    visitor: Visitor,
    Path(uid): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    opened(&state, &common, &visitor, &uid, query.as_deref()).await
}

/// Grafana adds the title to the address; it says nothing.
async fn show_named(
    state: State<Room>,
    common: Extension<Common>,
    visitor: Visitor,
    Path((uid, _)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer {
    opened(&state, &common, &visitor, &uid, query.as_deref()).await
}

async fn opened(room: &Room, common: &Common, visitor: &Visitor, uid: &str, query: Option<&str>) -> Answer {
    let board = &find(room, uid)?;
    let address = Address::read(board, query)?;
    let scope = scope(room, board, &address)?;
    let asking = Asking::new(room, common, board, &scope, Instant::now() + PAGE);
    let body = view::board(&asking, &address, visitor, &heads(room)).await;
    let frame = Page { title: &board.title, active: Tab::Dashboards, visitor, live: false };
    Ok(page(room, &frame, body))
}

/// The data of a panel of lines, for the script.
async fn chart(
    State(room): State<Room>,
    Extension(common): Extension<Common>,
    _: Visitor,
    Path((uid, panel)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let board = &find(&room, &uid)?;
    let address = Address::read(board, query.as_deref())?;
    let scope = scope(&room, board, &address)?;
    let id = panel.strip_suffix(".json").and_then(|id| id.parse().ok());
    let Some(found) = id.and_then(|id| board.panel(id)) else {
        let known: Vec<String> = board.panels().map(|panel| format!("{}.json", panel.id)).collect();
        return Err(Error::NoSuch { what: "panel", name: panel, known: known.join(", ") }.into());
    };
    let asking = Asking::new(&room, &common, board, &scope, Instant::now() + PAGE);
    let (asked, marks) = tokio::join!(asking.panel(found), marks::all(&asking));
    Ok(match asked {
        Ok(asked) => match asked.drawing(&scope, found, &marks, None).chart() {
            Some(chart) => Json(chart).into_response(),
            None => {
                let known = "panels of lines".to_owned();
                return Err(Error::NoSuch { what: "chart", name: panel, known }.into());
            }
        },
        Err(trouble) => {
            (StatusCode::BAD_GATEWAY, Json(json!({ "detail": trouble.to_string() }))).into_response()
        }
    })
}

/// A board, or why its file was refused.
type Read = (String, Result<Board, String>);

/// All boards, by the names of their files.
fn read_all(room: &Room) -> Vec<Read> {
    let read = |(name, text): (String, Cow<'static, str>)| {
        let board = Board::read(&format!("{name}.json"), &text).map_err(|problems| problems.to_string());
        (name, board)
    };
    room.content.boards().map(read).collect()
}

/// What menus say of a board. The rest of its file is skipped, and so is whether it can be drawn: its page says that.
#[derive(Debug, Deserialize)]
struct Head {
    uid: String,
    title: String,
    #[serde(default)]
    tags: Vec<String>,
}

fn heads(room: &Room) -> Vec<Head> {
    let read = |(_, text): (String, Cow<'static, str>)| serde_json::from_str::<Head>(&text).ok();
    room.content.boards().filter_map(read).collect()
}

fn find(room: &Room, uid: &str) -> Result<Board, Error> {
    if let Some(text) = room.content.board(uid) {
        match Board::read(&format!("{uid}.json"), &text) {
            Ok(board) if board.uid == uid => return Ok(board),
            Ok(_) => {}
            Err(problems) => return Err(Error::Elsewhere(problems.to_string())),
        }
    }
    // Somebody may have given a file another name.
    let mut known = Vec::new();
    for (_, board) in read_all(room) {
        match board {
            Ok(board) if board.uid == uid => return Ok(board),
            Ok(board) => known.push(board.uid),
            Err(_) => {}
        }
    }
    Err(Error::NoSuch { what: "dashboard", name: uid.to_owned(), known: known.join(", ") })
}

/// How often Prometheus scrapes the services, in seconds.
pub(super) fn scrape(room: &Room) -> f64 {
    match room.config.clock {
        slo::Clock::Lab => 1.0,
        slo::Clock::Production => 15.0,
    }
}

fn scope(room: &Room, board: &Board, address: &Address) -> Result<Scope, Error> {
    let range = Range::read(&address.from, &address.to, Utc::now())
        .map_err(|wrong| Error::field("from, to", wrong))?;
    Ok(Scope::new(board, range, scrape(room), &address.pairs))
}
