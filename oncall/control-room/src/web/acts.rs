//! What was done to the system: the act of a moment ago, and the newest ones. Which results a row shows, and how an act is taken back,
//! is decided by the page.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::parts::{Tone, ago, empty, glyph};
use crate::actions::Done;

/// What was done a moment ago, where it did not work, and how to take it back.
pub(super) fn announced(done: &Done, undo: &Markup) -> Markup {
    let failed = done.failures().next().is_some();
    let tone = if failed { Tone::Warn } else { Tone::Good };
    html! {
        div class={ "callout stack tight " (tone.class()) } role="status" {
            p { (glyph(tone)) " " strong { "Done: " (done.text) "." } @if failed { " Not everywhere:" } }
            ul { @for outcome in &done.results { li { (outcome.replica) ": " (outcome.text) } } }
            (undo)
        }
    }
}

/// The newest, a row each; `hint` says what will be here, if there are none.
pub(super) fn table(rows: &[Markup], hint: &str) -> Markup {
    html! {
        section.stack.tight aria-labelledby="history" {
            h2 #history { "What was done" }
            @if rows.is_empty() {
                (empty("Nothing was done yet.", html! { (hint) }))
            } @else {
                div.card.scroll tabindex="0" role="region" aria-label="What was done" {
                    table.table.rows {
                        thead { tr {
                            th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" }
                            th scope="col" { span.sr { "Undo" } }
                        } }
                        tbody { @for row in rows { (row) } }
                    }
                }
            }
        }
    }
}

/// A row of the table.
pub(super) fn row(done: &Done, now: DateTime<Utc>, results: &Markup, undo: &Markup) -> Markup {
    html! {
        tr {
            td { (ago(done.at, now)) }
            td { (done.by.name()) }
            td {
                (done.text)
                @if let Some(why) = &done.why { p.muted { (why) } }
                (results)
            }
            td { (undo) }
        }
    }
}
