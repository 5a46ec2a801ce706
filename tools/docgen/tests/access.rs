//! The table of the access log in `docs/telemetry.md` against a line as the services write it.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// On every line, and explained with all lines.
const OF_EVERY_LINE: [&str; 7] =
    ["timestamp", "level", "service", "target", "message", "trace_id", "span_id"];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Field and type of a row.
fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    Some((cells.next()?.strip_suffix('`')?, cells.next()?))
}

#[test]
fn every_field_of_the_access_log_has_its_row_with_its_type() {
    let line: Value =
        serde_json::from_str(&read("chassis/service/tests/telemetry/snapshots/access.json")).expect("JSON");
    let page = read("docs/telemetry.md");
    let (_, section) = page.split_once("\n## Access log\n").expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows: BTreeSet<(&str, &str)> = section.lines().filter_map(row).collect();
    let fields = line.as_object().expect("a line").iter();
    let fields = fields.filter(|(name, _)| !OF_EVERY_LINE.contains(&name.as_str()));
    let fields =
        fields.map(|(name, value)| (name.as_str(), if value.is_number() { "number" } else { "text" }));
    let fields: BTreeSet<(&str, &str)> = fields.collect();
    assert_eq!(rows, fields, "docs/telemetry.md (left) and a line (right)");
}
