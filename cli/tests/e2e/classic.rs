//! The queries of the SRE exercises, pasted unchanged: `docs/exercises/classic-queries.txt` has all of them.

use std::fs;

use crate::dashboards::{Asked, all_have_data, root};

fn queries() -> Vec<Asked> {
    let path = root().join("docs/exercises/classic-queries.txt");
    let text = fs::read_to_string(path).expect("the list of queries");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| Asked { panel: "the SRE exercises".to_owned(), query: line.to_owned() }).collect()
}

/// Waits until each has a number.
pub(crate) async fn every_query_has_data(prometheus: &str) {
    let queries = queries();
    assert!(queries.len() > 30, "too few queries found: {queries:?}");
    all_have_data(prometheus, queries).await;
}
