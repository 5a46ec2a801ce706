//! `/automation`: the switch that stops everything, the breaker, the guardrails in words, the last runs.

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Deserialize;

use super::{guardrails, table, tabs};
use crate::{
    access::{Form, Visitor},
    room::Room,
    runbooks::view::AutomationView,
    web::{
        failure::{Answer, Failure, sentence},
        layout::{Page, Tab, page},
        parts::{Tone, ago, badge, button, button_link, csrf, empty, error_summary, glyph, text_field},
    },
};

/// Runs that are listed.
const RECENT: usize = 20;

/// The new state, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    on: bool,
    why: String,
}

pub(super) async fn show(State(room): State<Room>, visitor: Visitor) -> Answer {
    draw(&room, &visitor, None).await
}

pub(super) async fn turn(
    State(room): State<Room>,
    visitor: Visitor,
    Form(Turn { on, why }): Form<Turn>,
) -> Answer<Response> {
    match room.runbooks.switch(&room, &visitor, on, &why).await {
        Ok(_) => Ok(Redirect::to("/automation").into_response()),
        Err(error) => {
            let said = sentence(&error);
            let status = Failure::from(error).status();
            Ok((status, draw(&room, &visitor, Some(&said)).await?).into_response())
        }
    }
}

async fn draw(room: &Room, visitor: &Visitor, wrong: Option<&str>) -> Answer {
    let now = Utc::now();
    let automation = room.runbooks.automation();
    let runs = room.runbooks.runs(RECENT).await?;
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(wrong)) }
            (tabs("/automation"))
            h1 { "Automation" }
            (card(room, visitor, &automation, now))
            section.card aria-labelledby="runs-title" {
                h2 #runs-title { "Last runs" }
                @if runs.is_empty() {
                    (empty("No runbook has been run.", html! { "Start one on the page of a " a href="/runbooks" { "runbook" } ", or on that of an incident." }))
                } @else { (table(&runs, now)) }
            }
            (guardrails::card(room))
            (turns(&automation, now))
            section.card aria-labelledby="audit-title" {
                h2 #audit-title { "Audit log" }
                p { "Who did what, in a chain of hashes: an entry that was changed, removed or added breaks it." }
                div.row {
                    (button_link("Export the audit log", "/api/v1/audit", Tone::Quiet))
                    span.muted { "Check it with " code { "lab audit verify" } "." }
                }
            }
        }
    };
    let frame = Page { title: "Automation", active: Tab::Alerts, visitor, live: wrong.is_none() };
    Ok(page(room, &frame, body))
}

/// The switch, as the first thing on the page.
fn card(room: &Room, visitor: &Visitor, automation: &AutomationView, now: DateTime<Utc>) -> Markup {
    let (tone, word) = if automation.on { (Tone::Good, "on") } else { (Tone::Quiet, "off") };
    html! {
        section.card.stack.tight aria-labelledby="switch-title" {
            h2 #switch-title.big { (glyph(tone)) " Automation is " (word) }
            @if automation.on {
                p { "When an alert fires, its runbook begins by itself and acts as far as the guardrails let it." }
            } @else {
                p { "Nothing begins by itself. People can run every runbook, guided or approved." }
            }
            p.muted { "Since " (ago(automation.since, now)) ", by " (automation.by) ": " (automation.why) }
            @if let Some(breaker) = &automation.breaker {
                div.callout.bad role="alert" { p { strong { "The breaker is open." } " " (breaker) } }
            }
            form.stack method="post" action="/automation" {
                (csrf(room, visitor))
                @if automation.on {
                    input type="hidden" name="on" value="false";
                    (text_field("switch", "why", "Why off?", "", "What runs by itself is stopped at once. Nothing is taken back."))
                    div.actions { (button("Switch automation off", Tone::Bad)) }
                } @else {
                    input type="hidden" name="on" value="true";
                    (text_field("switch", "why", "Why on?", "", "It also closes the breaker, so say what has changed."))
                    div.actions { (button("Switch automation on", Tone::Info)) }
                }
            }
        }
    }
}

fn turns(automation: &AutomationView, now: DateTime<Utc>) -> Markup {
    html! {
        section.card aria-labelledby="turns-title" {
            h2 #turns-title { "History of the switch" }
            @if automation.recent.is_empty() { (empty("Nobody has used it.", html! { "It is as it was when the control room started." })) }
            @else {
                ul.stack.tight {
                    @for turn in &automation.recent {
                        li {
                            @if turn.on { (badge(Tone::Good, "on")) } @else { (badge(Tone::Quiet, "off")) }
                            " " (turn.by) ", " (ago(turn.at, now)) ": " (turn.why)
                        }
                    }
                }
            }
        }
    }
}
