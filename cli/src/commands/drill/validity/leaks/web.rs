//! What a trainee can read over HTTP: admin ports without a token, Prometheus, Alertmanager, the trace store,
//! and the control room's API and pages.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use reqwest::Client;
use serde_json::Value;
use supervisor::state::LabState;
use tokio::time::sleep;

use super::Text;
use crate::commands::drill::view::entries;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often an address is asked until it counts as silent, and how long to wait in between: a process may have
/// crashed, and its supervisor starts it again.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(2);
/// How long to listen to the stream of events, which never ends.
const LISTEN: Duration = Duration::from_secs(2);
/// How far back traces are read.
const BACK: TimeDelta = TimeDelta::minutes(5);

const ADMIN: [&str; 4] = ["/metrics", "/livez", "/readyz", "/version"];
/// Without a token, they answer everybody.
const SWITCHES: [&str; 2] = ["/faults", "/protections"];
const PROMETHEUS: [&str; 7] = [
    // Every series with its labels, those of exporters included.
    "/federate?match[]=%7B__name__%3D~%22.%2B%22%7D",
    "/api/v1/rules",
    "/api/v1/alerts",
    "/api/v1/targets",
    "/api/v1/metadata",
    "/api/v1/label/__name__/values",
    "/api/v1/status/config",
];
const ALERTMANAGER: [&str; 3] = ["/api/v2/alerts", "/api/v2/silences", "/api/v2/status"];
/// Of the control room: what names no incident and no drill.
const ROOM: [&str; 52] = [
    "/api/v1/incidents",
    "/api/v1/pages",
    "/api/v1/changes",
    "/api/v1/status",
    "/api/v1/measures",
    "/api/v1/action-items",
    "/api/v1/backup",
    "/api/v1/delivery",
    "/api/v1/faults",
    "/api/v1/drills",
    "/api/v1/drills/current",
    "/api/v1/drills/runs",
    "/api/v1/observe/alerts",
    "/api/v1/observe/changes",
    "/api/v1/observe/incident",
    "/api/v1/observe/logs",
    "/api/v1/observe/map",
    "/api/v1/observe/runbooks",
    "/api/v1/observe/traces",
    "/api/v1/observe/usage",
    "/api/v1/oncall",
    "/api/v1/oncall/check",
    "/api/v1/releases",
    "/api/v1/runbooks",
    "/api/v1/runbook-runs",
    "/api/v1/slos",
    "/api/v1/automation",
    "/api/v1/audit",
    "/api/v1/toil",
    "/openapi.json",
    "/",
    "/strip",
    "/incidents",
    "/incidents/new",
    "/alerts",
    "/dashboards",
    "/explore",
    "/explore/logs",
    "/explore/traces",
    "/oncall",
    "/measures",
    "/faults",
    "/protections",
    "/drills",
    "/drills/runs",
    "/gameday",
    "/releases",
    "/postmortems",
    "/runbooks",
    "/automation",
    "/actions",
    "/toil",
];

/// A client that is nobody in particular.
pub(super) struct Reader {
    client: Client,
    /// Between two tries.
    pause: Duration,
    /// Addresses that do not answer, without their queries.
    silent: Mutex<BTreeSet<String>>,
}

impl Reader {
    pub(super) fn new() -> Self {
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap_or_default();
        Self { client, pause: PAUSE, silent: Mutex::default() }
    }

    /// Addresses that did not answer: what they would have said is not known.
    pub(super) fn silent(self) -> BTreeSet<String> {
        self.silent.into_inner()
    }

    /// Everything. `closed`: the switches require a token.
    pub(super) async fn read(&self, state: &LabState, room: &str, drill: &str, closed: bool) -> Vec<Text> {
        let mut texts = self.ports(state, closed).await;
        for (port, paths) in [("prometheus", &PROMETHEUS[..]), ("alertmanager", &ALERTMANAGER[..])] {
            if let Some(port) = state.port(port) {
                self.each(&mut texts, &format!("http://127.0.0.1:{port}"), paths).await;
            }
        }
        if let Some(port) = state.port("traces-ui") {
            self.traces(&mut texts, &format!("http://127.0.0.1:{port}"), Utc::now()).await;
        }
        self.each(&mut texts, room, &ROOM).await;
        let of_drill = [format!("/api/v1/drills/{drill}"), format!("/drills/{drill}")];
        let named = [self.incidents(room).await, self.run(room).await].concat();
        for path in of_drill.iter().chain(&named) {
            texts.extend(self.get(&format!("{room}{path}")).await);
        }
        texts.extend(self.events(room).await);
        texts
    }

    /// Admin ports, and the documents of public ports.
    async fn ports(&self, state: &LabState, closed: bool) -> Vec<Text> {
        let mut texts = Vec::new();
        for part in &state.parts {
            for (name, port) in &part.ports {
                let base = format!("http://127.0.0.1:{port}");
                if name.ends_with("-admin") {
                    self.each(&mut texts, &base, &ADMIN).await;
                    if closed && part.admin.is_some() {
                        self.each(&mut texts, &base, &SWITCHES).await;
                    }
                } else if *name == part.name && part.admin.is_some() {
                    // A fault may keep callers from an answer here; whether it does is what its drill is about.
                    for path in ["/openapi.json", "/"] {
                        texts.extend(self.ask(&format!("{base}{path}")).await);
                    }
                }
            }
        }
        texts
    }

    async fn each(&self, texts: &mut Vec<Text>, base: &str, paths: &[&str]) {
        for path in paths {
            texts.extend(self.get(&format!("{base}{path}")).await);
        }
    }

    /// Spans of every service.
    async fn traces(&self, texts: &mut Vec<Text>, base: &str, now: DateTime<Utc>) {
        let Some(services) = self.get(&format!("{base}/api/services")).await else { return };
        let known: Value = serde_json::from_str(&services.body).unwrap_or_default();
        texts.push(services);
        let (from, until) = ((now - BACK).timestamp_micros(), now.timestamp_micros());
        for service in known["data"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let query = format!("service={service}&limit=200&start={from}&end={until}");
            texts.extend(self.get(&format!("{base}/api/traces?{query}")).await);
            texts.extend(self.get(&format!("{base}/api/services/{service}/operations")).await);
        }
    }

    /// Paths of the open incidents.
    async fn incidents(&self, room: &str) -> Vec<String> {
        let listed = self.get(&format!("{room}/api/v1/incidents?open=true")).await;
        let answer: Value = listed.and_then(|text| serde_json::from_str(&text.body).ok()).unwrap_or_default();
        let ids = entries(&answer, "incidents");
        let ids = ids.iter().filter_map(|incident| incident["id"].as_str());
        ids.flat_map(|id| {
            let api = format!("/api/v1/incidents/{id}");
            let of_api = ["timeline", "messages", "postmortem"].map(|part| format!("{api}/{part}"));
            of_api.into_iter().chain([api, format!("/incidents/{id}"), format!("/postmortems/{id}")])
        })
        .collect()
    }

    /// Paths of the run that is on.
    async fn run(&self, room: &str) -> Vec<String> {
        let current = self.get(&format!("{room}/api/v1/drills/current")).await;
        let run: Value = current.and_then(|text| serde_json::from_str(&text.body).ok()).unwrap_or_default();
        let Some(id) = run["id"].as_i64() else { return Vec::new() };
        let api = format!("/api/v1/drills/runs/{id}");
        vec![format!("{api}/report"), api, format!("/drills/runs/{id}")]
    }

    /// The events that a page would get, from the first one that is kept.
    async fn events(&self, room: &str) -> Option<Text> {
        let url = format!("{room}/api/v1/events");
        let request = self.client.get(&url).header("last-event-id", "0").timeout(LISTEN);
        let Ok(mut response) = request.send().await else {
            self.silent.lock().insert(url);
            return None;
        };
        let mut body = Vec::new();
        // It ends with the time to listen.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
        }
        Some(Text { from: url, first_line: 1, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// What an address answers, refusals included. One that does not answer is kept as silent.
    async fn get(&self, url: &str) -> Option<Text> {
        // Where one address is silent, the others of the same port are asked once.
        let known = self.silent.lock().iter().any(|other| origin(other) == origin(url));
        let tries = if known { 1 } else { TRIES };
        for tried in 0..tries {
            if tried > 0 {
                sleep(self.pause).await;
            }
            if let Some(text) = self.ask(url).await {
                return Some(text);
            }
        }
        let address = url.split('?').next().unwrap_or(url);
        self.silent.lock().insert(address.to_owned());
        None
    }

    /// The same, asked once; nothing if nobody answers.
    async fn ask(&self, url: &str) -> Option<Text> {
        let body = self.client.get(url).send().await.ok()?.text().await.ok()?;
        Some(Text { from: url.to_owned(), first_line: 1, body })
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_does_not_answer_is_known_as_silent() {
        // Bound, but not listening: connections are refused, and nobody else can take the port.
        let closed = tokio::net::TcpSocket::new_v4().unwrap();
        closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let base = format!("http://{}", closed.local_addr().unwrap());
        let reader = Reader { pause: Duration::ZERO, ..Reader::new() };
        let mut texts = Vec::new();
        reader.each(&mut texts, &base, &["/metrics?at=1", "/livez"]).await;
        assert!(texts.is_empty() && reader.ask(&base).await.is_none());
        let expected = ["/livez", "/metrics"].map(|path| format!("{base}{path}"));
        assert_eq!(reader.silent(), BTreeSet::from(expected));
    }

    #[test]
    fn everything_that_the_control_room_answers_without_a_name_is_read() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi/control-room.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let is_plain = |path: &str, get: &Value| {
            let parameters = get["parameters"].as_array().into_iter().flatten();
            let required = parameters.filter(|one| one["required"] == true).count();
            // The stream of events never ends, and is read in another way.
            get.is_object() && !path.contains('{') && required == 0 && path != "/api/v1/events"
        };
        let paths = document["paths"].as_object().unwrap().iter();
        let plain = paths.filter(|(path, methods)| is_plain(path, &methods["get"]));
        let missing: Vec<&String> =
            plain.map(|(path, _)| path).filter(|path| !ROOM.contains(&path.as_str())).collect();
        assert!(missing.is_empty(), "the scan for leaks does not read {missing:?}");
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        for url in ["http://127.0.0.1:1", "http://127.0.0.1:1/", "http://127.0.0.1:1/a/b?c=d/e"] {
            assert_eq!(origin(url), "http://127.0.0.1:1");
        }
    }
}
