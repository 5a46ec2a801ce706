//! The first page. In this order: what is wrong, since when, how bad, what changed, what you can do.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use rota::schedule::Reason;

use super::{
    alerts::{fast, verdict},
    incident::summary::card,
    layout::{Html, Page, Tab, page},
    map::map,
    parts::{
        Tone, ago, badge, button_link, clock, duration, empty, glyph, meter, or_dash, percent, remaining,
        safe_link, tied, unreachable,
    },
    postmortems::late,
};
use crate::{
    access::Visitor,
    room::Room,
    watch::{Budget, Reach, Seen, window},
};

/// How many changes are listed.
const CHANGES: usize = 5;

/// `GET /`.
pub(super) async fn show(State(room): State<Room>, visitor: Visitor) -> Html {
    let now = Utc::now();
    let seen = room.watch.seen();
    // Beside what has changed there is room for the budgets, unless incidents take it: then where they are comes first.
    let calm = room.desk.open_ones().is_empty();
    let body = html! {
        h1.sr { "Now" }
        div.stack {
            @if let Reach::Down(why) = &seen.prometheus { (unreachable("Prometheus", why)) }
            @if let Reach::Down(why) = &seen.alertmanager { (unreachable("Alertmanager", why)) }
            div.split.level {
                div.stack {
                    (incidents(&room, &visitor, now))
                    @if calm { (budgets(&room, &seen)) }
                }
                div.stack {
                    (changes(&room, now))
                    (on_call(&room, now))
                    (late(&room, now))
                    @if visitor.is_instructor() { (faults(&seen)) }
                }
            }
            (services(&room, &seen))
            @if !calm { (budgets(&room, &seen)) }
        }
    };
    page(&room, &Page { title: "Now", active: Tab::Now, visitor: &visitor, live: true }, body)
}

fn incidents(room: &Room, visitor: &Visitor, now: DateTime<Utc>) -> Markup {
    let open = room.desk.open_ones();
    let last = room.desk.recent(1).into_iter().next();
    html! {
        section.card #incidents aria-labelledby="incidents-title" {
            div.toolbar {
                h2 #incidents-title { "Incidents" }
                (button_link("Declare an incident", "/incidents/new", Tone::Quiet))
            }
            @for incident in &open { (card(room, visitor, incident, now)) }
            @if open.is_empty() {
                (empty("No open incident.", html! {
                    @match last {
                        Some(last) => {
                            "The last one was " a href={ "/incidents/" (last.id) } { (last.id) " " (last.title) } ", "
                            (last.state) " " (ago(last.changed_at, now)) "."
                        },
                        None => { "An alert opens one by itself. If you see something that no alert has seen, declare one." },
                    }
                }))
            }
        }
    }
}

fn services(room: &Room, seen: &Seen) -> Markup {
    let calls = &room.config.sources.calls;
    html! {
        section.card aria-labelledby="services-title" {
            div.toolbar {
                h2 #services-title { "Services" }
                p.muted {
                    "Rate, errors and 95th percentile over " (duration(window(room.config.clock).secs()))
                    @if let Some(at) = seen.at { ", measured at " (clock(at)) }
                }
            }
            @if calls.is_empty() && seen.services.is_empty() {
                (empty("No service is known.", html! { "Set INSTANCES and CALLS of the control room, as " code { "lab up" } " does." }))
            } @else {
                (map(calls, seen, &room.content.board_names()))
            }
            @if !seen.protections_off.is_empty() {
                p {
                    (glyph(Tone::Warn)) " " strong { "Protections are off: " }
                    @for (at, off) in seen.protections_off.iter().enumerate() {
                        @if at > 0 { ", " }
                        (off.name) " on " (off.instance)
                    }
                    ". " a href="/protections" { "Switch them on" }
                }
            }
        }
    }
}

fn changes(room: &Room, now: DateTime<Utc>) -> Markup {
    let changes = room.changes.since(now - TimeDelta::hours(24));
    html! {
        section.card aria-labelledby="changes-title" {
            h2 #changes-title { "What changed" }
            @if changes.is_empty() {
                (empty("Nothing changed in the last 24 hours.", html! {
                    "Releases, flags, restarts and configuration appear here; anyone may report one to " code { "/v2/change/enqueue" } "."
                }))
            } @else {
                table.table {
                    thead.sr { tr { th { "When" } th { "What" } } }
                    tbody {
                        @for change in changes.iter().take(CHANGES) {
                            tr {
                                td.muted { (ago(change.at, now)) }
                                td {
                                    div.clamp title=(change.text) {
                                        @if let Some(service) = &change.service { strong { (service) } " " }
                                        @match change.link.as_deref().and_then(safe_link) {
                                            Some(link) => { a href=(link) { (tied(&change.text)) } },
                                            None => { (tied(&change.text)) },
                                        }
                                    }
                                    span.muted { (change.kind) " by " (change.by) }
                                }
                            }
                        }
                    }
                }
                @if changes.len() > CHANGES { p.muted { (changes.len() - CHANGES) " more in the last 24 hours" } }
            }
        }
    }
}

fn budgets(room: &Room, seen: &Seen) -> Markup {
    let page = fast(room).factor;
    html! {
        section.card aria-labelledby="budgets-title" {
            div.toolbar { h2 #budgets-title { "Error budgets left" } a href="/alerts" { "Objectives" } }
            @if seen.budgets.is_empty() {
                (empty("No budget has been measured yet.", html! { "Prometheus has to answer, and its rules need a minute." }))
            } @else {
                ul.budgets { @for budget in &seen.budgets { (budget_row(budget, page)) } }
            }
        }
    }
}

/// A budget; `page` is the burn rate that wakes somebody. What burns so fast is not good, however much is left.
fn budget_row(budget: &Budget, page: f64) -> Markup {
    let (tone, word) = verdict(budget.remaining, budget.burn, page);
    let spent = budget.remaining.is_some_and(|left| left <= 0.0);
    html! {
        li {
            span {
                a href={ "/alerts#" (budget.slo) } { (budget.title) }
                span.muted { " " (percent(budget.objective)) }
            }
            span.num {
                @if spent { (badge(tone, "spent")) " " }
                @else if tone == Tone::Bad { span title=(word) { (glyph(tone)) span.sr { (word) } } " " }
                strong { (or_dash(budget.remaining, percent)) } " left"
                span.muted title="Compared with what is allowed: 1× uses it up exactly at the end of its window" {
                    ", burns " (or_dash(budget.burn, |burn| format!("{burn:.1}×")))
                }
            }
            (meter(budget.remaining.unwrap_or(0.0), tone))
        }
    }
}

fn on_call(room: &Room, now: DateTime<Utc>) -> Markup {
    let schedules = room.duty.now(now);
    html! {
        section.card aria-labelledby="duty-title" {
            div.toolbar { h2 #duty-title { "On call" } a href="/oncall" { "Calendar" } }
            @if schedules.is_empty() {
                (empty("Nobody is on call.", html! { "Write an " code { "oncall.yaml" } ": nobody is paged before." }))
            } @else {
                table.table {
                    tbody {
                        @for on_call in &schedules {
                            tr {
                                td.muted { (on_call.schedule) }
                                td {
                                    @match &on_call.primary {
                                        Some(primary) => {
                                            strong { (primary.person) } (reason(&primary.reason))
                                            @for person in &on_call.added { ", " (person) }
                                        },
                                        None => { (badge(Tone::Warn, "nobody")) },
                                    }
                                }
                                td.muted {
                                    @if let Some(until) = on_call.until { (remaining(until, now)) }
                                    @if let Some(next) = &on_call.next { ", then " (next) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Why a person is on call, where it is not simply a turn.
fn reason(reason: &Reason) -> Markup {
    let word = match reason {
        Reason::Layer(_) => "",
        Reason::Override(_) => " (override)",
        Reason::Temporary => " (temporary)",
        Reason::Fallback => " (fallback)",
    };
    html! { span.muted { (word) } }
}

/// For instructors only: what was injected.
fn faults(seen: &Seen) -> Markup {
    html! {
        section.card aria-labelledby="faults-title" {
            div.toolbar { h2 #faults-title { "Active faults" } a href="/faults" { "Faults" } }
            @if seen.faults.is_empty() { (empty("No fault is active.", html! { "Only instructors see this card." })) }
            ul.stack.tight {
                @for fault in &seen.faults {
                    li {
                        (badge(Tone::Info, "injected")) " " strong { (fault.fault) } " on " (fault.instance)
                        @if let Some(end) = &fault.expires_at { span.muted { " until " (end) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_is_spent_or_burns_fast_is_said_in_a_word() {
        let budget = |remaining| Budget {
            slo: "order-availability".to_owned(),
            title: "Order availability".to_owned(),
            objective: 0.999,
            remaining,
            burn: Some(14.4),
            service: "order-api".to_owned(),
        };
        let spent = budget_row(&budget(Some(-0.2)), 14.4).into_string();
        assert!(
            spent.contains("spent") && spent.contains("-20\u{a0}%") && spent.contains("14.4×"),
            "{spent}"
        );
        let burning = budget_row(&budget(Some(0.9)), 6.0).into_string();
        assert!(burning.contains("meter bad") && burning.contains(">burns fast<"), "{burning}");
        assert!(!burning.contains("spent"), "{burning}");
        let unknown = budget_row(&Budget { burn: None, ..budget(None) }, 14.4).into_string();
        assert!(unknown.contains('–') && !unknown.contains("spent"), "{unknown}");
    }
}
