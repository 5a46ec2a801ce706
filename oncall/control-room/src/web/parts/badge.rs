//! States: a shape, a word and a colour each.

use incident::{Severity, State};
use maud::{Markup, html};

/// What a state means to the person who looks. Nothing else has these colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Users suffer, or somebody has to act now.
    Bad,
    /// It will become bad, or is not known.
    Warn,
    /// It is as it should be.
    Good,
    /// Worth knowing.
    Info,
    /// Over, or of no weight.
    Quiet,
}

impl Tone {
    /// Its class in the stylesheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Good => "good",
            Self::Info => "info",
            Self::Quiet => "quiet",
        }
    }

    /// Outline of its shape in a square of 12: octagon, triangle, disc, square, ring.
    const fn outline(self) -> &'static str {
        match self {
            Self::Bad => "M4 1h4l3 3v4l-3 3H4L1 8V4z",
            Self::Warn => "M6 1l5.5 10H.5z",
            Self::Good => "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1z",
            Self::Info => "M2 2h8v8H2z",
            Self::Quiet => "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1zm0 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
        }
    }
}

/// The shape of a tone; the word is beside it.
pub(crate) fn glyph(tone: Tone) -> Markup {
    html! {
        svg class={ "glyph " (tone.class()) } viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" {
            path d=(tone.outline()) fill-rule="evenodd" {}
        }
    }
}

/// A state in a word or two.
pub(crate) fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class={ "badge " (tone.class()) } { (glyph(tone)) (text) } }
}

/// How much a severity asks of people.
pub(crate) const fn severity_tone(severity: Severity) -> Tone {
    match severity {
        Severity::Sev1 | Severity::Sev2 => Tone::Bad,
        Severity::Sev3 => Tone::Warn,
        Severity::Sev4 => Tone::Info,
        Severity::Sev5 => Tone::Quiet,
    }
}

/// How bad an incident is; what that means on hover.
pub(crate) fn severity(severity: Severity) -> Markup {
    html! { span title=(severity.meaning()) { (badge(severity_tone(severity), &severity.to_string())) } }
}

/// Where an incident is in its life.
pub(crate) fn state(state: State) -> Markup {
    let tone = match state {
        State::Triage => Tone::Bad,
        State::Active => Tone::Warn,
        State::Mitigated => Tone::Info,
        State::Resolved => Tone::Good,
        State::Closed | State::Dismissed => Tone::Quiet,
    };
    badge(tone, &state.to_string())
}

/// The button that sends the form around it. `Bad` is for what cannot be undone, `Info` for the one main action of a page,
/// `Quiet` for all others.
pub(crate) fn button(label: &str, tone: Tone) -> Markup {
    html! { button type="submit" class={ "button " (tone.class()) } { (label) } }
}

/// A link that looks like a button.
pub(crate) fn button_link(label: &str, url: &str, tone: Tone) -> Markup {
    html! { a class={ "button " (tone.class()) } href=(url) { (label) } }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_state_can_be_told_without_colour() {
        let tones = [Tone::Bad, Tone::Warn, Tone::Good, Tone::Info, Tone::Quiet];
        let shapes: BTreeSet<&str> = tones.iter().map(|tone| tone.outline()).collect();
        assert_eq!(shapes.len(), tones.len(), "each tone has its own shape");
        assert!(state(State::Mitigated).into_string().ends_with("mitigated</span>"));
        let shown = severity(Severity::Sev1).into_string();
        assert!(shown.contains("SEV-1") && shown.contains("title=\"The service is down"), "{shown}");
    }
}
