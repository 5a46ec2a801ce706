//! A pattern as a table for the linear engine: for each state and each byte, the next state. It is finished before the
//! first search. An engine that makes its table while it searches, as the crate `regex` does, has to continue with a
//! slower one where the table would get too large, and then the time grows with the text *and* the pattern.
//!
//! Invariant: a search is at most one look-up for each byte and one for the end, whatever pattern and text are.

use regex_automata::{
    Input,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson::{Compiler, Config, WhichCaptures},
};

use super::program::parse;

/// Largest table, in bytes.
const LARGEST: usize = 4 << 20;
/// Most memory that is needed beside it to make it, in bytes. The time for that grows with it: a second at worst.
const WORK: usize = 2 << 20;

/// The table of a pattern.
#[derive(Debug)]
pub(super) struct Table(Box<dense::DFA<Vec<u32>>>);

impl Table {
    /// Makes the table of `pattern`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let hir = parse(pattern)?;
        let config = Config::new().utf8(false).nfa_size_limit(Some(WORK)).which_captures(WhichCaptures::None);
        let nfa = Compiler::new()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(|error| if error.size_limit().is_some() { too_large() } else { error.to_string() })?;
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(LARGEST))
            .determinize_size_limit(Some(WORK));
        let table = dense::Builder::new()
            .configure(config)
            .build_from_nfa(&nfa)
            .map_err(|error| if error.is_size_limit_exceeded() { too_large() } else { error.to_string() })?;
        Ok(Self(Box::new(table)))
    }

    /// Whether the pattern is anywhere in `text`.
    pub(super) fn finds(&self, text: &[u8]) -> bool {
        // An error is a byte or a kind of search that the table was not made for; it was made for all that are asked.
        matches!(self.0.try_search_fwd(&Input::new(text).earliest(true)), Ok(Some(_)))
    }
}

fn too_large() -> String {
    format!(
        "the pattern needs a table of more than {} MiB: repeat less, or write several rules",
        LARGEST >> 20
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_whose_table_would_be_too_large_is_refused_with_a_sentence() {
        // It has a state for each set of places at which there was an `a` lately: 2^24.
        for pattern in ["a[ab]{24}c", "(?:a{500}){500}"] {
            let wrong = Table::new(pattern).map(drop).expect_err(pattern);
            assert!(wrong.contains("a table of more than 4 MiB"), "{pattern}: {wrong}");
        }
        let unicode = Table::new(r"(?u)\ba").map(drop).expect_err("a boundary of Unicode");
        assert!(unicode.contains("Unicode") && !unicode.contains('\n'), "{unicode}");
    }

    #[test]
    fn a_table_finds_what_the_pattern_says() {
        for (pattern, text, found) in [
            ("a[ab]{8}c", "bbababababac", true),
            ("a[ab]{8}c", "bbbbababababc", false),
            (r"(?i)\bunion\b", "a UNION b", true),
            (r"(?i)\bunion\b", "reunions", false),
            ("^a.*b$", "a\nb", false),
            ("(?m)^b$", "a\nb", true),
            ("", "", true),
        ] {
            assert_eq!(Table::new(pattern).unwrap().finds(text.as_bytes()), found, "{pattern} in {text}");
        }
    }
}
