//! A table in a page that people write: a command owns what is between two lines of it, and adds to its rows from run to run.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};

/// What a table without rows says.
pub(super) const NOTHING: &str = "Not measured yet: run the command above.\n";

/// A place in a page.
pub(super) struct Marked {
    /// The page, from the root of the checkout.
    pub(super) page: &'static str,
    /// The whole line before it.
    pub(super) begin: &'static str,
    /// The whole line after it.
    pub(super) end: &'static str,
}

impl Marked {
    /// Replaces what is there with what `write` makes of it.
    ///
    /// # Errors
    /// When the page cannot be read or written, or has no such place.
    pub(super) fn rewrite(&self, root: &Path, write: impl FnOnce(&str) -> String) -> Result<()> {
        let Self { page, begin, end } = *self;
        let path = root.join(page);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lacks = |line: &str| format!("{page} has no line `{}`", line.trim());
        let (before, rest) = text.split_once(begin).with_context(|| lacks(begin))?;
        let (old, after) = rest.split_once(end).with_context(|| lacks(end))?;
        let text = format!("{before}{begin}\n{}\n{end}{after}", write(old));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The rows of a table by the text of their first link: `| [NAME](…) | …`.
pub(super) fn rows(table: &str) -> BTreeMap<String, String> {
    let known = table.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| [")?.split_once(']')?;
        Some((name.to_owned(), line.to_owned()))
    });
    known.collect()
}

/// The rows after these lines.
pub(super) fn table(head: &str, rows: &BTreeMap<String, String>) -> String {
    let mut text = head.to_owned();
    rows.values().for_each(|line| text.extend([line.as_str(), "\n"]));
    text
}

/// The same; [`NOTHING`], if there are no rows.
pub(super) fn table_or_nothing(head: &str, rows: &BTreeMap<String, String>) -> String {
    if rows.is_empty() { NOTHING.to_owned() } else { table(head, rows) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Marked = Marked { page: "page.md", begin: "<!-- Written. -->\n", end: "<!-- End. -->\n" };

    #[test]
    fn a_table_is_written_between_its_lines_and_nothing_else_of_the_page_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PLACE.page);
        fs::write(&path, "# A\n<!-- Written. -->\n\n| [a](x) | 1 |\n\n<!-- End. -->\nB\n").unwrap();
        PLACE
            .rewrite(folder.path(), |old| {
                let mut known = rows(old);
                known.insert("b".to_owned(), "| [b](y) | 2 |".to_owned());
                table_or_nothing("|head|\n", &known)
            })
            .unwrap();
        let page = fs::read_to_string(&path).unwrap();
        assert_eq!(
            page,
            "# A\n<!-- Written. -->\n\n|head|\n| [a](x) | 1 |\n| [b](y) | 2 |\n\n<!-- End. -->\nB\n"
        );
        fs::write(&path, "# A\n").unwrap();
        let lacks = PLACE.rewrite(folder.path(), str::to_owned).unwrap_err().to_string();
        assert_eq!(lacks, "page.md has no line `<!-- Written. -->`");
    }
}
