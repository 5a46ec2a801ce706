//! What a game day leaves: a table for everybody, and each run's own report.

use std::fmt::Write as _;

use drill::report::markdown::cell;

use super::plan::{Plan, Slot};
use crate::commands::drill::{card, text::clock, view::Run};

/// A drill of the day, and what became of it.
pub(super) struct Held {
    name: String,
    /// Absent if it did not begin.
    pub(super) run: Option<Run>,
    /// Why it did not.
    why: String,
}

impl Held {
    pub(super) fn of(slot: &Slot, run: Run) -> Self {
        Self { name: slot.name(), run: Some(run), why: String::new() }
    }

    pub(super) fn left(slot: &Slot) -> Self {
        Self { name: slot.name(), run: None, why: "there was no time left".to_owned() }
    }

    pub(super) fn refused(slot: &Slot, why: String) -> Self {
        Self { name: slot.name(), run: None, why }
    }

    fn score(&self) -> Option<f64> {
        self.run.as_ref()?.score.as_ref().map(|score| score.total)
    }

    fn row(&self) -> String {
        let Some(run) = &self.run else { return format!("| {} | | {} | | |", self.name, cell(&self.why)) };
        let score = self.score().map_or_else(|| "-".to_owned(), |score| format!("{score:.0}"));
        let (title, time) = (cell(&card::title(run)), clock(run.seconds()));
        format!("| {title} | {} | {} | {score} | {time} |", cell(&run.responder), run.verdict())
    }
}

/// The table.
pub(super) fn summary(held: &[Held]) -> String {
    let mut page = String::from("| drill | responder | verdict | score | took |\n|---|---|---|---|---|\n");
    for one in held {
        let _ = writeln!(page, "{}", one.row());
    }
    let scores: Vec<f64> = held.iter().filter_map(Held::score).collect();
    if !scores.is_empty() {
        let best = scores.iter().copied().fold(f64::MIN, f64::max);
        let worst = scores.iter().copied().fold(f64::MAX, f64::min);
        let _ = writeln!(page, "\n{} scored, from {worst:.0} to {best:.0} of 100.", scores.len());
    }
    page
}

/// The whole report.
pub(super) fn page(plan: &Plan, held: &[Held], scorecards: &[String]) -> String {
    let mut page = format!("# {}\n\n{}", plan.title, chrono::Local::now().format("%Y-%m-%d"));
    for (role, person) in &plan.roles {
        let _ = write!(page, ", {role} {person}");
    }
    let _ = write!(page, "\n\n{}", summary(held));
    page.push_str("\n## What we do about it\n\n| what | who | until |\n|---|---|---|\n| | | |\n");
    for scorecard in scorecards {
        // Its headings become those of a chapter.
        let lines = scorecard.trim().lines();
        let lines =
            lines.map(|line| if line.starts_with('#') { format!("#{line}") } else { line.to_owned() });
        let _ = write!(page, "\n{}\n", lines.collect::<Vec<_>>().join("\n"));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use serde_json::json;

    use super::*;

    fn slot(drill: &str) -> Slot {
        Slot { drill: Some(drill.to_owned()), difficulty: None, at: None, responder: None, note: None }
    }

    fn held(drill: &str, total: u32) -> Held {
        let run = json!({
            "id": 1, "drill": drill, "responder": "ada", "phase": "finished", "verdict": "passed",
            "started_at": "2026-11-21T10:00:00Z", "ended_at": "2026-11-21T10:05:30Z",
            "score": { "total": total },
        });
        Held::of(&slot(drill), Run::of(run).unwrap())
    }

    #[test]
    fn the_report_has_a_row_for_each_drill_even_for_those_that_did_not_begin() {
        let all = [held("noon", 71), held("first-page", 90), Held::left(&slot("full-house"))];
        let summary = summary(&all);
        assert!(summary.contains("| noon | ada | passed | 71 | 05:30 |"), "{summary}");
        assert!(summary.contains("| full-house | | there was no time left | | |"), "{summary}");
        assert!(summary.ends_with("2 scored, from 71 to 90 of 100.\n"), "{summary}");
        let plan = Plan {
            title: "Friday".to_owned(),
            length: Duration::from_secs(3600),
            rest: Duration::ZERO,
            roles: BTreeMap::from([("scribe".to_owned(), "dan".to_owned())]),
            slots: Vec::new(),
        };
        let page = page(&plan, &all, &["# noon: 71 of 100\n\n## Score\n".to_owned()]);
        assert!(page.starts_with("# Friday\n\n") && page.contains(", scribe dan"), "{page}");
        assert!(page.contains("\n## noon: 71 of 100\n\n### Score\n"), "{page}");
    }
}
