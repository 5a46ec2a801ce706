//! The action items of a drill, switched on one by one: what is different then, and what has to differ in numbers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use drill::{
    Act, Drill, Phase, Run, Verdict, What,
    engine::{Responder, Start},
    model::{Difference, Variant, Way, Weakened, total},
};

use crate::{
    example::EXAMPLE,
    lab::{Lab, start, verify},
    repository::file,
};

const ITEMS: &str = "
measures:
  - {name: failed-requests, query: errors}
  - {name: breach-seconds, query: errors > bool 0}
variants:
  - {name: kept, item: It stays on., kept: [{service: order-api, protection: retry-budget}], less: {failed-requests: 10}}
  - name: one-first
    item: One edge first.
    canary: 10s
    observe: 20s
    solve: [{act: {restart: order-worker}}]
    less: {failed-requests: 5, breach-seconds: 3}
  - {name: staged, item: Its cases first., staged: true, solve: [{act: {restart: order-worker}}], less: {breach-seconds: 3}}
";

/// The example, with a rule that somebody pushed, and three action items.
fn text() -> String {
    let pushed = EXAMPLE
        .replace(
            "service: order-api, fault: http-error, with: {rate: 0.3}",
            "service: edge, rule: inline-script",
        )
        .replace("{act: {restart: order-api}, why: the same", "{act: {restart: edge}, why: the same");
    format!("{pushed}{ITEMS}")
}

fn read(text: &str) -> Drill {
    drill::read("drills/example.yaml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A lab that proves a drill with this item, or with none.
fn lab(drill: &Drill, variant: Option<&str>) -> Lab {
    let mut lab = Lab::new(drill.clone(), verify(Responder::Solution));
    let start = Start { variant: variant.map(str::to_owned), ..start(verify(Responder::Solution)) };
    lab.run = Run::new(Arc::new(drill.clone()), start);
    lab
}

#[test]
fn an_item_changes_what_it_says_and_asks_for_nothing_that_the_outage_shows() {
    let drill = read(&text());
    assert_eq!(drill.faults[0].way, Way::AtOnce);
    assert_eq!(
        drill.variants.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        ["kept", "one-first", "staged"]
    );
    let kept = drill.varied("kept").unwrap();
    assert!(kept.weakened.is_empty() && kept.signals.is_empty() && kept.path.is_empty());
    assert!(kept.pages.expected.is_empty(), "{:?}", kept.pages);
    assert!(kept.pages.allowed.contains(&"OrderAvailabilityBudgetBurn".to_owned()), "{:?}", kept.pages);
    assert_eq!(
        (&kept.solve, kept.faults[0].way, kept.mitigations.wrong.len()),
        (&drill.solve, Way::AtOnce, 0)
    );
    let first = drill.varied("one-first").unwrap();
    assert_eq!(first.faults[0].way, Way::OneFirst(Duration::from_secs(10)));
    assert_eq!((first.weakened.len(), first.solve.len(), first.observe), (1, 1, Duration::from_secs(20)));
    assert_eq!(drill.varied("staged").unwrap().faults[0].way, Way::Staged);
    assert_eq!(drill.varied("luck"), None);
}

#[test]
fn a_drill_passes_without_any_item_and_with_each() {
    let drill = read(&text());
    for (item, pushed, off) in [
        (None, true, true),
        (Some("kept"), true, false),
        (Some("one-first"), false, true),
        (Some("staged"), false, true),
    ] {
        let mut lab = lab(&drill, item);
        lab.until(Phase::Solve(0));
        assert_eq!(lab.rules.contains("inline-script"), pushed, "{item:?}");
        assert_eq!(lab.off.contains(&("order-api".to_owned(), "retry-budget".to_owned())), off, "{item:?}");
        let tried = lab.phases.iter().any(|phase| matches!(phase, Phase::Wrong(_)));
        assert_eq!(tried, item.is_none(), "{item:?}: {:?}", lab.phases);
        let outcome = lab.finish();
        assert_eq!(outcome.verdict, Verdict::Passed, "{item:?}: {:?}", outcome.failures);
        assert!(lab.rules.is_empty() && lab.active.is_empty() && lab.off.is_empty(), "{item:?}");
    }
}

#[test]
fn an_item_that_does_not_stop_the_push_proves_nothing() {
    let mut lab = lab(&read(&text()), Some("one-first"));
    lab.until(Phase::Observe);
    let why = "the rule cost little in the first edge, and every edge has it".to_owned();
    lab.event(What::Failed { action: "fault[0]".to_owned(), why: why.clone() });
    let outcome = lab.finish();
    assert_eq!((outcome.verdict, outcome.failures[0].seen.as_str()), (Verdict::Invalid, why.as_str()));
}

#[test]
fn a_replay_of_a_run_with_an_item_is_the_same_run() {
    let drill = read(&text());
    let mut lab = lab(&drill, Some("one-first"));
    lab.finish();
    let start = serde_json::to_string(lab.run.start()).unwrap();
    let start: Start = serde_json::from_str(&start).unwrap();
    assert_eq!(start.variant.as_deref(), Some("one-first"));
    assert_eq!(Run::replay(Arc::new(drill), start, &lab.events), lab.run);
}

#[test]
fn an_item_is_worth_what_it_changes_in_numbers() {
    let drill = read(&text());
    let variant: &Variant = &drill.variants[1];
    let measured = |failed, seconds| {
        BTreeMap::from([("failed-requests".to_owned(), failed), ("breach-seconds".to_owned(), seconds)])
    };
    let holds = |without: &BTreeMap<String, f64>, with: &BTreeMap<String, f64>| -> Vec<bool> {
        variant.differences(without, with).iter().map(Difference::holds).collect()
    };
    // In the order of their names: breach-seconds at least 3 times, failed-requests at least 5 times.
    assert_eq!(holds(&measured(500.0, 60.0), &measured(100.0, 20.0)), [true, true]);
    assert_eq!(holds(&measured(500.0, 60.0), &measured(101.0, 21.0)), [false, false]);
    assert_eq!(holds(&measured(500.0, 60.0), &measured(0.0, 0.0)), [true, true]);
    assert_eq!(holds(&measured(0.0, 0.5), &measured(0.0, 0.0)), [false, false], "there was no outage");
    assert_eq!(holds(&measured(500.0, 60.0), &BTreeMap::new()), [false, false], "nothing was measured");
}

#[test]
fn a_total_is_the_area_below_a_curve() {
    assert_eq!(total([0.0, 10.0, f64::NAN, 5.0], 1.0), Some(15.0));
    assert_eq!(total([1.0, 1.0], 5.0), Some(10.0));
    assert_eq!(total([f64::NAN], 1.0), None);
    assert_eq!(total([], 1.0), None);
}

#[test]
fn every_mistake_in_an_item_has_its_field() {
    for (from, to, said) in [
        (
            "protection: retry-budget}], less",
            "protection: bulkhead}], less",
            "variants[0].kept[0]: expected one of `weakened`",
        ),
        ("name: one-first", "name: kept", "variants[1].name: `kept` is already taken"),
        ("canary: 10s", "canary: 2m", "variants[1].canary: expected 1s to 1m"),
        (
            "canary: 10s",
            "canary: 10s\n    staged: true",
            "variants[1]: expected at most one of `canary` and `staged: true`",
        ),
        (
            "{failed-requests: 5,",
            "{failed-request: 5,",
            "variants[1].less.failed-request: `failed-request` is not in `measures`",
        ),
        (
            "breach-seconds: 3}\n  -",
            "breach-seconds: 1}\n  -",
            "variants[1].less.breach-seconds: expected 2 to 1000, found 1",
        ),
        ("less: {failed-requests: 10}", "less: {}", "variants[0].less: expected at least one of `measures`"),
        (
            "staged: true, solve: [{act: {restart: order-worker}}], ",
            "",
            "variants[2]: expected one of `kept`, `canary`",
        ),
        (
            "kept: [{service: order-api, protection: retry-budget}], less",
            "solve: [{wait: 1s}], less",
            "variants[0].solve: expected at least one",
        ),
        ("rule: inline-script", "fault: http-error", "variants[1]: expected a fault with `rule`"),
    ] {
        let changed = text().replacen(from, to, 1);
        assert_ne!(changed, text(), "{from}");
        let problems = drill::read("drills/example.yaml", &changed).expect_err(from).to_string();
        assert!(problems.contains(said), "{said}\n---\n{problems}");
    }
}

#[test]
fn the_outage_of_the_edge_passes_with_each_of_its_items() {
    let path = "drills/cdn-waf-outage.yaml";
    let drill = drill::read(path, &file(path)).unwrap_or_else(|problems| panic!("{problems}"));
    let names: Vec<&str> = drill.variants.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!(names, ["bounded-search", "one-edge-first", "staged", "load-first"]);
    // The push is global, and half of the edges get stuck.
    assert_eq!((drill.replicas["edge"], drill.faults[0].target()), (2, "edge".to_owned()));
    assert_eq!(drill.weakened.iter().map(Weakened::target).collect::<Vec<_>>(), ["edge-2"]);
    assert!(drill.varied("bounded-search").expect("a variant").weakened.is_empty());
    for variant in &drill.variants {
        assert!(["failed-requests", "breach-seconds"].iter().all(|name| variant.less.contains_key(*name)));
        let mut lab = lab(&drill, Some(&variant.name));
        // The lab of the test knows one page only, which this drill forbids.
        lab.silent = true;
        let outcome = lab.finish();
        assert_eq!(outcome.verdict, Verdict::Passed, "{}: {:?}", variant.name, outcome.failures);
    }
    let last = drill.varied("load-first").unwrap();
    let off = |step: &drill::model::Step| matches!(step, drill::model::Step::Act(Act::Rule { .. }));
    assert!(last.solve.iter().any(off), "{:?}", last.solve);
}
