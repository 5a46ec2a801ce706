//! What the parts of a run's page are drawn from, and their forms.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{answer::Fields, facts::Run};
use crate::{
    access::Visitor,
    room::Room,
    web::parts::{Tone, button, csrf},
};

/// A form that was sent and not taken; what was written is shown again.
#[derive(Default)]
pub(super) struct Wrong {
    /// What was wrong.
    pub(super) what: String,
    /// The text that was sent.
    pub(super) text: String,
    /// The answer that was sent.
    pub(super) fields: Option<Fields>,
}

/// What is shown.
pub(super) struct View<'v> {
    pub(super) room: &'v Room,
    pub(super) visitor: &'v Visitor,
    pub(super) run: &'v Run,
    pub(super) now: DateTime<Utc>,
    pub(super) wrong: Option<&'v Wrong>,
}

impl View<'_> {
    /// A form of this run. A refresh leaves one alone that has fields: what was written in it stays.
    pub(super) fn form(&self, name: &str, fields: Option<&Markup>, label: &str, tone: Tone) -> Markup {
        html! {
            form.stack hx-morph-skip[fields.is_some()] method="post" action={ (self.run.path()) "/" (name) } {
                (csrf(self.room, self.visitor))
                @if let Some(fields) = fields { (fields) }
                div.actions { (button(label, tone)) }
            }
        }
    }

    /// A form behind a word.
    pub(super) fn act(&self, name: &str, word: &str, fields: &Markup, label: &str, tone: Tone) -> Markup {
        html! {
            details.act { summary { (word) } (self.form(name, Some(fields), label, tone)) }
        }
    }
}
