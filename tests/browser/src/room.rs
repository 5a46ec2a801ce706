//! A control room on free ports, with a shop to watch, people on call, and something that has happened.

use std::{path::Path, time::Duration};

use chassis_service::lifecycle::Running;
use clap::Parser as _;
use control_room::{SERVICE, config::RoomConfig};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Http, eventually, free_addr};
use tokio::{sync::OnceCell, task::JoinHandle};

use crate::{
    Mood, SOON, Shop,
    promql::SERVICES,
    root,
    shop::{canary, webhook},
};

/// Who calls whom in the shop.
const CALLS: &str = "load>edge,edge>order-api,order-api>user-service,user-service>postgres,user-service>redis,order-api>kafka,\
                     kafka>order-worker";
/// The heartbeat of monitoring: three of them missing are an incident of their own.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A control room. Dropping it ends it.
pub struct Room {
    /// Where its pages are.
    pub base: String,
    /// What it watches.
    pub shop: Shop,
    http: Http,
    heart: JoinHandle<()>,
    supervisor: JoinHandle<()>,
    _running: Running,
    _folder: TempDir,
}

impl Room {
    /// Starts one, and waits until it has looked at the shop: nothing is wrong.
    pub async fn start() -> Self {
        let room = Self::of(Shop::start().await).await;
        eventually(SOON, || async {
            let status = room.http.get("/api/v1/status").await;
            let seen = status.status == 200 && !status.json()["at"].is_null();
            if seen { Ok(()) } else { Err(status.body) }
        })
        .await;
        room
    }

    /// Starts one that has not seen anything yet, because Prometheus does not answer.
    pub async fn loading() -> Self {
        let shop = Shop::start().await;
        shop.prometheus_answers(Mood::Silent);
        Self::of(shop).await
    }

    async fn of(shop: Shop) -> Self {
        let folder = TempDir::new().unwrap();
        write_rota(folder.path(), &shop.url());
        let supervisor = canary::supervise(folder.path());
        let public = free_addr();
        let config = config(&public.to_string(), &shop.url(), folder.path());
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let app = control_room::build(&config, chassis).await.unwrap();
        let running = Running::start(app).await.unwrap();
        let http = Http::to(public);
        let heart = tokio::spawn(beat(http.clone()));
        Self {
            base: format!("http://localhost:{}", public.port()),
            shop,
            http,
            heart,
            supervisor,
            _running: running,
            _folder: folder,
        }
    }

    /// The one that tests share which change nothing: see [`Room::with_a_story`].
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Room> = OnceCell::const_new();
        SHARED.get_or_init(Self::with_a_story).await
    }

    /// A drill was begun; INC-1 is closed and written down; INC-2 is open, with alerts, evidence, a hypothesis, tasks and a
    /// release before it; REL-1, which repairs that, waits for a person.
    pub async fn with_a_story() -> Self {
        let room = Self::start().await;
        room.tell("/api/v1/drills/runs", &json!({ "drill": "first-page" })).await;
        room.first_incident().await;
        room.second_incident().await;
        room.run_of_a_runbook().await;
        room.release().await;
        room
    }

    /// REL-1 waits for a person at its first step.
    async fn release(&self) {
        let new = json!({ "service": "order-api", "version": canary::NEW, "why": "Wait longer for user-service", "by_hand": true,
            "hold": "1s", "patience": "3s", "override": "it repairs INC-2" });
        self.tell("/api/v1/releases", &new).await;
        eventually(SOON, || async {
            let release = self.http.get("/api/v1/releases/REL-1").await;
            if release.json()["state"] == "held" { Ok(()) } else { Err(release.body) }
        })
        .await;
    }

    /// RUN-1 waits for a person at its first step.
    async fn run_of_a_runbook(&self) {
        let new = json!({ "mode": "manual", "incident": "INC-2", "parameters": { "next": "ben" } });
        self.tell("/api/v1/runbooks/hand-over/runs", &new).await;
    }

    async fn first_incident(&self) {
        let new = json!({ "title": "Orders wait for their outcome", "severity": "SEV-3", "services": ["order-worker"] });
        self.tell("/api/v1/incidents", &new).await;
        let one = |path: &str| format!("/api/v1/incidents/INC-1/{path}");
        self.tell(&one("acknowledge"), &json!({})).await;
        let update = json!({ "text": "The worker is behind by 4,000 orders. Next update in 15 minutes." });
        self.tell(&one("updates"), &update).await;
        let task = json!({ "text": "Alert on the age of the oldest order", "owner": "ben", "due": "2026-01-31", "follow_up": true });
        self.tell(&one("tasks"), &task).await;
        for (to, why) in [
            ("mitigated", "A second worker runs."),
            ("resolved", "The queue is empty."),
            ("closed", "It is written down."),
        ] {
            self.tell(&one("state"), &json!({ "to": to, "why": why })).await;
            if to == "resolved" {
                self.wait_for(&one("postmortem")).await;
            }
        }
    }

    async fn second_incident(&self) {
        let payload = json!({ "summary": "order-api 1.42.0 was released", "source": "ci", "timestamp": chrono::Utc::now(),
            "class": "release", "component": "order-api" });
        let change = json!({ "routing_key": "tests", "payload": payload });
        self.tell("/v2/change/enqueue", &change).await;
        self.break_down().await;
        let two = |path: &str| format!("/api/v1/incidents/INC-2/{path}");
        self.wait_for("/api/v1/incidents/INC-2").await;
        self.tell(&two("hypotheses"), &json!({ "text": "the new release leaks connections" })).await;
        let finding =
            json!({ "supports": true, "text": "The pool is full since the release.", "evidence": null });
        self.tell(&two("hypotheses/1/findings"), &finding).await;
        self.tell(
            &two("tasks"),
            &json!({ "text": "Roll order-api back", "owner": "ada", "due": null, "follow_up": false }),
        )
        .await;
        // The war room opens a moment after the incident.
        let message = json!({ "text": "I look at the pool of order-api." });
        eventually(SOON, || async { self.try_to_tell(&two("messages"), &message).await }).await;
    }

    /// Orders begin to fail, and Alertmanager says so.
    pub async fn break_down(&self) {
        self.tell("/hooks/alertmanager", &self.shop.break_down()).await;
    }

    /// Sends the API something as `ada`, which must be taken.
    pub async fn tell(&self, path: &str, body: &Value) {
        self.try_to_tell(path, body).await.unwrap_or_else(|refusal| panic!("{path} {body}: {refusal}"));
    }

    async fn try_to_tell(&self, path: &str, body: &Value) -> Result<(), String> {
        let headers = [("content-type", "application/json"), ("x-person", "ada")];
        let answer = self.http.send(Method::POST, path, &headers, body.to_string()).await;
        if (200..300).contains(&answer.status) {
            Ok(())
        } else {
            Err(format!("{} {}", answer.status, answer.body))
        }
    }

    /// Waits until the API has something.
    pub async fn wait_for(&self, path: &str) {
        eventually(SOON, || async {
            let answer = self.http.get(path).await;
            if answer.status == 200 { Ok(()) } else { Err(format!("{path}: {}", answer.body)) }
        })
        .await;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.heart.abort();
        self.supervisor.abort();
    }
}

/// Method and template of each route of the pages.
///
/// # Panics
/// When a control room cannot be made.
pub async fn routes() -> Vec<(Method, String)> {
    let config = RoomConfig::try_parse_from(["control-room"]).unwrap();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    let room = control_room::assemble(&config, chassis).await.unwrap();
    control_room::web::routes(&room).declared().to_vec()
}

fn config(public: &str, shop: &str, folder: &Path) -> RoomConfig {
    let instances: Vec<String> = SERVICES.iter().map(|name| format!("{name}={shop}/admin/{name}")).collect();
    let instances = instances.join(",");
    let path = |name: &str| folder.join(name).display().to_string();
    let (oncall, papers, lab) = (path("oncall.yaml"), path("postmortems"), path(""));
    let checkout = root().display().to_string();
    let flags: [(&str, &str); 15] = [
        ("--public-addr", public),
        ("--admin-addr", "127.0.0.1:0"),
        ("--prometheus-url", shop),
        ("--alertmanager-url", shop),
        ("--traces-url", shop),
        ("--loki-url", shop),
        ("--load-admin-url", shop),
        ("--oncall", &oncall),
        ("--postmortems", &papers),
        ("--checkout", &checkout),
        ("--instances", &instances),
        ("--calls", CALLS),
        ("--lab-dir", &lab),
        ("--lab-root", &lab),
        ("--lab-program", "/bin/true"),
    ];
    let flags = flags.into_iter().flat_map(|(flag, value)| [flag, value]);
    RoomConfig::try_parse_from(std::iter::once("control-room").chain(flags)).unwrap()
}

/// Pages the first line once; nothing else happens while a test looks at an incident.
const POLICY: &str = "policies:
  - name: once
    steps:
      - notify_schedule: first-line
      - wait: 12h
      - notify_schedule: second-line
";

/// People and schedules of the repository, with a contact that disturbs nobody.
fn write_rota(folder: &Path, shop: &str) {
    let text = std::fs::read_to_string(root().join("oncall.yaml")).unwrap();
    let (schedules, _) = text.split_once("\npolicies:").unwrap();
    let contact = format!("    contacts: [{{kind: webhook, to: \"{shop}/sink\"}}]");
    let mut rota = String::new();
    for line in schedules.lines() {
        rota.push_str(if line.trim_start().starts_with("contacts:") { &contact } else { line });
        rota.push('\n');
    }
    std::fs::write(folder.join("oncall.yaml"), rota + POLICY).unwrap();
}

/// The alert that always fires, again and again.
async fn beat(http: Http) {
    let alert = json!({ "status": "firing", "labels": { "alertname": "Watchdog", "severity": "none" }, "annotations": {},
        "startsAt": chrono::Utc::now(), "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "b1e55ed000000000" });
    let message = webhook(&alert).to_string();
    let mut ticks = tokio::time::interval(HEARTBEAT);
    loop {
        ticks.tick().await;
        let headers = [("content-type", "application/json")];
        // A room that ends takes nothing any more.
        let _ = http.try_send(Method::POST, "/hooks/alertmanager", &headers, message.clone()).await;
    }
}
