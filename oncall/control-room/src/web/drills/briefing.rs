//! A drill before it is taken: what the person on call is told, what will be asked, and how it went before.

use axum::extract::State;
use chassis_http::Path;
use chrono::Utc;
use drill::Drill;
use maud::{Markup, html};

use super::{
    facts::{self, Run},
    list::{table, word},
    progress::{self, Past},
};
use crate::{
    access::Visitor,
    room::Room,
    web::{
        failure::Answer,
        layout::{Html, Page, Tab, page},
        parts::{Tone, button, csrf, empty, error_summary, markdown, spark},
    },
};

pub(super) async fn show(State(room): State<Room>, visitor: Visitor, Path(id): Path<String>) -> Answer {
    draw(&room, &visitor, &id, None).await
}

/// The page with what was wrong, if something was.
pub(super) async fn draw(room: &Room, visitor: &Visitor, id: &str, wrong: Option<&str>) -> Answer<Html> {
    let drill = room.drills.get(id)?;
    let runs = facts::runs(room, visitor, Some(id)).await?;
    let running = facts::current(room, visitor).await?;
    let past = progress::past(&runs, &visitor.name, id);
    let knows = visitor.is_instructor() || progress::knows(&runs, &visitor.name, id);
    let body = html! {
        div.stack {
            @if let Some(wrong) = wrong { (error_summary(wrong)) }
            header.card.stack {
                p { a href="/drills" { "Drills" } span.muted { " / " } span.mono { (drill.id) } }
                h1 { (drill.title) }
                (facts_of(&drill, &past, knows))
                (markdown(&drill.briefing))
                @match &running {
                    Some(run) => p {
                        "Another drill is on: " a href=(run.path()) { (run.title()) } ". One at a time."
                    },
                    None => form method="post" action="/drills/runs" {
                        (csrf(room, visitor))
                        input type="hidden" name="drill" value=(drill.id);
                        (button("Begin", Tone::Info))
                    },
                }
            }
            div.split {
                (history(&runs, visitor))
                (rules(&drill))
            }
        }
    };
    Ok(page(room, &Page { title: &drill.title, active: Tab::Drills, visitor, live: false }, body))
}

fn facts_of(drill: &Drill, past: &Past, knows: bool) -> Markup {
    html! {
        div.facts {
            span { "Difficulty " strong { (word(drill.difficulty)) } }
            span { "Time " strong { (drill.time_box.as_secs() / 60) " min" } }
            span { "Hints " strong { (drill.hints.len()) } }
            @if !drill.prerequisites.is_empty() {
                span {
                    "Before it "
                    @for name in &drill.prerequisites { " " a href={ "/drills/" (name) } { (name) } }
                }
            }
            @if let Some(best) = past.best { span { "Your best " strong { (best) " of 100" } } }
            @for tag in progress::tags(drill, knows) { span.tag { (tag) } }
        }
    }
}

/// One's own runs as a curve and as a table; an instructor sees everybody's.
fn history(runs: &[Run], visitor: &Visitor) -> Markup {
    let mine = |run: &&Run| visitor.is_instructor() || run.responder == visitor.name;
    let shown: Vec<&Run> = runs.iter().filter(mine).collect();
    html! {
        section.card aria-labelledby="history-title" {
            h2 #history-title { "How it went" }
            (curve(&shown))
            @if shown.is_empty() {
                (empty("You have not taken it yet.", html! {
                    "Take it again after some days: the curve shows what stayed."
                }))
            } @else { (table(&shown, Utc::now())) }
        }
    }
}

/// Scores over the repeats, the oldest first; nothing for fewer than two.
fn curve(runs: &[&Run]) -> Markup {
    let scores: Vec<u32> = runs.iter().rev().filter_map(|run| run.points()).collect();
    let points: Vec<(f64, f64)> =
        scores.iter().enumerate().map(|(at, total)| (at as f64, f64::from(*total))).collect();
    let words: Vec<String> = scores.iter().map(u32::to_string).collect();
    html! {
        @if points.len() > 1 {
            figure.repeats {
                figcaption.muted { "Score in " (points.len()) " runs, the oldest first: " (words.join(", ")) }
                (spark(&points, &format!("Scores: {}", words.join(", "))))
            }
        }
    }
}

/// What will be asked, and what hints cost.
fn rules(drill: &Drill) -> Markup {
    let brief = drill.brief();
    let costs: Vec<String> = brief.hints.iter().map(u32::to_string).collect();
    html! {
        section.card aria-labelledby="rules-title" {
            h2 #rules-title { "What is asked" }
            dl.kv {
                dt { "Cause" } dd { "which components" }
                @if !brief.mechanisms.is_empty() {
                    dt { "Mechanism" } dd { "one of " (brief.mechanisms.len()) }
                }
                @if brief.asks_change { dt { "Change" } dd { "which one, or none" } }
                @if brief.asks_onset { dt { "Onset" } dd { "since when" } }
                @if brief.evidence > 0 {
                    dt { "Evidence" }
                    dd { (brief.evidence) @if brief.evidence == 1 { " query" } @else { " queries" } }
                }
                @if !costs.is_empty() { dt { "Hints" } dd { "cost " (costs.join(", ")) " points" } }
            }
            p.muted {
                "It begins once the system is healthy; the clock runs from then on. Abort it at any time: everything ends."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use incident::Viewer;

    use super::{
        super::progress::tests::{committed, over},
        *,
    };

    #[test]
    fn scores_over_repeats_are_a_curve_from_the_oldest_to_the_newest() {
        let (newest, oldest) = (over("noon", "ada", 80), over("noon", "ada", 30));
        let shown = curve(&[&newest, &oldest]).into_string();
        assert!(shown.contains("Score in 2 runs, the oldest first: 30, 80"), "{shown}");
        assert!(shown.contains("aria-label=\"Scores: 30, 80\""), "{shown}");
        assert_eq!(curve(&[&newest]).into_string(), "");
    }

    #[test]
    fn a_briefing_tells_no_component_no_mechanism_and_no_trait() {
        let drill = committed("rush-hour");
        let shown = facts_of(&drill, &Past::default(), false).into_string() + &rules(&drill).into_string();
        assert!(shown.contains("medium") && shown.contains("which components"), "{shown}");
        for told in ["nothing wrong", "harmless", "traffic"] {
            assert!(!shown.contains(told), "{told} in {shown}");
        }
        assert!(facts_of(&drill, &Past::default(), true).into_string().contains("nothing wrong"));
    }

    #[test]
    fn an_instructor_sees_the_runs_of_others() {
        let runs = [over("noon", "ben", 55)];
        let shown = |role| history(&runs, &Visitor { name: "ada".to_owned(), role }).into_string();
        assert!(shown(Viewer::Trainee).contains("You have not taken it yet."));
        assert!(shown(Viewer::Instructor).contains("ben"));
    }
}
