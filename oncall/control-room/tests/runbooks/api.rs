//! Runbooks through the API of a control room that has nobody to ask.

use std::time::Duration;

use chassis_service::lifecycle::Running;
use chrono::{TimeDelta, Utc};
use clap::Parser as _;
use control_room::{SERVICE, build, config::RoomConfig};
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
