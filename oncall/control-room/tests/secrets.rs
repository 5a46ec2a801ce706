//! What is secret: tokens, keys and the address of a hook are in no page, no answer, no line of the log and no file of the control
//! room, even while all of its notifications fail.
//!
//! The program itself runs, with its settings in its environment. The stream of events is not read: it replays the journal, which
//! is in the file.

#[path = "api/rig.rs"]
#[allow(dead_code, reason = "shared with tests/api")]
mod rig;
mod walk;

use std::{fs, path::Path, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use http::Method;
use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::{Answer, Http, Process, eventually, free_addr};
use tokio::net::TcpListener;

use rig::SOON;

/// Part of every secret.
const MARK: &str = "zzcanary";
const ACCESS: &str = "zzcanary-access";
const INSTRUCTOR: &str = "zzcanary-instructor";
const HOOK: &str = "zzcanary-hook";
/// Of ada.
const PERSON: &str = "zzcanary-ada";
/// What somebody types who does not know the secret, but nearly.
const WRONG: &str = "zzcanary-typo";

/// Slack, PagerDuty and a program of somebody, none of which takes anything.
#[derive(Clone)]
struct Outside {
    url: String,
    heard: Arc<Mutex<String>>,
}

impl Outside {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let outside = Self { url, heard: Arc::default() };
        let routes = Router::new().fallback(refuse).with_state(outside.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        outside
    }
}

async fn refuse(
    State(outside): State<Outside>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let body = String::from_utf8_lossy(&body);
    outside.heard.lock().push_str(&format!("{uri} {headers:?} {body}\n"));
    match uri.path() {
        "/page" => (StatusCode::GONE, "gone"),
        "/v2/enqueue" => (StatusCode::BAD_REQUEST, "invalid key"),
        path if path.starts_with("/services/") => (StatusCode::NOT_FOUND, "no_service"),
        _ => (StatusCode::OK, r#"{"ok":false,"error":"invalid_auth"}"#),
    }
}

/// Variables with secrets, each with the mark.
fn secrets(outside: &Outside, bot: bool) -> Vec<String> {
    let url = &outside.url;
    let mut all = vec![
        format!("ACCESS_TOKEN={ACCESS}"),
        format!("INSTRUCTOR_TOKEN={INSTRUCTOR}"),
        format!("HOOK_TOKEN={HOOK}"),
        format!("PERSON_TOKENS=ada={PERSON}"),
        format!("FAULTS_TOKEN={MARK}-faults"),
        format!("SLACK_WEBHOOK={url}/services/{MARK}-announcement"),
        format!("PAGERDUTY_KEYS=ops={MARK}-pagerduty"),
        format!("WEBHOOK_SECRET={MARK}-signs"),
        // Nobody listens on port 1 without being root.
        format!("DATABASES=orders=postgres://control_room:{MARK}-database@127.0.0.1:1/orders"),
        format!("REDIS_URL=redis://control-room:{MARK}-redis@127.0.0.1:1"),
    ];
    if bot {
        all.push(format!("SLACK_TOKEN=xoxb-{MARK}-slack"));
    }
    all
}

/// Everybody is reached on all ways that need a secret.
fn rota(outside: &Outside) -> String {
    let url = &outside.url;
    format!(
        "people:
  - name: ada
    zone: Europe/Berlin
    contacts: [{{kind: slack, to: U024BE7LH}}, {{kind: pagerduty, to: ops}}, {{kind: webhook, to: \"{url}/page\"}}]
schedules:
  - name: first-line
    zone: Europe/Berlin
    layers:
      - name: week
        rotation: {{unit: week, start: 2026-01-05T09:00, people: [ada]}}
policies:
  - name: all
    steps: [{{notify_schedule: first-line}}]
"
    )
}

/// A running control room.
struct Room {
    process: Process,
    http: Http,
}

impl Room {
    async fn start(outside: &Outside, bot: bool, folder: &Path) -> Self {
        let oncall = folder.join("oncall.yaml");
        fs::write(&oncall, rota(outside)).expect("a file");
        let (public, admin) = (free_addr(), free_addr());
        let nobody = "http://127.0.0.1:1";
        let flags = [
            format!("--public-addr={public}"),
            format!("--admin-addr={admin}"),
            format!("--file={}", folder.join("room.db").display()),
            format!("--postmortems={}", folder.join("postmortems").display()),
            format!("--oncall={}", oncall.display()),
            format!("--slack-url={}", outside.url),
            format!("--pagerduty-url={}", outside.url),
            format!("--prometheus-url={nobody}"),
            format!("--alertmanager-url={nobody}"),
            format!("--traces-url={nobody}"),
            format!("--instances=order-api={nobody}"),
        ];
        let secrets = secrets(outside, bot);
        let program = [env!("CARGO_BIN_EXE_control-room")];
        let secrets = secrets.iter().map(String::as_str);
        let command: Vec<&str> = secrets.chain(program).chain(flags.iter().map(String::as_str)).collect();
        let process = Process::start("env", &command);
        process.ready(admin).await;
        Self { process, http: Http::to(public) }
    }

    /// Sends something with a token; what comes back tells no secret.
    async fn ask(&self, token: &str, method: Method, path: &str, body: String) -> Answer {
        let bearer = format!("Bearer {token}");
        let kind = if path == "/login" { "application/x-www-form-urlencoded" } else { "application/json" };
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let answer = self.http.send(method.clone(), path, &headers, body).await;
        tells_nothing(&format!("{method} {path}"), &format!("{:?}\n{}", answer.headers, answer.body));
        answer
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> u16 {
        self.ask(token, Method::POST, path, body.to_string()).await.status
    }

    /// Waits until these ways of notifying about the first incident have failed.
    async fn fails_by(&self, channels: &[&str]) {
        eventually(SOON, || async {
            let shown = self.ask(ACCESS, Method::GET, "/api/v1/incidents/INC-1", String::new()).await;
            let incident: Value = serde_json::from_str(&shown.body).map_err(|error| error.to_string())?;
            let rows = incident["deliveries"].as_array().cloned().unwrap_or_default();
            let failed = |channel: &&str| {
                rows.iter().any(|row| row["channel"] == **channel && row["state"] == "failed")
            };
            if channels.iter().all(failed) { Ok(()) } else { Err(format!("{rows:#?}")) }
        })
        .await;
    }
}

#[track_caller]
fn tells_nothing(place: &str, text: &str) {
    let told = text.split_once(MARK).map(|(_, rest)| rest.chars().take(20).collect::<String>());
    assert!(told.is_none(), "{place} tells {MARK}{}", told.unwrap_or_default());
}

/// Alertmanager's message about a page.
fn alert() -> Value {
    json!({ "version": "4", "receiver": "page", "status": "firing", "alerts": [{
        "status": "firing", "labels": { "alertname": "OrdersFail", "severity": "page", "service": "order-api" },
        "annotations": { "summary": "orders fail" }, "startsAt": chrono::Utc::now(),
        "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "6b58fcd38f5a8ea8",
    }] })
}

/// Everything that takes a secret gets it, and a wrong one; and what needs one tries to use it.
async fn use_them(room: &Room) {
    for (token, status) in [(WRONG, 401), (HOOK, 200)] {
        assert_eq!(room.post(token, "/hooks/alertmanager", &alert()).await, status);
    }
    let payload = json!({ "summary": "the backup failed", "source": "cron", "severity": "error" });
    for (key, status) in [(WRONG, 401), (HOOK, 202)] {
        let event = json!({ "routing_key": key, "event_action": "trigger", "payload": payload });
        assert_eq!(room.post("none", "/v2/enqueue", &event).await, status);
        let change = json!({ "routing_key": key, "payload": payload });
        assert_eq!(room.post("none", "/v2/change/enqueue", &change).await, status);
    }
    for (token, status) in [(WRONG, 422), (ACCESS, 303), (INSTRUCTOR, 303), (PERSON, 303)] {
        let form = format!("token={token}&next=%2F");
        assert_eq!(room.ask("none", Method::POST, "/login", form).await.status, status);
    }
    assert_eq!(room.post(WRONG, "/api/v1/incidents", &json!({})).await, 401);
    for action in [
        json!({ "action": "end_sessions", "database": "orders", "state": "idle", "older_than": "10s" }),
        json!({ "action": "purge_keys", "pattern": "user:*" }),
    ] {
        room.post(ACCESS, "/api/v1/actions", &json!({ "action": action })).await;
    }
}

/// Every page and every answer, for both roles; returns how many.
async fn read_all(room: &Room) -> usize {
    let mut read = 0;
    for (method, template) in walk::routes().await {
        if method == Method::GET {
            for token in [ACCESS, INSTRUCTOR] {
                room.ask(token, Method::GET, &walk::path(&template), String::new()).await;
                read += 1;
            }
        }
    }
    read
}

/// The text of all files in a folder.
fn files(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.push_str(&files(&path));
        } else {
            // A file that SQLite removes meanwhile has nothing to tell.
            all.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()));
        }
    }
    all
}

/// Notifies, asks and acts with secrets, and looks for them everywhere; returns what was heard outside.
async fn look_everywhere(bot: bool, channels: &[&str]) -> String {
    let (outside, folder) = (Outside::start().await, tempfile::tempdir().expect("a folder"));
    let room = Room::start(&outside, bot, folder.path()).await;
    use_them(&room).await;
    room.fails_by(channels).await;
    let read = read_all(&room).await;
    assert!(read > 100, "only {read} pages and answers were read");
    let (kept, log) = (files(folder.path()), room.process.output());
    assert!(kept.contains("the backup failed"), "the file is where it is looked for");
    assert!(log.contains("a notification was not sent"), "the log is where it is looked for: {log}");
    tells_nothing("a file", &kept);
    tells_nothing("the log", &log);
    let heard = outside.heard.lock().clone();
    assert!(heard.contains("zzcanary-pagerduty") && heard.contains("x-lab-signature"), "{heard}");
    for own in [ACCESS, INSTRUCTOR, HOOK, PERSON, WRONG, "zzcanary-signs", "zzcanary-faults"] {
        assert!(!heard.contains(own), "{own} was sent to others");
    }
    heard
}

#[tokio::test]
async fn no_secret_is_in_a_page_an_answer_the_log_or_a_file() {
    let heard = look_everywhere(true, &["slack", "pagerduty", "webhook"]).await;
    assert!(heard.contains("Bearer xoxb-zzcanary-slack"), "{heard}");
}

#[tokio::test]
async fn the_address_of_an_incoming_webhook_is_kept_secret_too() {
    let heard = look_everywhere(false, &["announcement", "pagerduty", "webhook"]).await;
    assert!(heard.contains("/services/zzcanary-announcement"), "{heard}");
}
