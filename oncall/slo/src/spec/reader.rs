//! What the parts of a document are read with.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

/// Collects problems, and remembers lines.
pub(super) type Reader<'a> = yaml::Reader<'a, Lines>;

/// Lines of fields, for problems that the lints may find in them.
#[derive(Default)]
pub(super) struct Lines(pub(super) BTreeMap<String, u64>);

impl Lines {
    /// Remembers the line of a field.
    pub(super) fn place<T>(&mut self, at: &Spanned<T>, field: &str) {
        self.0.insert(field.to_owned(), at.referenced.line());
    }
}

/// Folded text as one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
