//! What the parts of a document are read with.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::Problem;

/// Collects problems and continues, so that one run shows all of them.
pub(super) struct Reader<'a> {
    file: &'a str,
    pub(super) problems: Vec<Problem>,
    /// Lines of fields.
    pub(super) lines: BTreeMap<String, u64>,
}

impl<'a> Reader<'a> {
    /// For the document in this file.
    pub(super) const fn of(file: &'a str) -> Self {
        Self { file, problems: Vec::new(), lines: BTreeMap::new() }
    }

    /// Records a problem with the value of a field.
    pub(super) fn wrong<T>(&mut self, at: &Spanned<T>, field: &str, message: impl Into<String>) {
        self.wrong_at(at.referenced.line(), field, message);
    }

    /// The same, for a field of which only the line is known.
    pub(super) fn wrong_at(&mut self, line: u64, field: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// Remembers the line of a field, for problems that the lints may find in it.
    pub(super) fn place<T>(&mut self, at: &Spanned<T>, field: &str) {
        self.lines.insert(field.to_owned(), at.referenced.line());
    }

    /// The value, or a recorded problem.
    pub(super) fn take<T, U>(&mut self, at: &Spanned<T>, field: &str, value: Result<U, String>) -> Option<U> {
        value.map_err(|message| self.wrong(at, field, message)).ok()
    }
}

/// Folded text as one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
