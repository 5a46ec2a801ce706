//! A part of a page that people write: a command owns what is between two lines of it, and writes it from what is measured.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use super::kept;

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
    /// Puts `part` there; returns whether the page was different. Writes nothing if `check`. Another process that writes a part
    /// of the page waits meanwhile, and makes its own only then: it has what this one has added.
    ///
    /// # Errors
    /// When there is no `part`, or the page cannot be read or written, or has no such place.
    pub(super) fn write(
        &self,
        root: &Path,
        part: impl FnOnce() -> Result<String>,
        check: bool,
    ) -> Result<bool> {
        let Self { page, begin, end } = *self;
        let path = root.join(page);
        let _turn = if check { None } else { Some(kept::turn(&path)?) };
        let part = part()?;
        let old = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lacks = |line: &str| format!("{page} has no line `{}`", line.trim());
        let (before, rest) = old.split_once(begin).with_context(|| lacks(begin))?;
        let (_, after) = rest.split_once(end).with_context(|| lacks(end))?;
        let text = format!("{before}{begin}\n{part}\n{end}{after}");
        let differs = text != old;
        if differs && !check {
            kept::replace(&path, &text)?;
        }
        Ok(differs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Marked = Marked { page: "page.md", begin: "<!-- Written. -->\n", end: "<!-- End. -->\n" };

    #[test]
    fn a_part_is_written_between_its_lines_and_nothing_else_of_the_page_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(PLACE.page);
        let page = |part: &str| format!("# A\n<!-- Written. -->\n\n{part}\n<!-- End. -->\nB\n");
        let write =
            |part: &str, check: bool| PLACE.write(folder.path(), || Ok(part.to_owned()), check).unwrap();
        fs::write(&path, page("| a |\n")).unwrap();
        assert!(write("| b |\n", true));
        assert_eq!(fs::read_to_string(&path).unwrap(), page("| a |\n"), "a check writes nothing");
        assert!(write("| b |\n", false));
        assert_eq!(fs::read_to_string(&path).unwrap(), page("| b |\n"));
        assert!(!write("| b |\n", true));
        fs::write(&path, "# A\n").unwrap();
        let lacks = PLACE.write(folder.path(), || Ok(String::new()), false).unwrap_err().to_string();
        assert_eq!(lacks, "page.md has no line `<!-- Written. -->`");
    }
}
