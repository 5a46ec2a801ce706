//! Runbooks: what an alert means, what users notice, how to find out more, what helps. Each query in them leads to its curve.

use std::collections::BTreeMap;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use chassis_http::Query;
use chrono::Utc;
use incident::Id;
use maud::{Markup, html};
use observe::prometheus::Alert;
use serde::Deserialize;

use super::{
    Area,
    alerts::{alert_name, incident_of},
    automation::{
        tabs,
        wish::{Wish, form},
    },
    failure::Answer,
    layout::{Html, Page, Tab, page},
    parts::{Tone, ago, badge, button_link, empty, error_summary, markdown},
};
use crate::{access::Visitor, error::Error, eyes::links::explore, room::Room, runbooks::view::RunbookView};

/// The section that tells how to cause the alert.
const CAUSE: &str = "\n## Try it in the lab";

pub(super) fn routes() -> Area {
    let router = Router::new().route("/runbooks", get(list)).route("/runbooks/{alert}", get(show));
    (router, &[("GET", "/runbooks"), ("GET", "/runbooks/{alert}")])
}

async fn list(State(room): State<Room>, visitor: Visitor) -> Html {
    let seen = room.watch.seen();
    let firing =
        |name: &str| seen.alerts.iter().find(|alert| alert.state == "firing" && alert_name(alert) == name);
    let mut names = room.content.runbooks();
    // Those that are needed now come first.
    names.sort_by_key(|name| firing(name).is_none());
    let now = Utc::now();
    let procedures = procedures(&room);
    let body = html! {
        (tabs("/runbooks"))
        h1 { "Runbooks" }
        p.muted { "One for each alert: what it means, what users notice, how to find out more, what helps." }
        @if names.is_empty() { (empty("There is no runbook.", html! { "They are the files of " code { "runbooks/" } "." })) }
        @else {
            div.card.scroll tabindex="0" role="region" aria-label="Runbooks" {
                table.table.rows {
                    thead { tr { th scope="col" { "Alert" } th scope="col" { "Meaning" } th scope="col" { "Now" } } }
                    tbody {
                        @for name in &names {
                            tr {
                                th scope="row" { a href={ "/runbooks/" (name) } { (name) } }
                                td { (room.content.runbook(name).map(|text| meaning(&text)).unwrap_or_default()) }
                                td { @if let Some(alert) = firing(name) { (state(alert, now)) } }
                            }
                        }
                    }
                }
            }
        }
        @if !procedures.is_empty() {
            section.card aria-labelledby="procedures-title" {
                h2 #procedures-title { "Procedures" }
                p.muted { "For no alert: work that is planned, with the same checks and the same record." }
                ul.stack.tight {
                    @for book in &procedures { li { a href={ "/runbooks/" (book.name) } { (book.name) } " " (book.title) } }
                }
            }
        }
    };
    let frame = Page { title: "Runbooks", active: Tab::Alerts, visitor: &visitor, live: false };
    page(&room, &frame, html! { div.stack { (body) } })
}

/// Runbooks without an alert, and so without a page of their own in `runbooks/`.
fn procedures(room: &Room) -> Vec<RunbookView> {
    let all = room.runbooks.all();
    let without = all.iter().filter(|book| book.alert.is_none());
    without.filter_map(|book| room.runbooks.outline(&book.name).ok()).collect()
}

/// The incident that it would be for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    incident: Option<String>,
}

async fn show(
    State(room): State<Room>,
    visitor: Visitor,
    Path(alert): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer<Response> {
    // Runbooks link to one another as files.
    if let Some(name) = alert.strip_suffix(".md").filter(|name| room.content.runbook(name).is_some()) {
        return Ok(Redirect::permanent(&format!("/runbooks/{name}")).into_response());
    }
    let incident = asked.incident.map(|id| id.parse::<Id>()).transpose();
    let incident = incident.map_err(|wrong| Error::field("incident", wrong))?;
    let wish = wish(&room, &alert, incident);
    Ok(draw(&room, &visitor, &alert, &wish, None)?.into_response())
}

/// What the form begins with: the labels of the alert that fires, and its incident.
fn wish(room: &Room, name: &str, incident: Option<Id>) -> Wish {
    let Ok(book) = room.runbooks.outline(name) else { return Wish::of(incident, BTreeMap::new()) };
    let seen = room.watch.seen();
    let firing = seen.alerts.iter().find(|one| alert_name(one) == name && one.state == "firing");
    let open = room.desk.open_ones();
    let own = firing.and_then(|alert| incident_of(&open, alert)).map(|incident| incident.id);
    // An incident that was chosen has its own alert, whose labels the run takes.
    let labels = firing.filter(|_| incident.is_none()).map(|alert| &alert.labels);
    let given = book.parameters.into_iter().filter_map(|parameter| {
        let value = labels?.get(parameter.label.as_ref()?)?;
        Some((parameter.name, value.clone()))
    });
    Wish::of(incident.or(own), given.collect())
}

/// The page, with what was wrong with the form that starts it, if something was.
pub(super) fn draw(room: &Room, visitor: &Visitor, alert: &str, wish: &Wish, wrong: Option<&str>) -> Answer {
    let (text, book) = (room.content.runbook(alert), room.runbooks.outline(alert));
    // While somebody is in a drill, how to cause an alert is an answer.
    let sealed = room.drills.is_sealed() && !visitor.is_instructor();
    let text =
        text.map(|text| if sealed { text.split(CAUSE).next().unwrap_or_default().to_owned() } else { text });
    // The name is the heading of the whole page.
    let heading = format!("# {alert}\n");
    let text = text.map(|text| match text.strip_prefix(&heading) {
        Some(rest) => rest.to_owned(),
        None => text,
    });
    if text.is_none() && book.is_err() {
        let known = room.content.runbooks().join(", ");
        return Err(Error::NoSuch { what: "runbook", name: alert.to_owned(), known }.into());
    }
    let seen = room.watch.seen();
    let (open, now) = (room.desk.open_ones(), Utc::now());
    let alerts: Vec<&Alert> = seen.alerts.iter().filter(|one| alert_name(one) == alert).collect();
    let body = html! {
        @if let Some(wrong) = wrong { (error_summary(wrong)) }
        p { a href="/alerts" { "Alerts and SLOs" } " / " a href="/runbooks" { "Runbooks" } }
        h1 { (alert) }
        @if !alerts.is_empty() {
            ul.stack.tight {
                @for one in &alerts {
                    li.row {
                        (state(one, now))
                        @if let Some(service) = one.labels.get("service") { span { (service) } }
                        @if let Some(incident) = incident_of(&open, one) {
                            a href={ "/incidents/" (incident.id) } { (incident.id) }
                        }
                    }
                }
            }
        } @else if text.is_some() { p { (badge(Tone::Quiet, "not pending or firing now")) } }
        @if let Ok(book) = &book {
            @if text.is_none() { (steps(book)) }
            (form(room, visitor, book, wish))
        }
        @if let Some(text) = &text { article.card.runbook { (rendered(text)) } }
    };
    let frame = Page { title: alert, active: Tab::Alerts, visitor, live: false };
    Ok(page(room, &frame, html! { div.stack { (body) } }))
}

/// The steps of a procedure, which has no page that lists them.
fn steps(book: &RunbookView) -> Markup {
    html! {
        section.card aria-labelledby="steps-title" {
            h2 #steps-title { (book.title) }
            ol.steps { @for step in &book.steps { li { strong { (step.name) } " " span.muted { (step.kind.replace('_', " ")) } ": " (step.what) } } }
        }
    }
}

fn state(alert: &Alert, now: chrono::DateTime<Utc>) -> Markup {
    let tone = if alert.state == "firing" { Tone::Bad } else { Tone::Warn };
    html! { (badge(tone, &alert.state)) @if let Some(at) = alert.active_at { " " (ago(at, now)) } }
}

/// The first sentence of the section "Meaning".
fn meaning(text: &str) -> String {
    let after = text.split_once("## Meaning").map_or(text, |(_, after)| after).trim_start();
    let paragraph = after.split("\n\n").next().unwrap_or_default().replace('\n', " ").replace('`', "");
    match paragraph.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => paragraph,
    }
}

/// A part of a runbook.
#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    Text(&'t str),
    Queries(&'t str),
}

/// Markdown; each query is followed by a link to its curve. Notes for who edits the file are left out.
fn rendered(text: &str) -> Markup {
    let note = |line: &&str| line.starts_with("<!--") && line.ends_with("-->");
    let text = text.lines().filter(|line| !note(line)).collect::<Vec<_>>().join("\n");
    let text = unlinked(&text);
    html! {
        @for part in parts(&text) {
            @match part {
                Part::Text(text) => (markdown(text)),
                Part::Queries(block) => @for query in queries(block) {
                    div.query {
                        pre { code { (query) } }
                        (button_link("Open in Explore", &explore("", query), Tone::Quiet))
                    }
                },
            }
        }
    }
}

/// Cuts a text at its blocks of PromQL.
fn parts(text: &str) -> Vec<Part<'_>> {
    const BEGIN: &str = "```promql\n";
    const END: &str = "\n```";
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (block, after) = after.split_once(END).unwrap_or((after, ""));
        parts.push(Part::Text(before));
        parts.push(Part::Queries(block));
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| !matches!(part, Part::Text(text) if text.trim().is_empty()));
    parts
}

/// The queries of a block: a line each.
fn queries(block: &str) -> impl Iterator<Item = &str> {
    block.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Links to files that are no page here become the name of the file: no link of a page is dead.
fn unlinked(text: &str) -> String {
    const ELSEWHERE: &str = "](../";
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(ELSEWHERE) {
        let (target, after) = after.split_once(')').unwrap_or((after, ""));
        out.push_str(before);
        if let Some(bracket) = out.rfind('[') {
            out.remove(bracket);
        }
        let file = target.split('#').next().unwrap_or_default();
        out.push_str(&format!(" (`{file}`)"));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    #[test]
    fn a_runbook_links_each_query_and_has_no_link_to_a_file_that_is_no_page() {
        let text = "# A\n\n<!-- Written by a program. -->\n\nSee the [error budget\npolicy](../docs/x.md#y) and [B](B.md).\n\n```promql\nup{a=\"b\"}\n```\n\nEnd.\n";
        let shown = rendered(text).into_string();
        assert!(shown.contains("href=\"/explore?query=up%7Ba%3D%22b%22%7D\""), "{shown}");
        assert!(shown.contains("<code>docs/x.md</code>") && !shown.contains("../"), "{shown}");
        assert!(shown.contains("href=\"B.md\"") && shown.contains("End."), "{shown}");
        assert!(!shown.contains("Written by a program"), "{shown}");
    }

    #[test]
    fn every_runbook_says_what_its_alert_means_and_all_of_its_queries_are_queries() {
        let content = Content::open(None).unwrap();
        let mut seen = 0;
        for name in content.runbooks() {
            let text = content.runbook(&name).unwrap();
            assert!(meaning(&text).len() > 10, "{name}");
            for part in parts(&text) {
                let Part::Queries(block) = part else { continue };
                for query in queries(block) {
                    seen += 1;
                    let parsed = promql_parser::parser::parse(query);
                    assert!(parsed.is_ok(), "{name}: {query}: {parsed:?}");
                }
            }
        }
        assert!(seen > 100, "{seen}");
    }
}
