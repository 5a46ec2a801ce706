//! Pieces that all pages share: times, badges, numbers, curves, forms, Markdown. Pure: they get what they show and know no
//! request.
//!
//! A state is a shape, a word and a colour, never a colour alone. A number has its unit. A time is relative, with the exact one
//! as its title. Nothing here writes a style attribute: the content security policy forbids it.

mod badge;
mod chart;
mod form;
mod markdown;
mod number;
mod time;

pub(crate) use badge::{Tone, badge, button, button_link, glyph, severity, severity_tone, state};
pub(crate) use chart::{Line, Two, chart, meter, spark, two};
pub(crate) use form::{csrf, error_summary, select, text_area, text_field};
pub(crate) use markdown::{markdown, safe_link};
pub(crate) use number::{count, money, or_dash, percent, rate, seconds, tied};
pub(crate) use time::{ago, clock, duration, lasting, remaining};

use maud::{Markup, html};

/// What a list or a card says while there is nothing in it: what that means, and what to do.
#[allow(clippy::needless_pass_by_value, reason = "callers write it in place")]
pub(crate) fn empty(title: &str, hint: Markup) -> Markup {
    html! {
        div.empty {
            p.empty-title { (title) }
            p.muted { (hint) }
        }
    }
}

/// What a card says while its source does not answer. What else the page knows is still shown.
pub(crate) fn unreachable(what: &str, why: &str) -> Markup {
    html! {
        div.callout.warn {
            p { (glyph(Tone::Warn)) " " strong { (what) " does not answer." } " Values that come from it are missing or old." }
            p.mono.muted { (why) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_escaped() {
        let shown = empty("<b>", html! { (unreachable("Prometheus", "<script>")) }).into_string();
        assert!(shown.contains("&lt;b&gt;") && shown.contains("&lt;script&gt;"), "{shown}");
    }
}
