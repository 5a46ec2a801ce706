//! The tables of `docs/automation.md`: what was measured, and what is not proven on a lab, with the reason.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    report::{Row, Verdict, seconds},
    rows::median,
    skip,
    way::Way,
};
use crate::{
    commands::marked::{self, Marked, table_or_nothing},
    home::Home,
};

/// Where the tables are.
const PLACE: Marked = Marked {
    page: "docs/automation.md",
    begin: "<!-- Written by `lab runbook verify --all --markdown`; do not edit. -->\n",
    end: "<!-- End of the measurements. -->\n",
};
const HEAD: &str = "| alert | n | fired | ended, nobody acts | ended, with its runbook | the runbook |\n|---|---|---|---|---|---|\n";
const UNPROVEN: &str = "\nNot proven here, because:\n\n| alert | why |\n|---|---|\n";

/// Writes the tables into their page. What is measured now replaces what the page has of the same runbooks; the others stay, so
/// that they can be measured one after the other.
pub(super) fn write(home: &Home, rows: &[Row]) -> Result<()> {
    PLACE.rewrite(&home.root, |old| {
        let (measured, unproven) = old.split_once(UNPROVEN).unwrap_or((old, ""));
        let lines = table(rows, measured);
        format!("{}{}", table_or_nothing(HEAD, &lines), rest(rows, unproven, &lines))
    })
}

/// What was measured, by runbook.
fn table(rows: &[Row], old: &str) -> BTreeMap<String, String> {
    let mut lines = marked::rows(old);
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

/// What is not proven: what no lab on this machine can try, and what these labs lacked. Nothing of that was measured.
fn rest(rows: &[Row], old: &str, measured: &BTreeMap<String, String>) -> String {
    let line =
        |name: &str, why: &str| (name.to_owned(), format!("| [{name}](../runbooks/{name}.md) | {why} |"));
    let mut unproven = marked::rows(old);
    unproven.extend(skip::all_elsewhere().map(|(name, why)| line(name, why)));
    let skipped = rows.iter().filter(|row| !row.is_measured());
    unproven.extend(skipped.map(|row| line(&row.runbook, row.problem.as_deref().unwrap_or_default())));
    for row in rows.iter().filter(|row| row.is_measured()) {
        unproven.remove(&row.runbook);
    }
    unproven.retain(|name, _| !measured.contains_key(name));
    if unproven.is_empty() { String::new() } else { marked::table(UNPROVEN, &unproven) }
}

/// The medians of one runbook, if it was measured with it and without, and how often it failed: a median of what worked alone
/// would hide that.
fn compared(name: &str, rows: &[&Row]) -> Option<String> {
    let of = |way: Way| rows.iter().filter(move |row| row.way == way && row.verdict != Verdict::Failed);
    let middle = |times: Vec<f64>| median(times).map(seconds);
    let ended = |way: Way| middle(of(way).filter_map(|row| row.ended).collect());
    let (without, with) = (ended(Way::Nobody)?, ended(Way::Auto)?);
    let fired = middle(of(Way::Auto).filter_map(|row| row.fired).collect()).unwrap_or_default();
    let verdict = of(Way::Auto).next_back().map_or("", |row| row.verdict.words());
    let count = of(Way::Auto).count().min(of(Way::Nobody).count());
    let failed = match rows.iter().filter(|row| row.verdict == Verdict::Failed).count() {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    Some(format!(
        "| [{name}](../runbooks/{name}.md) | {count}{failed} | {fired} | {without} | {with} | {verdict} |"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::marked::NOTHING;

    fn row(way: Way, ended: f64, verdict: Verdict) -> Row {
        let failed = Row::failed("A", way, String::new());
        Row { fired: Some(9.6), ended: Some(ended), cause: 120.0, verdict, problem: None, ..failed }
    }

    fn table(rows: &[Row], old: &str) -> String {
        table_or_nothing(HEAD, &super::table(rows, old))
    }

    #[test]
    fn the_table_compares_medians_of_what_did_not_fail_and_says_what_did() {
        let rows = [
            row(Way::Auto, 30.2, Verdict::Helped),
            row(Way::Auto, 31.0, Verdict::Helped),
            row(Way::Auto, 400.0, Verdict::Failed),
            row(Way::Nobody, 129.0, Verdict::Nobody),
        ];
        let text = table(&rows, "\nNot measured yet.\n");
        let line = "| [A](../runbooks/A.md) | 1, 1 failed | 10 s | 2 min 9 s | 31 s | helped |\n";
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
