//! Reports for people: a verification, a table of many, and the scorecard that a person may show to others.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::{
    Drill, Outcome, Scorecard,
    engine::{Failure, Mode, Sighting},
};

/// A table of many verifications.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let mut page = String::from(
        "| drill | verdict | seed | first page | recovered | took |\n|---|---|---|---|---|---|\n",
    );
    for outcome in outcomes {
        let since = |at: Option<DateTime<Utc>>| match (outcome.injected, at) {
            (Some(from), Some(at)) => format!("{:.1} s", (at - from).as_seconds_f64()),
            _ => "-".to_owned(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {:.0} s |",
            outcome.drill,
            outcome.verdict,
            outcome.seed,
            since(outcome.paged().map(|page| page.at)),
            since(outcome.recovered),
            (outcome.ended - outcome.started).as_seconds_f64()
        );
    }
    page
}

/// One verification: what was seen and when, who was paged, and what was not met.
#[must_use]
pub fn verification(drill: &Drill, outcome: &Outcome) -> String {
    let responder = match &outcome.mode {
        Mode::Verify { responder } => responder.to_string(),
        Mode::Person { name } => cell(name),
    };
    let mut page = format!(
        "# {}: {}\n\n`{}`, seed {}, responder {responder}, started {}.\n",
        cell(&drill.title),
        outcome.verdict,
        drill.id,
        outcome.seed,
        time(outcome.started)
    );
    sightings(&mut page, "Signals", &outcome.signals);
    sightings(&mut page, "Causal path", &outcome.path);
    if !outcome.notices.is_empty() {
        page.push_str("\n## Notifications\n\n| time | what | alert | service |\n|---|---|---|---|\n");
        for notice in &outcome.notices {
            let kind = if notice.page { "page" } else { "ticket" };
            let state = if notice.firing { "fires" } else { "ended" };
            let (alert, service) = (cell(&notice.alert), cell(&notice.service));
            let _ = writeln!(page, "| {} | {kind} {state} | {alert} | {service} |", time(notice.at));
        }
    }
    failures(&mut page, &outcome.failures);
    page
}

/// What a person did, was worth, and should learn. The truth is in it: only after the run.
#[must_use]
pub fn scorecard(drill: &Drill, outcome: &Outcome, score: &Scorecard) -> String {
    let mut page = format!(
        "# {}: {} of 100\n\n{}, {}. Verdict: {}.{}\n\n## Score\n\n| criterion | weight | points | measured |\n|---|---|---|---|\n",
        cell(&drill.title),
        score.total,
        cell(&score.responder),
        time(outcome.started),
        score.verdict,
        if score.seen { " The solution was known from an earlier run." } else { "" }
    );
    for line in &score.lines {
        let share = line.share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0));
        let _ = writeln!(page, "| {} | {} | {share} | {} |", line.criterion, line.weight, cell(&line.value));
    }
    for deduction in &score.deductions {
        let _ = writeln!(page, "| deduction | | -{} | {} |", deduction.points, cell(&deduction.why));
    }
    timeline(&mut page, outcome);
    page.push_str("\n## What was wrong\n\n");
    if drill.faults.is_empty() {
        page.push_str("Nothing.\n");
    }
    for fault in &drill.faults {
        let after = humantime::format_duration(fault.after);
        let _ = writeln!(page, "- `{}` in {}, {after} after the start", fault.fault, fault.target());
    }
    sightings(&mut page, "How it spread", &outcome.path);
    let _ = write!(page, "\n## Debrief\n\n{}\n\n## What I learned\n\n", drill.debrief);
    page
}

fn timeline(page: &mut String, outcome: &Outcome) {
    let record = &outcome.record;
    let mut entries: Vec<(DateTime<Utc>, String)> = Vec::new();
    let mut add = |at: Option<DateTime<Utc>>, text: &str| entries.extend(at.map(|at| (at, text.to_owned())));
    add(outcome.injected, "it began");
    add(outcome.affected, "users were affected");
    add(record.noticed, "noticed");
    add(record.acknowledged, "acknowledged");
    add(outcome.mitigated, "users were served again");
    add(record.submitted, "declared over");
    add(outcome.recovered, "recovered");
    let pages = outcome.notices.iter().filter(|notice| notice.page);
    entries.extend(pages.map(|page| {
        let what = if page.firing { "page" } else { "page ended" };
        (page.at, format!("{what}: {} of {}", page.alert, page.service))
    }));
    entries.extend(record.updates.iter().map(|at| (*at, "update".to_owned())));
    entries.extend(record.acts.iter().map(|(at, act)| (*at, act.to_string())));
    entries.sort();
    page.push_str("\n## Timeline\n\n| time | what |\n|---|---|\n");
    for (at, text) in entries {
        let _ = writeln!(page, "| {} | {} |", time(at), cell(&text));
    }
}

fn sightings(page: &mut String, title: &str, list: &[Sighting]) {
    if list.is_empty() {
        return;
    }
    let _ =
        write!(page, "\n## {title}\n\n| what | seen after | stated within | query |\n|---|---|---|---|\n");
    for one in list {
        let seen = one.seen.map_or_else(|| "never".to_owned(), |seen| format!("{seen:.1} s"));
        let _ =
            writeln!(page, "| {} | {seen} | {:.0} s | {} |", cell(&one.name), one.within, code(&one.query));
    }
}

fn failures(page: &mut String, list: &[Failure]) {
    if list.is_empty() {
        return;
    }
    page.push_str("\n## Not met\n\n| phase | condition | expected | seen | query |\n|---|---|---|---|---|\n");
    for failure in list {
        let query = if failure.query.is_empty() { String::new() } else { code(&failure.query) };
        let (condition, expected) = (cell(&failure.condition), cell(&failure.expected));
        let seen = cell(&failure.seen);
        let _ = writeln!(page, "| {} | {condition} | {expected} | {seen} | {query} |", failure.phase);
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A text as a cell of a table: one line, and nothing in it is markup.
#[must_use]
pub fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => cell.push(' '),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '<' | '>' => cell.extend(['\\', c]),
            c if c.is_control() => {}
            c => cell.push(c),
        }
    }
    cell
}

/// A query as code in a cell: a bar would end the cell, and a backtick the code.
fn code(query: &str) -> String {
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("`{}`", line.replace('`', "'").replace('|', "\\|"))
}
