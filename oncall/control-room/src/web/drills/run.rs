//! The page of one run: its head, and while it is on the time, what users get, and what the responder can do
//! (`work`). What it was worth afterwards is in `over`.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chassis_http::Path;
use chrono::{DateTime, Utc};
use incident::Incident;
use maud::{Markup, html};

use super::{
    clock::left,
    facts::{self, Run, Stage},
    gauges, number, over,
    scorecard::verdict,
    truth,
    view::{View, Wrong},
    work,
};
use crate::{
    access::Visitor,
    error::Error,
    room::Room,
    web::{
        failure::{Answer, Failure, sentence},
        layout::{Html, Page, Tab, page},
        parts::{Tone, ago, badge, button, csrf, error_summary, markdown, severity, state},
    },
};

/// Incidents that are looked through.
const RECENT: usize = 50;

pub(super) async fn show(State(room): State<Room>, visitor: Visitor, Path(n): Path<String>) -> Answer {
    draw(&room, &visitor, number(&n)?, None).await
}

/// The page with what was wrong with a form.
pub(super) async fn refused(
    room: &Room,
    visitor: &Visitor,
    id: i64,
    why: Error,
    sent: Wrong,
) -> Answer<Response> {
    let wrong = Wrong { what: sentence(&why), ..sent };
    let status = Failure::from(why).status();
    Ok((status, draw(room, visitor, id, Some(&wrong)).await?).into_response())
}

async fn draw(room: &Room, visitor: &Visitor, id: i64, wrong: Option<&Wrong>) -> Answer<Html> {
    let run = facts::run(room, visitor, id).await?;
    let view = View { room, visitor, run: &run, now: Utc::now(), wrong };
    let body = match run.stage() {
        Stage::Over => over::body(&view).await?,
        _ => body(&view),
    };
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(&wrong.what)) }
            (head(&view))
            (body)
        }
    };
    // A page that says what was wrong stays as it is until it has been read.
    let live = wrong.is_none() && run.stage() != Stage::Over;
    let title = format!("Drill {}: {}", run.id, run.title());
    Ok(page(room, &Page { title: &title, active: Tab::Drills, visitor, live }, body))
}

fn head(view: &View<'_>) -> Markup {
    let (run, now) = (view.run, view.now);
    html! {
        header.card.stack {
            div.row {
                a href="/drills" { "Drills" } span.muted { "/" }
                @if let Some(drill) = &run.drill {
                    a href={ "/drills/" (drill) } { (drill) } span.muted { "/" }
                }
                span { "Run " (run.id) }
                (stage(run, now)) (verdict(run))
            }
            h1 { (run.title()) }
            div.facts {
                span { "Taken by " strong { (run.responder) } }
                @if let Some(tried) = &run.verify { span { "Verification: " strong { (tried) } } }
                span { "Started " (ago(run.started_at, now)) }
                @if let Some(brief) = &run.brief {
                    span { (brief.difficulty.replace('-', " ")) ", " (brief.time_box_seconds / 60) " min" }
                }
                @for incident in incidents(view) {
                    span {
                        "Incident " a href={ "/incidents/" (incident.id) } { (incident.id) } " "
                        (severity(incident.severity)) " " (state(incident.state))
                    }
                }
            }
            @if view.visitor.is_instructor() && run.stage() == Stage::On { (pause(view)) }
        }
    }
}

fn stage(run: &Run, now: DateTime<Utc>) -> Markup {
    html! {
        @match run.stage() {
            Stage::Waiting => { (badge(Tone::Info, "getting ready")) },
            Stage::On if run.paused => { (badge(Tone::Info, "paused")) },
            Stage::On => { (badge(Tone::Warn, "on")) strong { (left(run, now)) } },
            Stage::Settling => { (badge(Tone::Info, "cleaning up")) },
            Stage::Over => {
                @if let Some(ended) = run.ended_at { span.muted { "ended " (ago(ended, now)) } }
            },
        }
    }
}

/// Incidents that were opened during the run.
fn incidents(view: &View<'_>) -> Vec<Arc<Incident>> {
    let until = view.run.ended_at.unwrap_or(view.now);
    let span = view.run.started_at..=until;
    let during = |incident: &Arc<Incident>| span.contains(&incident.opened_at);
    view.room.desk.recent(RECENT).into_iter().filter(during).collect()
}

/// For instructors.
fn pause(view: &View<'_>) -> Markup {
    html! {
        div.row {
            (stopper(view.room, view.visitor, view.run))
            span.muted { "Instructors only." }
        }
    }
}

/// The button with which an instructor pauses or continues a run.
pub(in crate::web) fn stopper(room: &Room, visitor: &Visitor, run: &Run) -> Markup {
    let (paused, label) = if run.paused { ("false", "Continue") } else { ("true", "Pause the clock") };
    html! {
        form method="post" action={ (run.path()) "/pause" } {
            (csrf(room, visitor))
            input type="hidden" name="paused" value=(paused);
            (button(label, Tone::Quiet))
        }
    }
}

fn body(view: &View<'_>) -> Markup {
    let (run, seen) = (view.run, view.room.watch.seen());
    html! {
        div.split {
            div.stack {
                @match run.stage() {
                    Stage::Waiting => (waiting(run)),
                    _ => {
                        @if run.phase == "recover" { (recovering(run)) }
                        (gauges::card(run, &seen, view.now))
                        @if run.stage() == Stage::On { (work::answers(view)) } @else { (settling()) }
                    },
                }
            }
            div.stack {
                (briefing(run))
                @if matches!(run.stage(), Stage::Waiting | Stage::On) { (work::acts(view)) }
                @if run.stage() == Stage::On { (work::hints(view)) (work::documents(view)) }
            }
        }
        @if let Some(found) = &run.truth { (truth::card(found, true)) }
    }
}

fn waiting(run: &Run) -> Markup {
    html! {
        section.card aria-labelledby="waiting-title" {
            h2 #waiting-title { "Waiting for a healthy start" }
            p.muted { "A drill begins when nothing is wrong, so that all that you see belongs to it." }
            @if run.waiting_for.is_empty() { p { "All is healthy; it has to stay so for a few seconds." } }
            @else { (missing(run)) }
        }
    }
}

/// The responder has said that it is over; it is, once all of this holds.
fn recovering(run: &Run) -> Markup {
    html! {
        section.card aria-labelledby="recovering-title" {
            h2 #recovering-title { "Is it over?" }
            p.muted { "You said so. It is over as soon as users have been served for a few seconds, and all of this holds." }
            @if !run.waiting_for.is_empty() { (missing(run)) }
        }
    }
}

/// What does not hold yet.
fn missing(run: &Run) -> Markup {
    html! {
        ul.stack.tight {
            @for what in &run.waiting_for { li { (badge(Tone::Warn, "not yet")) " " (what) } }
        }
    }
}

fn settling() -> Markup {
    html! {
        section.card {
            h2 { "Cleaning up" }
            p {
                "Faults end, protections are switched on, the load returns to its baseline. The scorecard follows."
            }
        }
    }
}

fn briefing(run: &Run) -> Markup {
    html! {
        @if let Some(brief) = &run.brief {
            section.card aria-labelledby="briefing-title" {
                h2 #briefing-title { "Briefing" }
                (markdown(&brief.briefing))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_healthy_yet_is_listed() {
        let run = Run { waiting_for: vec!["no alert fires".to_owned()], ..Run::default() };
        let shown = waiting(&run).into_string();
        assert!(shown.contains("no alert fires") && shown.contains("not yet"), "{shown}");
        assert!(waiting(&Run::default()).into_string().contains("All is healthy"));
    }

    #[test]
    fn the_head_says_in_a_word_how_far_it_is() {
        let now: DateTime<Utc> = "2026-05-04T10:00:00Z".parse().unwrap();
        let at = |phase: &str| Run { phase: phase.to_owned(), ..Run::default() };
        assert!(stage(&at("baseline"), now).into_string().contains("getting ready"));
        assert!(stage(&at("reset"), now).into_string().contains("cleaning up"));
        let on = Run { time_box_ends: Some(now + chrono::TimeDelta::seconds(90)), ..at("observe") };
        assert!(stage(&on, now).into_string().contains("1:30"));
    }
}
