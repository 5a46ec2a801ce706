//! What is kept of the answers, in `docs/measured/validity.json`, and their table in `docs/validity.md`. Each run adds its
//! answers, so that all drills can be asked about in parts; what took an hour is not lost if somebody ends it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use drill::Drill;
use serde::{Deserialize, Serialize};

use super::{
    question::Check,
    sheet::{Answer, Sheet},
};
use crate::commands::{
    drill::{files, text::wrap, verify::proof::Seen},
    kept::{self, Stamp},
    marked::Marked,
};

/// Where it is, from the root of the checkout.
pub(in crate::commands::drill) const FILE: &str = "docs/measured/validity.json";
/// Where the table is.
const PLACE: Marked = Marked {
    page: "docs/validity.md",
    begin: "<!-- Answers: written by `just generate` from docs/measured/validity.json; do not edit. -->\n",
    end: "<!-- End of the answers. -->\n",
};
const HEAD: &str = "\
| drill | pages: measured of stated | solution | nothing | restart-all | mutations noticed | same seed | leaks | measured |
|---|---|---|---|---|---|---|---|---|
";
/// What marks an answer about an older text of its drill.
const OLD: &str = " (changed since)";
/// Widest line of prose in the book.
const COLUMNS: usize = 100;

/// What is kept, by drill.
type All = BTreeMap<String, Known>;

/// What is kept of one drill.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    /// Pages of the last solution.
    #[serde(default)]
    pages: Vec<Seen>,
    /// By question.
    answers: BTreeMap<String, Told>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    /// What tells the text of the drill that was asked about.
    of: String,
    answer: Answer,
    #[serde(flatten)]
    stamp: Stamp,
}

/// The file, as one run of the command uses it.
pub(super) struct Book {
    root: PathBuf,
    /// Whether answers are added.
    writes: bool,
    /// What tells the present text of each drill.
    texts: BTreeMap<String, String>,
    /// What was known when it was opened.
    known: All,
    stamp: Stamp,
}

impl Book {
    /// Opens it. A file that cannot be written is known at once if it `writes`.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn open(root: &Path, drills: &BTreeMap<String, Drill>, writes: bool) -> Result<Self> {
        let known = kept::open(&root.join(FILE), writes)?;
        let texts = texts(root, drills.keys())?;
        Ok(Self { root: root.to_path_buf(), writes, texts, known, stamp: Stamp::now(root) })
    }

    /// Whether the right answer about the present text of a drill is known.
    pub(super) fn knows(&self, drill: &str, check: Check) -> bool {
        let told = self.known.get(drill).and_then(|known| known.answers.get(check.name()));
        told.is_some_and(|told| {
            self.texts.get(drill) == Some(&told.of) && matches!(told.answer, Answer::Right(_))
        })
    }

    /// Whether anything is known about the present text of a drill.
    pub(super) fn has(&self, drill: &str) -> bool {
        let mut known = self.known.get(drill).into_iter().flat_map(|known| known.answers.values());
        known.any(|told| self.texts.get(drill) == Some(&told.of))
    }

    /// What is known of a drill, in a line.
    pub(super) fn words(&self, drill: &str) -> String {
        let text = self.texts.get(drill).map_or("", String::as_str);
        let known = self.known.get(drill).map(|known| known.answers.iter()).into_iter().flatten();
        let words: Vec<String> =
            known.map(|(question, told)| format!("{question} {}", told.words(text))).collect();
        if words.is_empty() { "nothing is known yet".to_owned() } else { words.join(", ") }
    }

    /// Adds the answers of a sheet, and writes the table. Another process may have added some meanwhile.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn keep(&self, sheet: &Sheet) -> Result<()> {
        if !self.writes {
            return Ok(());
        }
        let text = self.texts.get(&sheet.drill).map_or("", String::as_str);
        kept::change(&self.root.join(FILE), |all: &mut All| {
            all.entry(sheet.drill.clone()).or_default().take(sheet, text, &self.stamp);
        })?;
        table(&self.root, false).map(|_| ())
    }
}

impl Known {
    /// Takes what a sheet says. What was not asked says nothing, and what is open does not replace what is known of the same
    /// text.
    fn take(&mut self, sheet: &Sheet, text: &str, stamp: &Stamp) {
        if !sheet.pages.is_empty() {
            self.pages.clone_from(&sheet.pages);
        }
        for (question, answer) in sheet.answers() {
            if *answer == Answer::not_asked() || is_none(answer) {
                continue;
            }
            let known = self.answers.get(question).is_some_and(|told| told.of == text);
            if known && matches!(answer, Answer::Open(_)) {
                continue;
            }
            let told = Told { of: text.to_owned(), answer: answer.clone(), stamp: stamp.clone() };
            self.answers.insert(question.to_owned(), told);
        }
    }

    fn row(&self, drill: &str, text: &str) -> String {
        let pages = self.pages.iter().map(Seen::words).collect::<Vec<_>>().join(", ");
        let mut row = format!("| {drill} | {} |", if pages.is_empty() { "-" } else { pages.as_str() });
        for check in Check::ALL {
            let told = self.answers.get(check.name());
            let _ = write!(row, " {} |", told.map_or_else(|| "-".to_owned(), |told| told.words(text)));
        }
        // A stamp begins with its day.
        let newest = self.answers.values().map(|told| told.stamp.words()).max().unwrap_or_default();
        row + &format!(" {newest} |\n")
    }
}

/// Whether a run said nothing about its drill: it could not begin, its baseline was not healthy, or somebody changed the system
/// or ended it meanwhile.
fn is_none(answer: &Answer) -> bool {
    let of_run = |why: &str| ["refused", "invalid", "aborted"].iter().any(|verdict| why.starts_with(verdict));
    matches!(answer, Answer::Wrong(why) if of_run(why))
}

impl Told {
    /// In a word or two; `text` tells the present one.
    fn words(&self, text: &str) -> String {
        let old = if self.of == text { "" } else { OLD };
        format!("{}{old}", self.answer.word())
    }
}

/// Writes the table from what is kept; returns whether its page was different. Writes nothing if `check`.
///
/// # Errors
/// When a file cannot be read or written, or keeps what no drill is called.
pub(in crate::commands::drill) fn table(root: &Path, check: bool) -> Result<bool> {
    let part = || -> Result<String> {
        let all: All = kept::read(&root.join(FILE))?;
        let drills = files::all(root)?;
        for name in all.keys() {
            ensure!(drills.contains_key(name), "{FILE}: no drill is called {name}: delete its entry");
        }
        Ok(written(&all, &texts(root, drills.keys())?))
    };
    PLACE.write(root, part, check)
}

/// What tells the text of each drill from a later one.
fn texts<'n>(root: &Path, names: impl Iterator<Item = &'n String>) -> Result<BTreeMap<String, String>> {
    let text = |name: &String| -> Result<(String, String)> {
        let path = root.join(format!("drills/{name}.yaml"));
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((name.clone(), kept::digest(&[text.as_str()])))
    };
    names.map(text).collect()
}

/// The table, and what it does not have yet.
fn written(all: &All, texts: &BTreeMap<String, String>) -> String {
    let mut page = String::new();
    if !all.is_empty() {
        page.push_str(HEAD);
        let text = |name: &String| texts.get(name).map_or("", String::as_str);
        page.extend(all.iter().map(|(name, known)| known.row(name, text(name))));
    }
    let open: Vec<&str> = texts.keys().filter(|name| !all.contains_key(*name)).map(String::as_str).collect();
    if !open.is_empty() {
        if !all.is_empty() {
            page.push('\n');
        }
        let said = format!("Not verified yet, {} of {}: {}.", open.len(), texts.len(), open.join(", "));
        for line in wrap(&said, COLUMNS) {
            let _ = writeln!(page, "{line}");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn right(word: &str) -> Answer {
        Answer::Right(word.to_owned())
    }

    #[test]
    fn the_committed_table_is_what_the_committed_answers_say() {
        assert!(!table(&root(), true).unwrap(), "run `lab drill generate`, and commit what it writes");
    }

    #[test]
    fn answers_are_added_and_an_open_one_replaces_nothing() {
        let mut known = Known::default();
        let first = Sheet { solution: right("passes"), leaks: right("none in 2 kB"), ..Sheet::of("noon") };
        known.take(&first, "a", &Stamp::default());
        let open = Answer::Open("open".to_owned());
        let second = Sheet { nothing: right("fails"), leaks: open.clone(), ..Sheet::of("noon") };
        known.take(&second, "a", &Stamp::default());
        let row = known.row("noon", "a");
        assert_eq!(row, "| noon | - | passes | fails | - | - | - | none in 2 kB |  |\n");
        let said = "refused: another drill is under way".to_owned();
        let refused = Sheet { solution: Answer::Wrong(said), ..Sheet::of("noon") };
        known.take(&refused, "a", &Stamp::default());
        assert!(known.row("noon", "a").contains("| passes |"), "a run that did not begin says nothing");
        let third = Sheet { leaks: open, ..Sheet::of("noon") };
        known.take(&third, "b", &Stamp::default());
        let row = known.row("noon", "b");
        let old = "passes (changed since) | fails (changed since) | - | - | - | open |";
        assert!(row.contains(old), "what was asked about another text stays until it is asked again: {row}");
    }

    #[test]
    fn what_is_kept_is_read_again_and_known_only_if_it_is_right_and_of_this_text() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["drills", "docs"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let page = format!("# A\n\n{}{}", PLACE.begin, PLACE.end);
        fs::write(folder.path().join(PLACE.page), page).unwrap();
        let file = folder.path().join("drills/noon.yaml");
        fs::copy(root().join("drills/noon.yaml"), &file).unwrap();
        let open = |writes| {
            let drills = files::all(folder.path()).unwrap();
            Book::open(folder.path(), &drills, writes).unwrap()
        };
        let wrong = Answer::Wrong("it passes".to_owned());
        let sheet = Sheet { solution: right("passes"), nothing: wrong, ..Sheet::of("noon") };
        open(false).keep(&sheet).unwrap();
        assert!(!open(true).knows("noon", Check::Solution), "nothing was to be kept");
        open(true).keep(&sheet).unwrap();
        let book = open(false);
        let knows = |check| book.knows("noon", check);
        assert_eq!([Check::Solution, Check::Nothing, Check::Leaks].map(knows), [true, false, false]);
        assert!(book.has("noon") && !book.has("dusk"));
        assert_eq!(book.words("noon"), "nothing WRONG, solution passes");
        let shown = fs::read_to_string(folder.path().join(PLACE.page)).unwrap();
        assert!(shown.contains("| noon | - | passes | WRONG | - | - | - | - |"), "{shown}");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}# Another text.\n")).unwrap();
        let book = open(false);
        assert!(!book.knows("noon", Check::Solution) && !book.has("noon"), "the drill has changed");
    }

    #[test]
    fn what_was_not_asked_about_is_named() {
        let texts = ["a", "b"].map(|name| (name.to_owned(), "t".to_owned())).into();
        assert_eq!(written(&All::new(), &texts), "Not verified yet, 2 of 2: a, b.\n");
        let all = All::from([("a".to_owned(), Known::default())]);
        let page = written(&all, &texts);
        assert!(page.starts_with(HEAD) && page.ends_with("|\n\nNot verified yet, 1 of 2: b.\n"), "{page}");
    }
}
