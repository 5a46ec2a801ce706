//! `docs/adr/README.md`: the index of the decisions, from their titles and their status.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, ensure};

const INTRO: &str = "\
# Decisions

<!-- Generated from the decisions by `just generate`; do not edit. -->

Half a page for each decision that someone may question: context, decision, consequences. A decision
that is replaced keeps its number and says what replaces it, in a line that begins with
`**Status.**`.

| | decision | status |
|---|---|---|
";

/// The index of `folder`, in the order of the numbers.
///
/// # Errors
///
/// When a decision cannot be read, or its title is not `# NUMBER: title`.
pub(crate) fn index(folder: &Path) -> anyhow::Result<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".md"));
    names.sort_unstable();
    let mut page = INTRO.to_owned();
    for name in names {
        let text = fs::read_to_string(folder.join(&name)).with_context(|| format!("reading {name}"))?;
        let heading = text.lines().next().unwrap_or_default();
        let (number, title) = heading
            .strip_prefix("# ")
            .and_then(|heading| heading.split_once(": "))
            .with_context(|| format!("{name}: the title is not `# NUMBER: title`"))?;
        ensure!(name.starts_with(number), "{name}: the title has the number {number}");
        let status = text.lines().find_map(|line| line.strip_prefix("**Status.** "));
        let _ = writeln!(page, "| [{number}]({name}) | {title} | {} |", status.unwrap_or("accepted"));
    }
    Ok(page)
}
