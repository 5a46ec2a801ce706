//! Schedules and policies from beside the file: written as the file is, and read as if they were in it, after its own.
//!
//! Invariant: a problem has the place in the document that it comes from, whatever the position in the whole is.

use serde::de::DeserializeOwned;
use yaml::{Problem, Problems};

use super::raw;

/// A document that is read together with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Its name in messages, in the place of a file's.
    pub file: String,
    /// `schedules` and `policies`, as in `oncall.yaml`. YAML, and so JSON too.
    pub text: String,
}

/// Where the entries of the whole come from.
#[derive(Debug)]
pub(super) struct Places {
    schedules: List,
    policies: List,
}

/// The same for one list.
#[derive(Debug)]
struct List {
    /// Name of the list.
    list: &'static str,
    /// How many entries are the file's own.
    own: usize,
    /// Document and index of those that follow.
    others: Vec<(String, usize)>,
}

/// Adds the entries to those of the file.
pub(super) fn merge(document: &mut raw::Document, extras: &[Extra]) -> Result<Places, Problems> {
    let of = |list, own| List { list, own, others: Vec::new() };
    let mut places = Places {
        schedules: of("schedules", document.schedules.value.len()),
        policies: of("policies", document.policies.len()),
    };
    let mut problems = Vec::new();
    for Extra { file, text } in extras {
        match yaml::parse::<raw::Extra>(file, text) {
            Ok(raw::Extra { schedules, policies }) => {
                places.schedules.take(file, schedules.len());
                places.policies.take(file, policies.len());
                document.schedules.value.extend(schedules);
                document.policies.extend(policies);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(places) } else { Err(Problems(problems)) }
}

impl Places {
    /// A problem with the whole as one with the document that its entry is in.
    pub(super) fn of(&self, problem: Problem) -> Problem {
        let placed = [&self.schedules, &self.policies].into_iter().find_map(|list| list.of(&problem.field));
        match placed {
            Some((file, field)) => Problem { file, field, ..problem },
            None => problem,
        }
    }
}

impl List {
    fn take(&mut self, file: &str, count: usize) {
        self.others.extend((0..count).map(|index| (file.to_owned(), index)));
    }

    /// `schedules[2].zone`, if entry 2 is not the file's own.
    fn of(&self, field: &str) -> Option<(String, String)> {
        let (index, rest) = field.strip_prefix(self.list)?.strip_prefix('[')?.split_once(']')?;
        let (file, index) = self.others.get(index.parse::<usize>().ok()?.checked_sub(self.own)?)?;
        Some((file.clone(), format!("{}[{index}]{rest}", self.list)))
    }
}

/// A file as it is written, unchecked, for those who show it.
///
/// # Errors
/// When it is not YAML or not of this shape.
pub fn written<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    yaml::parse(file, text)
}
