//! One trace as a waterfall: who did what, when, and for how long.

use axum::extract::State;
use boards::range::encode;
use chassis_http::Path;
use maud::{Markup, html};
use observe::traces::{Span, Trace};

use super::traces::{at, name, parts, shown};
use crate::{
    access::Visitor,
    error::Error,
    eyes::within,
    room::Room,
    web::{
        failure::Answer,
        layout::{Page, Tab, page},
        parts::{Tone, badge, clock, unreachable},
    },
};

/// Spans that are drawn.
const MOST: usize = 1000;
/// Deepest indentation.
const DEEPEST: usize = 12;
/// Colours of services.
const PALETTE: usize = 6;

pub(super) async fn show(State(room): State<Room>, visitor: Visitor, Path(id): Path<String>) -> Answer {
    let hexadecimal = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hexadecimal {
        return Err(
            Error::field("trace", format!("expected up to 32 hexadecimal digits, found `{id}`")).into()
        );
    }
    let found = within("The trace store", room.eyes.traces.trace(&id)).await;
    let body = html! {
        div.stack.b-explore {
            p { a href="/explore/traces" { "Traces" } }
            @match found {
                Err(error) => { h1 { "Trace " span.mono { (id) } } (unreachable("The trace store", &error.to_string())) },
                Ok(answer) => {
                    @match answer.traces.first() {
                        Some(trace) => { (drawn(trace)) },
                        None => { h1 { "Trace " span.mono { (id) } } (gone()) },
                    }
                },
            }
        }
    };
    Ok(page(&room, &Page { title: "Trace", active: Tab::Explore, visitor: &visitor, live: false }, body))
}

fn gone() -> Markup {
    html! {
        div.callout.info {
            p { strong { "The trace store does not have this trace." } }
            p { "It keeps the newest only, and a trace arrives a few seconds after its request. Load the page again in a moment." }
        }
    }
}

fn drawn(trace: &Trace) -> Markup {
    let services = parts(trace);
    let tree = trace.tree();
    let start = at(trace.start());
    let failed = trace.spans.iter().filter(|span| span.failed()).count();
    let around = |minutes| start + chrono::TimeDelta::minutes(minutes);
    let logs = format!(
        "/explore/logs?trace={}&from={}&to={}",
        trace.id,
        around(-1).timestamp_millis(),
        around(5).timestamp_millis()
    );
    html! {
        h1 { (name(trace)) }
        div.facts {
            span { strong { (shown(trace.length())) } " in all" }
            span { (trace.spans.len()) " spans" }
            span { "started " (clock(start)) " UTC" }
            @if failed > 0 { (badge(Tone::Bad, &format!("{failed} failed"))) }
            a href=(logs) { "Log lines of this trace" }
            span.mono { (trace.id) }
        }
        ul.b-legend { @for (at, service) in services.iter().enumerate() {
            li class={ "p" (at % PALETTE + 1) } { i.b-key aria-hidden="true" {} span { (service) } }
        } }
        section.card.scroll tabindex="0" role="region" aria-label="Spans in the order of the calls" {
            div.b-waterfall {
                @for (at, depth) in tree.iter().take(MOST) {
                    @let span = &trace.spans[*at];
                    @let colour = services.iter().position(|name| *name == trace.service(span)).unwrap_or(0) % PALETTE + 1;
                    (step(trace, span, *depth, colour))
                }
            }
            @if tree.len() > MOST { p.muted { "and " (tree.len() - MOST) " more spans" } }
        }
    }
}

fn step(trace: &Trace, span: &Span, depth: usize, colour: usize) -> Markup {
    let length = trace.length().max(1) as f64;
    let begin = span.start_time.saturating_sub(trace.start()) as f64 / length;
    let width = (span.duration as f64 / length).max(0.002);
    // The text is on the side that has room.
    let (x, anchor) =
        if begin + width < 0.8 { (begin + width + 0.005, "start") } else { (begin - 0.005, "end") };
    let percent = |share: f64| format!("{:.2}%", share * 100.0);
    let class = if span.failed() { "b-bar k-red".to_owned() } else { format!("b-bar p{colour}") };
    let service = trace.service(span);
    html! {
        div.b-span {
            div class={ "b-span-name d" (depth.min(DEEPEST)) } title={ (service) " " (span.operation_name) } {
                span.muted { (service) } span { (span.operation_name) }
                @if span.failed() { (badge(Tone::Bad, "failed")) }
            }
            svg class=(class) role="img" aria-label={ (service) " " (span.operation_name) ": " (shown(span.duration)) } {
                rect x=(percent(begin)) y="6" width=(percent(width)) height="12" rx="2" {}
                text x=(percent(x)) y="16" text-anchor=(anchor) { (shown(span.duration)) }
            }
            @if !span.tags.is_empty() { (details(trace, span)) }
        }
    }
}

fn details(trace: &Trace, span: &Span) -> Markup {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rate =
        format!("sum by (endpoint) (rate(http_requests_total{{service=\"{}\"}}[1m]))", trace.service(span));
    html! {
        details.b-detail {
            summary.muted { "started after " (shown(span.start_time.saturating_sub(trace.start()))) ", " (span.tags.len()) " attributes" }
            dl.kv { @for tag in &span.tags { dt.mono { (tag.key) } dd.mono { (text(&tag.value)) } } }
            p { a href={ "/explore?query=" (encode(&rate)) } { "Requests of " (trace.service(span)) } }
        }
    }
}
