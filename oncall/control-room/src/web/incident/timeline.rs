//! The timeline: what happened, the newest first, with who said it and how that is known.

use incident::{Entry, EntryKind};
use maud::{Markup, html};

use super::{evidence::evidence, view::View};
use crate::web::parts::{Tone, badge, clock, empty, glyph, text_area, tied};

/// Entries that are shown unless all are asked for.
const SHOWN: usize = 100;

/// Names and words of the filters.
const FILTERS: [(&str, &str); 5] = [
    ("", "Everything"),
    ("signals", "Signals"),
    ("people", "People"),
    ("changes", "Changes"),
    ("evidence", "Evidence"),
];

/// Which filter an entry belongs to.
const fn group(kind: EntryKind) -> &'static str {
    use EntryKind as Kind;
    match kind {
        Kind::Symptom | Kind::Pending | Kind::Firing | Kind::Cleared | Kind::Recovery | Kind::Impact => {
            "signals"
        }
        Kind::Change | Kind::Restart | Kind::Action | Kind::Truth => "changes",
        Kind::Query | Kind::Hypothesis | Kind::Diagnosis => "evidence",
        Kind::Page
        | Kind::Acknowledgement
        | Kind::Escalation
        | Kind::State
        | Kind::Severity
        | Kind::Role
        | Kind::Service
        | Kind::Update
        | Kind::Note
        | Kind::Task
        | Kind::Link => "people",
    }
}

const fn tone(kind: EntryKind) -> Tone {
    use EntryKind as Kind;
    match kind {
        Kind::Symptom | Kind::Firing | Kind::Escalation => Tone::Bad,
        Kind::Pending | Kind::Page | Kind::Restart => Tone::Warn,
        Kind::Cleared | Kind::Recovery | Kind::Acknowledgement => Tone::Good,
        Kind::State | Kind::Severity | Kind::Update | Kind::Action | Kind::Change | Kind::Truth => Tone::Info,
        _ => Tone::Quiet,
    }
}

/// The card.
pub(super) fn card(view: &View<'_>, show: &str) -> Markup {
    let all = show == "all";
    let hidden = view.room.drills.hides_truth(view.visitor);
    let entries: Vec<&Entry> = view
        .incident
        .timeline_for(view.visitor.role)
        .into_iter()
        .rev()
        .filter(|entry| !hidden || entry.kind != EntryKind::Truth)
        .filter(|entry| show.is_empty() || all || group(entry.kind) == show)
        .collect();
    let shown = if all { entries.len() } else { entries.len().min(SHOWN) };
    html! {
        section.card #timeline aria-labelledby="timeline-title" {
            div.toolbar {
                h2 #timeline-title { "Timeline" }
                nav.tabs aria-label="Filter of the timeline" {
                    @for (name, word) in FILTERS {
                        a href={ "?show=" (name) "#timeline" } aria-current=[(name == show || (all && name.is_empty())).then_some("true")] { (word) }
                    }
                }
            }
            (view.act("notes", "Add a note", &text_area("notes", "text", "Note", view.again("notes"), "What you saw or did. Its time is now."), "Add"))
            @if entries.is_empty() {
                (empty("No entry of this kind.", html! { "Choose another filter." }))
            }
            ol.timeline {
                @for (at, entry) in entries.iter().take(shown).enumerate() {
                    @let before = at.checked_sub(1).and_then(|before| entries.get(before));
                    @if before.is_none_or(|before| before.at.date_naive() != entry.at.date_naive()) {
                        li { span.day { (entry.at.format("%A, %-d %B %Y, times in UTC")) } }
                    }
                    (row(entry))
                }
            }
            @if shown < entries.len() { p { a href="?show=all#timeline" { (entries.len() - shown) " older entries" } } }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    html! {
        li {
            span.at { (clock(entry.at)) }
            span.rail { (glyph(tone(entry.kind))) }
            div {
                p.what { (tied(&entry.text)) @if entry.sealed { " " (badge(Tone::Info, "sealed")) } }
                p.from { (entry.kind) " · " (entry.source.name()) }
                @for one in &entry.evidence { (evidence(one)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_belongs_to_a_filter_that_is_offered() {
        for kind in [EntryKind::Symptom, EntryKind::Truth, EntryKind::Diagnosis, EntryKind::Note] {
            assert!(FILTERS.iter().any(|(name, _)| *name == group(kind)), "{kind}");
        }
    }
}
