//! The receiver for Opsgenie that `docs/other-tools.md` has, on a real Alertmanager: pages, tickets and their ends reach a fake of
//! Opsgenie's API.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::{Value, json};
use testkit::{Process, eventually, free_addr};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::*;

const PAGE: &str = include_str!("../../../../../docs/other-tools.md");
const PATIENCE: Duration = Duration::from_secs(20);
/// What tickets wait for pages and for each other, which is not the subject here.
const WAITS: [(&str, &str); 2] =
    [("group_wait: 10s", "group_wait: 0s"), ("group_interval: 30s", "group_interval: 1s")];

/// What Alertmanager sent: the first line and the headers, and the body.
struct Request {
    head: String,
    body: Value,
}

impl Request {
    fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// Reads one; `None` if the connection ends before.
    async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut request = Vec::new();
        loop {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
            request.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            // JSON is whole once it parses.
            if let Ok(body) = serde_json::from_str(body) {
                return Some(Self { head: head.to_owned(), body });
            }
        }
    }
}

/// Opsgenie's API, as far as Alertmanager uses it: it takes everything and hands it on.
async fn opsgenie(listener: TcpListener, taken: UnboundedSender<Request>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let taken = taken.clone();
        tokio::spawn(async move {
            let Some(request) = Request::read(&mut stream).await else { return };
            let body = r#"{"result":"Request will be processed","requestId":"1"}"#;
            let head = "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            // Who does not wait for the answer has asked all the same.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = taken.send(request);
        });
    }
}

/// The lines of the page, as the integrations of a receiver of the template.
fn integrations(api: &str, key: &Path) -> String {
    let mut blocks = PAGE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.starts_with("opsgenie_configs:")).expect("the lines");
    let lines: Vec<String> = block.lines().map(|line| format!("    {line}")).collect();
    let text = lines.join("\n");
    for own in ["https://api.opsgenie.com/", "/run/secrets/opsgenie"] {
        assert_eq!(text.matches(own).count(), 1, "{own} in\n{text}");
    }
    text.replace("https://api.opsgenie.com/", api)
        .replace("/run/secrets/opsgenie", &key.display().to_string())
}

/// Writes the lab's configuration with these receivers; its path.
fn configured(folder: &Path, api: &str) -> PathBuf {
    let (key, config) = (folder.join("key"), folder.join("alertmanager.yml"));
    std::fs::write(&key, "a-key").expect("a key");
    let text = TEMPLATE.replace("{{integrations}}", &integrations(api, &key)).replace("{{heartbeat}}", "");
    let text = WAITS.iter().fold(text, |text, (lab, none)| text.replace(lab, none));
    std::fs::write(&config, text).expect("a configuration");
    config
}

/// The next `count` requests.
async fn next(requests: &mut UnboundedReceiver<Request>, count: usize, server: &Process) -> Vec<Request> {
    let mut all = Vec::new();
    while all.len() < count {
        let request = timeout(PATIENCE, requests.recv()).await.ok().flatten();
        all.push(request.unwrap_or_else(|| panic!("only {} came\n{}", all.len(), server.output())));
    }
    all
}

/// A page and a ticket, of two services: a page mutes the tickets of its own. `end` is what ends them.
fn alerts(end: &Value) -> Vec<Value> {
    let alert = |name: &str, severity: &str, service: &str| {
        let mut alert = json!({
            "labels": { "alertname": name, "severity": severity, "service": service },
            "annotations": { "summary": "It fails", "runbook_url": format!("https://runbooks.example/{name}") },
        });
        if let Some(times) = end.as_object() {
            alert.as_object_mut().expect("an object").extend(times.clone());
        }
        alert
    };
    vec![alert("NoTraffic", "page", "order-api"), alert("HighErrorRate", "ticket", "user-service")]
}

#[tokio::test]
async fn pages_tickets_and_their_ends_reach_opsgenie() {
    if !available(&[Need::Alertmanager]) {
        return;
    }
    let program = programs::need(&["prometheus-alertmanager", "alertmanager"], "Alertmanager").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}/", listener.local_addr().unwrap());
    let (taken, mut requests) = unbounded_channel();
    tokio::spawn(opsgenie(listener, taken));

    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), &api);
    let addr = free_addr();
    let args = [
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", folder.path().join("data").display()),
        format!("--web.listen-address={addr}"),
        "--cluster.listen-address=".to_owned(),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let server = Process::start(program.to_str().unwrap(), &args);

    let (client, url) = (reqwest::Client::new(), format!("http://{addr}/api/v2/alerts"));
    let post = async |alerts: Vec<Value>| {
        eventually(PATIENCE, || async {
            let answer = client.post(&url).json(&alerts).send().await.map_err(|error| error.to_string())?;
            answer.error_for_status().map(drop).map_err(|error| error.to_string())
        })
        .await;
    };
    post(alerts(&Value::Null)).await;
    let mut aliases = BTreeMap::new();
    for request in next(&mut requests, 2, &server).await {
        let (line, body) = (request.line(), &request.body);
        assert_eq!(line, "POST /v2/alerts HTTP/1.1");
        assert!(request.head.contains("Authorization: GenieKey a-key"), "{}", request.head);
        assert_eq!(body["responders"], json!([{ "name": "shop", "type": "team" }]), "{body}");
        let name = body["details"]["alertname"].as_str().unwrap().to_owned();
        let (priority, service) =
            if name == "NoTraffic" { ("P1", "order-api") } else { ("P3", "user-service") };
        assert_eq!((&body["priority"], &body["tags"]), (&json!(priority), &json!([service])), "{body}");
        assert_eq!(body["details"]["runbook"], format!("https://runbooks.example/{name}"), "{body}");
        assert!(body["message"].as_str().unwrap().contains(&name), "{body}");
        aliases.insert(body["alias"].as_str().unwrap().to_owned(), name);
    }
    assert_eq!(aliases.len(), 2, "{aliases:?}");

    post(alerts(&json!({ "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:01:00Z" }))).await;
    for request in next(&mut requests, 2, &server).await {
        let alias = request.line().strip_prefix("POST /v2/alerts/").and_then(|rest| rest.split_once('/'));
        let (alias, rest) = alias.unwrap_or_else(|| panic!("{}", request.head));
        assert_eq!(rest, "close?identifierType=alias HTTP/1.1");
        assert!(aliases.remove(alias).is_some(), "{alias} was not open");
    }
}
