//! What the responder learned, in their own words: kept with the run, and the end of its report.

use maud::{Markup, html};

use super::view::View;
use crate::web::parts::{Tone, markdown, text_area};

/// The card with what was written, and the form.
pub(super) fn card(view: &View<'_>) -> Markup {
    let saved = view.run.learned.as_deref().unwrap_or_default();
    let text = view.wrong.map(|wrong| wrong.text.as_str()).filter(|text| !text.is_empty()).unwrap_or(saved);
    let help = "Markdown. What misled you? What would you look at first next time? It is part of the report.";
    let field = text_area("learned", "text", "In your own words", text, help);
    html! {
        section.card.stack #learned aria-labelledby="learned-title" {
            h2 #learned-title { "What I learned" }
            @if !saved.is_empty() { (markdown(saved)) }
            @if view.visitor.name == view.run.responder || view.visitor.is_instructor() {
                (view.form("learned", Some(&field), "Save", Tone::Info))
            }
        }
    }
}
