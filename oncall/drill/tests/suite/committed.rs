//! Every drill in `drills/` is sound, names only what exists, and together they cover what they promise.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::Duration,
};

use drill::{
    Drill,
    names::{Difficulty, Expected, Layer, Need, Trait},
    world,
};
use promql_parser::{
    parser::{self, Expr},
    util::{ExprVisitor, walk_expr},
};

use crate::repository::{file, files, stem, world as exists};

fn drills() -> Vec<Drill> {
    let read =
        |path: String| drill::read(&path, &file(&path)).unwrap_or_else(|problems| panic!("{problems}"));
    files("drills", ".yaml").into_iter().map(read).collect()
}

/// Names of the metrics in a query.
struct Metrics(BTreeSet<String>);

impl Metrics {
    /// Those of a query of a drill; `field` is where it is.
    fn of(drill: &Drill, field: &str, query: &str) -> BTreeSet<String> {
        let expr = parser::parse(query).unwrap_or_else(|error| panic!("{}: {field}: {error}", drill.id));
        let mut names = Self(BTreeSet::new());
        let walked: Result<bool, Infallible> = walk_expr(&mut names, &expr);
        assert_eq!(walked, Ok(true));
        names.0
    }
}

impl ExprVisitor for Metrics {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.0.extend(selector.name.clone()),
            Expr::MatrixSelector(selector) => self.0.extend(selector.vs.name.clone()),
            _ => {}
        }
        Ok(true)
    }
}

#[test]
fn every_name_in_a_drill_exists_and_no_public_text_names_a_fault() {
    let world = exists();
    let wrong: Vec<String> = drills()
        .iter()
        .flat_map(|drill| world::check(drill, &world).into_iter().map(|text| format!("{}: {text}", drill.id)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_name_that_does_not_exist_is_found() {
    let world = exists();
    let mut drill = crate::example::example();
    let clean = world::check(&drill, &world);
    assert_eq!(clean, Vec::<String>::new());
    drill.faults[0].fault = "http-eror".to_owned();
    drill.faults[1].parameters.insert("rates".to_owned(), "1".to_owned());
    drill.path[0].metric = "requests".to_owned();
    drill.pages.forbidden.push("NoTrafic".to_owned());
    drill.runbooks.push("Nothing".to_owned());
    drill.briefing = "There is a pool exhaustion; db-pool-exhaustion, to be exact.".to_owned();
    drill.questions.components.push("order-ap".to_owned());
    let found = world::check(&drill, &world).join("\n");
    for name in
        ["http-eror", "`rates`", "`requests`", "NoTrafic", "Nothing", "db-pool-exhaustion", "order-ap"]
    {
        assert!(found.contains(name), "{name} in\n{found}");
    }
}

#[test]
fn every_query_parses_and_asks_only_for_metrics_that_exist() {
    let world = exists();
    let mut wrong = Vec::new();
    for drill in drills() {
        for (field, query) in drill.queries() {
            let names = Metrics::of(&drill, &field, query);
            if names.is_empty() {
                wrong.push(format!("{}: {field}: asks for nothing", drill.id));
            }
            let unknown = names.iter().filter(|name| !world.metrics.contains(*name));
            wrong.extend(unknown.map(|name| format!("{}: {field}: nothing exports {name}", drill.id)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_drill_that_asks_an_exporter_says_that_it_needs_it() {
    let exporters = [
        ("backup_", Need::Backups),
        ("notifications_", Need::Cloud),
        ("pg_", Need::PostgresExporter),
        ("redis_", Need::RedisExporter),
        ("replica_", Need::PostgresReplica),
    ];
    let mut asked = BTreeSet::new();
    for drill in drills() {
        for (field, query) in drill.queries() {
            for name in Metrics::of(&drill, &field, query) {
                for (_, need) in exporters.iter().filter(|(start, _)| name.starts_with(start)) {
                    asked.insert(*need);
                    assert!(drill.needs.contains(need), "{}: {field}: {name} needs {need}", drill.id);
                }
            }
        }
    }
    assert_eq!(asked.len(), exporters.len(), "{asked:?}");
}

/// The control room lets these drills begin before Prometheus has the series, because their baselines wait for them.
#[test]
fn a_drill_about_what_the_lab_tells_waits_for_its_series() {
    let told = [
        (Need::Backups, "backup_"),
        (Need::BackupsInBucket, "backup_in_bucket"),
        (Need::PostgresReplica, "replica_"),
    ];
    for drill in drills() {
        let checks = &drill.baseline.checks;
        let asked: BTreeSet<String> =
            checks.iter().flat_map(|check| Metrics::of(&drill, "baseline", &check.query)).collect();
        for (need, series) in told.iter().filter(|(need, _)| drill.needs.contains(need)) {
            let waits = asked.iter().any(|name| name.starts_with(series));
            assert!(waits, "{}: needs {need}, and its baseline asks for no {series}*", drill.id);
        }
    }
}

#[test]
fn the_drills_cover_every_layer_every_difficulty_and_nearly_every_fault() {
    let drills = drills();
    assert!(drills.len() >= 40, "{}", drills.len());
    let layers: BTreeSet<Layer> = drills.iter().flat_map(|drill| drill.tags.layers.clone()).collect();
    assert_eq!(layers.len(), 9, "{layers:?}");
    let difficulties: BTreeSet<Difficulty> = drills.iter().map(|drill| drill.difficulty).collect();
    assert_eq!(difficulties.len(), 5, "{difficulties:?}");
    let traits: BTreeSet<Trait> = drills.iter().flat_map(|drill| drill.tags.traits.clone()).collect();
    assert_eq!(traits.len(), 7, "{traits:?}");
    let used: BTreeSet<&String> =
        drills.iter().flat_map(|drill| &drill.faults).map(|fault| &fault.fault).collect();
    let world = exists();
    let known: BTreeSet<&String> = world.faults.values().flat_map(|faults| faults.keys()).collect();
    let unused: Vec<&str> =
        known.iter().filter(|fault| !used.contains(*fault)).map(|fault| fault.as_str()).collect();
    // `risky` is the hello-world of the lab.
    assert_eq!(unused, ["risky"]);
}

#[test]
fn seeds_and_names_are_unique_and_prerequisites_are_easier() {
    let drills = drills();
    let seeds: BTreeSet<u64> = drills.iter().map(|drill| drill.seed).collect();
    assert_eq!(seeds.len(), drills.len(), "each drill has its own decisions");
    let ids: Vec<String> = files("drills", ".yaml").iter().map(|path| stem(path)).collect();
    assert_eq!(ids, drills.iter().map(|drill| drill.id.clone()).collect::<Vec<_>>());
    for drill in &drills {
        for name in &drill.prerequisites {
            let before = drills.iter().find(|other| other.id == *name).expect("a drill");
            assert!(before.difficulty <= drill.difficulty, "{name} is harder than {}", drill.id);
        }
    }
}

#[test]
fn a_mystery_is_not_known_by_its_time_or_by_its_hints() {
    let drills = drills();
    let mut boxes: BTreeMap<Difficulty, BTreeSet<Duration>> = BTreeMap::new();
    for drill in &drills {
        boxes.entry(drill.difficulty).or_default().insert(drill.time_box);
        let costs: Vec<u32> = drill.hints.iter().map(|hint| hint.cost).collect();
        assert_eq!(
            costs,
            [5, 5, 10],
            "{}: trainees see how many hints are left, and what they cost",
            drill.id
        );
    }
    assert!(boxes.values().all(|times| times.len() == 1), "one time box for each difficulty: {boxes:?}");
    assert!(boxes.values().is_sorted(), "the harder, the longer: {boxes:?}");
}

#[test]
fn the_place_of_the_right_mechanism_tells_nothing() {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for drill in drills() {
        let Some(mechanism) = &drill.questions.mechanism else { continue };
        let shown = drill.brief().mechanisms;
        assert!(shown.is_sorted(), "{}: {shown:?}", drill.id);
        let place = shown.iter().position(|name| *name == mechanism.answer).expect("one of them");
        *places.entry(place).or_default() += 1;
    }
    let (all, most) = (places.values().sum::<usize>(), places.values().max().copied().unwrap_or_default());
    assert!(most * 2 < all, "a guess by its place is right in {most} of {all}: {places:?}");
}

#[test]
fn a_drill_without_alternatives_says_so_and_others_offer_a_choice() {
    for drill in drills() {
        let quiet = drill.is_quiet();
        assert_eq!(quiet, drill.validity.nothing == Expected::Passes, "{}", drill.id);
        assert!(!drill.runbooks.is_empty(), "{}: runbooks", drill.id);
        assert!(!drill.mitigations.wrong.is_empty(), "{}: something that does not help", drill.id);
        assert!(drill.debrief.contains("Remember:"), "{}: what to remember", drill.id);
        let proven = drill.mitigations.wrong.iter().any(|wrong| wrong.proof.is_some());
        let survives = drill.faults.iter().any(|fault| fault.survives_restart);
        assert_eq!(drill.validity.restart_all == Expected::Fails, survives, "{}", drill.id);
        assert!(quiet || proven || drill.faults.len() == 1, "{}", drill.id);
    }
}

#[test]
fn the_hardest_drills_say_when_they_must_be_stopped() {
    for drill in drills().iter().filter(|drill| drill.difficulty == Difficulty::Brutal) {
        assert!(drill.abort.len() > 1, "{}: {:?}", drill.id, drill.abort);
    }
}

#[test]
fn every_named_failure_has_its_drill() {
    let (page, known) = (file("docs/drills.md"), exists().drills);
    let (_, table) = page.split_once("\n## Which failure has which drill\n").expect("the table");
    let (table, _) = table.split_once("\n## ").expect("the next heading");
    let rows = table.lines().filter_map(|line| {
        let (failure, drill) = line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")?;
        (!failure.starts_with("**") && failure != "failure").then_some((failure, drill))
    });
    let mut named = 0;
    for (failure, drill) in rows {
        let words: Vec<&str> = drill.split('`').skip(1).step_by(2).collect();
        assert!(!words.is_empty() || drill.starts_with("none:"), "{failure} has no drill");
        for word in &words {
            assert!(known.contains(*word), "{failure}: there is no drill `{word}`");
        }
        named += words.len();
    }
    assert!(named > 45, "{named}");
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let committed: serde_json::Value = serde_json::from_str(&file("drills/schema.json")).expect("JSON");
    assert!(committed == drill::schema(), "drills/schema.json has drifted: run `just generate pages`");
}
