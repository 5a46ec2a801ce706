//! All drills with what a person has done with each, the one that comes next, a mystery; and all runs.

use std::{collections::BTreeSet, sync::Arc};

use axum::extract::State;
use chrono::{DateTime, Utc};
use drill::{Drill, names::Difficulty};
use maud::{Markup, html};

use super::{
    facts::{self, Run, Stage},
    progress::{self, DIFFICULTIES, Past},
    scorecard::verdict,
};
use crate::{
    access::Visitor,
    room::Room,
    web::{
        failure::Answer,
        layout::{Html, Page, Tab, page},
        parts::{Tone, ago, badge, button, csrf, empty, error_summary, markdown, select},
    },
};

/// Runs that are listed.
const LISTED: usize = 100;

pub(super) async fn show(State(room): State<Room>, visitor: Visitor) -> Answer {
    draw(&room, &visitor, None).await
}

/// The page with what was wrong, if something was.
pub(super) async fn draw(room: &Room, visitor: &Visitor, wrong: Option<&str>) -> Answer<Html> {
    let runs = facts::runs(room, visitor, None).await?;
    let running = facts::current(room, visitor).await?;
    let drills = progress::sorted(room.drills.all());
    let next = facts::suggested(room, visitor).await?;
    let next = drills.iter().find(|drill| Some(&drill.id) == next.as_ref());
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(wrong)) }
            header.toolbar {
                h1 { "Drills" }
                div.links { a href="/drills/runs" { "All runs" } a href="/gameday" { "Game day" } }
            }
            p.muted {
                "Something real is broken, and nothing says what. You are paged, find the cause, bring users back, "
                "and get a scorecard."
            }
            @match &running {
                Some(run) => (continues(run)),
                None => div.grid {
                    @if let Some(next) = next { (suggestion(room, visitor, next)) }
                    @if !drills.is_empty() { (mystery(room, visitor)) }
                },
            }
            @if drills.is_empty() {
                (empty("There is no drill.", html! { "They are the files of " code { "drills/" } "." }))
            }
            @for difficulty in DIFFICULTIES { (group(&drills, difficulty, &runs, visitor)) }
        }
    };
    Ok(page(room, &Page { title: "Drills", active: Tab::Drills, visitor, live: false }, body))
}

fn continues(run: &Run) -> Markup {
    html! {
        div.callout.info {
            p {
                (badge(Tone::Info, "drill")) " " strong { (run.title()) } ", taken by " (run.responder)
                ". One at a time: " a href=(run.path()) { "go to it" } "."
            }
        }
    }
}

fn suggestion(room: &Room, visitor: &Visitor, drill: &Drill) -> Markup {
    html! {
        section.card.stack aria-labelledby="next-title" {
            h2 #next-title { "Next for you: " a href={ "/drills/" (drill.id) } { (drill.title) } }
            (markdown(&drill.briefing))
            form method="post" action="/drills/runs" {
                (csrf(room, visitor))
                input type="hidden" name="drill" value=(drill.id);
                (button("Begin", Tone::Info))
            }
        }
    }
}

fn mystery(room: &Room, visitor: &Visitor) -> Markup {
    let mut options = vec![(String::new(), "anything".to_owned())];
    options.extend(DIFFICULTIES.iter().map(|difficulty| (difficulty.to_string(), word(*difficulty))));
    html! {
        section.card.stack aria-labelledby="mystery-title" {
            h2 #mystery-title { "A mystery" }
            p { "A drill that you do not choose. Neither its name nor its briefing is told." }
            form.stack method="post" action="/drills/runs" {
                (csrf(room, visitor))
                (select("mystery", "difficulty", "How hard", &options, ""))
                div.actions { (button("Begin a mystery", Tone::Quiet)) }
            }
        }
    }
}

/// A difficulty in words.
pub(super) fn word(difficulty: Difficulty) -> String {
    difficulty.to_string().replace('-', " ")
}

/// The drills of one difficulty.
fn group(drills: &[Arc<Drill>], difficulty: Difficulty, runs: &[Run], visitor: &Visitor) -> Markup {
    let passed = progress::passed(runs, &visitor.name);
    let of: Vec<&Arc<Drill>> = drills.iter().filter(|drill| drill.difficulty == difficulty).collect();
    let title = word(difficulty);
    html! {
        @if !of.is_empty() {
            section.stack.tight aria-label={ "Drills: " (title) } {
                h2.capital { (title) }
                div.card.scroll tabindex="0" role="region" aria-label={ "Table: " (title) } {
                    table.table.rows.drills {
                        thead { tr {
                            th scope="col" { "Drill" } th.num scope="col" { "Time" }
                            th scope="col" { "Before it" }
                            th.num scope="col" { "Your runs" } th.num scope="col" { "Your best" }
                        } }
                        tbody {
                            @for drill in of {
                                @let past = progress::past(runs, &visitor.name, &drill.id);
                                @let knows = visitor.is_instructor()
                                    || progress::knows(runs, &visitor.name, &drill.id);
                                (row(drill, &past, &passed, knows))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(drill: &Drill, past: &Past, passed: &BTreeSet<&str>, knows: bool) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ "/drills/" (drill.id) } data-item { (drill.title) }
                @if past.passed { " " (badge(Tone::Good, "passed")) }
                p.muted {
                    span.mono { (drill.id) }
                    @for tag in progress::tags(drill, knows) { " " span.tag { (tag) } }
                }
            }
            td.num { (drill.time_box.as_secs() / 60) " min" }
            td {
                @if drill.prerequisites.is_empty() { "–" }
                @for (at, name) in drill.prerequisites.iter().enumerate() {
                    @if at > 0 { ", " }
                    a href={ "/drills/" (name) } { (name) }
                    @if passed.contains(name.as_str()) { " (passed)" }
                }
            }
            td.num { (past.runs) }
            td.num { @match past.best { Some(best) => { (best) " of 100" }, None => { "–" } } }
        }
    }
}

/// `GET /drills/runs`.
pub(super) async fn runs(State(room): State<Room>, visitor: Visitor) -> Answer {
    let runs = facts::runs(&room, &visitor, None).await?;
    let shown: Vec<&Run> = runs.iter().take(LISTED).collect();
    let body = html! {
        div.stack {
            p { a href="/drills" { "Drills" } }
            h1 { "Runs" }
            section.card aria-label="Runs" { (table(&shown, Utc::now())) }
        }
    };
    let frame = Page { title: "Runs of drills", active: Tab::Drills, visitor: &visitor, live: false };
    Ok(page(&room, &frame, body))
}

/// Runs, one in a row.
pub(super) fn table(runs: &[&Run], now: DateTime<Utc>) -> Markup {
    html! {
        @if runs.is_empty() { (empty("No run yet.", html! { "Each is kept here, with its report." })) }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Table of runs" {
                table.table {
                    thead { tr {
                        th scope="col" { "Run" } th scope="col" { "Drill" } th scope="col" { "Who" }
                        th scope="col" { "When" } th scope="col" { "Ended" } th.num scope="col" { "Score" }
                    } }
                    tbody { @for run in runs { (line(run, now)) } }
                }
            }
        }
    }
}

fn line(run: &Run, now: DateTime<Utc>) -> Markup {
    html! {
        tr {
            td { a href=(run.path()) data-item { (run.id) } }
            td { (run.title()) }
            td {
                (run.responder)
                @if let Some(tried) = &run.verify { span.muted { " (verification: " (tried) ")" } }
            }
            td { (ago(run.started_at, now)) }
            td { @if run.stage() == Stage::Over { (verdict(run)) } @else { (badge(Tone::Info, "on")) } }
            td.num { @match run.points() { Some(points) => { (points) }, None => { "–" } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::progress::tests::{committed, over},
        *,
    };

    #[test]
    fn a_row_has_the_best_score_and_tells_the_cause_to_nobody_who_has_not_met_it() {
        let drill = committed("users-wait");
        let passed = BTreeSet::from(["waiting-orders"]);
        let new = row(&drill, &Past::default(), &passed, false).into_string();
        assert!(new.contains("20 min") && new.contains("waiting-orders</a> (passed)"), "{new}");
        for told in ["database", "forgotten", "hidden", "db-lock"] {
            assert!(!new.contains(told), "{told} in {new}");
        }
        let known = row(&drill, &Past { runs: 3, best: Some(61), passed: true }, &passed, true).into_string();
        assert!(known.contains("61 of 100") && known.contains("forgotten transaction"), "{known}");
    }

    #[test]
    fn a_mystery_is_listed_without_its_name_and_a_verification_as_one() {
        let now = Utc::now();
        let mut mystery = over("first-page", "ada", 0);
        (mystery.drill, mystery.ended_at, mystery.phase) = (None, None, "observe".to_owned());
        let mut proof = over("first-page", "verify", 0);
        (proof.verify, proof.score) = (Some("nothing".to_owned()), None);
        let shown = table(&[&mystery, &proof], now).into_string();
        assert!(shown.contains("A mystery") && shown.contains("(verification: nothing)"), "{shown}");
        assert!(table(&[], now).into_string().contains("No run yet."));
    }
}
