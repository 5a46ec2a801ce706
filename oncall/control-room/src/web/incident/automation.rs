//! Runbooks of an incident: those that its alerts have, how to start them, and the runs that were started for it.

use incident::Id;
use maud::{Markup, html};

use super::view::View;
use crate::{
    room::Room,
    runbooks::view::{RunState, RunbookRunView, RunbookView},
    web::{
        automation::badge_of,
        parts::{Tone, ago, badge, csrf, empty},
    },
};

/// Among this number of the newest runs are those of an incident.
const RECENT: usize = 100;
/// Most runbooks and runs that are listed.
const SHOWN: usize = 8;

/// The runs for an incident, the newest first; none, if they cannot be read.
pub(super) async fn runs(room: &Room, id: Id) -> Vec<RunbookRunView> {
    let mut runs = room.runbooks.runs(RECENT).await.unwrap_or_default();
    runs.retain(|run| run.incident == Some(id));
    runs
}

/// What can be run, and what was.
pub(super) fn card(view: &View<'_>, runs: &[RunbookRunView]) -> Markup {
    let books = books(view);
    let automation = view.room.runbooks.automation();
    html! {
        section.card #automation aria-labelledby="automation-title" {
            h2 #automation-title { "Runbooks" }
            div.stack.tight {
                @if books.is_empty() && runs.is_empty() {
                    (empty("None of its alerts has a runbook that runs.", html! { "Procedures are listed with the " a href="/runbooks" { "runbooks" } "." }))
                }
                @for run in runs.iter().take(SHOWN) { (line(view, run)) }
                @if view.incident.state.is_open() {
                    @for book in books.iter().take(SHOWN) { (startable(view, book, runs)) }
                }
                p.muted {
                    @if automation.on { (badge(Tone::Good, "automation is on")) } @else { (badge(Tone::Quiet, "automation is off")) }
                    " " a href="/automation" { "Switch, guardrails, audit" }
                }
            }
        }
    }
}

/// The runbooks of its alerts, those that fire first, each once.
fn books(view: &View<'_>) -> Vec<RunbookView> {
    let mut members: Vec<_> = view.incident.alerts.iter().collect();
    members.sort_by_key(|member| member.ended_at.is_some());
    let mut books: Vec<RunbookView> = Vec::new();
    for member in members {
        let name = &member.alert.name;
        if !books.iter().any(|book| book.name == *name) {
            books.extend(view.room.runbooks.outline(name).ok());
        }
    }
    books
}

fn line(view: &View<'_>, run: &RunbookRunView) -> Markup {
    html! {
        div.row {
            (badge_of(run))
            a href={ "/runbook-runs/" (run.id) } { (run.id) " " (run.runbook) }
            span.muted { (run.mode) ", by " (run.by) ", " (ago(run.started_at, view.now)) }
        }
        @if let (Some(next), RunState::WaitingForYou | RunState::WaitingForApproval) = (&run.next, run.state) {
            p { strong { "It waits: " } (next) }
        }
    }
}

/// A runbook and the two ways to start it. What it takes from the alert, nobody types.
fn startable(view: &View<'_>, book: &RunbookView, runs: &[RunbookRunView]) -> Markup {
    let busy = runs.iter().any(|run| run.runbook == book.name && run.state != RunState::Ended);
    let typed = book.parameters.iter().any(|one| one.default.is_none() && one.label.is_none());
    let page = format!("/runbooks/{}?incident={}", book.name, view.incident.id);
    html! {
        div.stack.tight {
            p { a href=(page) { (book.name) } ": " (book.title) }
            @if !busy {
                div.row {
                    @if !typed {
                        (start(view, book, "manual", "Guide me"))
                        (start(view, book, "ask", "Run it once approved"))
                    }
                    a href=(page) { "What it would do" }
                }
            }
        }
    }
}

fn start(view: &View<'_>, book: &RunbookView, mode: &str, word: &str) -> Markup {
    html! {
        form method="post" action={ "/runbooks/" (book.name) "/runs" } {
            (csrf(view.room, view.visitor))
            input type="hidden" name="incident" value=(view.incident.id);
            input type="hidden" name="mode" value=(mode);
            button.button.small type="submit" { (word) span.sr { ": " (book.name) } }
        }
    }
}
