//! Under whose name something is done: nobody signs as another, and where people have tokens of their own, nobody has a
//! name that they only say.

use chrono::{TimeDelta, Utc};
use http::Method;
use release::run::{Event, What};
use serde_json::{Value, json};
use testkit::Answer;

use crate::{
    rig::Rig,
    told::{PLACE, bad, told},
};

type Headers<'h> = &'h [(&'h str, &'h str)];

const JSON: (&str, &str) = ("content-type", "application/json");
/// Each person has a token.
const KNOWN: [&str; 6] = [
    "--access-token",
    "door",
    "--instructor-token",
    "secret",
    "--person-tokens",
    "ada=ada-token,ben=ben-token",
];
const ADA: (&str, &str) = ("authorization", "Bearer ada-token");
const DOOR: (&str, &str) = ("authorization", "Bearer door");

async fn tell(room: &Rig, headers: Headers<'_>, from: usize, events: &[Event]) -> Answer {
    let headers = [&[JSON][..], headers].concat();
    room.http.send(Method::PUT, PLACE, &headers, told(from, events).to_string()).await
}

/// Who did what to releases, in the audit log.
async fn audited(room: &Rig) -> Vec<(String, String)> {
    let log = room.http.get("/api/v1/audit").await.body;
    let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("an entry"));
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let mine = entries.filter(|entry| word(entry, "action").starts_with("release."));
    mine.map(|entry| (word(&entry, "by"), word(&entry, "action"))).collect()
}

#[tokio::test]
async fn nobody_tells_a_release_in_the_name_of_another() {
    let room = Rig::start(&["--hook-token", "bell"]).await;
    let (ben, program) = ([("x-person", "ben")], [("authorization", "Bearer bell")]);
    let events = bad(Utc::now() - TimeDelta::minutes(5));
    let mut over = events.clone();
    if let What::Started { plan } = &mut over[0].what {
        (plan.by, plan.over) = ("ben".to_owned(), Some(("ada".to_owned(), "It has to be".to_owned())));
    }
    for headers in [&ben[..], &[], &[("authorization", "Bearer wrong")]] {
        let refused = tell(&room, headers, 0, &events).await;
        refused.expect_problem(403, "forbidden");
        assert!(refused.body.contains("let ada tell it"), "{refused:?}");
    }
    tell(&room, &ben, 0, &over).await.expect_problem(403, "forbidden");
    assert_eq!(room.get("/api/v1/releases").await["releases"], json!([]), "nothing of it was taken");
    assert!(audited(&room).await.is_empty(), "nor written down");

    tell(&room, &[("x-person", "ada")], 0, &events[..3]).await.expect_status(200);
    let by = "ada".to_owned();
    let abort = [What::Aborted { by, why: "Users complain".to_owned() }.at(events[3].at)];
    tell(&room, &ben, 3, &abort).await.expect_problem(403, "forbidden");
    let known = tell(&room, &program, 3, &abort).await;
    assert_eq!(known.expect_status(200).json()["known"], 4, "a program with the token says what she did");
    // What nobody signs, its teller answers for: not who began.
    tell(&room, &ben, 4, &events[5..]).await.expect_status(200);
    let expected = [
        ("ada", "release.started"),
        ("ada", "release.committed"),
        ("ada", "release.aborted"),
        ("ben", "release.committed"),
        ("ben", "release.ended"),
    ];
    assert_eq!(audited(&room).await, expected.map(|(by, what)| (by.to_owned(), what.to_owned())));
    room.running.stop().await;
}

#[tokio::test]
async fn a_program_that_releases_needs_no_other_token_than_its_own() {
    let room = Rig::start(&[&KNOWN[..], &["--hook-token", "bell"]].concat()).await;
    let events = bad(Utc::now() - TimeDelta::minutes(5));
    let program = [("authorization", "Bearer bell")];
    tell(&room, &[], 0, &events).await.expect_problem(401, "unauthorized");
    tell(&room, &program, 0, &events).await.expect_status(200);
    let list = room.http.send(Method::GET, "/api/v1/releases", &program, String::new()).await;
    assert_eq!(list.expect_status(200).json()["releases"][0]["id"], "REL-3");
    let other = room.http.send(Method::GET, "/api/v1/incidents", &program, String::new()).await;
    other.expect_problem(401, "unauthorized");
    room.running.stop().await;
}

/// Opens an incident with these headers; who did it, in the timeline.
async fn opener(room: &Rig, headers: Headers<'_>) -> String {
    let headers = [&[JSON][..], headers].concat();
    let body = json!({ "title": "Orders fail", "severity": "low" }).to_string();
    let made = room.http.send(Method::POST, "/api/v1/incidents", &headers, body).await;
    let entry = made.expect_status(201).json()["timeline"][0].take();
    entry["source"]["name"].as_str().expect("a name").to_owned()
}

#[tokio::test]
async fn with_tokens_of_their_own_nobody_takes_another_name() {
    let room = Rig::start(&KNOWN).await;
    let get = async |path: &str, headers: Headers<'_>| {
        room.http.send(Method::GET, path, headers, String::new()).await
    };
    assert_eq!(opener(&room, &[ADA]).await, "ada");
    assert_eq!(opener(&room, &[ADA, ("x-person", "ada")]).await, "ada");
    assert_eq!(opener(&room, &[DOOR, ("cookie", "who=ada")]).await, "somebody");
    for headers in [[ADA, ("x-person", "ben")], [DOOR, ("x-person", "ada")]] {
        get("/api/v1/incidents", &headers).await.expect_invalid("X-Person");
    }
    get("/api/v1/observe/map", &[ADA, ("x-agent", "ben")]).await.expect_invalid("X-Agent");
    get("/api/v1/observe/map", &[ADA, ("x-agent", "my-agent")]).await.expect_status(200);
    room.running.stop().await;
}

#[tokio::test]
async fn a_session_has_the_name_of_its_token_and_no_other() {
    let room = Rig::start(&KNOWN).await;
    let enter = async |form: &str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        room.http.send(Method::POST, "/login", &headers, form.to_owned()).await
    };
    for form in ["token=door&name=ada", "token=ben-token&name=ada", "name=ada"] {
        enter(form).await.expect_status(422);
    }
    let page = room.http.get("/login").await.body;
    assert!(page.contains("Your own token says it") && !page.contains("login-name"), "{page}");
    let entered = enter("token=ben-token").await;
    let cookie = entered.expect_status(303).header("set-cookie");
    let cookie = cookie.split(';').next().unwrap_or_default();
    assert_eq!(opener(&room, &[("cookie", cookie)]).await, "ben");
    let headers = [("cookie", cookie), ("x-person", "ada")];
    let other = room.http.send(Method::GET, "/api/v1/incidents", &headers, String::new()).await;
    other.expect_invalid("X-Person");
    room.running.stop().await;
}

#[tokio::test]
async fn a_session_on_this_machine_keeps_its_name_too() {
    let room = Rig::start(&["--instructor-token", "secret"]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let entered = room.http.send(Method::POST, "/login", &form, "token=secret&name=ada".to_owned()).await;
    let cookie = entered.expect_status(303).header("set-cookie");
    let cookie = cookie.split(';').next().unwrap_or_default();
    assert_eq!(opener(&room, &[("cookie", cookie)]).await, "ada");
    let headers = [("cookie", cookie), ("x-person", "ben")];
    let other = room.http.send(Method::GET, "/api/v1/incidents", &headers, String::new()).await;
    let problem = other.expect_invalid("X-Person");
    assert!(problem.to_string().contains("ada, as the token or the session says"), "{problem}");
    room.running.stop().await;
}

#[tokio::test]
async fn an_agent_and_a_hook_are_no_person() {
    let room = Rig::start(&[]).await;
    let agent = [("x-agent", "ada")];
    let asked = room.http.send(Method::GET, "/api/v1/observe/map", &agent, String::new()).await;
    asked.expect_invalid("X-Agent");
    let payload = json!({ "summary": "order-api 1.4", "source": "ada", "class": "release" });
    let change = json!({ "routing_key": "k", "payload": payload });
    room.send(Method::POST, "/v2/change/enqueue", &change).await.expect_status(202);
    let changes = room.get("/api/v1/changes").await;
    assert_eq!(changes["changes"][0]["by"], "ada (as a hook says)");
    room.running.stop().await;
}
