//! What all parts of an incident's page know: the incident, who looks, and what was wrong with the form that was just sent.

use chrono::{DateTime, Utc};
use incident::Incident;
use maud::{Markup, html};

use crate::{
    access::Visitor,
    room::Room,
    web::parts::{Tone, button, csrf},
};

/// A form that was sent and not taken. Its text is shown again, so that nobody writes it twice.
pub(super) struct Wrong {
    /// Which form: the end of its address.
    pub(super) form: String,
    /// What was wrong, and what would be right.
    pub(super) what: String,
    /// The main text that was sent.
    pub(super) text: String,
}

/// What is shown.
pub(super) struct View<'v> {
    pub(super) room: &'v Room,
    pub(super) visitor: &'v Visitor,
    pub(super) incident: &'v Incident,
    pub(super) now: DateTime<Utc>,
    pub(super) wrong: Option<&'v Wrong>,
}

impl View<'_> {
    /// The address of the page.
    pub(super) fn path(&self) -> String {
        format!("/incidents/{}", self.incident.id)
    }

    /// What was wrong with this form, if it was.
    fn wrong_with(&self, form: &str) -> Option<&Wrong> {
        self.wrong.filter(|wrong| wrong.form == form)
    }

    /// The text that was sent with this form and not taken.
    pub(super) fn again(&self, form: &str) -> &str {
        self.wrong_with(form).map_or("", |wrong| wrong.text.as_str())
    }

    /// A form of the page; `name` is the end of its address.
    pub(super) fn form(&self, name: &str, fields: &Markup, label: &str, tone: Tone) -> Markup {
        html! {
            form.stack method="post" action={ (self.path()) "/" (name) } {
                (csrf(self.room, self.visitor))
                @if let Some(wrong) = self.wrong_with(name) {
                    div.wrong { p.message { (wrong.what) } }
                }
                (fields)
                div.actions { (button(label, tone)) }
            }
        }
    }

    /// A form behind a word; open if something was wrong with it.
    pub(super) fn act(&self, name: &str, word: &str, fields: &Markup, label: &str) -> Markup {
        html! {
            details.act open[self.wrong_with(name).is_some()] {
                summary { (word) }
                (self.form(name, fields, label, Tone::Info))
            }
        }
    }

    /// The people who can be chosen, after a first entry that chooses nobody.
    pub(super) fn people(&self, none: &str) -> Vec<(String, String)> {
        let mut options = vec![(String::new(), none.to_owned())];
        options.extend(self.room.duty.people().into_iter().map(|person| {
            let text = format!("{} ({})", person.title, person.name);
            (person.name, text)
        }));
        options
    }
}
