//! Desired state: its files, with every mistake at its place, and the way from what runs to what should run.

use std::collections::BTreeMap;

use proptest::prelude::*;
use release::{
    desired::{Canary, Desired, Drift, Limit, Mode, Service, Tree, diff, read, schema},
    run::Change,
};

const TEXT: &str = "
services:
  order-api:
    version: v1
    canary: {version: v2, weight: 5}
    flags: {circuit-breaker: true}
  user-service: {version: \"1.10\"}
limit: {rps: 50, burst: 100}
firewall: true
modes: {sql-injection: simulate}
drift: keep
";

fn tree(text: &str) -> Tree {
    Tree::from([("desired.yaml".to_owned(), text.to_owned())])
}

fn wrong(text: &str) -> String {
    read(&tree(text)).expect_err("a mistake").to_string()
}

#[test]
fn a_whole_file_is_read() {
    let mut tree = tree(TEXT);
    tree.insert("waf/sql-injection.yaml".to_owned(), "id: sql-injection\n".to_owned());
    let desired = read(&tree).unwrap();
    let api = &desired.services["order-api"];
    assert_eq!(
        (api.version.as_str(), &api.canary),
        ("v1", &Some(Canary { version: "v2".to_owned(), weight: 5 }))
    );
    assert_eq!(desired.services["user-service"].version, "1.10");
    assert_eq!(desired.limit, Some(Limit { rps: 50.0, burst: 100 }));
    assert_eq!((desired.modes["sql-injection"], desired.drift), (Mode::Simulate, Drift::Keep));
    let settings: Vec<String> =
        desired.settings().iter().map(|(setting, value)| format!("{setting} = {value}")).collect();
    for expected in [
        "services.order-api.version = v1",
        "services.order-api.canary.version = v2",
        "services.order-api.canary.weight = 5",
        "services.order-api.flags.circuit-breaker = true",
        "services.user-service.canary.weight = 0",
        "limit = rps=50 burst=100",
        "firewall = true",
        "modes.sql-injection = simulate",
        "waf/sql-injection.yaml = id: sql-injection\n",
    ] {
        assert!(settings.iter().any(|setting| setting == expected), "{expected}\n---\n{settings:#?}");
    }
}

#[test]
fn every_mistake_has_its_line_and_field() {
    let found = wrong(
        "
services:
  Order API:
    version: ../../etc
    canary: {version: none, weight: 60}
    flags: {Breaker: true}
limit: {rps: 0, burst: 2000000}
modes: {sql-injection: maybe}
drift: sometimes
",
    );
    for expected in [
        "desired.yaml:4: services.Order API.version: ",
        "desired.yaml:5: services.Order API.canary.version: ",
        "desired.yaml:5: services.Order API.canary.weight: expected 0 to 50",
        "services.Order API.flags.Breaker: ",
        "services.Order API: `Order API` is not a name",
        "desired.yaml:7: limit.rps: ",
        "desired.yaml:7: limit.burst: ",
        "desired.yaml:8: modes.sql-injection: expected one of off, simulate, enforce, found `maybe`",
        "desired.yaml:9: drift: expected one of heal, keep, found `sometimes`",
    ] {
        assert!(found.contains(expected), "{expected}\n---\n{found}");
    }
    assert!(wrong("services: {}\n").contains("services: empty"));
    assert!(
        wrong("services: {a: {version: v1, canary: {version: v1, weight: 5}}}\n")
            .contains("already runs `v1`")
    );
    assert!(wrong("services: {a: {version: v1}}\nversions: 7\n").contains("versions"));
    assert!(read(&Tree::new()).unwrap_err().to_string().contains("there is no such file"));
    let mut odd = tree("services: {a: {version: v1}}\n");
    odd.insert("waf/../x.yaml".to_owned(), String::new());
    odd.insert("notes.txt".to_owned(), String::new());
    let odd = read(&odd).unwrap_err().to_string();
    assert!(
        odd.contains("notes.txt:1: document: expected desired.yaml")
            && odd.contains("waf/../x.yaml:1: name: "),
        "{odd}"
    );
}

#[test]
fn a_release_changes_its_service_and_nothing_else() {
    let before = read(&tree(TEXT)).unwrap();
    let text = str::to_owned;
    let canary = Change::Canary { service: text("user-service"), version: text("v9"), weight: 25 };
    let during = before.with(&canary).unwrap();
    let changed: Vec<String> =
        diff(&before.settings(), &during.settings()).iter().map(ToString::to_string).collect();
    assert_eq!(
        changed,
        ["services.user-service.canary.version: none -> v9", "services.user-service.canary.weight: 0 -> 25"]
    );
    let promote = Change::Promote { service: text("user-service"), version: text("v9") };
    let after = during.with(&promote).unwrap();
    let changed: Vec<String> =
        diff(&before.settings(), &after.settings()).iter().map(ToString::to_string).collect();
    assert_eq!(changed, ["services.user-service.version: 1.10 -> v9"]);
    assert_eq!(before.with(&Change::Promote { service: text("nobody"), version: text("v9") }), None);
    assert!(diff(&before.settings(), &before.settings()).is_empty());
}

/// A file of the repository.
fn committed(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_committed_state_can_be_wanted_and_its_schema_is_the_readers() {
    let first = committed("deploy/gitops/desired.yaml");
    assert!(read(&tree(&first)).unwrap().services.contains_key("order-api"));
    let schema: serde_json::Value = serde_json::from_str(&committed("deploy/gitops/schema.json")).unwrap();
    let how = "run `just generate pages`";
    assert!(schema == release::desired::schema(), "deploy/gitops/schema.json has drifted: {how}");
}

#[test]
fn the_schema_has_every_field_and_its_description() {
    let schema = schema();
    for field in ["services", "limit", "firewall", "modes", "drift"] {
        let described = schema["properties"][field]["description"].as_str();
        assert!(described.is_some_and(|text| !text.is_empty()), "{field}: {schema:#}");
    }
    assert_eq!(schema["additionalProperties"], false);
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4}){0,2}"
}

fn service() -> impl Strategy<Value = Service> {
    // A few that are alike, so that two states have something in common.
    let version = || {
        let few = prop::sample::select(vec!["v1", "v2", "v3"]).prop_map(str::to_owned);
        prop_oneof![few, "[a-mo-z0-9][A-Za-z0-9._+-]{0,9}"]
    };
    let canary = prop::option::of((version(), 0..=50_u32));
    (version(), canary, prop::collection::btree_map(name(), any::<bool>(), 0..3)).prop_map(
        |(version, canary, flags)| {
            let canary = canary.filter(|(other, _)| *other != version);
            let canary = canary.map(|(version, weight)| Canary { version, weight });
            Service { version, canary, flags }
        },
    )
}

fn select_service() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["order-api", "user-service"]).prop_map(str::to_owned)
}

/// Any state without rules.
pub(crate) fn desired() -> impl Strategy<Value = Desired> {
    let modes = prop::sample::select(vec![Mode::Off, Mode::Simulate, Mode::Enforce]);
    (
        prop::collection::btree_map(prop_oneof![select_service(), name()], service(), 1..4),
        prop::option::of((1..5000_u32, 1..5000_u32)),
        prop::option::of(any::<bool>()),
        prop::collection::btree_map(name(), modes, 0..3),
        any::<bool>(),
    )
        .prop_map(|(services, limit, firewall, modes, keep)| Desired {
            services,
            limit: limit.map(|(rps, burst)| Limit { rps: f64::from(rps), burst }),
            firewall,
            modes,
            rules: BTreeMap::new(),
            drift: if keep { Drift::Keep } else { Drift::Heal },
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(desired in desired()) {
        let read = read(&tree(&desired.yaml()));
        prop_assert_eq!(read.map_err(|problems| problems.to_string()), Ok(desired));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}", path in "\\PC{0,20}") {
        let mut tree = tree(&text);
        tree.insert(path, text.clone());
        let _ = read(&tree);
    }
}
