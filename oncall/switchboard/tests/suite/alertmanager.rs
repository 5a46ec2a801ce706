//! Silences, on a real Alertmanager.

use std::time::Duration;

use observe::Peer;
use serde_json::{Value, json};
use switchboard::Tools;
use tempfile::TempDir;
use testkit::{Process, eventually, free_addr, needs};

use crate::support::{action, nowhere, only};

const SOON: Duration = Duration::from_secs(20);

struct Rig {
    peer: Peer,
    tools: Tools,
    _server: Process,
    _folder: TempDir,
}

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(&config, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
        let addr = free_addr();
        let args = [
            format!("--config.file={}", config.display()),
            format!("--storage.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={addr}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let program = which::which("prometheus-alertmanager").or_else(|_| which::which("alertmanager"));
        let program = program.unwrap();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let server = Process::start(program.to_str().unwrap(), &args);
        let url = format!("http://{addr}");
        let peer = Peer::at(&url);
        let alert = |service: &str| json!({ "labels": { "alertname": "HighLatency", "service": service } });
        eventually(SOON, || async {
            let alerts = json!([alert("order-api"), alert("user-service")]);
            let sent = peer.post("/api/v2/alerts", &alerts).await;
            sent.map(drop).map_err(|error| format!("{error}\n{}", server.output()))
        })
        .await;
        let tools = Tools { alertmanager: Some(url.parse().unwrap()), ..Tools::default() };
        Self { peer, tools, _server: server, _folder: folder }
    }

    /// Services whose alert is silenced.
    async fn muted(&self) -> Vec<String> {
        let alerts = self.peer.get("/api/v2/alerts", &[]).await.unwrap();
        let silenced = |alert: &&Value| alert["status"]["state"] == "suppressed";
        let alerts = alerts.as_array().unwrap().iter().filter(silenced);
        alerts.map(|alert| alert["labels"]["service"].as_str().unwrap().to_owned()).collect()
    }

    async fn until_muted(&self, expected: &[&str]) {
        eventually(SOON, || async {
            let muted = self.muted().await;
            if muted == expected { Ok(()) } else { Err(format!("{muted:?} instead of {expected:?}")) }
        })
        .await;
    }

    /// Silences that have not expired.
    async fn silences(&self) -> Vec<Value> {
        let all = self.peer.get("/api/v2/silences", &[]).await.unwrap();
        let all = all.as_array().unwrap().iter();
        all.filter(|silence| silence["status"]["state"] != "expired").cloned().collect()
    }
}

#[tokio::test]
async fn an_alert_of_one_service_is_muted_once_and_heard_again() {
    needs!(Alertmanager);
    let rig = Rig::start().await;
    let silence = |ttl: &str| {
        action(json!({ "action": "silence", "alert": "HighLatency", "service": "order-api", "ttl": ttl }))
    };
    let would = only(silence("10m").describe(&nowhere(), &rig.tools, None).await.unwrap());
    assert!(would.starts_with("HighLatency of order-api would reach nobody until "), "{would}");
    assert!(would.ends_with("; 1 such alert fires now"), "{would}");
    assert!(rig.silences().await.is_empty(), "a dry run sets none");
    for ttl in ["10m", "20m"] {
        only(silence(ttl).run(&nowhere(), &rig.tools, None).await.unwrap());
    }
    let silences = rig.silences().await;
    assert_eq!(silences.len(), 1, "the second one replaces the first: {silences:?}");
    assert_eq!(silences[0]["createdBy"], "control-room");
    rig.until_muted(&["order-api"]).await;

    // A silence for all services is another one.
    let others = action(json!({ "action": "expire_silence", "alert": "HighLatency" }));
    let none = only(others.run(&nowhere(), &rig.tools, None).await.unwrap());
    assert!(none.ends_with("nothing to end"), "{none}");
    let undo = silence("20m").undo().unwrap();
    assert!(only(undo.describe(&nowhere(), &rig.tools, None).await.unwrap()).ends_with("would end"));
    assert_eq!(rig.silences().await.len(), 1);
    assert!(only(undo.run(&nowhere(), &rig.tools, None).await.unwrap()).ends_with("has ended"));
    rig.until_muted(&[]).await;
    assert!(rig.silences().await.is_empty());
}
