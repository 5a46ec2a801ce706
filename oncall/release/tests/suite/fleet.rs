//! What runs during a release: steps as fleets, and versions that may not run.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use release::{
    desired::{Setting, Settings},
    fleet::{Build, Fleet, Standing, Version, is_name, shares},
    run::Change,
};

fn version(name: &str) -> Version {
    let env = BTreeMap::from([("ORDER_TIMEOUT".to_owned(), name.to_owned())]);
    Version { name: name.to_owned(), build: Build { env, ..Build::default() } }
}

fn canary(weight: u32) -> Change {
    Change::Canary { service: "order-api".to_owned(), version: "v2".to_owned(), weight }
}

fn value(settings: &Settings, setting: impl FnOnce(String) -> Setting) -> &str {
    settings.get(&setting("order-api".to_owned())).map_or("", String::as_str)
}

#[test]
fn a_service_is_settled_whatever_another_one_waits_for_but_not_with_an_older_fleet() {
    let fleet = Fleet { revision: 7, ..Fleet::default() };
    let busy = BTreeSet::from(["user-service".to_owned()]);
    let standing = Standing { revision: 7, busy, ..Standing::default() };
    assert!(standing.has(&fleet, "order-api"));
    assert!(!standing.has(&fleet, "user-service"));
    let older = Standing { revision: 6, settled: true, ..Standing::default() };
    assert!(!older.has(&fleet, "order-api"));
}

#[test]
fn each_step_is_a_fleet_and_the_way_back_is_the_old_version_without_a_canary() {
    let (old, new) = (version("v1"), version("v2"));
    let step = |fleet: &Fleet, change: &Change| fleet.with(change, "order-api", &old, &new);
    let first = step(&Fleet::default(), &canary(5));
    let settings = first.desired().settings();
    assert_eq!(value(&settings, |service| Setting::Version { service }), "v1");
    assert_eq!(value(&settings, |service| Setting::Canary { service }), "v2");
    assert_eq!(value(&settings, |service| Setting::Weight { service }), "5");
    let promoted =
        step(&first, &Change::Promote { service: "order-api".to_owned(), version: "v2".to_owned() });
    let back = step(&first, &Change::Revert { commits: Vec::new(), unsure: None });
    for (fleet, version) in [(&promoted, "v2"), (&back, "v1")] {
        let settings = fleet.desired().settings();
        assert_eq!(value(&settings, |service| Setting::Version { service }), version);
        assert_eq!(value(&settings, |service| Setting::Canary { service }), "none");
    }
    assert_eq!((first.revision, promoted.revision), (1, 2));
}

#[test]
fn a_version_that_would_break_the_lab_is_refused_with_what_would_be_right() {
    let env =
        |name: &str| Build { env: BTreeMap::from([(name.to_owned(), "x".to_owned())]), ..Build::default() };
    let flag =
        |name: &str| Build { flags: BTreeMap::from([(name.to_owned(), "x".to_owned())]), ..Build::default() };
    let binary = Build { binary: Some("target/order-api".to_owned()), ..Build::default() };
    for (build, said) in [
        (Build::default(), "differs in nothing"),
        (binary, "absolute path"),
        (env("A B"), "the name of a variable"),
        (env("ADMIN_ADDR"), "set by the lab"),
        (flag("public-addr"), "set by the lab"),
        (flag("--timeout"), "a flag such as"),
    ] {
        let error = build.check().expect_err(said);
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(version("v2").build.check(), Ok(()));
    assert_eq!(version("secret").build.to_string(), "ORDER_TIMEOUT", "values may be secrets");
    for name in ["", "none", "../v2", "v 2", "-v2"] {
        assert!(!is_name(name), "{name}");
    }
    assert!(is_name("2026.11.29-rc_1"));
}

proptest! {
    /// A fleet is what its newest step says, however often steps were repeated after crashes.
    #[test]
    fn a_repeated_step_changes_nothing_but_the_revision(weight in 1..=50_u32, times in 1..5_usize) {
        let (old, new) = (version("v1"), version("v2"));
        let mut fleet = Fleet::default();
        for _ in 0..times {
            fleet = fleet.with(&canary(weight), "order-api", &old, &new);
        }
        let once = Fleet::default().with(&canary(weight), "order-api", &old, &new);
        prop_assert_eq!(fleet.desired(), once.desired());
        prop_assert_eq!(fleet.revision, u64::try_from(times).unwrap());
        let text = serde_json::to_string(&fleet).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fleet>(&text).unwrap(), fleet);
    }

    #[test]
    fn shares_are_always_everything_and_equal_for_canary_and_baseline(weight in 0..200_u32) {
        let [stay, baseline, canary] = shares(weight);
        prop_assert_eq!(stay + baseline + canary, 100);
        prop_assert_eq!(baseline, canary);
    }
}
