//! All dashboards.

use axum::extract::State;
use maud::{Markup, html};

use super::{Read, read_all};
use crate::{
    access::Visitor,
    room::Room,
    web::{
        layout::{Html, Page, Tab, page},
        parts::{Tone, empty, glyph},
    },
};

/// Where to begin.
const FIRST: &str = "overview";

pub(super) async fn show(State(room): State<Room>, visitor: Visitor) -> Html {
    let mut boards = read_all(&room);
    boards.sort_by_key(|(name, _)| name != FIRST);
    let grafana = room.config.sources.grafana_url.as_ref();
    let body = html! {
        div.stack {
            div.toolbar {
                h1 { "Dashboards" }
                @if let Some(url) = grafana { a.button.quiet href={ (url.as_str().trim_end_matches('/')) "/dashboards" } { "Open in Grafana" } }
            }
            p.muted { "Begin with the overview: look at the first hop that is not green." }
            @if boards.is_empty() {
                (empty("There is no dashboard.", html! { "They are the files of " code { "dashboards/grafana" } "." }))
            }
            ul.b-list { @for board in &boards { li.card { (card(board)) } } }
        }
    };
    page(&room, &Page { title: "Dashboards", active: Tab::Dashboards, visitor: &visitor, live: false }, body)
}

fn card((name, board): &Read) -> Markup {
    html! {
        @match board {
            Ok(board) => {
                h2 { a href={ "/d/" (board.uid) } data-item { (board.title) } }
                p { (board.description) }
                p.muted { (board.panels().count()) " panels" }
            },
            Err(problems) => {
                h2 { (name) }
                p { (glyph(Tone::Warn)) " This file cannot be drawn." }
                pre.mono.scroll { (problems) }
            },
        }
    }
}
