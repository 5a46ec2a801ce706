//! `/releases/{id}`: where a release is, what the judge says and on which numbers, and what a person can say about it.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use release::curves::{Both, Curves};

use super::{signals, state};
use crate::{
    access::Visitor,
    releases::view::{ReleaseDriver, ReleaseStepState, ReleaseStepView, ReleaseView},
    room::Room,
    web::{
        layout::{Html, Page, Tab, page},
        parts::{
            Tone, Two, ago, badge, button, clock, count, csrf, duration, error_summary, glyph, lasting,
            percent, text_field, two,
        },
    },
};

/// The page, with what was wrong with a form, if something was.
pub(super) fn draw(
    room: &Room,
    visitor: &Visitor,
    release: &ReleaseView,
    curves: &Curves,
    wrong: Option<&str>,
) -> Html {
    let view = View { room, visitor, release, now: Utc::now() };
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(wrong)) }
            (view.head())
            (view.ending())
            (view.what_is_next())
            section.card aria-labelledby="curves-title" {
                h2 #curves-title { "Canary and baseline" }
                (curve("errors", "Share of requests that failed, 10 s per point", &curves.errors))
                (curve("slow", "Share of requests slower than the objective, 10 s per point", &curves.slow))
            }
            section.card aria-labelledby="steps-title" {
                h2 #steps-title { "Steps" }
                ol.timeline { @for step in &release.steps { (entry(step)) } }
            }
            (view.commits())
        }
    };
    let title = format!("{} {} {}", release.id, release.service, release.new);
    let live = wrong.is_none() && !release.is_over();
    page(room, &Page { title: &title, active: Tab::Releases, visitor, live }, body)
}

fn curve(id: &str, title: &str, both: &Both) -> Markup {
    let points = [both.canary.as_slice(), both.baseline.as_slice()];
    two(id, &Two { title, names: ["canary", "baseline"], points, show: percent })
}

/// A release and who looks at it.
struct View<'v> {
    room: &'v Room,
    visitor: &'v Visitor,
    release: &'v ReleaseView,
    now: DateTime<Utc>,
}

impl View<'_> {
    fn head(&self) -> Markup {
        let release = self.release;
        let (met, all) = release.exposed;
        html! {
            header.card.stack {
                div.row { a href="/releases" { "Releases" } span.muted { "/" } span.mono { (release.id) } (state(release)) }
                h1 { (release.service) ": " (release.old) " → " (release.new) }
                p { (release.why) }
                div.facts {
                    span { "Started by " strong { (release.by) } " " (ago(release.started_at, self.now)) }
                    @match release.ended_at {
                        Some(at) => span { "Ended " (ago(at, self.now)) },
                        None => span { "Under way for " strong { (lasting(release.started_at, self.now)) } },
                    }
                    span { "New: " strong { (release.differs) } }
                    span {
                        "Requests that met it: " strong { (count(met)) }
                        @if all > 0 { " of " (count(all)) " (" (percent(met as f64 / all as f64)) ")" }
                    }
                }
                @if self.is_told() && !release.is_over() {
                    p.muted {
                        "A terminal drives it, in a cluster; this page last heard of it " (ago(release.heard_at, self.now)) ". To stop it: "
                        code { "lab --context NAME release abort " (release.id) " WHY" }
                    }
                } @else if !release.is_over() && release.state != "rolling-back" {
                    div.row { (self.with_reason("abort", "Abort and roll back", "Why? The old version gets every request back.", Tone::Bad)) }
                }
            }
        }
    }

    /// Whether a terminal drives it: nothing can be done from here.
    fn is_told(&self) -> bool {
        self.release.driver == ReleaseDriver::Terminal
    }

    /// What the judge says, or what a person is asked.
    fn what_is_next(&self) -> Markup {
        let release = self.release;
        html! {
            @if let Some(next) = &release.next {
                section.card.stack.tight aria-labelledby="next-title" {
                    h2 #next-title { @if release.state == "held" { "A person decides" } @else { "Now" } }
                    p { "Next: " (next) "." }
                    @if release.state == "held" && self.is_told() {
                        p { "Continue it in a terminal: " code { "lab --context NAME release continue " (release.id) " WHY" } }
                    } @else if release.state == "held" {
                        (self.with_reason("continue", "Let it continue", "Why is it good enough?", Tone::Info))
                    }
                    @if let Some(opinion) = &release.opinion { (signals::table(opinion, "Signals now")) }
                }
            }
        }
    }

    fn ending(&self) -> Markup {
        let (release, tone) = (
            self.release,
            match self.release.state.as_str() {
                "released" => Tone::Good,
                "stuck" => Tone::Bad,
                _ => Tone::Warn,
            },
        );
        let looks = if self.is_told() {
            ["kubectl get pods", "helm history"]
        } else {
            ["lab status", "lab gitops log"]
        };
        html! {
            @if let Some(reason) = &release.reason {
                div class={ "callout stack tight " (tone.class()) } role="status" {
                    p { (glyph(tone)) " " strong { (release.state.replace('-', " ")) ": " } (reason) }
                    @if release.state == "stuck" {
                        p { "Look at " code { (looks[0]) } " and " code { (looks[1]) } ": something has to be put right by hand." }
                    }
                }
            }
        }
    }

    fn commits(&self) -> Markup {
        html! {
            @if !self.release.commits.is_empty() {
                section.card aria-labelledby="commits-title" {
                    h2 #commits-title { "Commits" }
                    ul.stack.tight { @for commit in &self.release.commits { li.mono { (commit) } } }
                }
            }
        }
    }

    /// A form behind a word, with a reason.
    fn with_reason(&self, verb: &str, word: &str, question: &str, tone: Tone) -> Markup {
        html! {
            details.act {
                summary { (word) }
                form.stack method="post" action={ "/releases/" (self.release.id) "/" (verb) } {
                    (csrf(self.room, self.visitor))
                    (text_field(verb, "why", question, "", ""))
                    div.actions { (button(word, tone)) }
                }
            }
        }
    }
}

/// A step with the verdict and its numbers.
fn entry(step: &ReleaseStepView) -> Markup {
    let (tone, word) = match step.state {
        ReleaseStepState::Done => (Tone::Good, "done"),
        ReleaseStepState::Now => (Tone::Info, "now"),
        ReleaseStepState::Todo => (Tone::Quiet, "not reached"),
    };
    let watched =
        step.from.zip(step.until).map(|(from, until)| duration((until - from).num_seconds() as f64));
    html! {
        li {
            span.at { @if let Some(at) = step.until { (clock(at)) } }
            div.rail { (glyph(tone)) }
            div.what {
                div.row {
                    strong { (step.weight) " %" }
                    @match &step.opinion {
                        Some(opinion) => (signals::verdict(opinion.verdict)),
                        None => (badge(tone, word)),
                    }
                    @if let Some(watched) = &watched { span.muted { "watched for " (watched) } }
                }
                @if let Some((by, why)) = &step.by { p { "Continued by " strong { (by) } ": " (why) } }
                @if let Some(opinion) = &step.opinion {
                    details { summary { "The judge's numbers" } (signals::table(opinion, &format!("Signals at {} %", step.weight))) }
                }
            }
        }
    }
}
