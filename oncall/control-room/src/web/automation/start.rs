//! Starting a runbook from a page: what it would do now, and the run.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use chassis_http::Path;
use maud::{Markup, html};
use runbook::Verdict;

use super::{
    tabs,
    wish::{Wish, form},
};
use crate::{
    access::{Form, Visitor},
    error::Error,
    room::Room,
    runbooks::{
        dry::Wanted,
        view::{CheckView, DryBranchView, DryChangeView, DryView},
    },
    web::{
        failure::{Answer, Failure, sentence},
        layout::{Page, Tab, page},
        parts::{Tone, badge},
        runbooks,
    },
};

/// Starts a run, and leads to its page.
pub(super) async fn begin(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Answer<Response> {
    let wish = Wish::read(fields)?;
    let Wish { mode, incident, parameters } = &wish;
    let begun = room.runbooks.begin(&room, &visitor, &name, *mode, *incident, parameters.clone()).await;
    let error = match begun {
        Ok(run) => return Ok(Redirect::to(&format!("/runbook-runs/{}", run.id)).into_response()),
        Err(error @ Error::NoSuch { .. }) => return Err(error.into()),
        Err(error) => error,
    };
    let said = sentence(&error);
    let status = Failure::from(error).status();
    let page = runbooks::draw(&room, &visitor, &name, &wish, Some(&said))?;
    Ok((status, page).into_response())
}

/// Shows what it would ask and do now. Changes nothing.
pub(super) async fn dry(
    State(room): State<Room>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Answer {
    let wish = Wish::read(fields)?;
    let book = room.runbooks.outline(&name)?;
    let labels = match wish.incident {
        Some(id) => room.runbooks.labels(&room, &name, id).await?,
        None => BTreeMap::new(),
    };
    let wanted = Wanted { incident: wish.incident, parameters: wish.parameters.clone(), labels };
    let shown = room.runbooks.dry(&room, &name, &wanted).await?;
    let body = html! {
        div.stack {
            (tabs("/runbooks"))
            p { a href="/runbooks" { "Runbooks" } " / " a href={ "/runbooks/" (name) } { (name) } }
            h1 { "What " (name) " would do now" }
            (verdict(&shown))
            (checks("First", "What has to be so before its first step.", &shown.preconditions))
            (checks("Looks", "What its steps look at, as it is now.", &shown.checks))
            (decisions(&shown))
            (changes(&shown.changes))
            (form(&room, &visitor, &book, &wish))
        }
    };
    let title = format!("Dry run of {name}");
    Ok(page(&room, &Page { title: &title, active: Tab::Alerts, visitor: &visitor, live: false }, body))
}

fn verdict(shown: &DryView) -> Markup {
    html! {
        @if shown.ready { p { (badge(Tone::Good, "could begin now")) } }
        @else { p { (badge(Tone::Warn, "could not begin now")) } }
        @if !shown.problems.is_empty() {
            div.callout.warn {
                p { strong { "Not everything is known." } }
                ul { @for problem in &shown.problems { li { (problem) } } }
            }
        }
    }
}

fn checks(title: &str, help: &str, checks: &[CheckView]) -> Markup {
    html! {
        @if !checks.is_empty() {
            section.card {
                h2 { (title) }
                p.muted { (help) }
                ul.stack.tight {
                    @for check in checks {
                        li {
                            @if check.holds { (badge(Tone::Good, "is so")) } @else { (badge(Tone::Warn, "is not so")) }
                            " " strong { (check.name) }
                            p.mono { (check.text) }
                            p.muted { "Expected " (check.expected) ", found " (check.seen) "." }
                        }
                    }
                }
            }
        }
    }
}

/// Where it takes one of several ways, and where it waits for a second person.
fn decisions(shown: &DryView) -> Markup {
    html! {
        @for decision in &shown.decisions {
            section.card {
                h2 { "Decides: " (decision.name) }
                p.muted { (decision.what) }
                ul.stack.tight { @for branch in &decision.branches { li { (way(branch)) } } }
            }
        }
        @if !shown.approvals.is_empty() {
            section.card {
                h2 { "Waits for a second person" }
                ul.stack.tight { @for why in &shown.approvals { li { (why) } } }
            }
        }
    }
}

fn way(branch: &DryBranchView) -> Markup {
    html! {
        @if branch.taken { (badge(Tone::Good, "would be taken")) " " }
        strong { (branch.name) } ": " (branch.what)
        @match (&branch.condition, &branch.seen) {
            (Some(condition), Some(seen)) => { p.mono { (condition) } p.muted { "Found " (seen) "." } },
            (Some(condition), None) => { p.mono { (condition) } },
            (None, _) => { p.muted { "Only a person can choose it." } },
        }
    }
}

fn changes(changes: &[DryChangeView]) -> Markup {
    html! {
        section.card {
            h2 { "Changes" }
            @if changes.is_empty() { p { "It changes nothing: it looks, and says what to decide." } }
            ul.stack.tight { @for change in changes { li { (one(change)) } } }
        }
    }
}

fn one(change: &DryChangeView) -> Markup {
    let (tone, word) = match change.verdict {
        Verdict::Allow => (Tone::Good, "automation may"),
        Verdict::Ask => (Tone::Warn, "automation asks first"),
        Verdict::Recommend => (Tone::Info, "for a person"),
        Verdict::Deny => (Tone::Bad, "nobody may"),
    };
    html! {
        p { (badge(tone, word)) " " strong { (change.text) } @if let Some(when) = &change.when { ", only if " (when) } }
        @for hit in &change.hits { p { "Would hit " (hit) "." } }
        p.muted { "Taken back by: " (change.undo) "." }
        @if !change.reasons.is_empty() {
            details.more { summary { "Why" } ul { @for reason in &change.reasons { li { (reason) } } } }
        }
    }
}
