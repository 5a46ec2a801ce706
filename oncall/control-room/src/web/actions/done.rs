//! What was done: the act of a moment ago, and the newest ones that everybody may see.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::{
    access::Visitor,
    actions::Done,
    room::Room,
    web::{
        acts,
        parts::{Tone, badge, csrf},
    },
};

/// What was done a moment ago, where it did not work, and how to take it back.
pub(super) fn announced(room: &Room, visitor: &Visitor, done: &Done) -> Markup {
    acts::announced(done, &undo(room, visitor, done))
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
    let rows: Vec<Markup> = recent.iter().map(|done| row(room, visitor, done, now)).collect();
    acts::table(&rows, "Every act is listed here, with who asked for it.")
}

fn row(room: &Room, visitor: &Visitor, done: &Done, now: DateTime<Utc>) -> Markup {
    let results = html! {
        @for outcome in &done.results {
            p.muted {
                @if !outcome.ok { (badge(Tone::Warn, "failed")) " " }
                (outcome.replica) ": " (outcome.text)
            }
        }
    };
    acts::row(done, now, &results, &undo(room, visitor, done))
}
