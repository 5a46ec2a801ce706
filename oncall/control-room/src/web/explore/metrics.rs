//! A query in PromQL, with its curve and its values now.

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use boards::{
    data::Series,
    draw::{Chart, lines},
    model::Query,
    range::{Range, encode},
    unit::Unit,
};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::json;
use tokio::time::Instant;

use super::{
    Kind,
    asked::Asked,
    examples,
    note::{self, Found},
    panes, tabs,
};
use crate::{
    access::{Form, Visitor},
    error::Error,
    room::Room,
    web::{
        boards::{
            common::Common,
            quick_ranges, scrape,
            sources::{Sources, Trouble, plain},
        },
        failure::Answer,
        layout::{Page, Tab, page},
        parts::{Tone, button, empty, glyph, text_area, text_field},
    },
};

/// Longest wait for Prometheus.
const PATIENCE: Duration = Duration::from_secs(8);
/// Points of a curve.
const POINTS: u32 = 400;
/// Rows of the table.
const ROWS: usize = 100;
/// Longest query in bytes.
const LONGEST: usize = 8000;

/// A query over time and at its end.
struct Answered {
    curve: Result<Vec<Series>, Trouble>,
    now: Result<Vec<Series>, Trouble>,
    step: f64,
    span: (f64, f64),
}

pub(super) async fn show(
    State(room): State<Room>,
    Extension(common): Extension<Common>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let asked = Asked::read(query.as_deref());
    if let Some(panes) = asked.given("panes") {
        return Ok(Redirect::to(&panes::page(panes)?).into_response());
    }
    let range = asked.range()?;
    let expr = promql(&asked)?;
    let answered = match expr {
        Some(expr) => Some(answered(&room, &common, expr, &range).await),
        None => None,
    };
    let body = html! {
        div.stack.b-explore {
            (tabs(Kind::Metrics, &asked.context(&range)))
            (form(&room, &visitor, &asked, &range))
            (quick_ranges(&range.written.0, &range.written.1, |from| asked.with_range("/explore", from, "now")))
            @match (expr, &answered) {
                (Some(expr), Some(answered)) => { (result(&room, &visitor, &asked, &range, expr, answered)) },
                _ => { (examples::show(&asked.context(&range))) },
            }
        }
    };
    let frame = Page { title: "Explore", active: Tab::Explore, visitor: &visitor, live: false };
    Ok(page(&room, &frame, body).into_response())
}

/// Runs a query for an incident, whose timeline says so, and leads to its page.
pub(super) async fn run(
    State(room): State<Room>,
    Extension(common): Extension<Common>,
    visitor: Visitor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answer<Redirect> {
    let asked = Asked::sent(fields);
    let range = asked.range()?;
    let link = asked.link("/explore", &range);
    let Some(expr) = promql(&asked)? else { return Ok(Redirect::to(&link)) };
    let answer = match answered(&room, &common, expr, &range).await.now {
        Ok(now) => words(&now, unit(expr)),
        Err(trouble) => trouble.to_string(),
    };
    note::ran(&room, &visitor, &asked, &Found { query: expr, answer: &answer, link: &link }).await
}

/// The data of the curve, for the script.
pub(super) async fn chart(
    State(room): State<Room>,
    Extension(common): Extension<Common>,
    _: Visitor,
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let asked = Asked::read(query.as_deref());
    let range = asked.range()?;
    let Some(expr) = promql(&asked)? else {
        return Err(Error::field("query", "expected a query in PromQL, found none").into());
    };
    let answered = answered(&room, &common, expr, &range).await;
    Ok(match answered.curve {
        Ok(series) => Json(Chart::plain(&series, answered.step, answered.span, unit(expr))).into_response(),
        Err(trouble) => {
            (StatusCode::BAD_GATEWAY, Json(json!({ "detail": trouble.to_string() }))).into_response()
        }
    })
}

fn promql(asked: &Asked) -> Result<Option<&str>, Error> {
    match asked.given("query") {
        Some(query) if query.len() > LONGEST => {
            Err(Error::field("query", format!("expected at most {LONGEST} bytes, found {}", query.len())))
        }
        query => Ok(query),
    }
}

async fn answered(room: &Room, common: &Common, expr: &str, range: &Range) -> Answered {
    let sources = Sources::of(room, common, Instant::now() + PATIENCE);
    let step = range.step(POINTS, scrape(room));
    let span = range.aligned(step);
    let query: Query = plain(expr);
    let (curve, now) = tokio::join!(
        sources.range((&query, 0), expr, span, step),
        sources.instant((&query, 0), expr, span.1)
    );
    Answered { curve, now, step, span }
}

fn form(room: &Room, visitor: &Visitor, asked: &Asked, range: &Range) -> Markup {
    let fields = html! {
        div.b-query { (text_area("explore", "query", "Query in PromQL", asked.text("query"), "")) }
        (text_field("explore", "from", "From", &range.written.0, ""))
        (text_field("explore", "to", "To", &range.written.1, ""))
        (button("Run", Tone::Info))
    };
    note::query(room, visitor, asked, "/explore", &fields)
}

fn result(
    room: &Room,
    visitor: &Visitor,
    asked: &Asked,
    range: &Range,
    expr: &str,
    answered: &Answered,
) -> Markup {
    let json = format!("/explore/chart.json?query={}&{}", encode(expr), range.query());
    let unit = unit(expr);
    let link = asked.link("/explore", range);
    html! {
        section.card aria-label="Over time" {
            @match &answered.curve {
                Ok(series) if series.iter().all(|each| each.points.is_empty()) => {
                    (empty("No data.", html! { "The query is right, but nothing matches it in this time range." }))
                },
                Ok(series) => { (lines(series, answered.step, answered.span, 24, unit, Some(&json))) (legend(series)) },
                Err(trouble) => { (failed(trouble)) },
            }
        }
        @if let Ok(now) = &answered.now {
            (note::form(room, visitor, asked, &Found { query: expr, answer: &words(now, unit), link: &link }))
            section.card aria-label="At the end of the time range" { (values(now, unit)) }
        }
    }
}

fn legend(series: &[Series]) -> Markup {
    html! {
        ul.b-legend {
            @for (at, each) in series.iter().enumerate().take(24) {
                li class=(colour(at)) { i.b-key aria-hidden="true" {} span { (each.name) } }
            }
            @if series.len() > 24 { li { "and " (series.len() - 24) " more" } }
        }
    }
}

/// As the curve has it: six colours, then the same dashed.
fn colour(at: usize) -> String {
    format!("p{}{}", at % 6 + 1, if at < 6 { "" } else { " again" })
}

fn failed(trouble: &Trouble) -> Markup {
    html! {
        div.callout.warn role="alert" {
            p { (glyph(Tone::Warn)) " " strong { (trouble.title) } }
            p.mono { (trouble.detail) }
        }
    }
}

/// The highest first.
fn sorted(now: &[Series]) -> Vec<(&Series, f64)> {
    let mut rows: Vec<(&Series, f64)> = now.iter().filter_map(|each| Some((each, each.last()?))).collect();
    rows.sort_by(|one, other| other.1.total_cmp(&one.1));
    rows
}

fn values(now: &[Series], unit: Unit) -> Markup {
    let rows = sorted(now);
    html! {
        h2 { "Values at the end of the time range" }
        @if rows.is_empty() { p.muted { "The query has no value there." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Values" {
                table.table {
                    thead { tr { th scope="col" { "Series" } th.num scope="col" { "Value" } th.num scope="col" { "Exactly" } } }
                    tbody {
                        @for (series, value) in rows.iter().take(ROWS) {
                            tr { td.mono { (series.name) } td.num { (unit.show(*value)) } td.num.mono { (value) } }
                        }
                    }
                }
            }
            @if rows.len() > ROWS { p.muted { "and " (rows.len() - ROWS) " more" } }
        }
    }
}

/// What came back, in a few lines.
fn words(now: &[Series], unit: Unit) -> String {
    let rows = sorted(now);
    if rows.is_empty() {
        return "no value".to_owned();
    }
    let lines =
        rows.iter().take(10).map(|(series, value)| format!("{} = {}", series.name, unit.show(*value)));
    let more = if rows.len() > 10 { format!("\nand {} more", rows.len() - 10) } else { String::new() };
    format!("{}{more}", lines.collect::<Vec<_>>().join("\n"))
}

/// What the values probably are: a guess from names, only for how they are written.
fn unit(expr: &str) -> Unit {
    let seconds = expr.contains("_seconds") && !expr.contains("_seconds_count");
    let rate = expr.contains("rate(");
    if expr.contains(":ratio") {
        Unit::Ratio
    } else if seconds && (expr.contains("quantile") || !rate) {
        Unit::Seconds
    } else if expr.contains("_bytes") {
        if rate { Unit::BytesRate } else { Unit::Bytes }
    } else {
        Unit::Short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_guessed_from_names() {
        for (query, guess) in [
            ("histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[1m]))", Unit::Seconds),
            ("rate(http_request_duration_seconds_count[1m])", Unit::Short),
            ("process_resident_memory_bytes", Unit::Bytes),
            ("rate(node_network_receive_bytes_total[1m])", Unit::BytesRate),
            ("board:slo_error_budget_remaining:ratio", Unit::Ratio),
            ("up", Unit::Short),
        ] {
            assert_eq!(unit(query), guess, "{query}");
        }
    }
}
