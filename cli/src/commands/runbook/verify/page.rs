//! The tables of `docs/automation.md`, from `docs/measured/runbooks.json`: what was measured, what is not yet, and what is not
//! proven on a lab, with the reason.

use std::{fmt::Write as _, path::Path};

use anyhow::{Result, ensure};

use super::{
    fault,
    measured::{self, FILE, Kept, Measured, Outcome},
    report::{Verdict, seconds},
    skip,
    way::Way,
};
use crate::commands::{drill::text::wrap, marked::Marked};

/// Where the tables are.
const PLACE: Marked = Marked {
    page: "docs/automation.md",
    begin: "<!-- Runbooks: written by `just generate` from docs/measured/runbooks.json; do not edit. -->\n",
    end: "<!-- End of the runbooks. -->\n",
};
const HEAD: &str = "\
| alert | n | fired | ended, nobody acts | ended, guided | ended, by itself | bound | the runbook | measured |
|---|---|---|---|---|---|---|---|---|
";
const UNPROVEN: &str = "\nNot proven here, because:\n\n| alert | why |\n|---|---|\n";
/// Widest line of prose in the book.
const COLUMNS: usize = 100;

/// Writes the tables into their page; returns whether it was different. Writes nothing if `check`.
///
/// # Errors
/// When a file cannot be read or written, or keeps what no page is called.
pub(super) fn write(root: &Path, check: bool) -> Result<bool> {
    let tables = || -> Result<String> {
        let (names, all) = (fault::names(root)?, measured::read(root)?);
        for name in all.keys() {
            ensure!(names.contains(name), "{FILE}: there is no page runbooks/{name}.md: delete its entry");
        }
        Ok(part(&names, &all))
    };
    PLACE.write(root, tables, check)
}

/// The tables of all pages.
fn part(names: &[String], all: &Measured) -> String {
    let mut text = String::new();
    let rows: Vec<String> = all.iter().filter_map(|(name, kept)| row(name, kept)).collect();
    if !rows.is_empty() {
        text.push_str(HEAD);
        rows.iter().for_each(|row| text.push_str(row));
        text.push('\n');
    }
    let tried: Vec<&String> = names.iter().filter(|name| skip::elsewhere(name).is_none()).collect();
    let open: Vec<String> = tried.iter().filter_map(|name| open(name, all.get(*name))).collect();
    let said = match open.len() {
        0 => "Everything that a lab on a machine can try is measured.".to_owned(),
        count => format!("Not measured yet, {count} of {}: {}.", tried.len(), open.join(", ")),
    };
    wrap(&said, COLUMNS).iter().for_each(|line| text.extend([line.as_str(), "\n"]));
    text.push_str(UNPROVEN);
    for (name, why) in skip::all_elsewhere() {
        let _ = writeln!(text, "| [{name}](../runbooks/{name}.md) | {why} |");
    }
    text
}

/// What is not measured yet of a page: its name, and in which ways if it is not all.
fn open(name: &str, kept: Option<&Kept>) -> Option<String> {
    let Some(kept) = kept else { return Some(name.to_owned()) };
    let helped = kept.auto.as_ref().is_some_and(|auto| auto.verdict == Verdict::Helped);
    let ways =
        [(Way::Manual, "guided", true), (Way::Auto, "by itself", true), (Way::Nobody, "nobody acts", helped)];
    let lacks = ways.into_iter().filter(|(way, _, needed)| *needed && kept.outcome(*way).is_none());
    let lacks: Vec<&str> = lacks.map(|(_, word, _)| word).collect();
    (!lacks.is_empty()).then(|| format!("{name} ({})", lacks.join(", ")))
}

/// What is kept of a page.
fn row(name: &str, kept: &Kept) -> Option<String> {
    let ways = || [Way::Auto, Way::Manual, Way::Nobody].into_iter().filter_map(|way| kept.outcome(way));
    let first = ways().next()?;
    let time = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), seconds);
    let ended = |way: Way| time(kept.outcome(way).and_then(|outcome| outcome.ended));
    let count = ways().map(|outcome| outcome.n).min().unwrap_or_default();
    let failed = match ways().map(|outcome| outcome.failed).sum::<usize>() {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    Some(format!(
        "| [{name}](../runbooks/{name}.md) | {count}{failed} | {} | {} | {} | {} | {} | {} | {} |\n",
        time(first.fired),
        ended(Way::Nobody),
        ended(Way::Manual),
        ended(Way::Auto),
        time(first.bound),
        verdicts(kept),
        first.stamp.words()
    ))
}

/// What the runbook did, by itself and guided.
fn verdicts(kept: &Kept) -> String {
    let words = |outcome: &Option<Outcome>| outcome.as_ref().map(|outcome| outcome.verdict.words());
    match (words(&kept.auto), words(&kept.manual)) {
        (Some(auto), Some(manual)) if auto != manual => format!("{auto}; guided: {manual}"),
        (Some(words), _) | (None, Some(words)) => words.to_owned(),
        (None, None) => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::measured::tests::{measured, row as measure},
        *,
    };

    fn names() -> Vec<String> {
        ["A", "B", "NodeNotReady"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_row_compares_who_acted_and_what_lacks_is_named() {
        let helped = measured(&[
            measure(Way::Auto, 30.2, Verdict::Helped),
            measure(Way::Manual, 41.0, Verdict::Helped),
            measure(Way::Nobody, 129.0, Verdict::Nobody),
        ]);
        let text = part(&names(), &helped);
        let line = "| [A](../runbooks/A.md) | 1 | 10 s | 2 min 9 s | 41 s | 30 s | 5 min 0 s | helped |  |\n";
        assert!(text.starts_with(&format!("{HEAD}{line}\n")), "{text}");
        assert!(text.contains("\nNot measured yet, 1 of 2: B.\n"), "{text}");
        assert!(
            text.contains("| [NodeNotReady](../runbooks/NodeNotReady.md) | it needs Kubernetes |\n"),
            "{text}"
        );
        let some = part(&names(), &measured(&[measure(Way::Auto, 30.0, Verdict::Helped)]));
        assert!(some.contains("Not measured yet, 2 of 2: A (guided, nobody acts), B."), "{some}");
        let waited = [Way::Auto, Way::Manual].map(|way| measure(way, 130.0, Verdict::Waited));
        let waited = part(&names()[..1], &measured(&waited));
        assert!(waited.contains("| waited |"), "{waited}");
        assert!(waited.contains("\nEverything that a lab on a machine can try is measured.\n"), "{waited}");
    }

    #[test]
    fn nothing_measured_is_a_sentence_and_a_failure_is_a_word() {
        let text = part(&names(), &Measured::new());
        assert!(text.starts_with("Not measured yet, 2 of 2: A, B.\n\nNot proven here"), "{text}");
        let failed = [measure(Way::Auto, 30.0, Verdict::Helped), measure(Way::Manual, 30.0, Verdict::Failed)];
        let text = part(&names(), &measured(&failed));
        assert!(text.contains("| 0, 1 failed | 10 s | - | - | 30 s |"), "{text}");
        assert!(text.contains("| helped; guided: FAILED |"), "{text}");
    }

    #[test]
    fn the_committed_page_is_what_the_committed_measurements_say() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(!write(&root, true).unwrap(), "run `lab runbook generate`, and commit what it writes");
    }
}
