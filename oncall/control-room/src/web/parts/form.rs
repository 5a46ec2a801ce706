//! Fields of forms: a label above, help below it, and what was wrong where it was wrong.

use maud::{Markup, html};

use crate::{access::Visitor, room::Room};

/// The hidden field that proves that a form was sent by this page. Every form that posts needs it.
pub(crate) fn csrf(room: &Room, visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(room.access.csrf(visitor)); }
}

/// One line of text. Its id is its name with `scope` before it, because a page has many forms.
pub(crate) fn text_field(scope: &str, name: &str, label: &str, value: &str, help: &str) -> Markup {
    let id = format!("{scope}-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            @if !help.is_empty() { p.help id={ (id) "-help" } { (help) } }
            input type="text" id=(id) name=(name) value=(value) maxlength="500" autocomplete="off"
                aria-describedby=[(!help.is_empty()).then(|| format!("{id}-help"))];
        }
    }
}

/// Several lines of text.
pub(crate) fn text_area(scope: &str, name: &str, label: &str, value: &str, help: &str) -> Markup {
    let id = format!("{scope}-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            @if !help.is_empty() { p.help id={ (id) "-help" } { (help) } }
            textarea id=(id) name=(name) rows="3" maxlength="10000"
                aria-describedby=[(!help.is_empty()).then(|| format!("{id}-help"))] { (value) }
        }
    }
}

/// One of several: pairs of value and text.
pub(crate) fn select(
    scope: &str,
    name: &str,
    label: &str,
    options: &[(String, String)],
    chosen: &str,
) -> Markup {
    let id = format!("{scope}-{name}");
    html! {
        div.field {
            label for=(id) { (label) }
            select id=(id) name=(name) {
                @for (value, text) in options {
                    option value=(value) selected[value == chosen] { (text) }
                }
            }
        }
    }
}

/// What was wrong with what was sent: first thing on the page, and focused by the script.
pub(crate) fn error_summary(what: &str) -> Markup {
    html! {
        div.callout.bad #error role="alert" tabindex="-1" {
            p { strong { "That was not done." } }
            p { (what) }
        }
    }
}
