//! The table "The rooms" of `docs/architecture.md`, from `docs/rooms.yaml`, which the layering test reads as well.

use std::fmt::Write as _;

use anyhow::Context;
use serde::Deserialize;

/// Between these lines the page is generated.
const BEGIN: &str = "<!-- Generated from rooms.yaml by `just generate`. -->\n";
const END: &str = "<!-- End of the generated part. -->\n";

/// One folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Room {
    folder: String,
    what: String,
    /// Crates of the workspace.
    #[serde(default)]
    uses: Vec<String>,
    /// What else it may use.
    note: Option<String>,
}

/// `page` with a new table.
pub(crate) fn page(page: &str, rooms: &str) -> anyhow::Result<String> {
    let rooms: Vec<Room> = serde_saphyr::from_str(rooms).context("docs/rooms.yaml")?;
    let (before, rest) = page.split_once(BEGIN).context("architecture.md has no generated part")?;
    let (_, after) = rest.split_once(END).context("the generated part has no end")?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", table(&rooms)))
}

fn table(rooms: &[Room]) -> String {
    let mut table = "| folder | what it is | may use |\n|---|---|---|\n".to_owned();
    for Room { folder, what, uses, note } in rooms {
        let uses: Vec<_> = uses.iter().map(|name| format!("`{name}`")).collect();
        let uses = match (uses.join(", "), note) {
            (uses, Some(note)) if uses.is_empty() => note.clone(),
            (uses, Some(note)) => format!("{uses}; {note}"),
            (uses, None) if uses.is_empty() => "libraries only".to_owned(),
            (uses, None) => uses,
        };
        let _ = writeln!(table, "| `{folder}` | {what} | {uses} |");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_lists_crates_or_words_or_nothing() {
        let rooms = "
- {folder: a, what: first, uses: []}
- {folder: b, what: second, uses: [a], note: HTTP}
- {folder: c, what: third, note: Java}
";
        let written = page(&format!("before\n{BEGIN}stale\n{END}after\n"), rooms).unwrap();
        let rows = "| `a` | first | libraries only |\n| `b` | second | `a`; HTTP |\n| `c` | third | Java |\n";
        assert!(written.contains(rows), "{written}");
        assert!(
            written.starts_with("before\n") && written.ends_with("after\n") && !written.contains("stale")
        );
        assert_eq!(page(&written, rooms).unwrap(), written);
    }
}
