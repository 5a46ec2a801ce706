//! A checkout with one drill, a control room that runs in front of the lab, and a client of it.

use std::{fs, path::Path};

use chassis_service::lifecycle::Running;
use clap::Parser as _;
use control_room::{SERVICE, build, config::RoomConfig};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Answer, Http, eventually};

use crate::lab::{Lab, SOON};

/// Every text that begins like this is the truth: no trainee may read it while the drill runs.
pub(crate) const SECRET: &str = "zz-";

/// A drill that is over in seconds.
const DRILL: &str = r#"
id: quick
title: A quick one
difficulty: first-day
time_box: 1m
tags: {layers: [http], mechanism: bad-release}
seed: 7
briefing: Look at it.
load: {scenario: shop, rps: 50}
noise:
  - {after: 0s, change: release, name: order-api-1-9, service: order-api, text: 'order-api 1.9.9: harmless'}
  - {after: 0s, text: 'Colleague: hello'}
changes:
  - {name: release-2, after: 0s, kind: release, service: order-api, text: 'order-api 2.0.0: new'}
weakened:
  - {service: order-api, protection: retry-budget}
faults:
  - service: order-api
    fault: zz-fault
    with: {rate: 0.5}
    after: 1s
    change: release-2
    survives_restart: true
baseline: {holds: 1s, within: 20s}
signals:
  - {name: zz-signal, query: bad_things > 0, within: 8s}
pages:
  expected: [{alert: QuickBurn, service: order-api, within: 8s}]
causal_path:
  - {name: zz-node, service: order-api, metric: bad_things, query: bad_things > 0, within: 8s}
questions:
  components: [order-api]
  mechanism: {options: [bad-release, slow-database, dead-cache], answer: bad-release}
  change: release-2
  evidence: 1
mitigations:
  accepted:
    - {act: {rollback: release-2}, why: zz-it-helps}
  wrong:
    - {act: {restart: order-api}, why: zz-it-does-not}
oracle:
  sli: [{name: zz-sli, query: good_things == 1}]
  good_for: 1s
  within: 20s
hints:
  - {text: zz-hint, cost: 5}
validity: {nothing: fails, restart_all: fails}
solve:
  - {act: {rollback: release-2}}
debrief: zz-debrief
"#;

/// What reaches a person's device is a row of the outbox. Nobody listens there without being root.
const ONCALL: &str = r#"
people:
  - {name: ada, zone: UTC, contacts: [{kind: webhook, to: "http://127.0.0.1:1/ring"}]}
  - {name: ben, zone: UTC}
schedules:
  - {name: first-line, zone: UTC, fallback: ada}
policies:
  - name: all
    steps: [{notify_schedule: first-line}, {wait: 1m}, {notify_person: ben}]
"#;

/// The flags of a control room in a folder.
pub(crate) fn config(folder: &Path, lab: &Lab) -> RoomConfig {
    for part in ["dashboards/grafana", "dashboards/slos", "docs/playbooks", "drills", "runbooks"] {
        fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    fs::write(folder.join("drills/quick.yaml"), DRILL).expect("a file");
    fs::write(folder.join("oncall.yaml"), ONCALL).expect("a file");
    let at = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let (oncall, file, checkout) = (at("oncall.yaml"), at("room.db"), at(""));
    let edge = if lab.edge { format!(",edge={}", lab.url) } else { String::new() };
    let instances = format!("order-api={}{edge}", lab.url);
    let url = lab.url.as_str();
    let flags = [
        ["--public-addr", "127.0.0.1:0"],
        ["--admin-addr", "127.0.0.1:0"],
        ["--oncall", &oncall],
        ["--file", &file],
        ["--checkout", &checkout],
        ["--prometheus-url", url],
        ["--alertmanager-url", url],
        ["--traces-url", url],
        ["--load-admin-url", url],
        ["--instances", &instances],
        ["--calls", "load>order-api"],
    ];
    let arguments = [&["control-room"][..], &flags.concat()[..]].concat();
    RoomConfig::try_parse_from(arguments).expect("valid flags")
}

/// A control room that runs, and a client of it.
pub(crate) struct Rig {
    pub(crate) lab: Lab,
    pub(crate) running: Running,
    pub(crate) http: Http,
    _folder: TempDir,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Ada,
    Instructor,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let (lab, folder) = (Lab::start().await, tempfile::tempdir().expect("a folder"));
        let config = config(folder.path(), &lab);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = build(&config, chassis).await.expect("a control room");
        let running = Running::start(app).await.expect("free ports");
        let http = Http::to(running.public.expect("a public port"));
        Self { lab, running, http, _folder: folder }
    }

    pub(crate) async fn send(&self, who: Who, method: Method, path: &str, body: &Value) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(match who {
            Who::Ada => vec![("x-person", "ada")],
            Who::Instructor => vec![("x-person", "ben"), ("x-role", "instructor")],
        });
        self.http.send(method, path, &headers, body.to_string()).await
    }

    pub(crate) async fn get(&self, who: Who, path: &str) -> Value {
        let answer = self.send(who, Method::GET, path, &json!({})).await;
        answer.expect_status(200).json()
    }

    pub(crate) async fn post(&self, who: Who, path: &str, body: &Value) -> Value {
        let answer = self.send(who, Method::POST, path, body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        answer.json()
    }

    /// The page of the drill, as Alertmanager sends it.
    pub(crate) async fn alert(&self, status: &str) {
        let alert = json!({
            "status": status,
            "labels": { "alertname": "QuickBurn", "severity": "page", "service": "order-api" },
            "annotations": { "summary": "orders fail" }, "startsAt": "2026-11-21T10:00:00.123Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://127.0.0.1:9090/graph",
            "fingerprint": "6b58fcd38f5a8ea8",
        });
        let message = json!({
            "version": "4", "receiver": "page", "status": status, "groupKey": "{}:{}", "truncatedAlerts": 0,
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": null,
            "externalURL": "http://127.0.0.1:9093", "alerts": [alert],
        });
        self.post(Who::Ada, "/hooks/alertmanager", &message).await;
    }

    /// The run, once this holds of it.
    pub(crate) async fn until(&self, who: Who, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(SOON, || async {
            let run = self.get(who, "/api/v1/drills/runs/1").await;
            if holds(&run) { Ok(run) } else { Err(run.to_string()) }
        })
        .await
    }

    /// The stream of events, as a trainee gets it from the beginning, up to the end of the run.
    pub(crate) async fn events(&self) -> String {
        let address = self.running.public.expect("a public port");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let asked = client.get(format!("http://{address}/api/v1/events?after=0"));
        let mut stream = asked.send().await.expect("a stream");
        let mut text = String::new();
        let read = async {
            while !text.contains("\"what\":\"ended\"") {
                let piece = stream.chunk().await.expect("a piece").expect("more");
                text.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        tokio::time::timeout(SOON, read).await.expect("the end of the run");
        text
    }

    /// The run, once it is over.
    pub(crate) async fn end(&self, who: Who) -> Value {
        self.until(who, |run| !run["ended_at"].is_null()).await
    }
}
