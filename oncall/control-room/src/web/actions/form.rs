//! What a form on the page of actions consists of.

use crate::room::Room;

/// Acts on one thing.
pub(super) struct Group {
    /// Part of ids.
    pub(super) id: String,
    /// Its heading.
    pub(super) title: String,
    /// What to know first, or why nothing can be done.
    pub(super) note: &'static str,
    /// The acts.
    pub(super) offers: Vec<Offer>,
}

/// An act.
pub(super) struct Offer {
    /// Its name in the switchboard.
    pub(super) action: &'static str,
    /// The same in a word or two.
    pub(super) word: &'static str,
    /// What it does and when it helps.
    pub(super) help: &'static str,
    /// Its fields.
    pub(super) fields: Vec<Field>,
}

/// A field of its form.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) help: &'static str,
    pub(super) input: Input,
}

/// How it is filled.
pub(super) enum Input {
    /// It is known.
    Fixed(String),
    /// A line of text, and what it is at first.
    Text(&'static str),
    /// One of several: pairs of value and text.
    Choice(Vec<(String, String)>),
}

/// All replicas of a service or one of them, if there are several.
pub(super) fn target(room: &Room, service: &str) -> Field {
    let each = replicas(room, service);
    if each.len() < 2 {
        return fixed("target", service);
    }
    let mut options = vec![(service.to_owned(), format!("all {} replicas", each.len()))];
    options.extend(each);
    choice("target", "Which", options)
}

/// The replicas of a service, as options. The service's own name means all of them, so the first one has its number.
pub(super) fn replicas(room: &Room, service: &str) -> Vec<(String, String)> {
    let of = room.eyes.instances.iter().filter(|instance| instance.service == service);
    let one = |name: &str| if name == service { format!("{service}-1") } else { name.to_owned() };
    of.map(|instance| (one(&instance.name), one(&instance.name))).collect()
}

pub(super) fn fixed(name: &'static str, value: &str) -> Field {
    Field { name, label: "", help: "", input: Input::Fixed(value.to_owned()) }
}

pub(super) fn text(
    name: &'static str,
    label: &'static str,
    usual: &'static str,
    help: &'static str,
) -> Field {
    Field { name, label, help, input: Input::Text(usual) }
}

pub(super) fn choice(name: &'static str, label: &'static str, options: Vec<(String, String)>) -> Field {
    Field { name, label, help: "", input: Input::Choice(options) }
}
