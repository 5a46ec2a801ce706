//! The tables of `docs/automation.md`: what was measured, and what is not proven on a lab, with the reason.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};

use super::{
    report::{Row, Verdict, seconds},
    rows::median,
    skip,
    way::Way,
};
use crate::home::Home;

/// The page with the table.
const PAGE: &str = "docs/automation.md";
/// Between these lines it is written.
const BEGIN: &str = "<!-- Written by `lab runbook verify --all --markdown`; do not edit. -->\n";
const END: &str = "<!-- End of the measurements. -->\n";
const HEAD: &str = "| alert | n | fired | ended, nobody acts | ended, with its runbook | the runbook |\n|---|---|---|---|---|---|\n";
const NOTHING: &str = "Not measured yet: run the command above.\n";
const UNPROVEN: &str = "\nNot proven here, because:\n\n| alert | why |\n|---|---|\n";

/// Writes the tables into their page. What is measured now replaces what the page has of the same runbooks; the others stay, so
/// that they can be measured one after the other.
pub(super) fn write(home: &Home, rows: &[Row]) -> Result<()> {
    let path = home.root.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let lacks = |line: &str| format!("{PAGE} has no line `{}`", line.trim());
    let (before, behind) = page.split_once(BEGIN).with_context(|| lacks(BEGIN))?;
    let (old, after) = behind.split_once(END).with_context(|| lacks(END))?;
    let (measured, unproven) = old.split_once(UNPROVEN).unwrap_or((old, ""));
    let lines = table(rows, measured);
    let text = format!("{before}{BEGIN}\n{}{}\n{END}{after}", text(&lines), rest(rows, unproven, &lines));
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The lines of a table, by runbook.
fn lines(table: &str) -> BTreeMap<String, String> {
    let known = table.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| [")?.split_once(']')?;
        Some((name.to_owned(), line.to_owned()))
    });
    known.collect()
}

/// What was measured, by runbook.
fn table(rows: &[Row], old: &str) -> BTreeMap<String, String> {
    let mut lines = lines(old);
    for name in rows.iter().filter(|row| row.is_measured()).map(|row| row.runbook.as_str()) {
        let own: Vec<&Row> = rows.iter().filter(|row| row.runbook == name).collect();
        if let Some(line) = compared(name, &own) {
            lines.insert(name.to_owned(), line);
        } else if own.iter().any(|row| row.verdict == Verdict::Failed) {
            // What was true once is not claimed any longer.
            lines.remove(name);
        }
    }
    lines
}

fn text(lines: &BTreeMap<String, String>) -> String {
    if lines.is_empty() {
        return NOTHING.to_owned();
    }
    let mut text = HEAD.to_owned();
    lines.values().for_each(|line| text.extend([line.as_str(), "\n"]));
    text
}

/// What is not proven: what no lab on this machine can try, and what these labs lacked. Nothing of that was measured.
fn rest(rows: &[Row], old: &str, measured: &BTreeMap<String, String>) -> String {
    let line =
        |name: &str, why: &str| (name.to_owned(), format!("| [{name}](../runbooks/{name}.md) | {why} |"));
    let mut unproven = lines(old);
    unproven.extend(skip::all_elsewhere().map(|(name, why)| line(name, why)));
    let skipped = rows.iter().filter(|row| !row.is_measured());
    unproven.extend(skipped.map(|row| line(&row.runbook, row.problem.as_deref().unwrap_or_default())));
    for row in rows.iter().filter(|row| row.is_measured()) {
        unproven.remove(&row.runbook);
    }
    unproven.retain(|name, _| !measured.contains_key(name));
    if unproven.is_empty() {
        return String::new();
    }
    let mut text = UNPROVEN.to_owned();
    unproven.values().for_each(|line| text.extend([line.as_str(), "\n"]));
    text
}

/// The medians of one runbook, if it was measured with it and without.
fn compared(name: &str, rows: &[&Row]) -> Option<String> {
    let of = |way: Way| rows.iter().filter(move |row| row.way == way && row.verdict != Verdict::Failed);
    let middle = |times: Vec<f64>| median(times).map(seconds);
    let ended = |way: Way| middle(of(way).filter_map(|row| row.ended).collect());
    let (without, with) = (ended(Way::Nobody)?, ended(Way::Auto)?);
    let fired = middle(of(Way::Auto).filter_map(|row| row.fired).collect()).unwrap_or_default();
    let verdict = of(Way::Auto).next_back().map_or("", |row| row.verdict.words());
    let count = of(Way::Auto).count().min(of(Way::Nobody).count());
    Some(format!("| [{name}](../runbooks/{name}.md) | {count} | {fired} | {without} | {with} | {verdict} |"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: Way, ended: f64, verdict: Verdict) -> Row {
        let failed = Row::failed("A", way, String::new());
        Row { fired: Some(9.6), ended: Some(ended), cause: 120.0, verdict, problem: None, ..failed }
    }

    fn table(rows: &[Row], old: &str) -> String {
        text(&super::table(rows, old))
    }

    #[test]
    fn the_table_compares_medians_and_leaves_out_what_failed() {
        let rows = [
            row(Way::Auto, 30.2, Verdict::Helped),
            row(Way::Auto, 31.0, Verdict::Helped),
            row(Way::Auto, 400.0, Verdict::Failed),
            row(Way::Nobody, 129.0, Verdict::Nobody),
        ];
        let text = table(&rows, "\nNot measured yet.\n");
        let line = "| [A](../runbooks/A.md) | 1 | 10 s | 2 min 9 s | 31 s | helped |\n";
        assert!(text.ends_with(&format!("|---|\n{line}")), "{text}");
        assert!(!rows[2].is_fine() && rows[0].is_fine());
        assert_eq!(table(&rows[..2], ""), NOTHING, "nothing to compare with");
        assert_eq!(table(&rows[2..3], &text), NOTHING, "it does not help any longer");

        let other = [
            Row { runbook: "B".to_owned(), ..rows[0].clone() },
            Row { runbook: "B".to_owned(), ..rows[3].clone() },
        ];
        let both = table(&other, &text);
        assert!(
            both.contains(line) && both.contains("| [B](../runbooks/B.md) | 1 |"),
            "one after the other: {both}"
        );
        assert_eq!(table(&[Row::skipped("A", "it needs Kubernetes")], &both), both, "a skip says nothing");
    }

    #[test]
    fn what_is_not_proven_says_why_until_it_is_measured() {
        let skipped = [Row::skipped("B", "it needs Loki")];
        let first = rest(&skipped, "", &BTreeMap::new());
        assert!(first.starts_with(UNPROVEN), "{first}");
        assert!(first.contains("| [B](../runbooks/B.md) | it needs Loki |\n"), "{first}");
        assert!(
            first.contains("| [NodeNotReady](../runbooks/NodeNotReady.md) | it needs Kubernetes |\n"),
            "{first}"
        );
        let kept = rest(&[row(Way::Auto, 30.0, Verdict::Helped)], &first, &BTreeMap::new());
        assert_eq!(kept, first, "another one was measured");
        let measured = Row { runbook: "B".to_owned(), ..row(Way::Auto, 30.0, Verdict::Helped) };
        assert!(!rest(&[measured], &first, &BTreeMap::new()).contains("[B]"));
        let before = BTreeMap::from([("B".to_owned(), "| [B] |".to_owned())]);
        assert!(!rest(&skipped, &first, &before).contains("[B]"), "what was measured once stays measured");
    }
}
