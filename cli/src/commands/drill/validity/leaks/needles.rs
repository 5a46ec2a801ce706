//! The words that would give a fault away, and where they stand in a text.

use std::collections::BTreeSet;

use drill::{Drill, model::FaultKind};
use serde::Serialize;

/// Words of names of faults that are also words of what really fails: they may be read anywhere.
const NATURAL: &str = "http error latency hang abort upstream unreachable db pool lock slow query deadlock \
                       cache down stale hot key growth publish duplicate queue consumer pause commit skip \
                       rebalance cpu burn memory leak executor block fd disk fill crash loop log metrics \
                       gone trace drop wrong total lost update message cardinality";
/// Words that no real failure says.
const TELLING: [&str; 5] = ["fault", "faults", "injected", "injection", "chaos"];
/// Names of scripts that what really fails says, too: a file that is missing is called so.
const FILES: [&str; 1] = ["backup-key"];
/// What says one of them all the time: rules of the firewall, which the log of the edge names.
const USUAL: [&str; 4] = ["command-injection", "header-injection", "sql-injection", "template-injection"];
/// Longest excerpt, in characters.
const EXCERPT: usize = 100;

/// The words of one drill.
#[derive(Debug, Clone)]
pub(super) struct Needles(BTreeSet<String>);

/// A word, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    /// The file or the address.
    pub(crate) from: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// In bytes, counted from 1.
    pub(crate) column: usize,
    /// The word.
    pub(crate) word: String,
    /// What stands around it.
    pub(crate) excerpt: String,
}

impl Needles {
    /// The names of a drill's faults, however they are written, and those of their words that nothing else
    /// says.
    pub(super) fn of(drill: &Drill) -> Self {
        let mut words: BTreeSet<String> = TELLING.iter().map(|word| (*word).to_owned()).collect();
        // A rule that is pushed is in the firewall, and everyone sees it there.
        for fault in drill.faults.iter().filter(|fault| fault.kind == FaultKind::Point) {
            let parts: Vec<&str> = fault.fault.split('-').collect();
            words.extend(["-", "_", ""].map(|joint| parts.join(joint)));
            let telling: Vec<&str> = parts
                .iter()
                .copied()
                .filter(|part| NATURAL.split_whitespace().all(|word| word != *part))
                .collect();
            if !telling.is_empty() {
                words.insert(parts.join(" "));
            }
            words.extend(telling.into_iter().map(str::to_owned));
        }
        let scripts = drill.faults.iter().filter(|fault| fault.kind == FaultKind::Script);
        let scripts = scripts.filter(|fault| !FILES.contains(&fault.fault.as_str()));
        words.extend(scripts.map(|fault| fault.fault.clone()));
        Self(words)
    }

    /// Every place of a text that has one of the words. Texts are cut where a line, a tag or a value ends, so
    /// that a page without line breaks is not one piece.
    pub(super) fn places(&self, from: &str, first_line: usize, text: &str) -> Vec<Place> {
        let mut places = Vec::new();
        for (number, line) in text.split('\n').enumerate() {
            let mut at = 0;
            for piece in line.split(['<', '>', '"', '\0']) {
                let lower = piece.to_lowercase();
                let lower = USUAL.iter().fold(lower, |lower, usual| lower.replace(usual, "rule"));
                places.extend(self.0.iter().filter(|word| says(&lower, word)).map(|word| Place {
                    found: Found {
                        from: from.to_owned(),
                        line: first_line + number,
                        column: at + 1,
                        word: word.clone(),
                        excerpt: piece.trim().chars().take(EXCERPT).collect(),
                    },
                    piece: normal(&lower),
                }));
                at += piece.len() + 1;
            }
        }
        places
    }
}

/// A word, and the piece of text that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) found: Found,
    /// Without numbers, which change from one look to the next.
    pub(super) piece: String,
}

/// Whether a text has a word as a whole: `crash` is no part of `crashed`.
fn says(text: &str, word: &str) -> bool {
    let of_word = |c: char| c.is_alphanumeric();
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(of_word) && !text[at + word.len()..].starts_with(of_word))
}

/// A text whose numbers are all the same.
fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_digit() && normal.ends_with('#') => {}
            c if c.is_ascii_digit() => normal.push('#'),
            c => normal.push(c),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::drill::files;

    fn needles(drill: &str) -> Needles {
        Needles::of(&files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()[drill])
    }

    #[test]
    fn a_fault_is_found_however_it_is_written_and_what_really_fails_is_not() {
        let pool = needles("waiting-orders");
        for leak in [
            "db-pool-exhaustion",
            "DB_POOL_EXHAUSTION=1",
            "x=dbPoolExhaustion",
            "holds for pool exhaustion",
            "a fault",
        ] {
            assert!(!pool.places("x", 1, leak).is_empty(), "{leak}");
        }
        for natural in ["the pool is exhausted", "pool_timeout", "default", "an error of the database"] {
            assert!(pool.places("x", 1, natural).is_empty(), "{natural}");
        }
        let lock = needles("noon");
        assert!(lock.places("x", 1, "waits for a lock in the db").is_empty());
        assert!(!lock.places("x", 1, "pid 7 db-lock").is_empty());
    }

    #[test]
    fn a_script_is_found_by_its_name_unless_a_file_is_called_so() {
        let login = needles("same-as-yesterday");
        assert!(!login.places("x", 1, "running the script orders-login").is_empty());
        assert!(login.places("x", 1, "role orders: password authentication failed").is_empty());
        assert!(needles("locked-box").places("x", 1, "no such file: secrets/backup-key").is_empty());
    }

    #[test]
    fn a_place_has_its_line_and_column_even_in_a_page_of_one_line() {
        let text = "first\n<p>well</p><p>a db-lock 17</p>";
        let places = needles("noon").places("http://x/", 10, text);
        let found = &places[0].found;
        assert_eq!((found.line, found.column, found.word.as_str()), (11, 15, "db-lock"));
        assert_eq!((found.excerpt.as_str(), places[0].piece.as_str()), ("a db-lock 17", "a db-lock #"));
    }
}
