//! A release through the API: the test is the supervisor of the lab and its Prometheus.

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
use gitops::{NewCommit, Repository};
use http::Method;
use release::{
    desired::Tree,
    fleet::{BUILDS, Build, FILE, FOLDER, Fleet, Pair, Registered, STANDING, Standing, registered},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::eventually;

use crate::rig::{Rig, SOON};

const FIRST: &str = "services:\n  order-api:\n    version: 0.1.0\n";
const CANARY: &str = "127.0.0.1:9132";
/// Until a bad canary has failed: it has to be worse for several stretches of time.
const JUDGED: Duration = Duration::from_secs(90);

/// What the lab and its Prometheus are.
struct Shop {
    lab: TempDir,
    prometheus: String,
    /// Whether the canary fails every request.
    fails: Arc<AtomicBool>,
}

/// Prometheus: each question about the canary is a hundred requests to each of the two later.
#[derive(Clone)]
struct Counters {
    asked: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    fails: Arc<AtomicBool>,
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
    let orders = ("endpoint", "/orders");
    let result = [
        sample("http_requests_total", &[orders, ("status", "202")], all),
        sample("http_requests_total", &[orders, ("status", "500")], bad),
        sample("http_request_duration_seconds_bucket", &[orders, ("le", "0.25")], all + bad),
        sample("http_request_duration_seconds_count", &[orders], all + bad),
        sample("process_start_time_seconds", &[], 1_700_000_000),
    ];
    Json(json!({ "status": "success", "data": { "resultType": "vector", "result": result } }))
}

impl Shop {
    async fn start() -> Self {
        let lab = tempfile::tempdir().expect("a folder");
        let fails = Arc::new(AtomicBool::new(false));
        let counters = Counters { asked: Arc::default(), failed: Arc::default(), fails: Arc::clone(&fails) };
        let router = Router::new().route("/api/v1/query", get(answer)).with_state(counters);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let prometheus = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        supervise(lab.path());
        let shop = Self { lab, prometheus, fails };
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

    async fn repository(&self) -> Repository {
        let repository = Repository::at(self.lab.path().join("gitops.git"));
        let tree = Tree::from([("desired.yaml".to_owned(), FIRST.to_owned())]);
        repository.create(&tree, "lab", "#!/bin/sh\nexit 0\n").await.expect("a repository");
        repository
    }

    /// A control room of this lab; the same file again is the same room after a crash.
    async fn room(&self) -> Rig {
        let path = |name: &str| self.lab.path().join(name).to_str().expect("UTF-8").to_owned();
        let (dir, file) = (path(""), path("room.db"));
        let lab = ["--lab-dir", &dir, "--lab-root", &dir, "--lab-program", "/bin/true"];
        Rig::start(&[&lab[..], &["--file", &file, "--prometheus-url", &self.prometheus]].concat()).await
    }

    fn fleet(&self) -> Fleet {
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

fn wanted() -> Value {
    json!({ "service": "order-api", "version": "v2", "why": "Less patience", "override": "a test has no budget" })
}

async fn until(room: &Rig, state: &str) -> Value {
    within(SOON, room, state).await
}

async fn within(deadline: Duration, room: &Rig, state: &str) -> Value {
    eventually(deadline, || async {
        let release = room.get("/api/v1/releases/REL-1").await;
        if release["state"] == state { Ok(release) } else { Err(release.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_version_is_stopped_at_the_canary_even_if_the_room_is_started_again_meanwhile() {
    let shop = Shop::start().await;
    let repository = shop.repository().await;
    let room = shop.room().await;
    let begun = room.post("/api/v1/releases", &wanted()).await;
    assert_eq!(
        (&begun["id"], &begun["old"], &begun["new"]),
        (&json!("REL-1"), &json!("0.1.0"), &json!("v2"))
    );
    until(&room, "watch").await;
    assert_eq!(shop.fleet().services["order-api"].canary.as_ref().map(|trial| trial.weight), Some(5));
    let again = room.send(Method::POST, "/api/v1/releases", &wanted()).await;
    assert_eq!(again.status, 409, "one at a time: {again:?}");
    room.running.stop().await;

    shop.fails.store(true, Ordering::SeqCst);
    let room = shop.room().await;
    let over = within(JUDGED, &room, "rolled-back").await;
    let reason = over["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("worse at 5 %: errors: "), "{reason}");
    assert_eq!(over["steps"][0]["opinion"]["verdict"], "fail");
    let fleet = shop.fleet();
    let crew = &fleet.services["order-api"];
    assert_eq!((crew.version.name.as_str(), &crew.canary), ("0.1.0", &None));
    let subjects: Vec<String> = repository
        .log("main", 9)
        .await
        .expect("a log")
        .iter()
        .map(|logged| logged.subject().to_owned())
        .collect();
    let expected = [
        "Roll order-api back to 0.1.0",
        "Release order-api v2: canary 5 %",
        "Begin with what the lab comes with",
    ];
    assert_eq!(subjects, expected, "each step once");
    // A change is noted after the commit of what it tells.
    eventually(SOON, || async {
        let changes = room.get("/api/v1/changes").await.to_string();
        let told = |text: &str| changes.contains(text);
        let all = told("5 % of the requests to order-api go to the canary v2")
            && told("order-api is back on 0.1.0, v2 was rolled back");
        if all { Ok(()) } else { Err(changes) }
    })
    .await;
    let audit = room.http.get("/api/v1/audit").await.body;
    for action in ["release.started", "release.judged", "release.ended"] {
        assert_eq!(audit.matches(action).count(), 1, "{action}: {audit}");
    }
    let delivery = room.get("/api/v1/delivery").await;
    assert_eq!(
        (&delivery["deployments"], &delivery["failures"]["some"]),
        (&json!(0), &json!(1)),
        "{delivery}"
    );
    let page = room.http.get("/releases/REL-1").await;
    page.expect_status(200);
    for text in ["worse at 5 %", "Share of requests that failed", "The judge's numbers", "Less patience"] {
        assert!(page.body.contains(text), "no {text} in {}", page.body);
    }
    assert!(room.http.get("/releases").await.body.contains("Change failure rate"));
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_released_is_refused_with_the_next_step_and_a_person_can_stop_a_release() {
    let shop = Shop::start().await;
    let room = shop.room().await;
    let with = |field: &str, value: Value| {
        let mut body = wanted();
        body[field] = value;
        body
    };
    for (body, status, said) in [
        (with("service", json!("redis")), 404, "order-api"),
        (with("version", json!("v9")), 404, "lab release start"),
        (with("version", json!("../v2")), 400, "/version"),
        (with("steps", json!([50, 5, 100])), 400, "50, 5, 100"),
        (with("rise", json!(2.0)), 400, "/rise"),
        (with("hold", json!("soon")), 400, "/hold"),
        (with("override", Value::Null), 409, "are frozen"),
    ] {
        let answer = room.send(Method::POST, "/api/v1/releases", &body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.body.contains(said), "{body}: {answer:?}");
    }
    room.post("/api/v1/releases", &wanted()).await;
    until(&room, "watch").await;
    let early = room.send(Method::POST, "/api/v1/releases/REL-1/continue", &json!({ "why": "fine" })).await;
    assert_eq!(early.status, 409, "nobody is asked yet: {early:?}");
    room.post("/api/v1/releases/REL-1/abort", &json!({ "why": "wrong version" })).await;
    let over = until(&room, "aborted").await;
    assert_eq!(over["reason"], "ada stopped it: wrong version");
    assert_eq!(shop.fleet().services["order-api"].canary, None);
    assert!(room.http.get("/releases/REL-9").await.status == 404);
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_with_an_older_file_than_the_repository_gives_no_number_a_second_time() {
    let shop = Shop::start().await;
    let repository = shop.repository().await;
    let head = repository.head().await.expect("a commit");
    let tree = repository.tree(&head).await.expect("files");
    let message = "Release order-api v1: canary 5 %\n\nRelease: REL-7\nKey: REL-7/step-1\nBy: ada\n";
    let new = NewCommit { parent: Some(&head), tree: &tree, message, author: "ada", committer: "release" };
    let made = repository.commit(&new).await.expect("a commit");
    repository.advance(Some(&head), &made).await.expect("nobody else commits");
    let room = shop.room().await;
    let begun = room.post("/api/v1/releases", &wanted()).await;
    assert_eq!(begun["id"], "REL-8", "{begun}");
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_get_the_old_version_back_even_if_the_repository_is_gone() {
    let shop = Shop::start().await;
    shop.repository().await;
    let room = shop.room().await;
    room.post("/api/v1/releases", &wanted()).await;
    until(&room, "watch").await;
    fs::remove_dir_all(shop.lab.path().join("gitops.git")).expect("a repository");
    room.post("/api/v1/releases/REL-1/abort", &json!({ "why": "wrong version" })).await;
    eventually(SOON, || async {
        match &shop.fleet().services["order-api"].canary {
            None => Ok(()),
            Some(trial) => Err(format!("the canary still has {} %", trial.weight)),
        }
    })
    .await;
    room.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_data_waits_for_a_person_and_a_lab_that_was_started_again_for_nobody() {
    let mut shop = Shop::start().await;
    // Nobody listens there.
    "http://127.0.0.1:1".clone_into(&mut shop.prometheus);
    let room = shop.room().await;
    let mut body = wanted();
    (body["hold"], body["patience"]) = (json!("1s"), json!("1s"));
    room.post("/api/v1/releases", &body).await;
    let held = until(&room, "held").await;
    assert_eq!(held["steps"][0]["opinion"]["verdict"], "inconclusive", "{held}");
    eventually(SOON, || async {
        let changes = room.get("/api/v1/changes").await.to_string();
        let told = changes.contains("The release of order-api v2 waits for a person until");
        if told { Ok(()) } else { Err(changes) }
    })
    .await;
    // What a start of the lab does.
    let fleet = shop.lab.path().join(FOLDER).join(FILE);
    fs::remove_file(&fleet).expect("a fleet");
    let over = until(&room, "rolled-back").await;
    let reason = over["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("the lab was started again"), "{reason}");
    assert!(!fleet.exists(), "what was built keeps running");
    room.running.stop().await;
}
