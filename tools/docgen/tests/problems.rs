//! `docs/problems.md` against the types that the code declares: each has a row with its status, and each row is one of them.

use std::{collections::BTreeMap, fs, path::Path};

/// Slug and status of a row of the page's table; the anchor is the slug.
fn row(line: &str) -> Option<(String, String)> {
    let (anchor, rest) = line.strip_prefix("| <a id=\"")?.split_once("\"></a>`")?;
    let (slug, rest) = rest.split_once("` | ")?;
    let (status, _) = rest.split_once(" |")?;
    assert_eq!(anchor, slug, "the link of a problem document leads to its row");
    Some((slug.to_owned(), status.to_owned()))
}

#[test]
fn every_problem_type_has_its_row_and_every_row_its_type() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/problems.md");
    let rows: BTreeMap<String, String> =
        fs::read_to_string(page).expect("docs/problems.md").lines().filter_map(row).collect();
    let own = contracts::problems::ALL.iter().chain(control_room::api::problems::ALL);
    let own = own.chain(edge::problems::ALL).copied();
    let types: Vec<_> = chassis_http::problems::all().chain(own).collect();
    let declared: BTreeMap<String, String> =
        types.iter().map(|of| (of.slug.to_owned(), of.status.as_str().to_owned())).collect();
    assert_eq!(declared.len(), types.len(), "a slug is declared once");
    assert_eq!(rows, declared, "docs/problems.md (left) and the code (right)");
}
