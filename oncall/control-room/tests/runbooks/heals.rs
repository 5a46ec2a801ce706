//! What automation does by itself, with the committed runbooks and guardrails: an alert fires, its runbook acts once, and
//! proves that it helped. While automation is off, nothing is done.

use std::sync::Arc;

use chrono::Utc;
use control_room::runbooks::view::RunState;
use runbook::Verb;

use crate::{
    place::person,
    system::{Scene, System, endings},
};

/// Bad until something is done: nothing answers, nothing moves, nothing fails, nobody else serves, and all else is too much.
fn sick(query: &str, acted: bool) -> f64 {
    let still = [
        "up{",
        "changes(",
        "kafka_consumed_total",
        "kafka_retries_total",
        "database_errors_total",
        "edge_ejected",
    ];
    match (acted, still.iter().any(|name| query.contains(name))) {
        (true, _) => f64::from(u8::from(query.contains("up{"))),
        (false, true) => 0.0,
        (false, false) => 90.0,
    }
}

/// The same, and the edge balances over two replicas.
fn sick_of_two(query: &str, acted: bool) -> f64 {
    match query {
        two if two.contains("edge_ejected") => 2.0,
        // A drain alone does not help.
        memory if memory.contains("process_resident_memory_bytes") => 90.0,
        other => sick(other, acted),
    }
}

#[tokio::test]
async fn a_replica_that_others_can_do_without_is_drained_before_it_is_restarted_and_put_back() {
    let system = System::new(sick_of_two);
    let scene = Scene::new(&system, "HighMemoryUsage", "order-api").await;
    scene.fires(1).await;
    let runs = scene.runs(1).await;
    assert_eq!(endings(&runs), ["succeeded"], "{runs:?}");
    let verbs = [Verb::Silence, Verb::Drain, Verb::Restart, Verb::Undrain, Verb::ExpireSilence];
    assert_eq!(system.order(), verbs);
}

/// Nothing new is given up, and nothing waits.
fn calm(_: &str, _: bool) -> f64 {
    0.0
}

/// The alert, its service, what helps, and the system.
fn cases() -> Vec<(&'static str, &'static str, Verb, Arc<System>)> {
    vec![
        ("TargetDown", "order-worker", Verb::Restart, System::hung(sick)),
        ("ConsumerLagGrowing", "order-worker", Verb::Restart, System::new(sick)),
        ("HighMemoryUsage", "order-worker", Verb::Restart, System::new(sick)),
        ("DataFolderFilling", "order-worker", Verb::Restart, System::new(sick)),
        ("PostgresLongTransaction", "postgres", Verb::EndSessions, System::new(sick)),
    ]
}

#[tokio::test]
async fn each_alert_that_may_heal_by_itself_is_healed_by_one_act() {
    for (alert, service, verb, system) in cases() {
        let scene = Scene::new(&system, alert, service).await;
        scene.fires(1).await;
        let runs = scene.runs(1).await;
        assert_eq!(endings(&runs), ["succeeded"], "{alert}: {runs:?}");
        assert_eq!((runs[0].by.as_str(), system.times(verb)), ("automation", 1), "{alert}");
    }
}

#[tokio::test]
async fn while_automation_is_off_nothing_is_done() {
    for (alert, service, verb, system) in cases() {
        let scene = Scene::new(&system, alert, service).await;
        let off = scene.room.runbooks.switch(&scene.room, &person("ada"), false, "we look ourselves").await;
        assert!(!off.expect("it is off").on);
        scene.fires(1).await;
        assert!(scene.runs(0).await.is_empty() && system.times(verb) == 0, "{alert}");
        // What began before the switch would be seen now.
        let on = Utc::now();
        let switched = scene.room.runbooks.switch(&scene.room, &person("ada"), true, "we have looked").await;
        assert!(switched.expect("it is on").on);
        let runs = scene.runs(1).await;
        assert!(runs[0].started_at >= on && system.times(verb) == 1, "{alert}: {runs:?}");
    }
}

#[tokio::test]
async fn dead_letters_are_put_back_once_a_person_says_that_their_cause_is_fixed() {
    let system = System::new(calm);
    let scene = Scene::new(&system, "DeadLetters", "order-worker").await;
    scene.fires(1).await;
    let runs = scene.runs(1).await;
    assert_eq!((runs[0].state, system.times(Verb::Redrive)), (RunState::WaitingForApproval, 0), "{runs:?}");
    let digest = runs[0].request.as_ref().expect("a request").digest.clone();
    let approved = scene.room.runbooks.approve(&scene.room, &person("ben"), &runs[0].id, &digest).await;
    approved.expect("it is approved");
    let runs = scene.runs(1).await;
    assert_eq!((endings(&runs), system.times(Verb::Redrive)), (vec!["succeeded"], 1), "{runs:?}");
}
