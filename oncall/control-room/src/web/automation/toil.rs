//! `/toil`: minutes of people by task and alert, the share of their time on call, and what is worth automating.

use axum::extract::State;
use chassis_http::Query;
use chrono::{TimeDelta, Utc};
use maud::{Markup, html};
use runbook::toil::{CAP, Candidate, Class, ForAlert, Report, Task};
use serde::Deserialize;

use super::tabs;
use crate::{
    access::Visitor,
    error::Error,
    room::Room,
    web::{
        failure::Answer,
        layout::{Page, Tab, page},
        parts::{Tone, badge, empty, glyph, meter, or_dash, percent},
    },
};

/// Spans that can be chosen, in days.
const SPANS: [(&str, i64); 4] = [("1d", 1), ("7d", 7), ("28d", 28), ("90d", 90)];
const USUAL: &str = "7d";

/// Which span.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Asked {
    since: Option<String>,
}

pub(super) async fn show(State(room): State<Room>, visitor: Visitor, Query(asked): Query<Asked>) -> Answer {
    let wanted = asked.since.as_deref().unwrap_or(USUAL);
    let days = SPANS.iter().find(|(name, _)| *name == wanted).map(|(_, days)| *days);
    let days =
        days.ok_or_else(|| Error::field("since", format!("expected 1d, 7d, 28d or 90d, found `{wanted}`")))?;
    let report = room.runbooks.toil(Utc::now() - TimeDelta::days(days)).await?;
    let body = html! {
        div.stack {
            (tabs("/toil"))
            header.toolbar {
                h1 { "Toil" }
                nav.tabs aria-label="Span" {
                    @for (name, _) in SPANS { a href={ "/toil?since=" (name) } aria-current=[(name == wanted).then_some("page")] { (name) } }
                }
            }
            p.muted { "Work that is manual, repeats, and leaves nothing better. At most half of the time on call should be toil." }
            (share(&report))
            (tasks(&room, &report.tasks))
            (alerts(&room, &report.alerts))
            (candidates(&report.candidates))
            (automated(&report))
            (weeks(&report))
        }
    };
    let frame = Page { title: "Toil", active: Tab::Alerts, visitor: &visitor, live: false };
    Ok(page(&room, &frame, body))
}

/// `12.5 min`. The sum of nothing is minus zero, which nobody should read.
fn minutes(minutes: f64) -> String {
    format!("{:.1} min", minutes + 0.0)
}

/// The share of the time on call, against the cap.
fn share(report: &Report) -> Markup {
    let of = |class: Class| report.minutes.get(&class).copied().unwrap_or_default();
    let tone = if report.over_cap { Tone::Bad } else { Tone::Good };
    html! {
        section.card.stack.tight aria-labelledby="share-title" {
            h2 #share-title { "Share of the time on call" }
            @match report.share {
                Some(share) => {
                    p.big { (glyph(tone)) " " (percent(share)) }
                    (meter(share, tone))
                    p { @if report.over_cap { "Above" } @else { "Below" } " the cap of " (percent(CAP)) "." }
                },
                None => p { "Nobody was on call, so there is no share." },
            }
            div.facts {
                span { "Looking and deciding " strong { (minutes(of(Class::Reactive))) } }
                span { "Changing by hand " strong { (minutes(of(Class::Remediation))) } }
                span { "Making it better " strong { (minutes(of(Class::Project))) } }
                span { "Overhead " strong { (minutes(of(Class::Overhead))) } }
            }
        }
    }
}

fn tasks(room: &Room, tasks: &[Task]) -> Markup {
    html! {
        section.card aria-labelledby="tasks-title" {
            h2 #tasks-title { "By task" }
            @if tasks.is_empty() {
                (empty("No manual work.", html! { "Steps of runbooks, acts by hand and time on incidents are counted here." }))
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Tasks" {
                    table.table.rows {
                        thead { tr {
                            th scope="col" { "Task" } th scope="col" { "Alerts" } th.num scope="col" { "Minutes" } th.num scope="col" { "Times" }
                            th.num scope="col" { "Median" } th.num scope="col" { "Without people" }
                        } }
                        tbody {
                            @for task in tasks {
                                tr {
                                    th scope="row" { (named(room, &task.name)) }
                                    td { (task.alerts.join(", ")) }
                                    td.num { (minutes(task.minutes)) }
                                    td.num { (task.times) }
                                    td.num { (minutes(task.median)) }
                                    td.num { (task.automated) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A name, and the runbook of that name.
fn named(room: &Room, name: &str) -> Markup {
    html! {
        @if room.runbooks.get(name).is_ok() { a href={ "/runbooks/" (name) } { (name) } }
        @else { (name) }
    }
}

/// The same work by alert, whatever the task.
fn alerts(room: &Room, alerts: &[ForAlert]) -> Markup {
    html! {
        @if !alerts.is_empty() {
            section.card aria-labelledby="alerts-title" {
                h2 #alerts-title { "By alert" }
                div.scroll tabindex="0" role="region" aria-label="Alerts" {
                    table.table.rows {
                        thead { tr {
                            th scope="col" { "Alert" } th.num scope="col" { "Minutes" } th.num scope="col" { "Times" }
                            th.num scope="col" { "Without people" }
                        } }
                        tbody {
                            @for one in alerts {
                                tr {
                                    th scope="row" { (named(room, &one.name)) }
                                    td.num { (minutes(one.minutes)) }
                                    td.num { (one.times) }
                                    td.num { (one.automated) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What pays, the one that pays first.
fn candidates(candidates: &[Candidate]) -> Markup {
    html! {
        section.card aria-labelledby="candidates-title" {
            h2 #candidates-title { "Worth automating" }
            @if candidates.is_empty() { (empty("Nothing repeats.", html! { "A task that people did twice is listed here, by when automating it has paid." })) }
            @else {
                p.muted { "Nobody has estimated what automating a task costs: it is assumed from whether it has a runbook, and one that acts." }
                ol.steps {
                    @for one in candidates {
                        li {
                            strong { (one.name) } ": " (minutes(one.minutes_a_week)) " a week. If automating it costs " (minutes(one.cost)) ", as is assumed, that has paid after "
                            (format!("{:.1} weeks", one.pays_after_weeks)) "."
                        }
                    }
                }
            }
        }
    }
}

/// Before and after.
fn automated(report: &Report) -> Markup {
    html! {
        @if !report.automated.is_empty() {
            section.card aria-labelledby="automated-title" {
                h2 #automated-title { "Before and after automation" }
                ul.stack.tight {
                    @for one in &report.automated {
                        li {
                            (badge(Tone::Info, "automated")) " " strong { (one.name) } ": "
                            (or_dash(one.before, minutes)) " a week before, " (or_dash(one.after, minutes)) " since."
                        }
                    }
                }
            }
        }
    }
}

fn weeks(report: &Report) -> Markup {
    html! {
        @if report.weeks.len() > 1 {
            section.card aria-labelledby="weeks-title" {
                h2 #weeks-title { "By week" }
                table.table {
                    thead { tr { th scope="col" { "Week from" } th.num scope="col" { "Toil" } } }
                    tbody {
                        @for week in &report.weeks {
                            tr { td { (week.from.format("%Y-%m-%d")) } td.num { (minutes(week.minutes)) } }
                        }
                    }
                }
            }
        }
    }
}
