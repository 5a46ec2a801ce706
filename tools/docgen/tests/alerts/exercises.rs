//! The queries of the SRE exercises, which people paste: each names only what the lab has, and the list has every
//! expression and every series of the exercises' rules. The sandbox's addresses are the lab's. (The tests of `cli` send the
//! list to a lab under load.) And the line of code that the reader of an exercise changes.

use std::collections::BTreeSet;

use chassis_faults::{Catalogue, Fault, Faults, spec::work};

use crate::{names::Names, nothing_is, read, root, rules};

const LIST: &str = "docs/exercises/classic-queries.txt";
const PAGE: &str = "docs/exercises/README.md";
const PORTS: &str = "cli/src/parts/ports.rs";
const RULES: &str = "docs/exercises/tutorial-rules.yml";

/// The unstable endpoint as the reader patches it.
const PATCHED: Fault = work("risky", "", "").baseline("rate=0");
const OF_THE_READER: Catalogue = &[&PATCHED];

fn queries() -> Vec<String> {
    let text = read(&root().join(LIST));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// The left side of an alert's condition.
fn without_threshold(expr: &str) -> &str {
    let sides = [" > ", " < ", " == "].into_iter().find_map(|operator| expr.rsplit_once(operator));
    sides.map_or(expr, |(left, _)| left)
}

#[test]
fn every_classic_query_parses_and_names_what_the_lab_has() {
    let (names, queries) = (Names::known(), queries());
    assert!(queries.len() > 30, "too few queries found: {queries:?}");
    let unique: BTreeSet<&String> = queries.iter().collect();
    assert_eq!(unique.len(), queries.len(), "a query is listed once");
    let wrong: Vec<String> = queries.iter().filter_map(|query| names.check(query).err()).collect();
    nothing_is(&wrong);
}

#[test]
fn the_list_has_every_expression_and_series_of_the_exercises() {
    let listed: BTreeSet<String> = queries().into_iter().collect();
    let rules = rules::of(&root().join(RULES));
    assert!(rules.len() > 10, "too few rules found");
    let mut missing = Vec::new();
    for rule in rules {
        let expr = rule.expr.trim();
        let expr = if rule.alert.is_some() { without_threshold(expr) } else { expr };
        let asked = [Some(expr), rule.record.as_deref()].into_iter().flatten();
        missing.extend(
            asked.filter(|query| !listed.contains(*query)).map(|query| format!("{LIST}: no `{query}`")),
        );
    }
    nothing_is(&missing);
}

#[test]
fn the_addresses_of_the_sandbox_are_ports_of_the_lab() {
    let (page, ports) = (read(&root().join(PAGE)), read(&root().join(PORTS)));
    let (_, section) = page.split_once("## Addresses of the sandbox").expect("a section");
    for (name, port) in [("edge", 8000), ("prometheus", 9090), ("grafana", 3000), ("control-room", 8080)] {
        assert!(ports.contains(&format!("port(\"{name}\", {port})")), "{name} has another port: {PORTS}");
        assert!(section.contains(&format!("http://localhost:{port}")), "{PAGE} does not have {name}");
    }
}

#[test]
fn a_threshold_is_what_follows_the_last_comparison() {
    assert_eq!(without_threshold("rate(a[5m]) / rate(b[5m]) > 0.05"), "rate(a[5m]) / rate(b[5m])");
    assert_eq!(without_threshold("up{job=\"a\"} == 0"), "up{job=\"a\"}");
    assert_eq!(without_threshold("up"), "up");
}

#[test]
fn the_line_that_the_reader_changes_is_where_the_page_says_and_the_service_takes_the_new_one() {
    let page = read(&root().join(PAGE));
    let mut sections = page.split("\n## ");
    let section = sections.find(|section| section.starts_with("The unstable API, patched\n"));
    let section = section.expect("the exercise");
    let quoted: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
    let lines: Vec<&str> = quoted.iter().copied().filter(|word| word.starts_with(".baseline(")).collect();
    let [old, new] = lines[..] else { panic!("expected the line and what it becomes: {lines:?}") };

    let file = quoted.iter().find(|word| word.starts_with("services/")).expect("the file");
    let source = read(&root().join(file));
    let (_, fault) = source.split_once("pub const RISKY:").expect("the fault");
    let (fault, _) = fault.split_once(";\n").expect("its end");
    let last = fault.lines().next_back().map(str::trim);
    assert_eq!(last, Some(old), "{PAGE} quotes the last line of the fault");

    assert_eq!(new, ".baseline(\"rate=0\")", "what is tried here");
    // Panics at a baseline that the service would refuse.
    let _ = Faults::new(OF_THE_READER, &[], false);
}
