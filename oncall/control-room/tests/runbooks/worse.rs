//! Where automation would make it worse, its own checks and the guardrails stop it: a leak behind restarts, more
//! replicas on a full database, an alert that comes and goes. With the committed runbooks and guardrails.

use control_room::runbooks::view::RunState;
use runbook::Verb;
use testkit::eventually;

use crate::{
    place::person,
    system::{SOON, Scene, System, Tells, endings},
};

/// Memory is short before a restart; whether the proof afterwards holds.
fn leaks(query: &str, proof: f64) -> f64 {
    // Nobody else serves.
    if query.contains("edge_ejected") {
        return 0.0;
    }
    // The proof looks at all replicas, the checks before it at one.
    if query.contains("process_memory_usage_percent") && !query.contains("instance=") { proof } else { 90.0 }
}

fn leaks_at_once(query: &str, _: bool) -> f64 {
    if query.contains("up{") { 1.0 } else { leaks(query, 95.0) }
}

fn leaks_slowly(query: &str, _: bool) -> f64 {
    if query.contains("up{") { 1.0 } else { leaks(query, 20.0) }
}

#[tokio::test]
async fn a_leak_that_fills_the_new_process_at_once_opens_the_breaker() {
    let system = System::new(leaks_at_once);
    let scene = Scene::new(&system, "HighMemoryUsage", "order-worker").await;
    for number in 1..=2 {
        scene.fires(number).await;
        let runs = scene.runs(number).await;
        assert_eq!(endings(&runs), vec!["failed"; number], "{runs:?}");
    }
    let view = scene.room.runbooks.automation();
    assert!(!view.on && view.breaker.is_some(), "{view:?}");
    scene.fires(3).await;
    scene.runs(2).await;
    assert_eq!(system.times(Verb::Restart), 2, "and then it is a person's");
    assert_eq!(system.times(Verb::Silence), system.times(Verb::ExpireSilence), "nothing stays muted");
    eventually(SOON, || async {
        let open = scene.room.desk.open_ones();
        let told = open.iter().any(|one| one.title.contains("switched itself off"));
        if told { Ok(()) } else { Err(format!("{open:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_leak_that_restarts_hide_is_shown_to_a_person_at_the_limit() {
    let system = System::new(leaks_slowly);
    let scene = Scene::new(&system, "HighMemoryUsage", "order-worker").await;
    let expected = ["succeeded", "succeeded", "recommended"];
    for number in 1..=3 {
        scene.fires(number).await;
        let runs = scene.runs(number).await;
        assert_eq!(endings(&runs), expected[..number], "{runs:?}");
    }
    assert_eq!(system.times(Verb::Restart), 2);
    let runs = scene.runs(3).await;
    assert!(runs[2].why.as_deref().is_some_and(|why| why.contains("the limit is 2")), "{:?}", runs[2]);
}

/// More requests, and a CPU that is used up; `pool` of the connections to the database are taken.
fn busy(query: &str, pool: f64) -> f64 {
    if query.contains("database_connections") {
        pool
    } else if query.contains("http_requests_total") {
        2.0
    } else {
        95.0
    }
}

fn busy_on_a_full_database(query: &str, _: bool) -> f64 {
    busy(query, 1.0)
}

fn busy_with_room(query: &str, _: bool) -> f64 {
    busy(query, 0.2)
}

#[tokio::test]
async fn no_replica_is_added_onto_a_full_database() {
    let system = System::new(busy_on_a_full_database);
    let scene = Scene::new(&system, "HighCPUUsage", "order-api").await;
    scene.fires(1).await;
    let runs = scene.runs(1).await;
    assert_eq!(endings(&runs), ["stopped"]);
    assert!(runs[0].why.as_deref().is_some_and(|why| why.contains("database-has-room")), "{runs:?}");
    assert_eq!(system.times(Verb::Scale), 0);
}

#[tokio::test]
async fn even_with_room_a_person_decides_about_more_replicas_and_what_did_not_help_is_undone() {
    let system = System::new(busy_with_room);
    let scene = Scene::new(&system, "HighCPUUsage", "order-api").await;
    scene.fires(1).await;
    let runs = scene.runs(1).await;
    assert_eq!(runs[0].state, RunState::WaitingForApproval, "{runs:?}");
    assert_eq!(system.times(Verb::Scale), 0);
    let digest = runs[0].request.as_ref().expect("a request").digest.clone();
    let approved = scene.room.runbooks.approve(&scene.room, &person("ben"), &runs[0].id, &digest).await;
    approved.expect("it is approved");
    // The CPU stays as busy as it was.
    let runs = scene.runs(1).await;
    assert_eq!(endings(&runs), ["failed"]);
    assert_eq!((system.times(Verb::Scale), system.grown()), (2, 0), "the system is as before: {runs:?}");
}

fn silent(query: &str, _: bool) -> f64 {
    if query.contains("changes(") || query.contains("up{") { 0.0 } else { 1.0 }
}

fn crashing(query: &str, _: bool) -> f64 {
    if query.contains("changes(") { 3.0 } else { 0.0 }
}

#[tokio::test]
async fn an_alert_that_comes_and_goes_restarts_nothing() {
    for (tells, why) in [(silent as Tells, "not-ready"), (crashing as Tells, "does-not-come-and-go")] {
        let system = System::new(tells);
        let scene = Scene::new(&system, "TargetDown", "order-worker").await;
        for number in 1..=5 {
            scene.fires(number).await;
            let runs = scene.runs(number).await;
            assert_eq!(endings(&runs), vec!["stopped"; number], "{runs:?}");
            let said = runs[number - 1].why.as_deref();
            assert!(said.is_some_and(|said| said.contains(why)), "{said:?}");
        }
        assert_eq!(system.times(Verb::Restart), 0);
        assert!(scene.room.runbooks.automation().on, "to stop before an act is no failure");
    }
}
