//! What a game day brought: each drill with its run, and the sum. As a part of the page, and as Markdown.

use std::{fmt::Write as _, sync::Arc};

use chrono::{DateTime, Utc};
use drill::{Drill, report::markdown::cell};
use incident::Role;
use maud::{Markup, html};

use super::plan::Plan;
use crate::web::{
    drills::facts::{Run, Stage},
    parts::{Tone, ago, badge},
};

/// A drill of the plan, and its run.
pub(super) struct Row {
    pub(super) drill: Arc<Drill>,
    pub(super) run: Option<Run>,
}

impl Row {
    /// What the run was worth.
    pub(super) fn points(&self) -> Option<u32> {
        self.run.as_ref().and_then(Run::points)
    }
}

/// The sum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) over: usize,
    pub(super) passed: usize,
    pub(super) hints: usize,
    /// Of the scores; of an even number of them, the lower one in the middle.
    pub(super) median: Option<u32>,
}

impl Summary {
    pub(super) fn of(rows: &[Row]) -> Self {
        let runs = || rows.iter().filter_map(|row| row.run.as_ref());
        let mut scores: Vec<u32> = rows.iter().filter_map(Row::points).collect();
        scores.sort_unstable();
        Self {
            over: runs().filter(|run| run.stage() == Stage::Over).count(),
            passed: runs().filter(|run| run.passed()).count(),
            hints: runs().map(|run| run.hints.len()).sum(),
            median: scores.get(scores.len().saturating_sub(1) / 2).copied(),
        }
    }
}

/// Where a run is, with its address.
pub(super) fn state(run: &Run, now: DateTime<Utc>) -> Markup {
    html! {
        a href=(run.path()) { "Run " (run.id) } " "
        @match run.stage() {
            Stage::Over => {
                @if run.passed() { (badge(Tone::Good, "passed")) }
                @else { (badge(Tone::Warn, run.verdict.as_deref().unwrap_or("over"))) }
            },
            _ => { (badge(Tone::Info, "on")) },
        }
        span.muted { " " (run.responder) ", " (ago(run.started_at, now)) }
    }
}

/// The whole report.
pub(super) fn markdown(plan: &Plan, rows: &[Row]) -> String {
    let title = if plan.title.is_empty() { "Game day" } else { plan.title.as_str() };
    let mut page = format!("# {}\n\nBegan {}.\n\n", cell(title), cell(&plan.from));
    for role in Role::ALL {
        let who = plan.who(role);
        if !who.is_empty() {
            let _ = writeln!(page, "- {role}: {}", cell(who));
        }
    }
    page.push_str("\n| drill | difficulty | who | ended | score | hints |\n|---|---|---|---|---|---|\n");
    for row in rows {
        let (id, difficulty) = (&row.drill.id, row.drill.difficulty);
        let Some(run) = &row.run else {
            let _ = writeln!(page, "| {id} | {difficulty} | - | not run | - | - |");
            continue;
        };
        let verdict = run.verdict.as_deref().unwrap_or("on");
        let points = run.points().map_or_else(|| "-".to_owned(), |points| points.to_string());
        let (who, hints) = (cell(&run.responder), run.hints.len());
        let _ = writeln!(page, "| {id} | {difficulty} | {who} | {verdict} | {points} | {hints} |");
    }
    let Summary { over, passed, hints, median } = Summary::of(rows);
    let median = median.map_or_else(|| "-".to_owned(), |median| median.to_string());
    let all = rows.len();
    let _ = write!(page, "\n{over} of {all} over, {passed} passed, median score {median}, ");
    let _ = writeln!(page, "hints taken: {hints}.");
    for run in rows.iter().filter_map(|row| row.run.as_ref()) {
        let Some(learned) = run.learned.as_deref().filter(|text| !text.trim().is_empty()) else { continue };
        let _ = write!(page, "\n## {}: what we learned\n\n{}\n", cell(run.title()), learned.trim());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::drills::facts::Score;

    fn row(name: &str, run: Option<Run>) -> Row {
        let path = format!("{}/../../drills/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        Row { drill: Arc::new(drill::read(&path, &text).unwrap()), run }
    }

    fn over(total: u32) -> Run {
        Run {
            id: 4,
            responder: "ada|ben".to_owned(),
            ended_at: Some(Utc::now()),
            verdict: Some("passed".to_owned()),
            hints: vec!["a hint".to_owned()],
            score: Some(Score { total, ..Score::default() }),
            learned: Some("Ask what changed.".to_owned()),
            ..Run::default()
        }
    }

    #[test]
    fn the_sum_counts_what_is_over_and_takes_the_median() {
        let rows = [row("first-page", Some(over(80))), row("noon", Some(over(40))), row("cut-off", None)];
        let summary = Summary::of(&rows);
        assert_eq!(summary, Summary { over: 2, passed: 2, hints: 2, median: Some(40) });
        assert_eq!(Summary::of(&[]), Summary { over: 0, passed: 0, hints: 0, median: None });
    }

    #[test]
    fn the_report_has_a_row_for_each_drill_and_what_people_wrote() {
        let from = "2026-05-04T10:00:00Z".to_owned();
        let plan = Plan { from, scribe: "ben".to_owned(), ..Plan::default() };
        let page = markdown(&plan, &[row("first-page", Some(over(80))), row("noon", None)]);
        for text in [
            "# Game day\n",
            "- scribe: ben\n",
            "| first-page | first-day | ada\\|ben | passed | 80 | 1 |",
            "| noon | medium | - | not run | - | - |",
            "1 of 2 over, 1 passed, median score 80, hints taken: 1.",
            "Ask what changed.",
        ] {
            assert!(page.contains(text), "{text} in {page}");
        }
    }
}
