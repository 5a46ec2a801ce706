//! An approval takes two people. Where each has a token, one person under two names is not two; where names are only said,
//! they are, and docs/security.md says so.

use chassis_service::lifecycle::Running;
use clap::Parser as _;
use control_room::{SERVICE, build, config::RoomConfig};
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Http};

use crate::place::Place;

/// Waits for a second person before anything else.
const ALONE: &str = r#"
alert: Alone
title: Do what nobody decides alone
services: [order-worker]
steps:
  - name: second
    what: Somebody else has read it.
    approve: {why: nobody decides this alone}
  - name: restart
    what: Start it again.
    act:
      verb: restart
      with: {service: order-worker}
      blast_radius: 1 replica
      idempotency_key: ${run}/restart
      undo: {nothing: the new process is like the old one}
  - name: good
    what: It helped.
    verify: {promql: 'helped{job="order-worker"}', is: "== 1", within: 30s}
"#;

const TOKENS: [&str; 6] = [
    "--access-token",
    "door",
    "--instructor-token",
    "secret",
    "--person-tokens",
    "ada=ada-token,ben=ben-token",
];

struct Client {
    running: Running,
    http: Http,
    _place: Place,
}

impl Client {
    async fn start(extra: &[&str]) -> Self {
        let place = Place::of("Alone", ALONE);
        let checkout = place.path("").display().to_string();
        // Nobody listens on port 1 without being root.
        let nobody = "http://127.0.0.1:1";
        let flags = ["control-room", "--public-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"];
        let sources = ["--prometheus-url", nobody, "--alertmanager-url", nobody, "--traces-url", nobody];
        let flags = [&flags[..], &sources, &["--checkout", &checkout], extra].concat();
        let config = RoomConfig::try_parse_from(flags).expect("flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = build(&config, chassis).await.expect("a control room");
        let running = Running::start(app).await.expect("free ports");
        let http = Http::to(running.public.expect("a public port"));
        Self { running, http, _place: place }
    }

    async fn post(&self, who: (&str, &str), path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), who];
        self.http.send(Method::POST, &format!("/api/v1/{path}"), &headers, body.to_string()).await
    }

    /// Begins a run in mode ask: its path, and what an approval of it says.
    async fn begin(&self, who: (&str, &str)) -> (String, Value) {
        let begun = self.post(who, "runbooks/Alone/runs", &json!({ "mode": "ask" })).await;
        let run = begun.expect_status(201).json();
        let id = run["id"].as_str().expect("an id");
        assert_eq!(run["state"], "waiting_for_approval", "{run}");
        (format!("runbook-runs/{id}"), json!({ "digest": run["request"]["digest"] }))
    }
}

#[tokio::test]
async fn one_person_does_not_approve_under_two_names() {
    let client = Client::start(&TOKENS).await;
    let [ada, ben, door, secret] =
        ["ada-token", "ben-token", "door", "secret"].map(|token| format!("Bearer {token}"));
    let [ada, ben, door, secret] =
        [&ada, &ben, &door, &secret].map(|token| ("authorization", token.as_str()));

    // The person who began this may be ada.
    let (run, approval) = client.begin(door).await;
    let refused = client.post(ada, &format!("{run}/approve"), &approval).await;
    refused.expect_problem(403, "forbidden");
    assert!(refused.body.contains("begin it with your own token"), "{refused:?}");
    client.post(ada, &format!("{run}/stop"), &json!({ "why": "once more" })).await.expect_status(200);

    let (run, approval) = client.begin(ada).await;
    let path = format!("{run}/approve");
    client.post(ada, &path, &approval).await.expect_problem(409, "not-now");
    for nameless in [door, secret] {
        client.post(nameless, &path, &approval).await.expect_problem(403, "forbidden");
    }
    let headers = [("content-type", "application/json"), ada, ("x-person", "ben")];
    let path = format!("/api/v1/{path}");
    let renamed = client.http.send(Method::POST, &path, &headers, approval.to_string()).await;
    renamed.expect_invalid("X-Person");
    client.post(ben, &format!("{run}/approve"), &approval).await.expect_status(200);
    client.running.stop().await;
}

#[tokio::test]
async fn where_names_are_only_said_an_approval_takes_another_name() {
    let client = Client::start(&[]).await;
    let (run, approval) = client.begin(("x-person", "ada")).await;
    let path = format!("{run}/approve");
    client.post(("x-person", "ada"), &path, &approval).await.expect_problem(409, "not-now");
    client.post(("x-person", "ben"), &path, &approval).await.expect_status(200);
    client.running.stop().await;
}
