//! The tests that the documentation names exist: a promise whose test has another name now is a promise without proof.
//!
//! A finding names file and line.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Names with this many words are sentences: tests, unless another kind of file has them, as rules, dashboards and
/// scrapes have metrics.
const SENTENCE: usize = 5;

/// Settings of PostgreSQL that nothing here sets, and a metric that only a scenario's run exports.
const OTHERS: &[&str] =
    &["idle_in_transaction_session_timeout", "load_target_journeys_per_second", "max_slot_wal_keep_size"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

fn is_sentence(word: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    word.split('_').count() >= SENTENCE && word.split('_').all(plain)
}

/// The identifiers of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// The functions of a Rust file.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.split("fn ").skip(1).filter_map(|rest| words(rest).next())
}

/// What there is, and what the pages name.
#[derive(Default)]
struct Found {
    known: BTreeSet<String>,
    /// File and line, and the name.
    named: Vec<(String, String)>,
}

impl Found {
    fn look_into(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let last = path.file_name().expect("a name").to_string_lossy().into_owned();
            if ["target", "node_modules"].contains(&last.as_str())
                || last.starts_with('.')
                || path.is_symlink()
            {
                continue;
            }
            if path.is_dir() {
                self.look_into(&path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(root()).expect("below it").to_string_lossy();
                self.read(&name, &text);
            }
        }
    }

    fn read(&mut self, name: &str, text: &str) {
        let keep = |word: &&str| is_sentence(word);
        if name.ends_with(".md") {
            for (at, line) in text.lines().enumerate() {
                let quoted = line.split('`').skip(1).step_by(2).filter(keep);
                self.named.extend(quoted.map(|word| (format!("{name}:{}", at + 1), word.to_owned())));
            }
        } else if name.ends_with(".rs") {
            self.known.extend(functions(text).filter(keep).map(str::to_owned));
        } else {
            self.known.extend(words(text).filter(keep).map(str::to_owned));
        }
    }

    fn missing(&self) -> Vec<String> {
        let named = self.named.iter();
        let missing =
            named.filter(|(_, name)| !self.known.contains(name) && !OTHERS.contains(&name.as_str()));
        missing.map(|(at, name)| format!("{at}: no test or metric `{name}`")).collect()
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    let mut found = Found::default();
    found.look_into(&root());
    assert!(found.named.len() > 50, "too few names found: {}", found.named.len());
    let missing = found.missing();
    assert!(missing.is_empty(), "{} mistakes:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn the_check_finds_what_it_is_for() {
    let mut found = Found::default();
    found.read(
        "docs/a.md",
        "`a_test_of_four_words`, `/a_path_of_five_words`\n`one_that_is_not_there`, `pg_up`",
    );
    found.read("a.rs", "async fn a_test_of_four_words() { one_that_is_not_there }");
    assert_eq!(found.missing(), ["docs/a.md:2: no test or metric `one_that_is_not_there`"]);
    found.read("rules.yml", "expr: one_that_is_not_there{job=\"a\"} > 1");
    assert_eq!(found.missing(), Vec::<String>::new());
}
