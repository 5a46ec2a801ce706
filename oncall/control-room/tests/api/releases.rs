//! A release through the API.

use std::{fs, sync::atomic::Ordering, time::Duration};

use gitops::NewCommit;
use http::Method;
use release::fleet::{FILE, FOLDER, Version};
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    rig::{Rig, SOON},
    shop::Shop,
};

/// Until a bad canary has failed: it has to be worse for several stretches of time.
const JUDGED: Duration = Duration::from_secs(90);

fn wanted() -> Value {
    json!({ "service": "order-api", "version": "v2", "why": "Less patience", "override": "a test has no budget" })
}

async fn until(room: &Rig, state: &str) -> Value {
    within(SOON, room, state).await
}

async fn within(deadline: Duration, room: &Rig, state: &str) -> Value {
    eventually(deadline, || async {
        let release = room.get("/api/v1/releases/REL-1").await;
        if release["state"] == state { Ok(release) } else { Err(release.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_version_is_stopped_at_the_canary_even_if_the_room_is_started_again_meanwhile() {
    let shop = Shop::start().await;
    let repository = shop.repository().await;
    let room = shop.room().await;
    let begun = room.post("/api/v1/releases", &wanted()).await;
    assert_eq!(
        (&begun["id"], &begun["old"], &begun["new"]),
        (&json!("REL-1"), &json!("0.1.0"), &json!("v2"))
    );
    until(&room, "watch").await;
    assert_eq!(shop.fleet().services["order-api"].canary.as_ref().map(|trial| trial.weight), Some(5));
    let again = room.send(Method::POST, "/api/v1/releases", &wanted()).await;
    assert_eq!(again.status, 409, "one at a time: {again:?}");
    room.running.stop().await;

    shop.fails.store(true, Ordering::SeqCst);
    let room = shop.room().await;
    let over = within(JUDGED, &room, "rolled-back").await;
    let reason = over["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("worse at 5 %: errors: "), "{reason}");
    assert_eq!(over["steps"][0]["opinion"]["verdict"], "fail");
    let fleet = shop.fleet();
    let crew = &fleet.services["order-api"];
    assert_eq!((crew.version.name.as_str(), &crew.canary), ("0.1.0", &None));
    let subjects: Vec<String> = repository
        .log("main", 9)
        .await
        .expect("a log")
        .iter()
        .map(|logged| logged.subject().to_owned())
        .collect();
    let expected = [
        "Roll order-api back to 0.1.0",
        "Release order-api v2: canary 5 %",
        "Begin with what the lab comes with",
    ];
    assert_eq!(subjects, expected, "each step once");
    // A change is noted after the commit of what it tells.
    eventually(SOON, || async {
        let changes = room.get("/api/v1/changes").await.to_string();
        let told = |text: &str| changes.contains(text);
        let all = told("5 % of the requests to order-api go to the canary v2")
            && told("order-api is back on 0.1.0, v2 was rolled back");
        if all { Ok(()) } else { Err(changes) }
    })
    .await;
    let audit = room.http.get("/api/v1/audit").await.body;
    for action in ["release.started", "release.judged", "release.ended"] {
        assert_eq!(audit.matches(action).count(), 1, "{action}: {audit}");
    }
    let delivery = room.get("/api/v1/delivery").await;
    assert_eq!(
        (&delivery["deployments"], &delivery["failures"]["some"]),
        (&json!(0), &json!(1)),
        "{delivery}"
    );
    let page = room.http.get("/releases/REL-1").await;
    page.expect_status(200);
    for text in ["worse at 5 %", "Share of requests that failed", "The judge's numbers", "Less patience"] {
        assert!(page.body.contains(text), "no {text} in {}", page.body);
    }
    assert!(room.http.get("/releases").await.body.contains("Change failure rate"));
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_computes_wrong_totals_is_stopped_at_the_canary_although_no_request_fails() {
    let shop = Shop::start().await;
    let room = shop.room().await;
    shop.wrong.store(true, Ordering::SeqCst);
    room.post("/api/v1/releases", &wanted()).await;
    let over = within(JUDGED, &room, "rolled-back").await;
    let reason = over["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("worse at 5 %: wrong-totals: "), "{reason}");
    let signals = over["steps"][0]["opinion"]["signals"].as_array().expect("signals");
    let verdict = |name: &str| {
        let signal = signals.iter().find(|signal| signal["name"] == name);
        signal.map(|signal| signal["verdict"].clone())
    };
    assert_eq!(verdict("wrong-totals"), Some(json!("fail")), "{over}");
    assert!(!["errors", "latency"].map(verdict).contains(&Some(json!("fail"))), "{over}");
    assert_eq!(shop.fleet().services["order-api"].canary, None);
    let page = room.http.get("/releases/REL-1").await;
    assert!(page.expect_status(200).body.contains("wrong-totals"), "{}", page.body);
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_released_is_refused_with_the_next_step_and_a_person_can_stop_a_release() {
    let shop = Shop::start().await;
    let room = shop.room().await;
    let with = |field: &str, value: Value| {
        let mut body = wanted();
        body[field] = value;
        body
    };
    for (body, status, said) in [
        (with("service", json!("redis")), 404, "order-api"),
        (with("version", json!("v9")), 404, "lab release start"),
        (with("version", json!("../v2")), 400, "/version"),
        (with("steps", json!([50, 5, 100])), 400, "50, 5, 100"),
        (with("rise", json!(2.0)), 400, "/rise"),
        (with("hold", json!("soon")), 400, "/hold"),
        (with("override", Value::Null), 409, "are frozen"),
    ] {
        let answer = room.send(Method::POST, "/api/v1/releases", &body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.body.contains(said), "{body}: {answer:?}");
    }
    room.post("/api/v1/releases", &wanted()).await;
    until(&room, "watch").await;
    let early = room.send(Method::POST, "/api/v1/releases/REL-1/continue", &json!({ "why": "fine" })).await;
    assert_eq!(early.status, 409, "nobody is asked yet: {early:?}");
    room.post("/api/v1/releases/REL-1/abort", &json!({ "why": "wrong version" })).await;
    let over = until(&room, "aborted").await;
    assert_eq!(over["reason"], "ada stopped it: wrong version");
    assert_eq!(shop.fleet().services["order-api"].canary, None);
    assert!(room.http.get("/releases/REL-9").await.status == 404);
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_a_release_back_once_and_none_that_is_unknown() {
    let shop = Shop::start().await;
    let room = shop.room().await;
    room.post("/api/v1/releases", &wanted()).await;
    until(&room, "watch").await;
    let back =
        |change: &str| json!({ "action": { "action": "rollback", "change": change }, "incident": null });
    let done = room.post("/api/v1/actions", &back("REL-1")).await;
    let text = done["done"]["results"][0]["text"].as_str().expect("a text");
    assert_eq!(text, "REL-1 goes back: order-api 0.1.0 gets every request");
    let over = until(&room, "aborted").await;
    assert_eq!(over["reason"], "ada stopped it: it is taken back");
    assert_eq!(shop.fleet().services["order-api"].canary, None);
    let again = room.post("/api/v1/actions", &back("rel-1")).await;
    assert!(again.to_string().contains("REL-1 was taken back before"), "{again}");
    // What a person did by hand is in the ledger of toil.
    eventually(SOON, || async {
        let toil = room.get("/api/v1/toil").await;
        let task =
            toil["tasks"].as_array().into_iter().flatten().find(|task| task["name"] == "rolled REL-1 back");
        task.map(|_| ()).ok_or_else(|| toil.to_string())
    })
    .await;
    for (change, status) in [("REL-9", 404), ("release-2", 409)] {
        let refused = room.send(Method::POST, "/api/v1/actions", &back(change)).await;
        assert_eq!(refused.status, status, "{change}: {refused:?}");
    }
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_with_an_older_file_than_the_repository_gives_no_number_a_second_time() {
    let shop = Shop::start().await;
    let repository = shop.repository().await;
    let head = repository.head().await.expect("a commit");
    let tree = repository.tree(&head).await.expect("files");
    let message = "Release order-api v1: canary 5 %\n\nRelease: REL-7\nKey: REL-7/step-1\nBy: ada\n";
    let new = NewCommit { parent: Some(&head), tree: &tree, message, author: "ada", committer: "release" };
    let made = repository.commit(&new).await.expect("a commit");
    repository.advance(Some(&head), &made).await.expect("nobody else commits");
    let room = shop.room().await;
    let begun = room.post("/api/v1/releases", &wanted()).await;
    assert_eq!(begun["id"], "REL-8", "{begun}");
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_room_takes_nothing_back_that_was_released_after_its_backup() {
    let shop = Shop::start().await;
    let repository = shop.repository().await;
    let room = shop.room().await;
    room.post("/api/v1/releases", &wanted()).await;
    until(&room, "watch").await;
    room.running.stop().await;

    // What the file of the backup does not know: v2 was taken back, and v3 released.
    let mut fleet = shop.fleet();
    let crew = fleet.services.get_mut("order-api").expect("a service");
    (crew.version, crew.canary) = (Version::built("v3"), None);
    let text = serde_json::to_string(&fleet).expect("JSON");
    fs::write(shop.lab.path().join(FOLDER).join(FILE), text).expect("a file");
    let head = repository.head().await.expect("a commit");

    let room = shop.room().await;
    let over = until(&room, "stuck").await;
    let reason = over["reason"].as_str().expect("a reason");
    for said in ["what came after it is not taken back", "order-api runs v3"] {
        assert!(reason.contains(said), "{reason}");
    }
    assert_eq!(shop.fleet(), fleet, "v3 keeps running");
    assert_eq!(repository.head().await.expect("a commit"), head, "and the repository says so");
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_get_the_old_version_back_even_if_the_repository_is_gone() {
    let shop = Shop::start().await;
    shop.repository().await;
    let room = shop.room().await;
    room.post("/api/v1/releases", &wanted()).await;
    until(&room, "watch").await;
    fs::remove_dir_all(shop.lab.path().join("gitops.git")).expect("a repository");
    room.post("/api/v1/releases/REL-1/abort", &json!({ "why": "wrong version" })).await;
    eventually(SOON, || async {
        match &shop.fleet().services["order-api"].canary {
            None => Ok(()),
            Some(trial) => Err(format!("the canary still has {} %", trial.weight)),
        }
    })
    .await;
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_data_waits_for_a_person_and_a_lab_that_was_started_again_for_nobody() {
    let mut shop = Shop::start().await;
    // Nobody listens there.
    "http://127.0.0.1:1".clone_into(&mut shop.prometheus);
    let room = shop.room().await;
    let mut body = wanted();
    (body["hold"], body["patience"]) = (json!("1s"), json!("1s"));
    room.post("/api/v1/releases", &body).await;
    let held = until(&room, "held").await;
    assert_eq!(held["steps"][0]["opinion"]["verdict"], "inconclusive", "{held}");
    eventually(SOON, || async {
        let changes = room.get("/api/v1/changes").await.to_string();
        let told = changes.contains("The release of order-api v2 waits for a person until");
        if told { Ok(()) } else { Err(changes) }
    })
    .await;
    // What a start of the lab does.
    let fleet = shop.lab.path().join(FOLDER).join(FILE);
    fs::remove_file(&fleet).expect("a fleet");
    let over = until(&room, "rolled-back").await;
    let reason = over["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("the lab was started again"), "{reason}");
    assert!(!fleet.exists(), "what was built keeps running");
    room.running.stop().await;
}
