//! What was wrong: the faults, the changes, how it spread with measured times, who was paged, and what to learn.
//! Shown after the end, and to an instructor at any time.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::facts::{Advice, Notice, Sighting, Truth};
use crate::{
    eyes::links::explore,
    web::parts::{Tone, badge, clock, duration, markdown},
};

/// The card; `sealed` says that only an instructor sees it yet.
pub(in crate::web) fn card(truth: &Truth, sealed: bool) -> Markup {
    html! {
        section.card aria-labelledby="truth-title" {
            div.toolbar {
                h2 #truth-title { @if sealed { "What is wrong" } @else { "What was wrong" } }
                @if sealed { (badge(Tone::Warn, "instructors only")) }
            }
            (faults(truth))
            (times(truth))
            (sightings("How it spreads", &truth.path))
            (sightings("Signals", &truth.signals))
            (pages(&truth.notices, truth.injected_at))
            (advice("Helps", &truth.helps))
            (advice("Does not help", &truth.does_not_help))
            (advice("Harms", &truth.harms))
            @if !truth.debrief.is_empty() { h3 { "Debrief" } (markdown(&truth.debrief)) }
        }
    }
}

fn faults(truth: &Truth) -> Markup {
    html! {
        @if truth.faults.is_empty() { p { strong { "Nothing." } " To do nothing was right." } }
        ul.stack.tight {
            @for fault in &truth.faults {
                li {
                    strong { (fault.fault) } " in " (fault.service)
                    @if !fault.parameters.is_empty() { span.muted { " (" (fault.parameters.join(", ")) ")" } }
                    @if fault.after_seconds > 0 { ", " (fault.after_seconds) " s after the begin" }
                    @if let Some(change) = &fault.change { ", because of " (change) }
                }
            }
        }
        dl.kv {
            @if !truth.components.is_empty() { dt { "Cause" } dd { (truth.components.join(", ")) } }
            @if !truth.mechanism.is_empty() { dt { "Mechanism" } dd { (truth.mechanism.replace('-', " ")) } }
            @if let Some(change) = &truth.change { dt { "Change" } dd { (change) } }
        }
    }
}

/// The steps of the run, as far as they came.
fn times(truth: &Truth) -> Markup {
    let steps = [
        ("It began", truth.injected_at),
        ("Users were affected", truth.affected_at),
        ("Users were served again", truth.mitigated_at),
        ("Everything was good again", truth.recovered_at),
    ];
    html! {
        dl.kv {
            @for (what, at) in steps {
                dt { (what) }
                dd { @match at { Some(at) => { (clock(at)) (after(at, truth.injected_at)) }, None => { "–" } } }
            }
        }
    }
}

/// How long after the injection.
fn after(at: DateTime<Utc>, injected: Option<DateTime<Utc>>) -> Markup {
    let passed = injected.map(|from| (at - from).as_seconds_f64()).filter(|passed| *passed > 0.0);
    html! { @if let Some(passed) = passed { span.muted { ", after " (duration(passed)) } } }
}

fn sightings(title: &str, list: &[Sighting]) -> Markup {
    html! {
        @if !list.is_empty() {
            h3 { (title) }
            div.scroll tabindex="0" role="region" aria-label=(title) {
                table.table {
                    thead { tr {
                        th scope="col" { "What" } th.num scope="col" { "Seen after" }
                        th.num scope="col" { "Stated" } th scope="col" { span.sr { "Evidence" } }
                    } }
                    tbody {
                        @for one in list {
                            tr {
                                td { (one.name) }
                                td.num { (or_never(one.seen)) }
                                td.num { "within " (format!("{:.0} s", one.within)) }
                                td {
                                    a href=(explore("", &one.query)) { "Query" span.sr { " of " (one.name) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn or_never(seen: Option<f64>) -> String {
    seen.map_or_else(|| "never".to_owned(), |seen| format!("{seen:.1} s"))
}

fn pages(pages: &[Notice], injected: Option<DateTime<Utc>>) -> Markup {
    html! {
        @if !pages.is_empty() {
            h3 { "Pages and tickets" }
            ul.stack.tight {
                @for notice in pages {
                    li {
                        (clock(notice.at)) " "
                        @if notice.page { (badge(Tone::Bad, "page")) } @else { (badge(Tone::Info, "ticket")) }
                        " " strong { (notice.alert) } " of " (notice.service)
                        @if notice.firing { (after(notice.at, injected)) } @else { " ended" }
                    }
                }
            }
        }
    }
}

fn advice(title: &str, list: &[Advice]) -> Markup {
    html! {
        @if !list.is_empty() {
            h3 { (title) }
            ul.stack.tight { @for one in list { li { strong { (one.act) } ": " (one.why) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{super::facts::Broken, *};

    #[test]
    fn the_causal_path_has_its_measured_times_and_the_pages_theirs() {
        let injected: DateTime<Utc> = "2026-05-04T10:00:00Z".parse().unwrap();
        let sighting = |name: &str, seen| Sighting {
            name: name.to_owned(),
            query: "up == 0".to_owned(),
            within: 15.0,
            seen,
        };
        let truth = Truth {
            mechanism: "bad-release".to_owned(),
            faults: vec![Broken {
                service: "order-api".to_owned(),
                fault: "http-error".to_owned(),
                parameters: vec!["rate 0.3".to_owned()],
                after_seconds: 8,
                change: Some("order-api-1-8".to_owned()),
            }],
            harms: vec![Advice { act: "silence HighErrorRate".to_owned(), why: "nobody is told".to_owned() }],
            debrief: "Remember: *ask*.".to_owned(),
            path: vec![sighting("failing-requests", Some(2.54)), sighting("late-orders", None)],
            notices: vec![Notice {
                at: injected + TimeDelta::seconds(9),
                alert: "OrderAvailabilityBudgetBurn".to_owned(),
                service: "order-api".to_owned(),
                page: true,
                firing: true,
            }],
            injected_at: Some(injected),
            ..Truth::default()
        };
        let shown = card(&truth, true).into_string();
        for text in [
            "bad release",
            "instructors only",
            "rate 0.3",
            "8 s after the begin, because of order-api-1-8",
            "<strong>silence HighErrorRate</strong>: nobody is told",
            "2.5 s",
            "never",
            "within 15 s",
            ", after 9\u{a0}s",
            "<em>ask</em>",
        ] {
            assert!(shown.contains(text), "{text} in {shown}");
        }
        assert!(!card(&truth, false).into_string().contains("instructors only"));
    }

    #[test]
    fn nothing_wrong_is_said_in_a_word() {
        let shown = card(&Truth::default(), false).into_string();
        assert!(shown.contains("Nothing.") && !shown.contains("Debrief"), "{shown}");
    }
}
