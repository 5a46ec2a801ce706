//! Which alerts a real Alertmanager mutes, because another one says more.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Process, eventually, free_addr};

use super::*;

/// Alerts that fire together, and which of them are muted. An alert is `alertname severity service [long_window]`.
const MUTED: &[(&str, &[&str], &[&str])] = &[
    (
        "the faster window speaks for the slower",
        &["OrderAvailabilityBudgetBurn page order-api 1m", "OrderAvailabilityBudgetBurn page order-api 6m"],
        &["OrderAvailabilityBudgetBurn page order-api 6m"],
    ),
    ("a slow burn alone pages", &["OrderAvailabilityBudgetBurn page order-api 6m"], &[]),
    (
        "a page mutes the tickets of its own service only, that of a spent budget too",
        &[
            "ProbeFailures page order-api",
            "HighErrorRate ticket order-api",
            "HighErrorRate ticket user-service",
            "OrderLatencyBudgetSpent ticket order-api",
        ],
        &["HighErrorRate ticket order-api", "OrderLatencyBudgetSpent ticket order-api"],
    ),
    (
        "a page of one service does not mute the page of another",
        &["ProbeFailures page user-service", "OrderAvailabilityBudgetBurn page order-api 1m"],
        &[],
    ),
    (
        "user-service gone: what order-api says about it follows",
        &[
            "TargetDown ticket user-service",
            "CircuitBreakerOpen ticket order-api",
            "HighErrorRate ticket order-api",
            "MetricsAbsent ticket user-service",
            "DeadLetters ticket order-api",
        ],
        &[
            "CircuitBreakerOpen ticket order-api",
            "HighErrorRate ticket order-api",
            "MetricsAbsent ticket user-service",
        ],
    ),
    (
        "what is dead never mutes a page",
        &["TargetDown ticket user-service", "OrderAvailabilityBudgetBurn page order-api 1m"],
        &[],
    ),
    (
        "the broker gone: nothing is published and outboxes fill",
        &[
            "TargetDown ticket lab-kafka",
            "PublishFailing ticket order-worker",
            "OutboxStalled ticket order-api",
        ],
        &["PublishFailing ticket order-worker", "OutboxStalled ticket order-api"],
    ),
    (
        "the worker gone: orders wait",
        &["TargetDown ticket order-worker", "OutboxStalled ticket order-api", "DeadLetters ticket order-api"],
        &["OutboxStalled ticket order-api"],
    ),
    (
        "a database gone: its service is slow and fails",
        &[
            "DatabaseUnavailable ticket order-api",
            "HighErrorRate ticket order-api",
            "DatabasePoolSaturated ticket order-api",
            "HighLatency ticket user-service",
        ],
        &["HighErrorRate ticket order-api", "DatabasePoolSaturated ticket order-api"],
    ),
    (
        "the database of user-service gone: order-api follows",
        &["DatabaseUnavailable ticket user-service", "CircuitBreakerOpen ticket order-api"],
        &["CircuitBreakerOpen ticket order-api"],
    ),
    (
        "the cache gone: the database takes its reads",
        &["CacheFailing ticket user-service", "DatabasePoolSaturated ticket user-service"],
        &["DatabasePoolSaturated ticket user-service"],
    ),
    (
        "the trace store gone: everybody loses spans",
        &["TargetDown ticket lab-traces", "TracesLost ticket order-worker"],
        &["TracesLost ticket order-worker"],
    ),
    (
        "a process that crashes again and again: the loop speaks for its gaps",
        &[
            "ProcessCrashLooping ticket order-worker",
            "TargetDown ticket order-worker",
            "ProcessRestarted ticket order-worker",
            "MetricsAbsent ticket order-worker",
            "TargetDown ticket order-api",
        ],
        &[
            "TargetDown ticket order-worker",
            "ProcessRestarted ticket order-worker",
            "MetricsAbsent ticket order-worker",
        ],
    ),
    (
        "a container killed for its memory: the reason speaks for the loop",
        &[
            "ContainerOomKilled ticket order-worker",
            "PodCrashLooping ticket order-worker",
            "ProcessCrashLooping ticket order-worker",
            "ProcessCrashLooping ticket order-api",
        ],
        &["PodCrashLooping ticket order-worker", "ProcessCrashLooping ticket order-worker"],
    ),
    (
        "a page of a service mutes its crash loop too",
        &["ProbeFailures page order-api", "ProcessCrashLooping ticket order-api"],
        &["ProcessCrashLooping ticket order-api"],
    ),
    (
        "the broker's disk is low: it takes no messages",
        &[
            "RedpandaDiskLow ticket redpanda",
            "PublishFailing ticket order-api",
            "OutboxStalled ticket order-api",
        ],
        &["PublishFailing ticket order-api", "OutboxStalled ticket order-api"],
    ),
    (
        "no connection is left: services are refused",
        &["PostgresConnectionsHigh ticket postgres-exporter", "DatabaseUnavailable ticket order-api"],
        &["DatabaseUnavailable ticket order-api"],
    ),
    (
        "a hot key: the cache is too slow for its service",
        &["RedisHotKey ticket redis-exporter", "CacheFailing ticket user-service"],
        &["CacheFailing ticket user-service"],
    ),
    (
        "a full cache evicts",
        &["RedisEvicting ticket redis-exporter", "RedisMemoryHigh ticket redis-exporter"],
        &["RedisMemoryHigh ticket redis-exporter"],
    ),
    (
        "an exporter that is down says nothing about its server",
        &["ExporterDown ticket postgres-exporter", "DatabaseUnavailable ticket order-api"],
        &[],
    ),
];

fn labels(alert: &str) -> Value {
    let mut words = alert.split(' ');
    let mut labels = json!({});
    for name in ["alertname", "severity", "service", "long_window"] {
        if let Some(word) = words.next() {
            labels[name] = json!(word);
        }
    }
    if labels["long_window"].is_string() {
        labels["slo"] = json!("order-availability");
    }
    labels
}

#[tokio::test]
async fn consequences_of_another_alert_are_muted_and_nothing_else() {
    if !available(&[Need::Alertmanager]) {
        return;
    }
    let program = programs::need(&["prometheus-alertmanager", "alertmanager"], "Alertmanager").unwrap();
    for (what, firing, muted) in MUTED {
        let (folder, path) = written(&Webhooks::default());
        let addr = free_addr();
        let args = [
            format!("--config.file={}", path.display()),
            format!("--storage.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={addr}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let server = Process::start(program.to_str().unwrap(), &args);
        let url = format!("http://{addr}/api/v2/alerts");
        let alerts: Vec<Value> = firing.iter().map(|alert| json!({ "labels": labels(alert) })).collect();
        let client = reqwest::Client::new();
        eventually(Duration::from_secs(20), || async {
            let answer = client.post(&url).json(&alerts).send().await.map_err(|error| error.to_string())?;
            answer.error_for_status().map(drop).map_err(|error| error.to_string())
        })
        .await;
        let mut expected: Vec<Value> = muted.iter().map(|alert| labels(alert)).collect();
        expected.sort_by_key(Value::to_string);
        eventually(Duration::from_secs(20), || async {
            let answer = client.get(&url).send().await.map_err(|error| error.to_string())?;
            let seen: Vec<Value> = answer.json().await.map_err(|error| error.to_string())?;
            let by =
                |alert: &&Value| alert["status"]["inhibitedBy"].as_array().is_some_and(|by| !by.is_empty());
            let mut inhibited: Vec<Value> =
                seen.iter().filter(by).map(|alert| alert["labels"].clone()).collect();
            inhibited.sort_by_key(Value::to_string);
            let settled = seen.len() == firing.len() && inhibited == expected;
            settled.then_some(()).ok_or_else(|| format!("{what}: muted {inhibited:?}\n{}", server.output()))
        })
        .await;
    }
}
