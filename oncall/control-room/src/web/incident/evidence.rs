//! What is known: the alerts, the last update, what the control room found by itself, what it cost and how long it took.

use incident::{Entry, EntryKind, Evidence, Measures, incident::Member};
use maud::{Markup, html};
use serde_json::Value;

use super::view::View;
use crate::web::parts::{
    Tone, ago, badge, button, clock, csrf, duration, empty, or_dash, percent, safe_link, tied,
};

/// Alerts that are listed at once; a storm has thousands.
const ALERTS: usize = 6;

/// Characters of the longest query that is shown beside its answer. A longer one is folded, or it would push what was found
/// out of sight.
const IN_SIGHT: usize = 90;

/// What is going on: the last update, and what fires.
pub(super) fn situation(view: &View<'_>) -> Markup {
    let incident = view.incident;
    let latest = incident.timeline.iter().rev().find(|entry| entry.kind == EntryKind::Update);
    let (firing, cleared): (Vec<&Member>, Vec<&Member>) =
        incident.alerts.iter().partition(|member| member.ended_at.is_none());
    html! {
        section.card aria-labelledby="situation-title" {
            h2 #situation-title { @if incident.state.is_open() { "What is wrong" } @else { "What was wrong" } }
            div.stack.tight {
                @if let Some(update) = latest {
                    p { strong { "Update by " (update.source.name()) ", " (ago(update.at, view.now)) ": " } (update.text) }
                }
                @if incident.alerts.is_empty() {
                    (empty("No alert.", html! { "Somebody declared this incident by hand." }))
                }
                (alerts(view, &firing))
                @if firing.len() > ALERTS { p.muted { (firing.len() - ALERTS) " more alerts fire" } }
                @if !cleared.is_empty() {
                    details.more {
                        summary { (cleared.len()) @if cleared.len() == 1 { " alert has" } @else { " alerts have" } " cleared" }
                        (alerts(view, &cleared))
                    }
                }
            }
        }
    }
}

fn alerts(view: &View<'_>, members: &[&Member]) -> Markup {
    html! {
        ul.stack.tight {
            @for member in members.iter().take(ALERTS) {
                @let alert = &member.alert;
                li {
                    div.row {
                        @match member.ended_at {
                            None => { (badge(Tone::Bad, "firing")) },
                            Some(_) => { (badge(Tone::Good, "cleared")) },
                        }
                        strong { (alert.name) }
                        @if let Some(service) = &alert.service { span.muted { (service) } }
                        span.muted { "since " (ago(alert.key.starts_at, view.now)) }
                        @if let Some(link) = alert.link.as_deref().and_then(safe_link) { a href=(link) { "Query" } }
                    }
                    p { (alert.summary) }
                    @if !alert.details.is_empty() {
                        details.more {
                            summary { "What else " (alert.from) " said" }
                            dl.kv { @for (name, value) in &alert.details { dt { (name) } dd { (words(value)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// A value of somebody else's JSON: a text as it is.
fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a query answered, and the query.
pub(super) fn evidence(evidence: &Evidence) -> Markup {
    let query = html! { p.mono { (evidence.query) } };
    html! {
        div.evidence {
            @if !evidence.answer.is_empty() { p.answer { (tied(&evidence.answer)) } }
            div.asked {
                @if evidence.query.chars().count() <= IN_SIGHT { (query) }
                @if let Some(link) = evidence.link.as_deref().and_then(safe_link) { a href=(link) { "Ask again" } }
                @if evidence.query.chars().count() > IN_SIGHT { details.more { summary { "Query" } (query) } }
            }
        }
    }
}

/// What the control room looked at by itself.
pub(super) fn diagnosis(view: &View<'_>) -> Markup {
    let entries: Vec<&Entry> = view
        .incident
        .timeline_for(view.visitor.role)
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::Diagnosis)
        .collect();
    html! {
        section.card aria-labelledby="diagnosis-title" {
            div.toolbar {
                h2 #diagnosis-title { "Diagnosis" }
                form method="post" action={ (view.path()) "/diagnose" } {
                    (csrf(view.room, view.visitor))
                    (button("Look again", Tone::Quiet))
                }
            }
            @if entries.is_empty() {
                (empty("Nothing has been looked at yet.", html! {
                    "On opening, the control room looks at readiness, restarts, changes, failing routes, slow traces, error lines, budgets and saturation."
                }))
            }
            @for entry in entries.iter().rev().take(12) {
                div.look {
                    p { span.muted { (clock(entry.at)) } " " (tied(&entry.text)) }
                    @for one in &entry.evidence { (evidence(one)) }
                }
            }
        }
    }
}

/// How long it took so far, and from when that counts.
pub(super) fn measures(view: &View<'_>) -> Markup {
    let measures = Measures::of(view.incident, view.visitor.role);
    let hidden = view.room.drills.hides_truth(view.visitor);
    let rows = [
        ("Detected", measures.detect),
        ("Acknowledged", measures.acknowledge),
        ("Mitigated", measures.mitigate),
        ("Recovered", measures.recover),
    ];
    html! {
        section.card aria-labelledby="measures-title" {
            h2 #measures-title { "Times" }
            dl.kv {
                @for (name, seconds) in rows { dt { (name) } dd { (or_dash(seconds, duration)) } }
                dt { "Budget used" } dd { (or_dash(measures.budget, percent)) @if measures.budget.is_some() { span.muted { ", of the one that lost most" } } }
            }
            p.help { "Counted from when " (measures.start.describe()) ", at " (clock(measures.started_at)) " UTC; acknowledged from the first page." }
            @if let Some(truth) = view.incident.truth_for(view.visitor.role).filter(|_| !hidden) {
                p { (badge(Tone::Info, "truth")) " " strong { (truth.fault) } " on " (truth.service) ", set by " (truth.by) " at " (clock(truth.since)) " UTC" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_query_is_folded_and_its_answer_and_link_are_not() {
        let asked = |query: &str| Evidence {
            query: query.to_owned(),
            answer: "edge 91 %".to_owned(),
            link: Some("/explore?query=up".to_owned()),
        };
        let short = evidence(&asked("up")).into_string();
        assert!(!short.contains("<details") && short.contains(">up<"), "{short}");
        let long = evidence(&asked(&"up or ".repeat(40))).into_string();
        let (before, folded) = long.split_once("<details").unwrap();
        assert!(before.contains("edge 91\u{a0}%") && before.contains("Ask again"), "{long}");
        assert!(folded.contains("up or up or"), "{long}");
    }
}
