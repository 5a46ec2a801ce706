//! Traces that match a search.

use std::time::Duration;

use axum::{
    extract::{RawQuery, State},
    response::Redirect,
};
use boards::{range::Range, unit::Unit};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use observe::traces::{Search, Trace};

use super::{
    Kind,
    asked::Asked,
    note::{self, Found},
    tabs,
};
use crate::{
    access::{Form, Visitor},
    error::Error,
    eyes::within,
    room::Room,
    web::{
        boards::quick_ranges,
        failure::Answer,
        layout::{Page, Tab, page},
        parts::{Tone, badge, button, clock, empty, select, text_field, unreachable},
    },
};

/// Traces that are shown, if nothing is said.
const LIMIT: usize = 20;
/// Most traces that are shown.
const MOST: usize = 200;

pub(super) async fn show(State(room): State<Room>, visitor: Visitor, RawQuery(query): RawQuery) -> Answer {
    let asked = Asked::read(query.as_deref());
    let range = asked.range()?;
    let services = services(&room);
    let service = chosen(&asked, &services);
    let search = search(&asked, service, &range)?;
    let found = within("The trace store", room.eyes.traces.search(&search)).await;
    let body = html! {
        div.stack.b-explore {
            (tabs(Kind::Traces, &asked.context(&range)))
            (form(&room, &visitor, &asked, (services.as_slice(), service), &range))
            (quick_ranges(&range.written.0, &range.written.1, |from| asked.with_range("/explore/traces", from, "now")))
            @match found {
                Err(error) => { (unreachable("The trace store", &error.to_string())) },
                Ok(answer) => {
                    @let traces = sorted(answer.traces, asked.text("sort"));
                    (note::form(&room, &visitor, &asked, &Found {
                        query: &question(&search), answer: &words(&traces),
                        link: &asked.link("/explore/traces", &range),
                    }))
                    (list(&traces))
                },
            }
        }
    };
    Ok(page(&room, &Page { title: "Traces", active: Tab::Explore, visitor: &visitor, live: false }, body))
}

/// Looks for traces for an incident, whose timeline says so, and leads to the page.
pub(super) async fn run(
    State(room): State<Room>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answer<Redirect> {
    let asked = Asked::sent(fields);
    let range = asked.range()?;
    let link = asked.link("/explore/traces", &range);
    let search = search(&asked, chosen(&asked, &services(&room)), &range)?;
    let answer = match within("The trace store", room.eyes.traces.search(&search)).await {
        Ok(answer) => words(&sorted(answer.traces, asked.text("sort"))),
        Err(error) => error.to_string(),
    };
    note::ran(&room, &visitor, &asked, &Found { query: &question(&search), answer: &answer, link: &link })
        .await
}

/// The service that is asked for, or the first.
fn chosen<'a>(asked: &'a Asked, services: &'a [String]) -> &'a str {
    asked.given("service").or_else(|| services.first().map(String::as_str)).unwrap_or_default()
}

/// Those that have spans: the services with an admin port.
fn services(room: &Room) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for instance in &room.eyes.instances {
        if !names.contains(&instance.service) {
            names.push(instance.service.clone());
        }
    }
    names
}

fn search(asked: &Asked, service: &str, range: &Range) -> Result<Search, Error> {
    let min_duration = asked
        .given("min")
        .map(|text| {
            humantime::parse_duration(text).map_err(|_| {
                Error::field("min", format!("expected a duration such as 250ms, found `{text}`"))
            })
        })
        .transpose()?;
    let limit = match asked.given("limit") {
        None => LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| Error::field("limit", format!("expected 1 to {MOST}, found `{text}`")))?,
    };
    Ok(Search {
        service: service.to_owned(),
        min_duration,
        error: asked.given("error").is_some(),
        limit,
        window: (range.from, range.until),
    })
}

fn sorted(mut traces: Vec<Trace>, sort: &str) -> Vec<Trace> {
    if sort == "longest" {
        traces.sort_by_key(|trace| std::cmp::Reverse(trace.length()));
    } else {
        traces.sort_by_key(|trace| std::cmp::Reverse(trace.start()));
    }
    traces
}

fn form(
    room: &Room,
    visitor: &Visitor,
    asked: &Asked,
    (services, service): (&[String], &str),
    range: &Range,
) -> Markup {
    let pair = |value: &str, text: &str| (value.to_owned(), text.to_owned());
    let mut options: Vec<(String, String)> = services.iter().map(|name| pair(name, name)).collect();
    if !services.iter().any(|name| name == service) {
        options.push(pair(service, service));
    }
    let orders = [pair("newest", "newest first"), pair("longest", "longest first")];
    let fields = html! {
        (select("traces", "service", "Service", &options, service))
        (text_field("traces", "min", "At least this long", asked.text("min"), ""))
        (text_field("traces", "limit", "How many", asked.given("limit").unwrap_or("20"), ""))
        (select("traces", "sort", "Order", &orders, asked.text("sort")))
        (text_field("traces", "from", "From", &range.written.0, ""))
        (text_field("traces", "to", "To", &range.written.1, ""))
        div.checks { label { input type="checkbox" name="error" value="true" checked[asked.given("error").is_some()]; "failed ones only" } }
        (button("Search", Tone::Info))
    };
    note::query(room, visitor, asked, "/explore/traces", &fields)
}

fn list(traces: &[Trace]) -> Markup {
    let longest = traces.iter().map(Trace::length).max().unwrap_or(1).max(1);
    html! {
        section.card aria-label="Traces" {
            @if traces.is_empty() {
                (empty("No trace.", html! { "None was kept that matches, in this time range. Only some requests are traced." }))
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Traces" {
                    table.table {
                        thead { tr {
                            th scope="col" { "Started" } th scope="col" { "What" } th scope="col" { "Services" }
                            th.num scope="col" { "Spans" } th.num scope="col" { "Duration" } th scope="col" { span.sr { "Share of the longest" } }
                        } }
                        tbody { @for trace in traces { (row(trace, longest)) } }
                    }
                }
            }
        }
    }
}

fn row(trace: &Trace, longest: u64) -> Markup {
    let failed = trace.spans.iter().filter(|span| span.failed()).count();
    let share = trace.length() as f64 / longest as f64;
    let tone = if failed > 0 { "b-share k-red" } else { "b-share k-blue" };
    html! {
        tr {
            td { (clock(at(trace.start()))) }
            td {
                a href={ "/explore/traces/" (trace.id) } data-item { (name(trace)) }
                @if failed > 0 { " " (badge(Tone::Bad, &format!("{failed} failed"))) }
            }
            td.muted { (parts(trace).join(", ")) }
            td.num { (trace.spans.len()) }
            td.num { (shown(trace.length())) }
            td { svg class=(tone) aria-hidden="true" { rect x="0" y="0" height="100%" width=(format!("{:.1}%", share * 100.0)) {} } }
        }
    }
}

/// The time of these microseconds since 1970.
pub(super) fn at(microseconds: u64) -> DateTime<Utc> {
    i64::try_from(microseconds).ok().and_then(DateTime::from_timestamp_micros).unwrap_or_default()
}

/// Microseconds as people read them.
pub(super) fn shown(microseconds: u64) -> String {
    Unit::Seconds.show(microseconds as f64 / 1e6)
}

/// Its first step.
pub(super) fn name(trace: &Trace) -> String {
    let root = trace.tree().first().map(|(at, _)| &trace.spans[*at]);
    root.map_or_else(|| trace.id.clone(), |span| format!("{} {}", trace.service(span), span.operation_name))
}

/// Its services, in the order in which they began.
pub(super) fn parts(trace: &Trace) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (at, _) in trace.tree() {
        let name = trace.service(&trace.spans[at]);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What was asked, in a line.
fn question(search: &Search) -> String {
    let least = search.min_duration.filter(|least| *least > Duration::ZERO);
    let least =
        least.map(|least| format!(", at least {}", humantime::format_duration(least))).unwrap_or_default();
    let failed = if search.error { ", failed" } else { "" };
    format!("traces of {}{least}{failed}", search.service)
}

/// What was found, in a few lines.
fn words(traces: &[Trace]) -> String {
    if traces.is_empty() {
        return "no trace".to_owned();
    }
    let line = |trace: &Trace| {
        let failed = if trace.spans.iter().any(observe::traces::Span::failed) { ", failed" } else { "" };
        format!("{} {} took {}{failed}", trace.id, name(trace), shown(trace.length()))
    };
    let first: Vec<String> = traces.iter().take(5).map(line).collect();
    format!("{} traces, the first:\n{}", traces.len(), first.join("\n"))
}
