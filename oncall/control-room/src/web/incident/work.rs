//! What people think and do: hypotheses with what speaks for and against them, tasks, links.

use incident::{Hypothesis, Task, Verdict};
use maud::{Markup, html};

use super::{evidence::evidence, view::View};
use crate::web::parts::{Tone, badge, button, clock, csrf, empty, safe_link, select, text_area, text_field};

/// What it might be.
pub(super) fn hypotheses(view: &View<'_>) -> Markup {
    let known = &view.incident.hypotheses;
    let help = "One cause that could be true or false, such as: the new release leaks connections.";
    let field = text_area("hypotheses", "text", "It might be that …", view.again("hypotheses"), help);
    html! {
        section.card #hypotheses aria-labelledby="hypotheses-title" {
            h2 #hypotheses-title { "Hypotheses" }
            @if known.is_empty() {
                (empty("No hypothesis.", html! { "Write down what it might be, then look for what speaks against it." }))
            }
            @for hypothesis in known { (one(view, hypothesis)) }
            (view.act("hypotheses", "State a hypothesis", &field, "State it"))
        }
    }
}

fn one(view: &View<'_>, hypothesis: &Hypothesis) -> Markup {
    let (tone, word, why) = match &hypothesis.verdict {
        Verdict::Open => (Tone::Info, "open", None),
        Verdict::RuledOut { why } => (Tone::Quiet, "ruled out", Some(why)),
        Verdict::Confirmed { why } => (Tone::Good, "confirmed", Some(why)),
    };
    html! {
        article.hypothesis {
            div.row { (badge(tone, word)) strong { (hypothesis.id) ". " (hypothesis.text) } }
            @if let Some(why) = why { @if !why.is_empty() { p.muted { (why) } } }
            @if !hypothesis.findings.is_empty() {
                ul.findings.stack.tight {
                    @for finding in &hypothesis.findings {
                        li {
                            @if finding.supports { (badge(Tone::Good, "for")) } @else { (badge(Tone::Bad, "against")) }
                            div {
                                p { (finding.text) " " span.muted { (clock(finding.at)) } }
                                @if let Some(shown) = &finding.evidence { (evidence(shown)) }
                            }
                        }
                    }
                }
            }
            @if hypothesis.verdict == Verdict::Open { (decide(view, hypothesis.id)) }
        }
    }
}

fn decide(view: &View<'_>, number: u32) -> Markup {
    let pair = |value: &str, text: &str| (value.to_owned(), text.to_owned());
    let sides = [pair("no", "speaks against it"), pair("yes", "speaks for it")];
    let verdicts = [pair("ruled-out", "It is not this"), pair("confirmed", "It is this")];
    let scope = format!("hypothesis-{number}");
    let (findings, verdict) =
        (format!("hypotheses/{number}/findings"), format!("hypotheses/{number}/verdict"));
    let finding = html! {
        (text_area(&scope, "text", "What was found?", view.again(&findings), ""))
        (select(&scope, "supports", "This", &sides, "no"))
        (text_field(&scope, "query", "The query that shows it, if there is one", "", ""))
        (text_field(&scope, "answer", "What it answered", "", ""))
    };
    let decision = html! {
        (select(&scope, "verdict", "Verdict", &verdicts, "ruled-out"))
        (text_area(&scope, "why", "How is that known?", view.again(&verdict), ""))
    };
    html! {
        div.row {
            (view.act(&findings, "Add a finding", &finding, "Add"))
            (view.act(&verdict, "Decide", &decision, "Decide"))
        }
    }
}

/// What there is to do.
pub(super) fn tasks(view: &View<'_>) -> Markup {
    let (open, done): (Vec<&Task>, Vec<&Task>) =
        view.incident.tasks.iter().partition(|task| task.done_at.is_none());
    let pair = |value: &str, text: &str| (value.to_owned(), text.to_owned());
    let kinds = [pair("no", "now, to end this incident"), pair("yes", "later, to prevent the next one")];
    let fields = html! {
        (text_field("tasks", "text", "What is to do?", view.again("tasks"), ""))
        (select("tasks", "follow_up", "When", &kinds, if view.incident.state.is_open() { "no" } else { "yes" }))
        (select("tasks", "owner", "Who", &view.people("nobody yet"), ""))
        div.field {
            label for="tasks-due" { "Until when" }
            input type="date" id="tasks-due" name="due";
        }
    };
    html! {
        section.card #tasks aria-labelledby="tasks-title" {
            h2 #tasks-title { "Tasks" }
            @if view.incident.tasks.is_empty() { (empty("No task.", html! { "Action items of the postmortem are tasks for later." })) }
            @for task in &open { (task_row(view, task)) }
            @if !done.is_empty() {
                details.more {
                    summary { (done.len()) " done" }
                    @for task in &done { (task_row(view, task)) }
                }
            }
            (view.act("tasks", "Add a task", &fields, "Add"))
        }
    }
}

fn task_row(view: &View<'_>, task: &Task) -> Markup {
    let late = task.done_at.is_none() && task.due.is_some_and(|due| due < view.now.date_naive());
    html! {
        div.toolbar {
            p {
                (task.id) ". " (task.text) " "
                span.muted {
                    (task.owner.as_deref().unwrap_or("nobody yet"))
                    @if let Some(due) = task.due { ", until " (due) }
                    @if task.follow_up { ", afterwards" }
                }
                @if late { " " (badge(Tone::Warn, "late")) }
            }
            @match task.done_at {
                Some(at) => { span.muted { "done " (clock(at)) } },
                None => {
                    form method="post" action={ (view.path()) "/tasks/" (task.id) "/done" } {
                        (csrf(view.room, view.visitor))
                        (button("Done", Tone::Quiet))
                    }
                },
            }
        }
    }
}

/// What there is to read.
pub(super) fn links(view: &View<'_>) -> Markup {
    let fields = html! {
        (text_field("new-link", "title", "What is it?", view.again("links"), ""))
        (text_field("new-link", "url", "Address", "", "It begins with http:// or https://"))
    };
    html! {
        section.card #links aria-labelledby="links-title" {
            h2 #links-title { "Links" }
            @if view.incident.links.is_empty() {
                (empty("No link.", html! { "A status page, a ticket, a call: what others need to find." }))
            } @else {
                ul.stack.tight {
                    @for link in &view.incident.links {
                        li {
                            @match safe_link(&link.url) {
                                Some(url) => { a href=(url) { (link.title) } },
                                None => { (link.title) " " span.mono.muted { (link.url) } },
                            }
                        }
                    }
                }
            }
            (view.act("links", "Add a link", &fields, "Add"))
        }
    }
}
