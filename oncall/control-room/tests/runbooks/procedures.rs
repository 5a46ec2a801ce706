//! Procedures: runbooks without an alert, as they are committed, run to their end step by step and with one approval. Those that
//! change something and do not help leave the system as it was.

use std::collections::{BTreeMap, BTreeSet};

use control_room::{
    Room,
    runbooks::{
        tend,
        view::{RunState, RunbookRunView, StepState},
    },
};
use runbook::{Mode, Verb};

use crate::{
    place::{Place, person},
    system::{System, Tells},
};

/// A procedure, its values, a system in which it goes well, the branch that a person takes, and what it does.
struct Procedure {
    name: &'static str,
    values: &'static [(&'static str, &'static str)],
    tells: Tells,
    branch: Option<&'static str>,
    acts: &'static [Verb],
}

/// Nothing burns, fires, waits or is given up; there is a budget, and room in the database.
fn calm(query: &str, _: bool) -> f64 {
    let none =
        ["ALERTS{", "kafka_consumer_lag", "dead_letters_total", "database_errors_total", "watchdog_silent"];
    let some = ["burn_rate", "pg_stat_activity", "database_connections"];
    let is = |names: &[&str]| names.iter().any(|name| query.contains(name));
    if is(&none) {
        0.0
    } else if is(&some) {
        0.2
    } else {
        1.0
    }
}

/// The same, and the edge balances over two replicas.
fn calm_of_two(query: &str, acted: bool) -> f64 {
    if query.contains("edge_ejected") { 2.0 } else { calm(query, acted) }
}

/// An objective burns until something is done.
fn burns(query: &str, acted: bool) -> f64 {
    if query.contains("burn_rate") && !acted { 5.0 } else { calm(query, acted) }
}

/// An objective burns as soon as something is done.
fn harmed(query: &str, acted: bool) -> f64 {
    if query.contains("burn_rate") && acted { 5.0 } else { calm(query, acted) }
}

/// Backups are made, nothing fails, and all is well afterwards.
fn backed_up(query: &str, acted: bool) -> f64 {
    let none = ["wal_archived", "last_verified"];
    if none.iter().any(|name| query.contains(name)) { 0.0 } else { calm(query, acted) }
}

/// Edges with room, and a rule that costs little.
fn at_ease(query: &str, acted: bool) -> f64 {
    let none = ["probe_firewall_wrong", "edge_waf_overruns_total", "edge_waf_stuck_total"];
    if none.iter().any(|name| query.contains(name)) { 0.0 } else { calm(query, acted) }
}

/// The same, until one edge has the rule: what follows looks back over half a minute, the precondition over less.
fn out_of_cpu(query: &str, acted: bool) -> f64 {
    let later = query.contains("process_cpu_usage_percent") && query.contains("[30s]");
    if later { 91.0 } else { at_ease(query, acted) }
}

const SERVICE: &[(&str, &str)] = &[("service", "order-api")];
const VOLUME: &[(&str, &str)] = &[("claim", "data-postgres-0"), ("gib", "4")];
const RULE: &[(&str, &str)] = &[("rule", "scanners")];
const REPLICA: &[(&str, &str)] = &[("service", "order-api"), ("instance", "127.0.0.1:9101")];

fn procedures() -> Vec<Procedure> {
    let one = |name, values, tells, branch, acts| Procedure { name, values, tells, branch, acts };
    vec![
        one("enlarge-volume", VOLUME, calm, None, &[]),
        one("firewall-rule", RULE, at_ease, None, &[]),
        one("hand-over", &[("next", "ben")], calm, None, &[]),
        one("password-rotation", REPLICA, calm, None, &[Verb::Silence, Verb::Restart, Verb::ExpireSilence]),
        one("patching", REPLICA, calm, Some("at-once"), &[Verb::Silence, Verb::Restart, Verb::ExpireSilence]),
        one(
            "patching",
            REPLICA,
            calm_of_two,
            Some("drained"),
            &[Verb::Silence, Verb::Drain, Verb::Restart, Verb::Undrain, Verb::ExpireSilence],
        ),
        one("release", SERVICE, calm, None, &[Verb::Silence, Verb::ExpireSilence]),
        one("restore", &[("to", "latest"), ("instance", "sre-lab/.lab")], backed_up, None, &[Verb::Restore]),
        one("roll-back", &[("service", "order-api"), ("change", "REL-7")], burns, None, &[Verb::Rollback]),
        one("scale-up", SERVICE, calm, None, &[Verb::Scale]),
        one("secret-rotation", &[], calm, None, &[Verb::Restart, Verb::Restart]),
    ]
}

/// Ada begins it and confirms each step, ben approves, until it is over.
async fn through(room: &Room, procedure: &Procedure, mode: Mode) -> RunbookRunView {
    let values = procedure.values.iter();
    let values: BTreeMap<String, String> =
        values.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let begun = room.runbooks.begin(room, &person("ada"), procedure.name, mode, None, values).await;
    let id = begun.unwrap_or_else(|error| panic!("{}: {error}", procedure.name)).id;
    loop {
        tend(room, &id).await.expect("it continues");
        let run = room.runbooks.run(&id).await.expect("a run");
        match (run.state, &run.request) {
            (RunState::Ended, _) => return run,
            (_, Some(request)) => {
                let approved = room.runbooks.approve(room, &person("ben"), &id, &request.digest).await;
                approved.expect("it is approved");
            }
            _ => {
                let now = run.steps.iter().find(|step| step.state == StepState::Now).expect("a step");
                let branch = procedure.branch.filter(|_| !now.branches.is_empty()).map(str::to_owned);
                room.runbooks.confirm(room, &person("ada"), &id, branch).await.expect("it is confirmed");
            }
        }
    }
}

#[tokio::test]
async fn each_procedure_runs_to_its_end_guided_and_approved() {
    for procedure in procedures() {
        for mode in [Mode::Manual, Mode::Ask] {
            let (place, system) = (Place::committed(&[procedure.name]), System::new(procedure.tells));
            let room = place.with(system.clone()).await;
            let run = through(&room, &procedure, mode).await;
            let name = procedure.name;
            assert_eq!(run.ending.as_deref(), Some("succeeded"), "{name} in mode {mode}: {run:?}");
            assert_eq!(system.order(), procedure.acts, "{name} in mode {mode}");
        }
    }
}

#[test]
fn every_committed_procedure_is_one_of_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runbooks");
    let names = std::fs::read_dir(folder).expect("a folder").flatten();
    let names =
        names.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned));
    // The others have the name of their alert.
    let committed: BTreeSet<String> =
        names.filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase())).collect();
    let tried: BTreeSet<String> = procedures().iter().map(|one| one.name.to_owned()).collect();
    assert_eq!(tried, committed);
}

#[tokio::test]
async fn a_procedure_that_harms_users_takes_back_what_it_can_and_says_what_stays() {
    let expected = [
        ("patching", &[Verb::Silence, Verb::Restart, Verb::ExpireSilence][..], 1),
        ("scale-up", &[Verb::Scale, Verb::Scale][..], 0),
    ];
    for (name, acts, left) in expected {
        let (place, system) = (Place::committed(&[name]), System::new(harmed));
        let room = place.with(system.clone()).await;
        let procedure = procedures().into_iter().find(|one| one.name == name).expect("a procedure");
        let run = through(&room, &procedure, Mode::Ask).await;
        assert_eq!(run.ending.as_deref(), Some("failed"), "{name}: {run:?}");
        assert_eq!((system.order(), system.grown()), (acts.to_vec(), 0), "{name}: as before");
        assert_eq!((run.undone.len(), run.left.len()), (1, left), "{name}: {run:?}");
    }
}

#[tokio::test]
async fn a_firewall_rule_stops_before_everyone_gets_it_while_the_edges_have_no_cpu_to_spare() {
    let procedure = procedures().into_iter().find(|one| one.name == "firewall-rule").expect("a procedure");
    let procedure = Procedure { tells: out_of_cpu, ..procedure };
    let place = Place::committed(&[procedure.name]);
    let room = place.with(System::new(procedure.tells)).await;
    let run = through(&room, &procedure, Mode::Ask).await;
    assert_eq!(run.ending.as_deref(), Some("stopped"), "{run:?}");
    let state = |name: &str| run.steps.iter().find(|step| step.name == name).map(|step| step.state);
    assert_eq!(state("it-costs-little"), Some(StepState::Done), "{run:?}");
    assert_eq!(state("verify-cpu-load"), Some(StepState::Failed), "{run:?}");
    assert_eq!(state("every-edge-has-it"), Some(StepState::Todo), "{run:?}");
}
