//! What the pages in `docs/drills` have in common: their index, and their place in the table of contents. `lab chaos pairs`
//! writes the pages themselves, from a run.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context;

/// In the table of contents, they follow this line.
const BEFORE: &str = "- [Chaos](chaos.md)\n";
const INTRO: &str = "\
# Protections, in pairs

<!-- Generated from the pages by `just generate`; do not edit. -->

Each page shows one fault twice: with a protection, and without it. A run measured both, and the
page says which command made it. How this works: [Chaos](../chaos.md).

| protection | of | page |
|---|---|---|
";

/// A page, as far as the index tells it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    protection: String,
    service: String,
    file: String,
    title: String,
}

/// The table of contents with the pages in `folder`, and their index if there are some.
///
/// # Errors
///
/// When a page cannot be read or was not written by `lab chaos pairs`, or the table of contents has no place for them.
pub(crate) fn pages(folder: &Path, contents: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut entries = Vec::new();
    // Nobody has written a page yet: no folder.
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file.ends_with(".md") && file != "README.md" {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            entries.push(
                entry_of(&file, &text).with_context(|| format!("{}: no page of a pair", path.display()))?,
            );
        }
    }
    entries.sort();
    let mut pages = vec![("SUMMARY.md".to_owned(), listed(contents, &entries)?)];
    if !entries.is_empty() {
        pages.push(("drills/README.md".to_owned(), index(&entries)));
    }
    Ok(pages)
}

/// What a page says of itself: its title, and the sentence about its protection.
fn entry_of(file: &str, text: &str) -> Option<Entry> {
    let title = text.lines().next()?.strip_prefix("# ")?.to_owned();
    let about = text.lines().find_map(|line| line.strip_prefix("The protection `"))?;
    let (protection, rest) = about.split_once("` of ")?;
    let (service, _) = rest.split_once(':')?;
    Some(Entry {
        protection: protection.to_owned(),
        service: service.to_owned(),
        file: file.to_owned(),
        title,
    })
}

/// The table of contents with exactly these pages.
fn listed(contents: &str, entries: &[Entry]) -> anyhow::Result<String> {
    let others: String = contents.split_inclusive('\n').filter(|line| !line.contains("](drills/")).collect();
    let (before, after) = others.split_once(BEFORE).context("SUMMARY.md has no line for chaos.md")?;
    let mut lines = String::new();
    if !entries.is_empty() {
        lines.push_str("- [Protections, in pairs](drills/README.md)\n");
    }
    for Entry { file, title, .. } in entries {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "  - [{title}](drills/{file})");
    }
    Ok(format!("{before}{BEFORE}{lines}{after}"))
}

fn index(entries: &[Entry]) -> String {
    let mut page = INTRO.to_owned();
    for Entry { protection, service, file, title } in entries {
        let _ = writeln!(page, "| `{protection}` | {service} | [{title}]({file}) |");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENTS: &str =
        "# SRE Lab\n\n- [Drills](drills.md)\n- [Chaos](chaos.md)\n- [Torture](torture.md)\n";
    const PAGE: &str =
        "# A slow peer\n\n<!-- Written. -->\n\nThe protection `timeout` of order-api: deadlines.\n";

    #[test]
    fn pages_are_listed_once_and_leave_with_their_file() {
        let entry = entry_of("deadline.md", PAGE).unwrap();
        let with = listed(CONTENTS, std::slice::from_ref(&entry)).unwrap();
        assert_eq!(
            with,
            "# SRE Lab\n\n- [Drills](drills.md)\n- [Chaos](chaos.md)\n- [Protections, in pairs](drills/README.md)\n  \
             - [A slow peer](drills/deadline.md)\n- [Torture](torture.md)\n"
        );
        assert_eq!(listed(&with, std::slice::from_ref(&entry)).unwrap(), with);
        assert_eq!(listed(&with, &[]).unwrap(), CONTENTS);
        assert!(listed("# SRE Lab\n", &[]).is_err());
        assert!(index(&[entry]).ends_with("| `timeout` | order-api | [A slow peer](deadline.md) |\n"));
    }

    #[test]
    fn a_folder_that_is_missing_has_no_pages_and_an_odd_page_is_named() {
        let folder = std::env::temp_dir().join(format!("docgen-pairs-{}", std::process::id()));
        assert_eq!(pages(&folder, CONTENTS).unwrap(), [("SUMMARY.md".to_owned(), CONTENTS.to_owned())]);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("deadline.md"), PAGE).unwrap();
        fs::write(folder.join("deadline-1.svg"), "<svg/>").unwrap();
        let written = pages(&folder, CONTENTS).unwrap();
        fs::write(folder.join("odd.md"), "Words.\n").unwrap();
        let odd = pages(&folder, CONTENTS).unwrap_err().to_string();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(written.len(), 2, "the table of contents and the index: {written:?}");
        assert!(odd.ends_with("odd.md: no page of a pair"), "{odd}");
    }
}
