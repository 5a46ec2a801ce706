//! `/runbook-runs/{id}`: where a run is, what happens next, and what a person can say about it.

use axum::extract::State;
use chassis_http::Path;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{badge_of, state::step, tabs};
use crate::{
    access::Visitor,
    room::Room,
    runbooks::view::{RequestView, RunState, RunbookRunView, StepState, StepView},
    web::{
        failure::Answer,
        layout::{Html, Page, Tab, page},
        parts::{Tone, ago, badge, button, clock, csrf, error_summary, glyph, lasting, text_field},
    },
};

pub(super) async fn show(State(room): State<Room>, visitor: Visitor, Path(id): Path<String>) -> Answer {
    let run = room.runbooks.run(&id).await?;
    Ok(draw(&room, &visitor, &run, None))
}

/// The page, with what was wrong with a form, if something was.
pub(super) fn draw(room: &Room, visitor: &Visitor, run: &RunbookRunView, wrong: Option<&str>) -> Html {
    let view = View { room, visitor, run, now: Utc::now() };
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(wrong)) }
            (tabs("/automation"))
            (view.head())
            (view.what_is_next())
            (view.ending())
            section.card aria-labelledby="steps-title" {
                h2 #steps-title { "Steps" }
                ol.timeline { @for step in &run.steps { (entry(step)) } }
            }
        }
    };
    let title = format!("{} {}", run.id, run.runbook);
    let live = wrong.is_none() && run.state != RunState::Ended;
    page(room, &Page { title: &title, active: Tab::Alerts, visitor, live }, body)
}

/// A run and who looks at it.
struct View<'v> {
    room: &'v Room,
    visitor: &'v Visitor,
    run: &'v RunbookRunView,
    now: DateTime<Utc>,
}

impl View<'_> {
    fn head(&self) -> Markup {
        let run = self.run;
        html! {
            header.card.stack {
                div.row {
                    a href={ "/runbooks/" (run.runbook) } { (run.runbook) } span.muted { "/" } span.mono { (run.id) } (badge_of(run))
                }
                h1 { (run.title) }
                div.facts {
                    span { "Mode " strong { (run.mode) } }
                    span { "Started by " strong { (run.by) } " " (ago(run.started_at, self.now)) }
                    @if let Some(incident) = run.incident { span { "For " a href={ "/incidents/" (incident) } { (incident) } } }
                    @match run.ended_at {
                        Some(at) => span { "Ended " (ago(at, self.now)) },
                        None => span { "Open for " strong { (lasting(run.started_at, self.now)) } },
                    }
                }
                @if run.state != RunState::Ended {
                    div.row { (self.with_reason("stop", "Stop the run", "Why does it end? Nothing is taken back.", Tone::Bad)) }
                }
            }
        }
    }

    /// What a person is asked, or what continues by itself.
    fn what_is_next(&self) -> Markup {
        let now = self.run.steps.iter().find(|step| step.state == StepState::Now);
        html! {
            @match (self.run.state, now, &self.run.request) {
                (RunState::WaitingForYou, Some(step), _) => (self.guided(step)),
                (RunState::WaitingForApproval, _, Some(request)) => (self.asked(request)),
                (RunState::Running, _, _) => {
                    section.card aria-labelledby="next-title" {
                        h2 #next-title { "It continues by itself" }
                        @if let Some(next) = &self.run.next { p { "It " (next) "." } }
                    }
                },
                _ => {},
            }
        }
    }

    /// The step that a person confirms or leaves out, or the decision.
    fn guided(&self, step: &StepView) -> Markup {
        if !step.branches.is_empty() {
            return self.decision(step);
        }
        let acts = matches!(step.kind.as_str(), "act" | "undo");
        html! {
            section.card.stack.tight aria-labelledby="next-title" {
                h2 #next-title { "Next: " (step.name) }
                p { (step.what) }
                p { @if acts { "Will be done: " } @else { "Will be asked: " } strong.mono { (step.text) } }
                div.row {
                    form method="post" action=(self.path("confirm")) {
                        (csrf(self.room, self.visitor))
                        input type="hidden" name="place" value=(step.place);
                        (button(if acts { "Do it" } else { "Ask it" }, Tone::Info))
                    }
                    (self.with_reason("skip", "Leave it out", "Why is it left out?", Tone::Quiet))
                }
            }
        }
    }

    /// The branches, each with the reason to take it: one button for each.
    fn decision(&self, step: &StepView) -> Markup {
        html! {
            section.card.stack.tight aria-labelledby="next-title" {
                h2 #next-title { "Choose: " (step.name) }
                p { (step.what) }
                @for branch in &step.branches {
                    form.stack.tight method="post" action=(self.path("confirm")) {
                        (csrf(self.room, self.visitor))
                        input type="hidden" name="place" value=(step.place);
                        input type="hidden" name="branch" value=(branch.name);
                        p { (branch.what) }
                        @if let Some(condition) = &branch.condition { p.mono.muted { (condition) } }
                        div.actions { (button(&branch.name, Tone::Info)) }
                    }
                }
            }
        }
    }

    /// What a second person approves: everything that the run may change, with its values.
    fn asked(&self, request: &RequestView) -> Markup {
        let works = request.not.contains(&self.visitor.name);
        let not: Vec<&str> = request.not.iter().map(String::as_str).collect();
        html! {
            section.card.stack.tight aria-labelledby="next-title" {
                h2 #next-title { "A second person approves" }
                p { (request.why) }
                @if request.changes.is_empty() { p { "It changes nothing." } }
                @else {
                    p { "It may change, and nothing else:" }
                    ul.stack.tight { @for change in &request.changes { li { strong { (change) } } } }
                }
                p.muted { "Digest " span.mono { (request.digest) } }
                @if works {
                    div.callout.info { p { "You work on this run (" (not.join(", ")) "): somebody else has to approve." } }
                } @else {
                    div.row {
                        form method="post" action=(self.path("approve")) {
                            (csrf(self.room, self.visitor))
                            input type="hidden" name="digest" value=(request.digest);
                            (button("Approve exactly this", Tone::Info))
                        }
                        (self.with_reason("decline", "Decline", "Why not? The run ends.", Tone::Bad))
                    }
                }
            }
        }
    }

    fn ending(&self) -> Markup {
        let run = self.run;
        let Some(ending) = &run.ending else { return html! {} };
        let tone = match ending.as_str() {
            "succeeded" => Tone::Good,
            "failed" => Tone::Bad,
            _ => Tone::Info,
        };
        html! {
            div class={ "callout stack tight " (tone.class()) } role="status" {
                p { (glyph(tone)) " " strong { (ending) ": " } (run.why.as_deref().unwrap_or_default()) }
                @if ending == "recommended" {
                    p { "The guardrails keep it from acting by itself. A person can: " a href={ "/runbooks/" (run.runbook) } { "run it" } "." }
                }
                @if !run.undone.is_empty() { p { "Taken back:" } ul { @for undone in &run.undone { li { (undone) } } } }
                @if !run.left.is_empty() { p { "Done, and stays:" } ul { @for left in &run.left { li { (left) } } } }
            }
        }
    }

    fn path(&self, verb: &str) -> String {
        format!("/runbook-runs/{}/{verb}", self.run.id)
    }

    /// A form behind a word, with a reason.
    fn with_reason(&self, verb: &str, word: &str, question: &str, tone: Tone) -> Markup {
        html! {
            details.act {
                summary { (word) }
                form.stack method="post" action=(self.path(verb)) {
                    (csrf(self.room, self.visitor))
                    (text_field(verb, "why", question, "", ""))
                    div.actions { (button(word, tone)) }
                }
            }
        }
    }
}

/// A step with what happened, or what would.
fn entry(view: &StepView) -> Markup {
    let (tone, word) = step(view.state);
    html! {
        li {
            span.at { @if let Some(at) = view.at { (clock(at)) } }
            div.rail { (glyph(tone)) }
            div.what {
                div.row {
                    strong { (view.name) } span.muted { (view.kind.replace('_', " ")) }
                    @if view.state != StepState::Todo { (badge(tone, word)) }
                }
                p { (view.what) }
                p.mono.muted { (view.text) }
                @if let Some(by) = &view.by { p.from { "by " (by) } }
            }
        }
    }
}
