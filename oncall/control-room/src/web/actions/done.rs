//! What was done: the act of a moment ago, and the newest ones that everybody may see.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    access::Visitor,
    actions::Done,
    room::Room,
    web::parts::{Tone, ago, badge, csrf, empty, glyph},
};

/// What was done a moment ago, where it did not work, and how to take it back.
pub(super) fn announced(room: &Room, visitor: &Visitor, done: &Done) -> Markup {
    let failed = done.failures().next().is_some();
    let tone = if failed { Tone::Warn } else { Tone::Good };
    html! {
        div class={ "callout stack tight " (tone.class()) } role="status" {
            p { (glyph(tone)) " " strong { "Done: " (done.text) "." } @if failed { " Not everywhere:" } }
            ul { @for outcome in &done.results { li { (outcome.replica) ": " (outcome.text) } } }
            (undo(room, visitor, done))
        }
    }
}

fn undo(room: &Room, visitor: &Visitor, done: &Done) -> Markup {
    html! {
        @if let Some(action) = &done.undo {
            form method="post" action="/actions/undo" {
                (csrf(room, visitor))
                input type="hidden" name="id" value=(done.id);
                button.button.small type="submit" title={ "Then it is: " (action.text()) } {
                    "Undo" span.sr { ": " (done.text) }
                }
            }
        }
    }
}

/// The newest acts.
pub(super) fn history(room: &Room, visitor: &Visitor, recent: &[Done], now: DateTime<Utc>) -> Markup {
    html! {
        section.stack.tight aria-labelledby="history" {
            h2 #history { "What was done" }
            @if recent.is_empty() {
                (empty("Nothing was done yet.", html! { "Every act is listed here, with who asked for it." }))
            } @else {
                div.card.scroll tabindex="0" role="region" aria-label="What was done" {
                    table.table.rows {
                        thead { tr {
                            th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" }
                            th scope="col" { span.sr { "Undo" } }
                        } }
                        tbody { @for done in recent { (line(room, visitor, done, now)) } }
                    }
                }
            }
        }
    }
}

fn line(room: &Room, visitor: &Visitor, done: &Done, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td { (ago(done.at, now)) }
            td { (done.by.name()) }
            td {
                (done.text)
                @if let Some(why) = &done.why { p.muted { (why) } }
                @for outcome in &done.results {
                    p.muted {
                        @if !outcome.ok { (badge(Tone::Warn, "failed")) " " }
                        (outcome.replica) ": " (outcome.text)
                    }
                }
            }
            td { (undo(room, visitor, done)) }
        }
    }
}
