//! A control room with everything in memory on free ports, and a client of it.

use std::time::Duration;

use chassis_service::lifecycle::Running;
use clap::Parser as _;
use control_room::{SERVICE, build, config::RoomConfig};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Answer, Http};

/// Longest wait for what happens in the background.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// People without contact points: no test rings a bell.
const ONCALL: &str = r"
people:
  - {name: ada, zone: Europe/Berlin}
  - {name: ben, zone: Europe/Berlin}
schedules:
  - name: first-line
    zone: Europe/Berlin
    layers:
      - name: week
        rotation: {unit: week, start: 2026-01-05T09:00, people: [ada, ben]}
policies:
  - name: all
    steps: [{notify_schedule: first-line}]
";

pub(crate) struct Rig {
    pub(crate) running: Running,
    pub(crate) http: Http,
    _folder: TempDir,
}

/// The configuration of a control room in this folder, with nobody to ask.
pub(crate) fn config(folder: &TempDir, extra: &[&str]) -> RoomConfig {
    let oncall = folder.path().join("oncall.yaml");
    std::fs::write(&oncall, ONCALL).expect("a file");
    let oncall = oncall.to_str().expect("UTF-8").to_owned();
    // Nobody listens on port 1 without being root.
    let nobody = "http://127.0.0.1:1";
    let mut arguments = vec!["control-room", "--public-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"];
    arguments.extend(["--oncall", &oncall, "--alertmanager-url", nobody, "--traces-url", nobody]);
    arguments.extend_from_slice(extra);
    if !extra.contains(&"--prometheus-url") {
        arguments.extend(["--prometheus-url", nobody]);
    }
    RoomConfig::try_parse_from(arguments).expect("valid flags")
}

impl Rig {
    pub(crate) async fn start(extra: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(&folder, extra);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = build(&config, chassis).await.expect("a control room");
        let running = Running::start(app).await.expect("free ports");
        let http = Http::to(running.public.expect("a public port"));
        Self { running, http, _folder: folder }
    }

    /// Sends JSON as ada.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("x-person", "ada")];
        self.http.send(method, path, &headers, body.to_string()).await
    }

    /// Posts JSON as ada; the answer has to be a success.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.send(Method::POST, path, body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        answer.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.http.get(path).await.expect_status(200).json()
    }

    /// Opens an incident about order-api and returns its name.
    pub(crate) async fn open(&self, title: &str) -> String {
        let body = json!({ "title": title, "severity": "SEV-3", "services": ["order-api"] });
        self.post("/api/v1/incidents", &body).await["id"].as_str().expect("an id").to_owned()
    }

    /// Opens a stream of events.
    pub(crate) async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Stream {
        let address = self.running.public.expect("a public port");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = client.get(format!("http://{address}{path}"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { response, text: String::new() }
    }
}

/// A stream of events, and what has come.
pub(crate) struct Stream {
    response: reqwest::Response,
    pub(crate) text: String,
}

impl Stream {
    /// Reads until an event has this text; returns everything that came.
    pub(crate) async fn until(&mut self, wanted: &str) -> &str {
        let read = async {
            while !(self.text.contains(wanted) && self.text.ends_with("\n\n")) {
                let Some(piece) = self.response.chunk().await.expect("a stream") else {
                    panic!("it ended: {}", self.text)
                };
                self.text.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        if tokio::time::timeout(SOON, read).await.is_err() {
            panic!("no {wanted:?} in {}", self.text);
        }
        &self.text
    }

    /// Reads until the stream ends.
    pub(crate) async fn end(&mut self) {
        let read = async { while self.response.chunk().await.expect("an orderly end").is_some() {} };
        tokio::time::timeout(SOON, read).await.expect("it ends");
    }

    /// The numbers of the events that came, in order.
    pub(crate) fn ids(&self) -> Vec<i64> {
        let events = self.text.split("\n\n").filter(|event| event.contains("data: "));
        let ids = events.filter_map(|event| event.lines().find_map(|line| line.strip_prefix("id: ")));
        ids.map(|id| id.parse().expect("a number")).collect()
    }
}
