//! The page of a board: head, choices, rows of panels.

use boards::{
    Board,
    draw::Mark,
    model::{Menu, Row},
    range::{self, OFFERED, encode},
};
use futures::future::join_all;
use maud::{Markup, html};

use super::{
    Head,
    address::{Address, OFF},
    ask::{Asked, Asking},
    choices::{self, Choice},
    marks, panel,
    sources::Trouble,
};
use crate::{access::Visitor, web::parts::clock};

/// The answers for a row; nothing for a folded one, which asks nothing.
type Answers = Option<Vec<Result<Asked, Trouble>>>;

/// The board, with all that its open rows ask for.
pub(super) async fn board(
    asking: &Asking<'_>,
    address: &Address,
    visitor: &Visitor,
    boards: &[Head],
) -> Markup {
    let board = asking.board;
    let rows = board.rows.iter().map(|row| answers(asking, address, row));
    let (marks, choices, rows) = tokio::join!(marks::all(asking), choices::all(asking), join_all(rows));
    let every = address.every();
    html! {
        div.stack {
            (head(asking, address, boards))
            (controls(asking, address, &choices))
            div #board.stack hx-get=[every.as_ref().map(|_| "")] hx-trigger=[every.as_deref()]
                hx-select=[every.as_ref().map(|_| "#board")] hx-swap=[every.as_ref().map(|_| "outerMorph")] {
                @for (row, answers) in board.rows.iter().zip(&rows) {
                    (section(asking, address, row, answers, &marks))
                }
                (foot(asking, address, visitor))
            }
        }
    }
}

async fn answers(asking: &Asking<'_>, address: &Address, row: &Row) -> Answers {
    if address.is_folded(row.id, row.folded) {
        return None;
    }
    Some(join_all(row.panels.iter().map(|panel| asking.panel(panel))).await)
}

fn head(asking: &Asking<'_>, address: &Address, boards: &[Head]) -> Markup {
    let board = asking.board;
    let grafana = asking.room.config.sources.grafana_url.as_ref();
    html! {
        div.toolbar {
            div {
                p { a href="/dashboards" { "Dashboards" } }
                h1 { (board.title) }
            }
            div.row {
                @for menu in &board.menus { (listed(menu, board, address, boards)) }
                @if let Some(url) = grafana {
                    a.button.quiet href={ (url.as_str().trim_end_matches('/')) (address.written(board, asking.scope)) } { "Open in Grafana" }
                }
            }
        }
        @if !board.description.is_empty() { p.muted { (board.description) } }
    }
}

/// A menu of boards, with the time range of this one.
fn listed(menu: &Menu, board: &Board, address: &Address, boards: &[Head]) -> Markup {
    let others = boards.iter().filter(|other| menu.tags.iter().all(|tag| other.tags.contains(tag)));
    let range = format!("from={}&to={}", encode(&address.from), encode(&address.to));
    html! {
        details.b-choice {
            summary { b { (menu.title) } }
            nav.b-menu aria-label=(menu.title) {
                @for other in others {
                    a href={ "/d/" (other.uid) "?" (range) } aria-current=[(other.uid == board.uid).then_some("page")] { (other.title) }
                }
            }
        }
    }
}

fn controls(asking: &Asking<'_>, address: &Address, choices: &[Choice]) -> Markup {
    let board = asking.board;
    let rows: Vec<String> = address.turned.iter().map(u64::to_string).collect();
    html! {
        form.b-controls method="get" action={ "/d/" (board.uid) } {
            @for choice in choices { (select(choice)) }
            (field("from", "From", &address.from))
            (field("to", "To", &address.to))
            div.field {
                label for="refresh" { "Refresh" }
                select #refresh name="refresh" {
                    @for every in board.refreshes.iter().map(String::as_str).chain([OFF]) {
                        option value=(every) selected[every == address.refresh] { (every) }
                    }
                }
            }
            @if !rows.is_empty() { input type="hidden" name="rows" value=(rows.join(",")); }
            button.button type="submit" { "Show" }
        }
        (quick_ranges(&address.from, &address.to, |from| address.with_range(board, asking.scope, from)))
    }
}

/// Links to ranges that end now.
pub(crate) fn quick_ranges(from: &str, to: &str, url: impl Fn(&str) -> String) -> Markup {
    html! {
        nav.tabs aria-label="Time range" {
            @for (start, title) in OFFERED {
                a href=(url(start)) title=(title) aria-current=[(*start == from && to == "now").then_some("true")] {
                    (start.trim_start_matches("now-"))
                }
            }
        }
    }
}

fn field(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input type="text" id=(name) name=(name) value=(value) maxlength="40" autocomplete="off" spellcheck="false"
                title="now, now-15m, milliseconds since 1970, or 2026-11-29T07:00 in UTC";
        }
    }
}

/// Nothing ticked means all, so that one click narrows the board.
fn select(choice: &Choice) -> Markup {
    let shown = match &choice.chosen[..] {
        [] => "all".to_owned(),
        [one] => one.clone(),
        several => format!("{} chosen", several.len()),
    };
    html! {
        details.b-choice {
            summary { b { (choice.label) } span.clip { (shown) } }
            fieldset.b-menu {
                legend.sr { (choice.label) ": nothing ticked means all" }
                @if choice.values.is_empty() {
                    p.muted { @if choice.asked { "There is nothing to choose from." } @else { "Prometheus does not say what there is." } }
                } @else { p.help { "Nothing ticked means all." } }
                @for value in &choice.values {
                    label { input type="checkbox" name={ "var-" (choice.name) } value=(value) checked[choice.chosen.contains(value)]; (value) }
                }
            }
        }
    }
}

fn section(asking: &Asking<'_>, address: &Address, row: &Row, answers: &Answers, marks: &[Mark]) -> Markup {
    html! {
        section.b-row aria-label=[row.title.as_deref()] {
            @if let Some(title) = &row.title {
                h2 id={ "row-" (row.id) } {
                    a href=(address.with_row(asking.board, asking.scope, row.id)) aria-expanded=(if answers.is_some() { "true" } else { "false" }) {
                        @if answers.is_some() { "▾ " } @else { "▸ " } (title)
                    }
                    @if answers.is_none() { span.muted { (row.panels.len()) " panels" } }
                }
            }
            @if let Some(answers) = answers {
                div.b-grid {
                    @for (panel, asked) in row.panels.iter().zip(answers) { (panel::draw(asking, panel, asked, marks)) }
                }
            }
        }
    }
}

/// What is shown, in a sentence.
fn foot(asking: &Asking<'_>, address: &Address, visitor: &Visitor) -> Markup {
    let range = &asking.scope.range;
    let every = range::length(&address.refresh).map(|_| address.refresh.as_str());
    html! {
        p.muted {
            "From " (clock(range.from)) " to " (clock(range.until)) " UTC, shown to " (visitor.name) "; "
            @if let Some(every) = every { "drawn again every " (every) "." } @else { "not drawn again by itself." }
            " Purple lines are incidents, blue ones changes and starts, red ones alerts; a dot is a request and opens its trace."
        }
    }
}
