//! What is kept of responders, in `docs/measured/bench.json`, and their table in `docs/agents.md`. Each run is added as soon as
//! it was judged, so that all drills can be measured in parts.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{
    report::{Report, Row},
    respond::Attempt,
};
use crate::commands::{
    drill::text::wrap,
    kept::{self, Stamp},
    marked::Marked,
};

/// Where it is, from the root of the checkout.
pub(crate) const FILE: &str = "docs/measured/bench.json";
/// Where the table is.
const PLACE: Marked = Marked {
    page: "docs/agents.md",
    begin: "<!-- Baseline scores: written by `just generate` from docs/measured/bench.json; do not edit. -->\n",
    end: "<!-- End of the baseline scores. -->\n",
};
const HEAD: &str = "\
| responder | drills x seeds | pass@1 | pass^k | score | acts | queries | time | measured |
|---|---|---|---|---|---|---|---|---|
";
/// The programs of `drills/responders` that every score is compared with.
const BASELINES: [&str; 3] = ["null", "restart-all", "follow-runbook"];
/// Widest line of prose in the book.
const COLUMNS: usize = 100;

/// Runs of one responder, by drill.
type Runs = BTreeMap<String, Vec<Kept>>;
/// The same, by responder.
type All = BTreeMap<String, Runs>;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// What tells the text of the drill.
    of: String,
    /// Whether the responder could read no answer.
    sealed: bool,
    attempt: Attempt,
    #[serde(flatten)]
    stamp: Stamp,
}

/// The file, for one responder.
pub(super) struct Book {
    root: PathBuf,
    responder: String,
    /// Whether runs are added.
    writes: bool,
    known: Runs,
    stamp: Stamp,
}

impl Book {
    /// Opens it. A file that cannot be written is known at once if it `writes`.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(super) fn open(root: &Path, responder: String, writes: bool) -> Result<Self> {
        let mut all: All = kept::open(&root.join(FILE), writes)?;
        let known = all.remove(&responder).unwrap_or_default();
        Ok(Self { root: root.to_path_buf(), responder, writes, known, stamp: Stamp::now(root) })
    }

    /// Whether a run with this seed counts, and is of the drill's present text.
    pub(super) fn knows(&self, drill: &str, seed: u64) -> bool {
        let text = text(&self.root, drill);
        let runs = self.known.get(drill).into_iter().flatten();
        runs.filter(|run| Some(&run.of) == text.as_ref()).any(|run| run.attempt.seed == Some(seed))
    }

    /// Adds a run that counts, in place of an older one with its seed, and writes the table.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn keep(&self, attempt: &Attempt, sealed: bool) -> Result<()> {
        if !self.writes || !attempt.is_valid() {
            return Ok(());
        }
        let of = text(&self.root, &attempt.drill)
            .with_context(|| format!("this checkout has no drill `{}`", attempt.drill))?;
        kept::change(&self.root.join(FILE), |all: &mut All| {
            let runs =
                all.entry(self.responder.clone()).or_default().entry(attempt.drill.clone()).or_default();
            runs.retain(|run| run.of == of && run.attempt.seed != attempt.seed);
            runs.push(Kept { of, sealed, attempt: attempt.clone(), stamp: self.stamp.clone() });
            runs.sort_by_key(|run| run.attempt.seed);
        })?;
        table(&self.root, false).map(|_| ())
    }
}

fn read(root: &Path) -> Result<All> {
    kept::read(&root.join(FILE))
}

/// What tells the present text of a drill from a later one; nothing if there is no such drill.
fn text(root: &Path, drill: &str) -> Option<String> {
    let text = std::fs::read_to_string(root.join(format!("drills/{drill}.yaml"))).ok()?;
    Some(kept::digest(&[text.as_str()]))
}

/// Writes the table from what is kept; returns whether its page was different. Writes nothing if `check`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn table(root: &Path, check: bool) -> Result<bool> {
    PLACE.write(root, || Ok(written(&read(root)?, |drill| text(root, drill))), check)
}

/// The table, and which baselines it does not have yet. `text` tells the present text of a drill.
fn written(all: &All, text: impl Fn(&str) -> Option<String>) -> String {
    let rows: Vec<String> = all.iter().filter_map(|(name, runs)| row(name, runs, &text)).collect();
    let mut page = String::new();
    if !rows.is_empty() {
        page.push_str(HEAD);
        page.extend(rows);
    }
    let open: Vec<&str> = BASELINES.into_iter().filter(|name| !all.contains_key(*name)).collect();
    if !open.is_empty() {
        if !page.is_empty() {
            page.push('\n');
        }
        for line in wrap(&format!("Not measured yet: {}.", open.join(", ")), COLUMNS) {
            let _ = writeln!(page, "{line}");
        }
    }
    page
}

/// The row of a responder: the drills that were run with every seed and have not changed since. Nothing if there is none.
fn row(name: &str, runs: &Runs, text: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let current = |drill: &String, runs: &[Kept]| -> Vec<Kept> {
        let text = text(drill);
        runs.iter().filter(|run| Some(&run.of) == text.as_ref()).cloned().collect()
    };
    let all: Vec<(&String, Vec<Kept>)> =
        runs.iter().map(|(drill, runs)| (drill, current(drill, runs))).collect();
    let seeds = all.iter().map(|(_, runs)| runs.len()).max().filter(|seeds| *seeds > 0)?;
    let whole = || all.iter().filter(|(_, runs)| runs.len() == seeds);
    let sealed = whole().all(|(_, runs)| runs.iter().all(|run| run.sealed));
    let newest = whole().flat_map(|(_, runs)| runs).map(|run| run.stamp.words()).max().unwrap_or_default();
    let rows = whole().map(|(drill, runs)| {
        let attempts = runs.iter().map(|run| run.attempt.clone()).collect();
        Row { attempts, ..Row::of(drill) }
    });
    let name = if sealed { name.to_owned() } else { format!("{name} (answers readable)") };
    let report = Report::new(name, u32::try_from(seeds).ok()?, sealed, rows.collect());
    // One more cell than what the command prints.
    Some(format!("{} {newest} |\n", report.markdown().trim_end()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn attempt(drill: &str, seed: u64, verdict: &str) -> Attempt {
        Attempt {
            drill: drill.to_owned(),
            run: 1,
            seed: Some(seed),
            verdict: verdict.to_owned(),
            score: Some(40.0),
            seconds: 60.0,
            acts: Vec::new(),
            queries: 3,
            exit: Some(0),
        }
    }

    #[test]
    fn the_committed_table_is_what_the_committed_runs_say() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(!table(&root, true).unwrap(), "run `lab drill generate`, and commit what it writes");
    }

    #[test]
    fn runs_are_added_one_by_one_and_only_those_of_the_present_text_count() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["drills", "docs"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let page = folder.path().join(PLACE.page);
        fs::write(&page, format!("# A\n\n{}{}", PLACE.begin, PLACE.end)).unwrap();
        let drill = |text: &str| fs::write(folder.path().join("drills/noon.yaml"), text).unwrap();
        drill("one");
        let open = || Book::open(folder.path(), "null".to_owned(), true).unwrap();
        open().keep(&attempt("noon", 1, "failed"), true).unwrap();
        open().keep(&attempt("noon", 2, "aborted"), true).unwrap();
        let book = open();
        assert_eq!(
            [1, 2].map(|seed| book.knows("noon", seed)),
            [true, false],
            "what was aborted says nothing"
        );
        open().keep(&attempt("noon", 2, "passed"), true).unwrap();
        open().keep(&attempt("noon", 1, "passed"), true).unwrap();
        let shown = fs::read_to_string(&page).unwrap();
        assert!(shown.contains("| null | 1 x 2 | 100 % | 100 % | 40 | 0 | 3 | 60 s | 20"), "{shown}");
        assert!(shown.contains("Not measured yet: restart-all, follow-runbook."), "{shown}");
        drill("another");
        assert!(!open().knows("noon", 1));
        open().keep(&attempt("noon", 1, "failed"), false).unwrap();
        let shown = fs::read_to_string(&page).unwrap();
        assert!(shown.contains("| null (answers readable) | 1 x 1 | 0 % | 0 % |"), "{shown}");
        let unknown = open().keep(&attempt("dusk", 1, "failed"), true).unwrap_err().to_string();
        assert_eq!(unknown, "this checkout has no drill `dusk`");
    }

    #[test]
    fn a_drill_that_was_not_run_with_every_seed_is_not_in_the_numbers() {
        let kept = |drill: &str, seed| {
            let (of, attempt) = ("t".to_owned(), attempt(drill, seed, "passed"));
            Kept { of, sealed: true, attempt, stamp: Stamp::default() }
        };
        let runs = Runs::from([
            ("noon".to_owned(), vec![kept("noon", 1), kept("noon", 2)]),
            ("dusk".to_owned(), vec![kept("dusk", 1)]),
        ]);
        let all = BTreeMap::from([("null".to_owned(), runs)]);
        let page = written(&all, |_| Some("t".to_owned()));
        assert!(page.contains("| null | 1 x 2 | 100 % |"), "{page}");
        let changed = written(&all, |_| None);
        assert!(changed.starts_with("Not measured yet: restart-all"), "{changed}");
        assert_eq!(
            written(&BTreeMap::new(), |_| None),
            "Not measured yet: null, restart-all, follow-runbook.\n"
        );
    }
}
