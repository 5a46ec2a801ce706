//! What a responder does during a run: answers, updates, hints, the end; and where to look, as in production.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    answer::{self, Names},
    facts::Stage,
    view::View,
};
use crate::web::{
    alerts::alert_name,
    parts::{Tone, button_link, clock, text_area},
};

/// Changes that are listed.
const CHANGES: usize = 20;
/// How long before the start of the run changes are still news.
const BEFORE: TimeDelta = TimeDelta::minutes(10);

/// The answer: what was given last, and the form.
pub(super) fn answers(view: &View<'_>) -> Markup {
    let sent = view.wrong.and_then(|wrong| wrong.fields.clone());
    let given = sent.or_else(|| view.run.answers.as_ref().map(answer::again)).unwrap_or_default();
    let changes = view.room.changes.since(view.run.started_at - BEFORE);
    let names = Names::of(view.room.eyes.services(), &changes);
    let fields = answer::fields(view.run.brief.as_ref(), &names, &given);
    html! {
        section.card #answer aria-labelledby="answer-title" {
            div.toolbar {
                h2 #answer-title { "Your answer" }
                @if view.run.answers.is_some() { p.muted { "Saved. The last one counts." } }
            }
            (view.form("answer", Some(&fields), "Save the answer", Tone::Info))
        }
    }
}

pub(super) fn acts(view: &View<'_>) -> Markup {
    let run = view.run;
    let on = run.stage() == Stage::On;
    let typed = view.wrong.map_or("", |wrong| wrong.text.as_str());
    let help = "What is known, what you do, when you write again.";
    let update = text_area("update", "text", "Update", typed, help);
    let over = "You say that users are served again and the cause is gone. Save your answer first.";
    let over = html! { p { (over) } };
    let abort = text_area("abort", "why", "Why?", "", "All that it began is ended, and it is not scored.");
    html! {
        section.card.stack #acts aria-labelledby="acts-title" {
            h2 #acts-title { "What you do" }
            @if on {
                (view.form("notice", None, "I noticed that something is wrong", Tone::Quiet))
                p.help { "If no page has told you." }
                (view.act("update", "Tell others", &update, "Post the update", Tone::Info))
                (view.act("submit", "It is over", &over, "Yes, it is over", Tone::Info))
            }
            (view.act("abort", "Abort", &abort, "Yes, abort the run", Tone::Bad))
            @if !run.acts.is_empty() {
                h3 { "Done so far" }
                ul.stack.tight { @for act in &run.acts { li { (act) } } }
            }
        }
    }
}

pub(super) fn hints(view: &View<'_>) -> Markup {
    let run = view.run;
    let cost = run.brief.as_ref().and_then(|brief| brief.hints.get(run.hints.len()));
    let price = cost.map_or_else(|| "some points".to_owned(), |cost| format!("{cost} points"));
    html! {
        section.card.stack #hints aria-labelledby="hints-title" {
            h2 #hints-title { "Hints" }
            @if !run.hints.is_empty() { ol.steps { @for hint in &run.hints { li { (hint) } } } }
            @if run.hints_left > 0 {
                p.muted { (run.hints_left) " left; the next one costs " (price) "." }
                details.act {
                    summary { "Take a hint" }
                    (view.form("hint", None, &format!("Yes, take it for {price}"), Tone::Info))
                }
            } @else { p.muted { "There are no more." } }
        }
    }
}

/// Runbooks of what fires, and what changed: as in production, and nothing of the drill's own.
pub(super) fn documents(view: &View<'_>) -> Markup {
    let seen = view.room.watch.seen();
    let known = view.room.content.runbooks();
    let firing = seen.alerts.iter().filter(|alert| alert.state == "firing").map(alert_name);
    let mut names: Vec<&str> = firing.filter(|name| known.iter().any(|other| other == name)).collect();
    names.sort_unstable();
    names.dedup();
    let changes = view.room.changes.since(view.run.started_at - BEFORE);
    html! {
        section.card.stack aria-labelledby="documents-title" {
            h2 #documents-title { "Where to look" }
            @if names.is_empty() { p.muted { "No alert fires." } }
            ul.stack.tight {
                @for name in names { li { a href={ "/runbooks/" (name) } { "Runbook " (name) } } }
            }
            h3 { "What changed" }
            @if changes.is_empty() { p.muted { "Nothing in the last minutes." } }
            ul.stack.tight {
                @for change in changes.iter().take(CHANGES) { li { (clock(change.at)) " " (change.text) } }
            }
            div.row {
                (button_link("Explore", "/explore", Tone::Quiet))
                (button_link("Dashboards", "/dashboards", Tone::Quiet))
                (button_link("Protections", "/protections", Tone::Quiet))
            }
        }
    }
}
