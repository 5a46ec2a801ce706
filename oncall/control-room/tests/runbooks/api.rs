//! Runbooks through the API of a control room that has nobody to ask.

use std::time::Duration;

use chassis_service::lifecycle::Running;
use chrono::{TimeDelta, Utc};
use clap::Parser as _;
use control_room::{
    SERVICE, build, bus::Bus, config::RoomConfig, content::Content, runbooks::Runbooks, store::Store,
};
use http::Method;
use serde_json::{Value, json};
use testkit::{Http, eventually};

struct Client {
    _running: Running,
    http: Http,
}

impl Client {
    async fn start() -> Self {
        // Nobody listens on port 1 without being root.
        let nobody = "http://127.0.0.1:1";
        let flags = [
            "control-room",
            "--public-addr=127.0.0.1:0",
            "--admin-addr=127.0.0.1:0",
            "--instances=order-api=http://127.0.0.1:1,order-worker=http://127.0.0.1:1",
        ];
        let sources = ["--prometheus-url", nobody, "--alertmanager-url", nobody, "--traces-url", nobody];
        let config = RoomConfig::try_parse_from([&flags[..], &sources[..]].concat()).expect("flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = build(&config, chassis).await.expect("a control room");
        let running = Running::start(app).await.expect("free ports");
        let http = Http::to(running.public.expect("a public port"));
        Self { _running: running, http }
    }

    async fn send(&self, person: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let headers = [("content-type", "application/json"), ("x-person", person)];
        let answer = self.http.send(method, &format!("/api/v1/{path}"), &headers, body.to_string()).await;
        (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::String(answer.body)))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("ada", Method::GET, path, json!({})).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

#[tokio::test]
async fn a_person_reads_tries_runs_and_is_told_what_is_missing() {
    let client = Client::start().await;
    let all = client.get("runbooks").await;
    let all = all["runbooks"].as_array().expect("a list");
    let names: Vec<&str> = all.iter().map(|one| one["name"].as_str().expect("a name")).collect();
    assert!(names.len() >= 12 && names.contains(&"TargetDown"), "{names:?}");
    let one = client.get("runbooks/TargetDown").await;
    assert!(one["parameters"].to_string().contains("\"label\":\"instance\""), "{one}");

    let missing = json!({ "parameters": { "service": "order-api" } });
    let (_, dry) = client.send("ada", Method::POST, "runbooks/TargetDown/dry", missing).await;
    assert_eq!(dry["ready"], false);
    assert!(dry["problems"].to_string().contains("instance: missing"), "{dry}");
    let values = json!({ "service": "order-api", "instance": "127.0.0.1:1" });
    let asked = json!({ "parameters": values });
    let (_, dry) = client.send("ada", Method::POST, "runbooks/TargetDown/dry", asked).await;
    assert_eq!(dry["changes"][0]["target"], "order-api", "{dry}");
    assert_eq!(dry["preconditions"][0]["holds"], false, "{dry}");
    assert_eq!(dry["changes"][0]["verdict"], "recommend", "automation is off: {dry}");

    let nothing = json!({ "mode": "manual" });
    let (status, wrong) = client.send("ada", Method::POST, "runbooks/TargetDown/runs", nothing).await;
    assert_eq!(status, 400, "{wrong}");
    let body = json!({ "mode": "manual", "parameters": values });
    let (status, run) = client.send("ada", Method::POST, "runbooks/TargetDown/runs", body).await;
    assert_eq!((status, &run["id"]), (201, &json!("RUN-1")), "{run}");
    let ended = eventually(Duration::from_secs(10), || async {
        let run = client.get("runbook-runs/RUN-1").await;
        if run["state"] == "ended" { Ok(run) } else { Err(run.to_string()) }
    })
    .await;
    assert_eq!(ended["ending"], "stopped");
    assert!(ended["why"].as_str().expect("a reason").contains("could not be asked"), "{ended}");
    let (status, late) = client.send("ada", Method::POST, "runbook-runs/RUN-1/confirm", json!({})).await;
    assert_eq!(status, 409, "{late}");
    let why = json!({ "why": "x" });
    let (status, none) = client.send("ada", Method::POST, "runbook-runs/RUN-9/stop", why).await;
    assert_eq!(status, 404, "{none}");
}

#[tokio::test]
async fn the_switch_needs_a_reason_and_is_in_the_log_and_toil_has_a_span() {
    let client = Client::start().await;
    assert_eq!(client.get("automation").await["on"], false);
    let (status, _) = client.send("ada", Method::PUT, "automation", json!({ "on": true, "why": " " })).await;
    assert_eq!(status, 400);
    let why = json!({ "on": true, "why": "we try it" });
    let (status, view) = client.send("ada", Method::PUT, "automation", why).await;
    assert_eq!((status, &view["on"], &view["recent"][0]["by"]), (200, &json!(true), &json!("ada")), "{view}");
    let log = client.get("audit").await;
    let line = log.to_string();
    assert!(line.contains("automation.on") && line.contains("we try it"), "{line}");
    let since = (Utc::now() - TimeDelta::days(30)).format("%Y-%m-%dT%H:%M:%SZ");
    let toil = client.get(&format!("toil?since={since}")).await;
    assert_eq!(toil["tasks"], json!([]), "{toil}");
    let (status, _) = client.send("ada", Method::GET, "toil?since=2099-01-01T00:00:00Z", json!({})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_guardrail_that_is_declared_denies_until_it_is_withdrawn() {
    let client = Client::start().await;
    let path = "automation/guardrails/freeze";
    let put = async |path: &str, body: &Value| client.send("ada", Method::PUT, path, body.clone()).await;
    let verdict = async || {
        let values = json!({ "service": "order-api", "instance": "127.0.0.1:1" });
        let asked = json!({ "parameters": values });
        let (_, dry) = client.send("ada", Method::POST, "runbooks/TargetDown/dry", asked).await;
        // It may be drained first, which is another act.
        let mut changes = dry["changes"].as_array().into_iter().flatten();
        let restart = |one: &&Value| one["text"].as_str().is_some_and(|text| text.starts_with("restart "));
        let verdict = changes.find(restart).map(|one| one["verdict"].clone());
        (verdict.expect("a restart"), dry.to_string())
    };
    let fields =
        json!({ "why": "the audit", "verbs": ["restart"], "targets": ["order-api"], "runbooks": [] });
    let (status, made) = put(path, &fields).await;
    assert_eq!((status, &made["name"], &made["by"]), (201, &json!("freeze"), &json!("ada")), "{made}");
    assert_eq!(client.get(path).await, made);
    let (found, dry) = verdict().await;
    assert_eq!(found, "deny", "{dry}");
    assert!(dry.contains("rule freeze denies it: the audit"), "{dry}");
    assert_eq!(put(path, &fields).await, (200, made), "it is the same");
    let narrow = json!({ "why": "the audit", "targets": ["user-service"] });
    let (status, changed) = put(path, &narrow).await;
    assert_eq!((status, &changed["verbs"]), (200, &json!([])), "{changed}");
    assert_eq!(verdict().await.0, "recommend");

    for (path, body, field) in [
        (path, json!({ "why": "x", "verbs": ["erase"] }), "/verbs/0"),
        (path, json!({ "why": " " }), "/why"),
        (path, json!({ "why": "x", "then": "auto" }), "/then"),
        ("automation/guardrails/Freeze", json!({ "why": "x" }), "rule"),
    ] {
        let (status, wrong) = put(path, &body).await;
        assert!(status == 400 && wrong["errors"].get(field).is_some(), "{field}: {wrong}");
    }
    let (status, owned) = put("automation/guardrails/stores-are-for-people", &narrow).await;
    assert!(status == 409 && owned["detail"].to_string().contains("owns it"), "{owned}");
    assert_eq!(client.get(path).await, changed, "nothing of this changes it");
    for status in [204, 404] {
        assert_eq!(client.send("ada", Method::DELETE, path, json!({})).await.0, status);
    }
    let changes = client.get("changes").await.to_string();
    for verb in ["declared", "changed", "withdrawn"] {
        assert!(changes.contains(&format!("ada has {verb} the guardrail freeze")), "{changes}");
    }
    let audit = client.http.get("/api/v1/audit").await.body;
    assert!(audit.contains("guardrail.declared") && audit.contains("guardrail.withdrawn"), "{audit}");
}

#[tokio::test]
async fn a_guardrail_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("room.db");
    let open = async || {
        let store = Store::open(Some(&file)).await.expect("a file");
        let (bus, content) = (Bus::default(), Content::open(None).expect("what is compiled in"));
        (Runbooks::open(&store, &bus, &content, 60).await.expect("runbooks"), store)
    };
    let (_, store) = open().await;
    let mut writing = store.begin().await.expect("its turn");
    sqlx::query(
        "INSERT INTO declared (kind, name, data, changed_by, changed_at) \
         VALUES ('guardrail', 'freeze', '{\"why\":\"the audit\"}', 'ada', 0)",
    )
    .execute(&mut *writing)
    .await
    .expect("a row");
    writing.commit(&Bus::default()).await.expect("a commit");
    let (again, _) = open().await;
    assert_eq!(again.denial("freeze").expect("a rule").fields.why, "the audit");
}
