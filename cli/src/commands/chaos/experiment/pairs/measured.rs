//! What is kept of the pairs of automation, in `docs/measured/pairs.json`, and their table in `docs/automation.md`. A run adds to
//! the file and replaces only the pairs that it has run, so that they can be run in pieces.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::commands::{
    chaos::experiment::{
        pass::{Ending, Pass},
        report::Report,
    },
    drill::text::wrap,
    kept::{self, Stamp, tenth},
    marked::Marked,
};

/// Where it is, from the root of the checkout.
pub(super) const FILE: &str = "docs/measured/pairs.json";
/// Where the table is.
const PLACE: Marked = Marked {
    page: "docs/automation.md",
    begin: "<!-- Pairs: written by `just generate` from docs/measured/pairs.json; do not edit. -->\n",
    end: "<!-- End of the pairs. -->\n",
};
const HEAD: &str = "\
| experiment | well again, with | well again, without | times as long | the hypothesis | measured |
|---|---|---|---|---|---|
";
/// Widest line of prose in the book.
const COLUMNS: usize = 100;

/// What is kept, by experiment.
pub(super) type Measured = BTreeMap<String, Kept>;

/// What is kept of a pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// What tells the text of the experiment that was run.
    of: String,
    /// Whether its hypothesis holds.
    holds: bool,
    /// Seconds from the first step until all was well, with automation or the judge; 0 if nothing was bad, absent if it was not
    /// well at the end.
    with: Option<f64>,
    /// The same without it.
    without: Option<f64>,
    #[serde(flatten)]
    stamp: Stamp,
}

impl Kept {
    /// Of a report; nothing, if that knows nothing: it was stopped, or the system was not steady before.
    fn of(text: String, report: &Report, stamp: Stamp) -> Option<Self> {
        let holds = report.holds?;
        let time = |pass: Option<&Pass>| {
            let pass = pass.filter(|pass| pass.ending == Ending::Steady)?;
            pass.restored_after.map(tenth)
        };
        let (with, without) = (time(report.passes.first()), time(report.passes.get(1)));
        Some(Self { of: text, holds, with, without, stamp })
    }

    /// `holds: 30 s with, 121 s without (2026-06-01 at 3f2a9c0d1b7e)`.
    pub(super) fn words(&self) -> String {
        let (verdict, stamp) = (self.verdict(), self.stamp.words());
        format!("{verdict}: {} with, {} without ({stamp})", time(self.with), time(self.without))
    }

    const fn verdict(&self) -> &'static str {
        if self.holds { "holds" } else { "does not hold" }
    }

    fn row(&self, name: &str) -> String {
        let times = match (self.with, self.without) {
            (Some(with), Some(without)) if with > 0.0 => format!("{:.1}", without / with),
            _ => "-".to_owned(),
        };
        format!(
            "| [{name}](../drills/experiments/{name}.yaml) | {} | {} | {times} | {} | {} |\n",
            time(self.with),
            time(self.without),
            self.verdict(),
            self.stamp.words()
        )
    }
}

/// How long it took until all was well.
fn time(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) if seconds > 0.0 => format!("{seconds:.0} s"),
        Some(_) => "nothing was bad".to_owned(),
        None => "not by its end".to_owned(),
    }
}

/// What tells the text of an experiment from a later one.
///
/// # Errors
/// When its file cannot be read.
pub(super) fn text(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(kept::digest(&[text.as_str()]))
}

/// What is kept.
///
/// # Errors
/// When the file cannot be read, or is of another kind.
fn read(root: &Path) -> Result<Measured> {
    kept::read(&root.join(FILE))
}

/// What is kept. If it `writes`, a file that cannot be written is known at once.
///
/// # Errors
/// As `read`, and when the file cannot be written.
pub(super) fn open(root: &Path, writes: bool) -> Result<Measured> {
    kept::open(&root.join(FILE), writes)
}

/// Adds a report of an experiment with this text.
///
/// # Errors
/// As [`open`].
pub(super) fn keep(root: &Path, name: &str, text: &str, report: &Report) -> Result<()> {
    // What is not known says nothing: what was known stays.
    let Some(kept) = Kept::of(text.to_owned(), report, Stamp::now(root)) else { return Ok(()) };
    kept::change(&root.join(FILE), |all| all.insert(name.to_owned(), kept)).map(|_| ())
}

/// What is kept of this text of an experiment.
pub(super) fn current<'m>(all: &'m Measured, name: &str, text: &str) -> Option<&'m Kept> {
    all.get(name).filter(|kept| kept.of == text)
}

/// Whether a pair need not be run again: it holds, and its text is the same.
pub(super) fn is_known(all: &Measured, name: &str, text: &str) -> bool {
    current(all, name, text).is_some_and(|kept| kept.holds)
}

/// Writes the table into its page; returns whether it was different. Writes nothing if `check`. `names` are those of all pairs.
///
/// # Errors
/// When a file cannot be read or written, or keeps what no pair is called.
pub(super) fn write(root: &Path, names: &[String], check: bool) -> Result<bool> {
    let part = || -> Result<String> {
        let all = read(root)?;
        for name in all.keys() {
            ensure!(names.contains(name), "{FILE}: no pair of automation is called {name}: delete its entry");
        }
        Ok(table(names, &all))
    };
    PLACE.write(root, part, check)
}

/// The table, and what it does not have yet.
fn table(names: &[String], all: &Measured) -> String {
    let mut text = String::new();
    if !all.is_empty() {
        text.push_str(HEAD);
        all.iter().for_each(|(name, kept)| text.push_str(&kept.row(name)));
    }
    let open: Vec<&str> = names.iter().filter(|name| !all.contains_key(*name)).map(String::as_str).collect();
    if !open.is_empty() {
        if !all.is_empty() {
            text.push('\n');
        }
        let said = format!("Not measured yet, {} of {}: {}.", open.len(), names.len(), open.join(", "));
        wrap(&said, COLUMNS).iter().for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::chaos::experiment::{file, judge::HANGS};

    fn report(with: f64, without: f64) -> Report {
        let pass = |after: f64| {
            let mut pass = Pass::before(None);
            pass.ending = Ending::Steady;
            pass.restored_after = Some(after);
            pass
        };
        // Of automation nothing is known here.
        let experiment = file::read("x.yaml", &HANGS.replace("least: 1}", "least: 0}")).unwrap();
        Report::of(&experiment, vec![pass(with), pass(without)], Vec::new())
    }

    fn kept(with: f64, without: f64) -> Kept {
        Kept::of("t".to_owned(), &report(with, without), Stamp::default()).unwrap()
    }

    #[test]
    fn a_pair_has_a_row_and_the_others_are_named() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(table(&names, &Measured::new()), "Not measured yet, 3 of 3: a, b, c.\n");
        let first = Measured::from([("a".to_owned(), kept(30.0, 121.0)), ("b".to_owned(), kept(0.0, 90.0))]);
        let line = "| [a](../drills/experiments/a.yaml) | 30 s | 121 s | 4.0 | holds |  |\n";
        let other = "| [b](../drills/experiments/b.yaml) | nothing was bad | 90 s | - | holds |  |\n";
        assert_eq!(table(&names, &first), format!("{HEAD}{line}{other}\nNot measured yet, 1 of 3: c.\n"));
        assert_eq!(table(&names[..2], &first), format!("{HEAD}{line}{other}"));
        let slow = Measured::from([("a".to_owned(), kept(70.0, 121.0))]);
        assert!(table(&names[..1], &slow).contains("| 1.7 | does not hold |"), "{slow:?}");
    }

    #[test]
    fn a_run_replaces_its_own_pair_and_one_that_knows_nothing_none() {
        let folder = tempfile::tempdir().unwrap();
        let keep = |name: &str, report: &Report| keep(folder.path(), name, "t", report).unwrap();
        keep("a", &report(30.0, 121.0));
        keep("b", &report(70.0, 121.0));
        let mut unknown = report(1.0, 2.0);
        unknown.holds = None;
        keep("b", &unknown);
        let all = read(folder.path()).unwrap();
        assert!(all["a"].words().starts_with("holds: 30 s with, 121 s without ("), "{}", all["a"].words());
        assert_eq!((all["b"].holds, all["b"].with, all["b"].without), (false, Some(70.0), Some(121.0)));
        assert!(is_known(&all, "a", "t"));
        assert!(!is_known(&all, "a", "u") && !is_known(&all, "b", "t") && !is_known(&all, "c", "t"));
    }
}
