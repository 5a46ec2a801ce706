//! Plain English: phrases of the lexicon in CONTRIBUTING.md that are always wrong must not be in any text file of the
//! repository. The list is short on purpose: most phrases of the lexicon are also correct somewhere.
//!
//! A finding names file and line.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Wrong in every text, with the endings of [`ENDINGS`]. Each phrase is in the right column of the lexicon.
const ALWAYS: &[&str] = &[
    "a file a handler",
    "also if",
    "also when",
    "also while",
    "at the most",
    "belongs into",
    "for ever",
    "mend",
    "requests a second",
    "some seconds",
    "stands in",
    "whoever",
];

/// Wrong in doc comments, which have no "so many that".
const IN_DOC_COMMENTS: &[&str] = &["so many"];

const ENDINGS: &[&str] = &["", "s", "ed", "ing"];

/// The lexicon, this test, and third-party assets.
const EXEMPT: &[&str] = &["CONTRIBUTING.md", "tools/docgen/tests/lexicon.rs", "stand-ins/lab-traces/ui"];

/// Between two words of a sentence that is wrapped in comments.
const COMMENT_SIGNS: &[&str] = &["//", "///", "//!", "#", "--", "*"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

/// Line numbers and phrases of the mistakes in `text`.
fn mistakes(text: &str) -> Vec<(usize, &'static str)> {
    let mut words = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let doc = ["///", "//!"].iter().any(|sign| line.trim_start().starts_with(sign));
        let sentence = line.split_whitespace().filter(|word| !COMMENT_SIGNS.contains(word));
        words.extend(sentence.map(|word| (at + 1, doc, word.to_lowercase())));
    }
    let mut found = Vec::new();
    for (start, &(at, doc, _)) in words.iter().enumerate() {
        let rest = words[start..].iter().map(|(.., word)| word.as_str());
        let phrases = ALWAYS.iter().chain(if doc { IN_DOC_COMMENTS } else { &[] });
        found.extend(phrases.filter(|phrase| begins(rest.clone(), phrase)).map(|phrase| (at, *phrase)));
    }
    found
}

/// Whether `words` begin with `phrase`: punctuation may surround it, but not separate its words.
fn begins<'a>(words: impl Iterator<Item = &'a str>, phrase: &str) -> bool {
    let punctuation = |c: char| !c.is_alphanumeric();
    let last = phrase.split(' ').count() - 1;
    let matching = phrase.split(' ').zip(words).enumerate().filter(|(n, (wanted, word))| {
        let word = if *n == 0 { word.trim_start_matches(punctuation) } else { *word };
        if *n < last {
            return word == *wanted;
        }
        let word = word.trim_end_matches(punctuation);
        word.strip_prefix(*wanted).is_some_and(|ending| ENDINGS.contains(&ending))
    });
    matching.count() == last + 1
}

/// Adds the mistakes of every text file below `folder`.
fn collect(folder: &Path, wrong: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root()).expect("below it").to_string_lossy().into_owned();
        let last = path.file_name().expect("a name").to_string_lossy().into_owned();
        let skipped = ["target", "node_modules"].contains(&last.as_str()) || EXEMPT.contains(&name.as_str());
        if skipped || last.starts_with('.') || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(&path, wrong);
        } else if let Ok(text) = fs::read_to_string(&path) {
            wrong.extend(mistakes(&text).iter().map(|(at, phrase)| format!("{name}:{at}: {phrase}")));
        }
    }
}

#[test]
fn no_text_has_a_phrase_that_is_always_wrong() {
    let mut wrong = Vec::new();
    collect(&root(), &mut wrong);
    assert!(
        wrong.is_empty(),
        "{} mistakes (CONTRIBUTING.md says what to write):\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_phrase_is_in_the_lexicon() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let columns: Vec<&str> = text.lines().filter_map(|line| line.split('|').nth(2)).collect();
    for phrase in ALWAYS.iter().chain(IN_DOC_COMMENTS) {
        assert!(columns.iter().any(|column| column.contains(phrase)), "{phrase}");
    }
}

#[test]
fn the_check_finds_what_it_is_for() {
    assert_eq!(mistakes("It waits for ever."), [(1, "for ever")]);
    assert_eq!(mistakes("a\n  /// It is kept (also\n  /// when empty)"), [(2, "also when")]);
    assert_eq!(mistakes("# mended, and `stands in` for it"), [(1, "mend"), (1, "stands in")]);
    assert_eq!(mistakes("/// So many seconds."), [(1, "so many")]);
    assert!(mistakes("for every one; the `stand-ins`; also. If so: recommended; // so many that").is_empty());
}
