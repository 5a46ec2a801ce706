//! A release that is under way: what the supervisor of a lab says about it, and what canary and baseline of order-api have counted.

use std::{fs, path::Path, time::Duration};

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The version that runs, and the one that can be released.
const OLD: &str = "1.42.0";
pub(crate) const NEW: &str = "1.42.1";
/// Where both are scraped.
const CANARY: &str = "127.0.0.1:9132";
const BASELINE: &str = "127.0.0.1:9133";
/// Requests per second to each of them.
const RATE: f64 = 40.0;
/// Between two looks at what should run.
const LOOK: Duration = Duration::from_millis(50);

/// Keeps the files of a lab's supervisor in its folder: whatever is asked for is in force.
pub(crate) fn supervise(lab: &Path) -> JoinHandle<()> {
    let folder = lab.join("releases");
    let builds = folder.join("builds");
    fs::create_dir_all(&builds).unwrap();
    let build = json!({ "build": { "env": { "USER_SERVICE_TIMEOUT": "2s" } }, "written": Utc::now() - TimeDelta::hours(2) });
    fs::write(builds.join(format!("order-api@{NEW}.json")), build.to_string()).unwrap();
    stand(&folder);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            ticks.tick().await;
            stand(&folder);
        }
    })
}

fn stand(folder: &Path) {
    let fleet = fs::read(folder.join("fleet.json")).ok();
    let fleet: Value = fleet.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let canary = !fleet["services"]["order-api"]["canary"].is_null();
    let pairs =
        if canary { json!({ "order-api": { "canary": CANARY, "baseline": BASELINE } }) } else { json!({}) };
    let standing = json!({ "revision": fleet["revision"].as_u64().unwrap_or_default(), "settled": true, "open": [], "failed": {},
        "versions": { "order-api": OLD }, "pairs": pairs });
    let draft = folder.join("draft");
    // The folder goes with the test.
    let _ = fs::write(&draft, standing.to_string());
    let _ = fs::rename(draft, folder.join("standing.json"));
}

/// What one of the two has counted until a time, if the query is about it: the canary fails a little more often.
pub(super) fn counted(query: &str, started: f64, at: f64) -> Option<Vec<Value>> {
    let arms = [(CANARY, 0.012), (BASELINE, 0.004)];
    let (instance, share) =
        arms.into_iter().find(|(instance, _)| query.starts_with(&format!("{{instance=\"{instance}\"")))?;
    let all = ((at - started).max(0.0) * RATE).floor();
    let part = |share: f64| (all * share).floor();
    let sample = |name: &str, labels: &[(&str, &str)], value: f64| {
        let mut metric = json!({ "__name__": name, "service": "order-api", "instance": instance });
        for (label, text) in labels {
            metric[*label] = json!(text);
        }
        json!({ "metric": metric, "value": [at, value.to_string()] })
    };
    let orders = ("endpoint", "/orders");
    Some(vec![
        sample("http_requests_total", &[orders, ("status", "202")], all - part(share)),
        sample("http_requests_total", &[orders, ("status", "500")], part(share)),
        sample("http_request_duration_seconds_bucket", &[orders, ("le", "0.25")], part(0.98)),
        sample("http_request_duration_seconds_count", &[orders], all),
        sample("process_start_time_seconds", &[], started),
        sample("process_cpu_seconds_total", &[], all * 0.002),
        sample("process_resident_memory_bytes", &[], 40e6),
    ])
}
