//! A storm through the assembled program: 5,000 alerts of 20 groups, sent as Alertmanager sends them, while somebody uses
//! the API. Faster than required, 500 alerts a second; `bench storm` measures the program itself, optimized, for a minute.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chassis_service::lifecycle::Running;
use clap::Parser;
use control_room::{
    SERVICE, build,
    bus::Bus,
    config::RoomConfig,
    desk::{Desk, Filter},
    phone::Phone,
    store::Store,
};
use incident::correlate::Graph;
use serde_json::{Value, json};

// As the program: memory after the storm is about what is held, and not about what an allocator keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GROUPS: usize = 20;
const ALERTS: usize = 5_000;
/// Messages of a group; each repeats the alerts of those before it.
const ROUNDS: usize = 5;
/// Between two messages.
const PAUSE: Duration = Duration::from_millis(100);
/// Two pairs of neighbours; a group is about one of them.
const SERVICES: [&str; 4] = ["edge", "order-api", "billing", "ledger"];
const CALLS: &str = "edge>order-api,billing>ledger";
/// Required of the API, at the 95th percentile; a program that is not optimized gets more.
const QUICK: Duration =
    if cfg!(debug_assertions) { Duration::from_millis(500) } else { Duration::from_millis(100) };
/// Required of the program, in KiB; here with its client. One that is not optimized gets more, as its code keeps
/// more at a time.
const LARGEST: usize = if cfg!(debug_assertions) { 56 << 10 } else { 40 << 10 };
/// Nothing listens here: what it watches is away.
const NOWHERE: &str = "http://127.0.0.1:9";

/// What a group sends in its n-th message.
fn message(group: usize, round: usize) -> String {
    let (service, name) = (SERVICES[group % SERVICES.len()], format!("Alert{}", group / SERVICES.len()));
    let alert = |number: usize| {
        json!({
            "status": "firing", "fingerprint": format!("{group:04x}{number:012x}"),
            "startsAt": "2026-06-01T12:00:00.123Z", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://127.0.0.1:9090/graph?g0.expr=up",
            "labels": {
                "alertname": name, "service": service, "severity": "page", "namespace": "shop",
                "instance": format!("10.0.{group}.{number}:9101"), "pod": format!("{service}-7d4b9c-{number:05}"),
            },
            "annotations": {
                "summary": format!("{service} answers {name} more often than its objective allows"),
                "runbook_url": format!("http://localhost:8080/runbooks/{name}"),
            },
        })
    };
    let alerts: Vec<Value> = (0..ALERTS / GROUPS / ROUNDS * (round + 1)).map(alert).collect();
    json!({ "version": "4", "status": "firing", "receiver": "room", "groupKey": format!("{{}}:{group}"), "alerts": alerts })
        .to_string()
}

async fn start(file: &Path) -> Running {
    let flags = [
        "control-room",
        "--public-addr",
        "127.0.0.1:0",
        "--admin-addr",
        "127.0.0.1:0",
        "--clock",
        "production",
        "--calls",
        CALLS,
        "--prometheus-url",
        NOWHERE,
        "--alertmanager-url",
        NOWHERE,
        "--traces-url",
        NOWHERE,
        "--file",
    ];
    let flags = flags.into_iter().map(Into::into).chain([file.as_os_str().to_owned()]);
    let config = RoomConfig::try_parse_from(flags).expect("valid flags");
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    let app = build(&config, chassis).await.expect("it can be built");
    Running::start(app).await.expect("free ports")
}

/// Asks until the storm is over; how long each answer took.
async fn use_it(base: String, over: Arc<AtomicBool>) -> Vec<Duration> {
    let client = reqwest::Client::new();
    let mut took = Vec::new();
    while !over.load(Ordering::Relaxed) {
        for path in ["/api/v1/incidents?open=true", "/api/v1/oncall", "/api/v1/changes"] {
            let started = Instant::now();
            let answer = client.get(format!("{base}{path}")).send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            answer.bytes().await.expect("a body");
            took.push(started.elapsed());
        }
    }
    took
}

/// Anonymous memory of this process in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_taken_and_grouped_while_the_api_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("room.db");
    let running = start(&file).await;
    let base = format!("http://{}", running.public.expect("a public port"));
    let over = Arc::new(AtomicBool::new(false));
    let user = tokio::spawn(use_it(base.clone(), Arc::clone(&over)));
    let client = reqwest::Client::new();
    let mut pace = tokio::time::interval(PAUSE);
    let mut sent = tokio::task::JoinSet::new();
    for round in 0..ROUNDS {
        for group in 0..GROUPS {
            pace.tick().await;
            let post =
                client.post(format!("{base}/hooks/alertmanager")).header("content-type", "application/json");
            let post = post.body(message(group, round));
            sent.spawn(async move { post.send().await.expect("an answer").status().as_u16() });
        }
    }
    while let Some(status) = sent.join_next().await {
        assert!((200..300).contains(&status.expect("sent")), "every message is taken");
    }
    over.store(true, Ordering::Relaxed);
    let mut took = user.await.expect("every answer is right");
    took.sort_unstable();
    let p95 = took[took.len() * 95 / 100];
    assert!(p95 <= QUICK, "p95 of {} requests is {p95:?}", took.len());

    let deadline = Instant::now() + Duration::from_secs(10);
    while memory() > LARGEST {
        assert!(Instant::now() < deadline, "{} KiB afterwards", memory());
        // The allocator gives memory back while it works.
        client.get(format!("{base}/api/v1/oncall")).send().await.expect("an answer");
    }
    running.stop().await;
    look_again(&file).await;
}

/// What the file says afterwards.
async fn look_again(file: &Path) {
    let (store, bus) = (Store::open(Some(file)).await.expect("the file"), Bus::default());
    let desk = Desk::open(&store, &bus, Graph::default(), 1).await.expect("it can be read");
    let incidents = desk.list(&Filter::default(), None, 99).await.expect("a list");
    let mut alerts: Vec<usize> = incidents.iter().map(|incident| incident.alerts.len()).collect();
    alerts.sort_unstable();
    assert_eq!(alerts, [ALERTS / 2, ALERTS / 2], "neighbours are one incident");
    let titles: Vec<&str> = incidents.iter().map(|incident| incident.title.as_str()).collect();
    for pair in ["(edge, order-api)", "(billing, ledger)"] {
        assert!(titles.iter().any(|title| title.ends_with(pair)), "{titles:?}");
    }
    let phone = Phone::open(&store, &bus).await.expect("a phone");
    let pages = phone.after(0, usize::MAX).await.expect("pages");
    assert_eq!(pages.iter().filter(|page| page.alertname.is_some()).count(), ALERTS);
}
