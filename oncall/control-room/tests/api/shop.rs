//! A lab for releases: the test is its supervisor and its Prometheus.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use gitops::Repository;
use release::{
    desired::Tree,
    fleet::{BUILDS, Build, FILE, FOLDER, Fleet, Pair, Registered, STANDING, Standing, registered},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::Rig;

const FIRST: &str = "services:\n  order-api:\n    version: 0.1.0\n";
const CANARY: &str = "127.0.0.1:9132";

/// What the lab and its Prometheus are.
pub(crate) struct Shop {
    pub(crate) lab: TempDir,
    pub(crate) prometheus: String,
    /// Whether the canary fails every request.
    pub(crate) fails: Arc<AtomicBool>,
    /// Whether every order of the canary has a wrong total.
    pub(crate) wrong: Arc<AtomicBool>,
}

/// Prometheus: each question about the canary is a hundred requests to each of the two later, thirty of them orders.
#[derive(Clone)]
struct Counters {
    asked: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    fails: Arc<AtomicBool>,
    mistaken: Arc<AtomicU64>,
    wrong: Arc<AtomicBool>,
}

#[derive(Deserialize)]
struct Asked {
    query: String,
}

async fn answer(State(counters): State<Counters>, Query(Asked { query }): Query<Asked>) -> Json<Value> {
    let sample = |name: &str, labels: &[(&str, &str)], value: u64| {
        let mut metric = json!({ "__name__": name });
        for (label, text) in labels {
            metric[*label] = json!(text);
        }
        json!({ "metric": metric, "value": [0, value.to_string()] })
    };
    if !query.contains("instance=") {
        return Json(json!({ "status": "success", "data": { "resultType": "vector", "result": [] } }));
    }
    let asked = if query.contains(CANARY) {
        counters.asked.fetch_add(1, Ordering::SeqCst)
    } else {
        counters.asked.load(Ordering::SeqCst)
    };
    let all = 100 * asked;
    let bad = if query.contains(CANARY) && counters.fails.load(Ordering::SeqCst) {
        counters.failed.fetch_add(100, Ordering::SeqCst) + 100
    } else {
        counters.failed.load(Ordering::SeqCst) * u64::from(query.contains(CANARY))
    };
    let mistaken = if query.contains(CANARY) && counters.wrong.load(Ordering::SeqCst) {
        counters.mistaken.fetch_add(30, Ordering::SeqCst) + 30
    } else {
        counters.mistaken.load(Ordering::SeqCst) * u64::from(query.contains(CANARY))
    };
    let orders = ("endpoint", "/orders");
    let worker = ("instance", "127.0.0.1:9103");
    let result = [
        sample("http_requests_total", &[orders, ("status", "202")], all),
        sample("http_requests_total", &[orders, ("status", "500")], bad),
        sample("http_request_duration_seconds_bucket", &[orders, ("le", "0.25")], all + bad),
        sample("http_request_duration_seconds_count", &[orders], all + bad),
        sample("process_start_time_seconds", &[], 1_700_000_000),
        sample("order_totals_checked_total", &[worker, ("result", "match")], 30 * asked),
        sample("order_totals_checked_total", &[worker, ("result", "mismatch")], mistaken),
    ];
    Json(json!({ "status": "success", "data": { "resultType": "vector", "result": result } }))
}

impl Shop {
    pub(crate) async fn start() -> Self {
        let lab = tempfile::tempdir().expect("a folder");
        let fails = Arc::new(AtomicBool::new(false));
        let wrong = Arc::new(AtomicBool::new(false));
        let counters = Counters {
            asked: Arc::default(),
            failed: Arc::default(),
            fails: Arc::clone(&fails),
            mistaken: Arc::default(),
            wrong: Arc::clone(&wrong),
        };
        let router = Router::new().route("/api/v1/query", get(answer)).with_state(counters);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let prometheus = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        supervise(lab.path());
        let shop = Self { lab, prometheus, fails, wrong };
        shop.register("v2", json!({ "ORDER_TIMEOUT": "1ms" }));
        shop
    }

    fn register(&self, version: &str, env: Value) {
        let env = serde_json::from_value(env).expect("variables");
        let written = chrono::Utc::now() - chrono::TimeDelta::hours(2);
        let build = Registered { build: Build { env, ..Build::default() }, written };
        let folder = self.lab.path().join(FOLDER).join(BUILDS);
        fs::create_dir_all(&folder).expect("a folder");
        let text = serde_json::to_string(&build).expect("JSON");
        fs::write(folder.join(registered("order-api", version)), text).expect("a file");
    }

    pub(crate) async fn repository(&self) -> Repository {
        let repository = Repository::at(self.lab.path().join("gitops.git"));
        let tree = Tree::from([("desired.yaml".to_owned(), FIRST.to_owned())]);
        repository.create(&tree, "lab", "#!/bin/sh\nexit 0\n").await.expect("a repository");
        repository
    }

    /// A control room of this lab; the same file again is the same room after a crash.
    pub(crate) async fn room(&self) -> Rig {
        let path = |name: &str| self.lab.path().join(name).to_str().expect("UTF-8").to_owned();
        let (dir, file) = (path(""), path("room.db"));
        let lab = ["--lab-dir", &dir, "--lab-root", &dir, "--lab-program", "/bin/true"];
        Rig::start(&[&lab[..], &["--file", &file, "--prometheus-url", &self.prometheus]].concat()).await
    }

    pub(crate) fn fleet(&self) -> Fleet {
        let text = fs::read(self.lab.path().join(FOLDER).join(FILE)).expect("a fleet");
        serde_json::from_slice(&text).expect("a fleet")
    }
}

/// Says that whatever is asked for is in force.
fn supervise(lab: &Path) {
    let folder = lab.join(FOLDER);
    fs::create_dir_all(&folder).expect("a folder");
    let tell = move || {
        let fleet: Fleet = fs::read(folder.join(FILE))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        let pair = Pair { canary: CANARY.to_owned(), baseline: "127.0.0.1:9133".to_owned() };
        let name = || "order-api".to_owned();
        let has = fleet.services.get("order-api").is_some_and(|crew| crew.canary.is_some());
        let standing = Standing {
            revision: fleet.revision,
            settled: true,
            versions: [(name(), "0.1.0".to_owned())].into(),
            pairs: has.then(|| (name(), pair)).into_iter().collect(),
            ..Standing::default()
        };
        let draft = folder.join("draft");
        // The folder goes with the test.
        let _ = fs::write(&draft, serde_json::to_string(&standing).expect("JSON"));
        let _ = fs::rename(draft, folder.join(STANDING));
    };
    tell();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            tell();
        }
    });
}
