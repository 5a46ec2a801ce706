//! A run that is over: what it was worth, what was wrong, the report, what was learned, and what comes next.

use maud::{Markup, html};

use super::{
    facts::{self, Answers, Run},
    learned, scorecard, truth,
    view::View,
};
use crate::web::{
    failure::Answer,
    parts::{Tone, button, clock, csrf},
};

/// What follows the head.
pub(super) async fn body(view: &View<'_>) -> Answer<Markup> {
    let run = view.run;
    let next = facts::suggested(view.room, view.visitor).await?;
    let next = next.and_then(|drill| view.room.drills.get(&drill).ok());
    // They name what was paged: as sealed as the truth.
    let unsealed = run.drill.as_deref().filter(|_| run.truth.is_some());
    let runbooks = unsealed.and_then(|drill| view.room.drills.get(drill).ok());
    Ok(html! {
        div.split {
            div.stack {
                (scorecard::card(run))
                @if let Some(found) = &run.truth { (truth::card(found, false)) }
            }
            div.stack {
                (reports(run))
                @if unsealed.is_some() { (learned::card(view)) (done(run)) }
                section.card.stack aria-labelledby="next-title" {
                    h2 #next-title { "What comes next" }
                    @if let Some(drill) = &run.drill { (again(view, drill)) }
                    @if let Some(next) = &next {
                        p { "Suggested: " a href={ "/drills/" (next.id) } { (next.title) } }
                    }
                    @if let Some(drill) = &runbooks {
                        h3 { "Runbooks of this drill" }
                        ul.stack.tight {
                            @for name in &drill.runbooks { li { a href={ "/runbooks/" (name) } { (name) } } }
                        }
                    }
                }
            }
        }
    })
}

/// The report to keep and to show to others.
fn reports(run: &Run) -> Markup {
    let address = format!("/api/v1/drills/runs/{}/report", run.id);
    html! {
        section.card aria-labelledby="report-title" {
            h2 #report-title { "Report" }
            p.muted {
                "Scorecard, timeline, what was wrong, what you learned: a page to keep, or for a portfolio."
            }
            p.row {
                a href={ (address) "?format=html" } { "HTML" }
                a href={ (address) "?format=markdown" } { "Markdown" }
                a href={ (address) "?format=json" } { "JSON" }
            }
        }
    }
}

/// What the responder answered and did.
fn done(run: &Run) -> Markup {
    html! {
        section.card aria-labelledby="done-title" {
            h2 #done-title { "What you said and did" }
            @match &run.answers {
                Some(answers) => (answered(answers)),
                None => p.muted { "No answer." },
            }
            @if !run.acts.is_empty() {
                h3 { "Actions" }
                ul.stack.tight { @for act in &run.acts { li { (act) } } }
            }
            @if !run.hints.is_empty() {
                h3 { "Hints" }
                ul.stack.tight { @for hint in &run.hints { li { (hint) } } }
            }
        }
    }
}

fn answered(answers: &Answers) -> Markup {
    let components =
        if answers.components.is_empty() { "none".to_owned() } else { answers.components.join(", ") };
    html! {
        dl.kv {
            dt { "Cause" } dd { (components) }
            @if let Some(mechanism) = &answers.mechanism { dt { "Mechanism" } dd { (mechanism) } }
            @if let Some(change) = &answers.change { dt { "Change" } dd { (change) } }
            @if let Some(onset) = answers.onset { dt { "Since" } dd { (clock(onset)) } }
            @for query in &answers.evidence { dt { "Evidence" } dd.mono { (query) } }
        }
    }
}

fn again(view: &View<'_>, drill: &str) -> Markup {
    html! {
        form method="post" action="/drills/runs" {
            (csrf(view.room, view.visitor))
            input type="hidden" name="drill" value=(drill);
            (button("Do it again", Tone::Quiet))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_comes_in_three_formats() {
        let shown = reports(&Run { id: 12, ..Run::default() }).into_string();
        for format in ["html", "markdown", "json"] {
            assert!(shown.contains(&format!("/api/v1/drills/runs/12/report?format={format}")), "{shown}");
        }
    }

    #[test]
    fn an_answer_without_components_says_that_nothing_is_wrong() {
        let answers = Answers { evidence: vec!["up < 1".to_owned()], ..Answers::default() };
        let acts = vec!["restart order-api".to_owned()];
        let run = Run { answers: Some(answers), acts, ..Run::default() };
        let shown = done(&run).into_string();
        assert!(shown.contains("<dd>none</dd>") && shown.contains("up &lt; 1"), "{shown}");
        assert!(shown.contains("restart order-api") && !shown.contains("Hints"), "{shown}");
    }
}
