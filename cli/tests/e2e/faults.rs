//! Switches on every fault of every service in the running lab, with only a ttl: each ends by itself and leaves the
//! lab as it was.

use std::{collections::BTreeSet, time::Duration};

use dashgen::check::promql;
use serde_json::{Value, json};

use crate::{
    dashboards::boards,
    exporters,
    lab::{Lab, eventually},
};

/// A service, its admin port, and the minimum number of its faults.
const SERVICES: &[(&str, &str, usize)] = &[
    ("order-api", "order-api-admin", 30),
    ("user-service", "user-service-admin", 20),
    ("order-worker", "order-worker-admin", 20),
    ("edge", "edge-admin", 15),
];
/// `risky` is always on, and `crash` is over at once (see [`takes_and_gives_back`]).
const WITHOUT_END: &[&str] = &["risky", "crash"];
/// Longer than a ttl of one second, on a machine on which another lab may be starting.
const ENDED: Duration = Duration::from_secs(60);
/// Time to recover: connections are reopened, a rebalance ends, a new leader is elected.
const HEALED: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_fault_ends_by_itself_and_leaves_a_lab_that_settles_orders() {
    let Some(lab) = Lab::up(&["--rate", "20"]).await else { return };
    let services = SERVICES.iter().map(async |(service, port, least)| {
        let admin = format!("http://127.0.0.1:{}", lab.port(service, port));
        let faults = names(&list(&admin).await);
        assert!(faults.len() >= *least, "{service}: {faults:?}");
        for fault in faults.iter().filter(|fault| !WITHOUT_END.contains(&fault.as_str())) {
            breaks_and_ends(&admin, fault).await;
        }
        faults.len()
    });
    let tried: usize = futures::future::join_all(services).await.iter().sum();
    println!("{tried} faults of {} services", SERVICES.len());

    eventually(HEALED, || async {
        let status = lab.status();
        if status["ready"] == true { Ok(()) } else { Err(format!("{status}")) }
    })
    .await;
    let api = format!("http://127.0.0.1:{}", lab.port("order-api", "order-api"));
    eventually(HEALED, || settles(&api)).await;
}

/// A fault of the process itself, its parameters, and a query that returns a result while the fault is on, but not
/// before or after.
const TAKES: &[(&str, &str, &str)] = &[
    // At rest it takes a few hundredths of a core. How much more it gets depends on what else runs on the machine.
    ("cpu-burn", "threads=2", "rate(process_cpu_seconds_total{job=\"order-worker\"}[5s]) > 0.2"),
    (
        "memory-leak",
        "limit=128MiB&step=16MiB",
        "process_resident_memory_bytes{job=\"order-worker\"} > 128 * 1024 * 1024",
    ),
    ("fd-leak", "limit=256", "process_open_fds{job=\"order-worker\"} > 256"),
    (
        "executor-block",
        "block=500ms&interval=1s",
        "rate(runtime_poll_delay_seconds_sum{job=\"order-worker\"}[5s]) / rate(runtime_poll_delay_seconds_count{job=\"order-worker\"}[5s]) > 0.02",
    ),
    ("log-flood", "lps=1000", "rate(log_lines_total{job=\"order-worker\", level=\"info\"}[3s]) > 300"),
    ("trace-drop", "rate=1", "rate(traces_dropped_total{job=\"order-worker\"}[3s]) > 1"),
    ("metrics-gone", "rate=1", "up{job=\"order-worker\"} == 0"),
    ("cardinality-bomb", "series=2000", "scrape_samples_scraped{job=\"order-worker\"} > 2000"),
];

#[tokio::test]
async fn takes_and_gives_back() {
    let Some(lab) = Lab::up(&["--rate", "20"]).await else { return };
    let admin = format!("http://127.0.0.1:{}", lab.port("order-worker", "order-worker-admin"));
    let put = async |fault: &str, parameters: &str| {
        let url = format!("{admin}/faults/{fault}?{parameters}&ttl=8s");
        let answer = reqwest::Client::new().put(url).send().await.expect("the admin port answers");
        assert!(answer.status().is_success(), "{fault}: {:?}", answer.text().await);
    };
    for (fault, parameters, query) in TAKES {
        let seen = async |want: bool| {
            let answer = lab.query(query).await;
            if answer.is_empty() == want { Err(format!("{fault}: {query}: {answer:?}")) } else { Ok(()) }
        };
        eventually(HEALED, || seen(false)).await;
        put(fault, parameters).await;
        // While it is active; afterwards it ends by itself.
        eventually(ENDED, || seen(true)).await;
        eventually(HEALED, || seen(false)).await;
    }

    exporters::show_what_happens_in_the_stores(&lab).await;

    // Lines that are dropped are still counted, so a flood shows that only writing has stopped.
    let log = lab.dir().join("log/order-worker.log");
    let size = || std::fs::metadata(&log).expect("the log").len();
    let flood = "rate(log_lines_total{job=\"order-worker\", level=\"info\"}[3s]) > 300";
    put("log-drop", "rate=1").await;
    let before = size();
    put("log-flood", "lps=1000").await;
    eventually(ENDED, || async {
        let answer = lab.query(flood).await;
        if answer.is_empty() { Err("no flood".to_owned()) } else { Ok(()) }
    })
    .await;
    let grown = size() - before;
    assert!(grown < 10_000, "a flood wrote {grown} bytes while log lines were dropped");

    let starts = starts();
    assert_eq!(lab.query(&starts).await, Vec::<Value>::new(), "nothing has started again yet");
    put("crash", "after=0s").await;
    a_crash_is_drawn(&lab, &starts).await;
    alerts_fire(&lab).await;
    crashes_in_a_loop_until_it_is_fixed(&lab).await;
}

/// What the overview draws of the starts of order-worker, above its line.
fn starts() -> String {
    let boards = boards();
    let overview = boards.iter().find(|board| board.uid() == "overview").expect("the overview");
    let panel = overview.panels.iter().find(|panel| panel.title == "Starts of processes").expect("the panel");
    let of_the_worker = panel.targets[0].expr.replace("$job", "order-worker");
    format!("{} > 0", promql::fill(&of_the_worker, &["instance"]))
}

/// One crash is no loop, so no alert fires; the panel shows it, and the supervisor starts the process again.
async fn a_crash_is_drawn(lab: &Lab, starts: &str) {
    eventually(HEALED, || async {
        let drawn = lab.query(starts).await;
        if drawn.is_empty() { Err(format!("no start is drawn: {starts}")) } else { Ok(()) }
    })
    .await;
    eventually(HEALED, || async {
        let part = lab.part("order-worker");
        if part["ready"] == true && part["restarts"] == 1 { Ok(()) } else { Err(part.to_string()) }
    })
    .await;
}

/// A service, a fault with its parameters, its alert, and a query that returns a result only where the alert has something
/// to read.
const FIRES: &[(&str, &str, &str, &str)] = &[
    // Half of a GiB within a minute: the alert foresees the end of it.
    ("order-worker", "disk-fill size=512MiB step=1MiB", "DataFolderFilling", "data_folder_free_bytes"),
    ("user-service", "cache-hot-key rps=2000 size=64KiB", "RedisHotKey", "redis_up == 1"),
    ("user-service", "db-lock hold=1m", "PostgresLongTransaction", "pg_up == 1"),
];
/// Time for a line to be drawn through the last minute, on a busy machine.
const FIRED: Duration = Duration::from_secs(120);

/// What a fault does to a store or a disk has an alert, which is silent before.
async fn alerts_fire(lab: &Lab) {
    let firing = |alert: &str| lab.alerts().contains(&(alert.to_owned(), "firing".to_owned()));
    for (service, fault, alert, reads) in FIRES {
        if !has_data(lab, reads).await {
            continue;
        }
        assert!(!firing(alert), "{alert} fires before {fault}");
        let words: Vec<&str> = fault.split(' ').chain(["ttl=5m"]).collect();
        lab.ok(&[&["break", service][..], &words].concat());
        eventually(FIRED, || async {
            if firing(alert) {
                Ok(())
            } else {
                Err(format!("{fault}: {alert} is silent: {:?}", lab.alerts()))
            }
        })
        .await;
        lab.ok(&["fix"]);
        eventually(FIRED, || async {
            if firing(alert) { Err(format!("{alert} fires after {fault}")) } else { Ok(()) }
        })
        .await;
    }
    let left = std::fs::read_dir(lab.dir().join("data/order-worker")).expect("its folder").count();
    assert_eq!(left, 0, "disk-fill has left a file behind");
}

/// Whether there is what an alert reads: exporters run only where they are installed.
async fn has_data(lab: &Lab, query: &str) -> bool {
    let found = !lab.query(query).await.is_empty();
    #[expect(clippy::disallowed_methods, reason = "a test has no command line to configure it by")]
    let ci = std::env::var_os("CI").is_some();
    assert!(found || !ci, "{query} returns nothing: is the exporter installed?");
    if !found {
        eprintln!("SKIPPED: the alert on `{query}` (its exporter does not run here)");
    }
    found
}

/// The supervisor waits longer each time, the alert says so, and `lab fix` finds the moment in which the process is there.
async fn crashes_in_a_loop_until_it_is_fixed(lab: &Lab) {
    let before = lab.part("order-worker")["restarts"].as_u64().expect("a number");
    lab.ok(&["break", "order-worker", "crash-loop", "after=3s", "times=20", "ttl=10m"]);
    eventually(FIRED, || async {
        let alerts = lab.alerts();
        let fires = alerts.contains(&("ProcessCrashLooping".to_owned(), "firing".to_owned()));
        if fires { Ok(()) } else { Err(format!("{alerts:?}")) }
    })
    .await;
    lab.ok(&["fix", "order-worker"]);
    let restarts = lab.part("order-worker")["restarts"].as_u64().expect("a number");
    // The alert needs three; a crash before the loop counts too.
    assert!(restarts >= before + 2, "{restarts}, {before} before");
    // For twice as long as it lived before: absence is the subject.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(lab.part("order-worker")["restarts"], restarts);
    eventually(HEALED, || async {
        let part = lab.part("order-worker");
        if part["ready"] == true { Ok(()) } else { Err(part.to_string()) }
    })
    .await;
}

async fn list(admin: &str) -> Vec<Value> {
    let url = format!("{admin}/faults");
    eventually(ENDED, || async {
        let answer = reqwest::get(&url).await.map_err(|error| error.to_string())?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        answer["faults"].as_array().cloned().ok_or_else(|| answer.to_string())
    })
    .await
}

fn names(faults: &[Value]) -> BTreeSet<String> {
    faults.iter().filter_map(|fault| fault["name"].as_str()).map(str::to_owned).collect()
}

async fn breaks_and_ends(admin: &str, fault: &str) {
    let url = format!("{admin}/faults/{fault}?ttl=1s");
    let answer = reqwest::Client::new().put(&url).send().await.expect("the admin port answers");
    assert!(answer.status().is_success(), "{url}: {:?}", answer.text().await);
    eventually(ENDED, || async {
        let faults = list(admin).await;
        let entry = faults.iter().find(|entry| entry["name"] == fault).expect("the fault is listed");
        if entry["active"].is_null() { Ok(()) } else { Err(format!("{fault} is still on: {entry}")) }
    })
    .await;
}

/// Places an order and waits until it is settled.
async fn settles(api: &str) -> Result<(), String> {
    let order = json!({
        "user_id": "01900000-0000-7000-8000-000000000007",
        "items": [{ "sku": "TEA-1", "quantity": 1, "unit_price_cents": 100 }],
    });
    let client = reqwest::Client::new();
    let placed = client.post(format!("{api}/orders")).json(&order).send().await;
    let placed = placed.and_then(reqwest::Response::error_for_status).map_err(|error| error.to_string())?;
    let placed: Value = placed.json().await.map_err(|error| error.to_string())?;
    let url = format!("{api}/orders/{}", placed["id"].as_str().unwrap_or_default());
    eventually(ENDED, || async {
        let order = reqwest::get(&url).await.map_err(|error| error.to_string())?;
        let order: Value = order.json().await.map_err(|error| error.to_string())?;
        if order["status"] == "pending" { Err(order.to_string()) } else { Ok(()) }
    })
    .await;
    Ok(())
}
