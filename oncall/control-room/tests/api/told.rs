//! A release that a terminal drives in a cluster: the room is told, and may do nothing.

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use release::{
    Block, Opinion, Plan, Policy, Verdict,
    judge::{Arm, Count},
    run::{Event, STEPS, What},
};
use serde_json::{Value, json};
use testkit::eventually;

use crate::rig::{Rig, SOON};

pub(crate) const PLACE: &str = "/api/v1/releases/REL-3/events";

/// Everything from the start of REL-3 to its end: users met it for a second, and it was worse.
pub(crate) fn bad(began: DateTime<Utc>) -> Vec<Event> {
    let text = str::to_owned;
    let plan = Plan {
        id: text("REL-3"),
        service: text("order-api"),
        old: text("v1"),
        new: text("v2"),
        steps: STEPS.to_vec(),
        policy: Policy::default(),
        by: text("ada"),
        why: text("Faster orders"),
        over: None,
        written: Some(began - TimeDelta::hours(2)),
    };
    let commit = |key: &str| What::Committed { key: text(key), commit: Some(text(key)) };
    let arm = |bad| Arm { requests: Count { bad, all: 100 }, ..Arm::default() };
    let until = began + TimeDelta::seconds(4);
    let block = Block { until, canary: arm(80), baseline: arm(0), everyone: 2000 };
    let (signals, verdict, why) = (Vec::new(), Verdict::Fail, text("errors: 80 % to 0 %"));
    let opinion = Opinion { verdict, why, signals, requests: 100, needed: 800 };
    let all = [
        What::Started { plan: Box::new(plan) },
        commit("REL-3/step-1"),
        What::Settled,
        What::Measured { block },
        What::Judged { opinion },
        commit("REL-3/revert"),
        What::Settled,
    ];
    (0..).zip(all).map(|(second, what)| what.at(began + TimeDelta::seconds(second))).collect()
}

pub(crate) fn told(from: usize, events: &[Event]) -> Value {
    json!({ "from": from, "events": events })
}

async fn tell(room: &Rig, from: usize, events: &[Event]) -> Value {
    let answer = room.send(Method::PUT, PLACE, &told(from, events)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["known"].take()
}

#[tokio::test]
async fn a_release_holds_automation_back_until_it_is_over_however_long_a_step_takes() {
    let room = Rig::start(&[]).await;
    // What was changed a moment ago holds it back, too: these changes are older.
    let events = bad(Utc::now() - TimeDelta::hours(1));
    let holds = async || {
        let asked = json!({ "parameters": { "service": "order-api", "instance": "127.0.0.1:1" } });
        let dry = room.send(Method::POST, "/api/v1/runbooks/TargetDown/dry", &asked).await;
        assert_eq!(dry.status, 200, "{dry:?}");
        let changes = dry.json()["changes"].to_string();
        assert!(changes.contains("\"target\":\"order-api\""), "{changes}");
        changes.contains("order-api is being deployed")
    };
    assert!(!holds().await);
    assert_eq!(tell(&room, 0, &events[..3]).await, 3);
    assert!(holds().await, "it waits for its judge");
    assert_eq!(tell(&room, 3, &events[3..]).await, 7);
    assert!(!holds().await);
}

#[tokio::test]
async fn a_release_in_a_cluster_is_on_the_pages_and_in_the_figures() {
    let room = Rig::start(&[]).await;
    let events = bad(Utc::now() - TimeDelta::minutes(5));
    assert_eq!(tell(&room, 2, &events[2..]).await, 0, "nobody has told its start");
    assert_eq!(tell(&room, 0, &events[..3]).await, 3);
    assert_eq!(tell(&room, 5, &events[5..]).await, 3, "two are missing in between");
    let page = room.http.get("/releases/REL-3").await.body;
    assert!(page.contains("lab --context NAME release abort REL-3 WHY"), "{page}");
    assert!(!page.contains("Abort and roll back"), "the room cannot do that: {page}");
    let abort = room.send(Method::POST, "/api/v1/releases/REL-3/abort", &json!({ "why": "no" })).await;
    assert_eq!(abort.status, 409, "{abort:?}");
    assert!(abort.body.contains("lab --context NAME release abort REL-3 WHY"), "{abort:?}");

    // Told twice is told once.
    for _ in 0..2 {
        assert_eq!(tell(&room, 0, &events).await, 7);
    }
    let over = room.get("/api/v1/releases/REL-3").await;
    assert_eq!(
        (&over["state"], &over["driver"], &over["differs"]),
        (&json!("rolled-back"), &json!("terminal"), &json!("image tag v2"))
    );
    assert_eq!(over["exposed"], json!([100, 2000]));
    let curves = room.get("/api/v1/releases/REL-3/curves").await;
    assert_eq!(curves["errors"]["canary"][0][1], 0.8);
    assert!(room.http.get("/releases").await.body.contains("REL-3"));
    let delivery = room.get("/api/v1/delivery").await;
    assert_eq!((&delivery["failures"]["some"], &delivery["restore"]["median"]), (&json!(1), &json!(2.0)));
    eventually(SOON, || async {
        let changes = room.get("/api/v1/changes").await.to_string();
        let count = |text: &str| changes.matches(text).count();
        let begun = count("5 % of the requests to order-api go to the canary v2");
        let over = count("order-api is back on v1, v2 was rolled back: worse at 5 %: errors: 80 % to 0 %");
        if (begun, over) == (1, 1) { Ok(()) } else { Err(changes) }
    })
    .await;
    let audit = room.http.get("/api/v1/audit").await.body;
    assert_eq!(audit.matches("release.ended").count(), 1, "{audit}");
    let entries = audit.lines().filter(|line| line.contains("release."));
    let by: Vec<Value> =
        entries.map(|line| serde_json::from_str::<Value>(line).expect("an entry")["by"].take()).collect();
    assert!(by.len() > 3 && by.iter().all(|by| by == "ada"), "the room did nothing itself: {audit}");
    room.running.stop().await;
}

#[tokio::test]
async fn an_incident_counts_for_the_release_that_a_confirmed_hypothesis_names() {
    let room = Rig::start(&[]).await;
    assert_eq!(tell(&room, 0, &bad(Utc::now() - TimeDelta::minutes(5))).await, 7);
    let incident = format!("/api/v1/incidents/{}", room.open("Orders fail").await);
    let lasting = async || room.get("/api/v1/delivery").await["lasting"].clone();
    room.post(&format!("{incident}/hypotheses"), &json!({ "text": "REL-3 is slow" })).await;
    assert_eq!(lasting().await, 0, "nobody has confirmed it");
    room.post(&format!("{incident}/hypotheses/1/confirm"), &json!({ "why": "v1 is not" })).await;
    assert_eq!(lasting().await, 1);
    room.running.stop().await;
}

#[tokio::test]
async fn what_is_not_this_release_is_refused_as_a_whole() {
    let room = Rig::start(&[]).await;
    let began = Utc::now() - TimeDelta::minutes(5);
    let events = bad(began);
    let other = room.send(Method::PUT, "/api/v1/releases/REL-4/events", &told(0, &events)).await;
    assert_eq!(other.status, 400, "{other:?}");
    assert_eq!(tell(&room, 0, &events[..3]).await, 3);
    let again = room.send(Method::PUT, PLACE, &told(0, &bad(began + TimeDelta::seconds(60)))).await;
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.body.contains("another checkout"), "{again:?}");
    // The last one does not fit.
    let odd = [&events[3..4], &events[2..3]].concat();
    let refused = room.send(Method::PUT, PLACE, &told(3, &odd)).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(tell(&room, 3, &[]).await, 3, "the first one was not taken either");
    room.running.stop().await;
}

#[tokio::test]
async fn a_room_that_was_started_again_is_told_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("room.db");
    let file = ["--file", file.to_str().expect("UTF-8")];
    let events = bad(Utc::now() - TimeDelta::minutes(5));
    let room = Rig::start(&file).await;
    assert_eq!(tell(&room, 0, &events[..4]).await, 4);
    room.running.stop().await;
    let room = Rig::start(&file).await;
    assert_eq!(room.get("/api/v1/releases/REL-3").await["state"], "watch");
    assert_eq!(tell(&room, 4, &events[4..]).await, 7);
    assert_eq!(room.get("/api/v1/releases/REL-3").await["state"], "rolled-back");
    room.running.stop().await;
}
