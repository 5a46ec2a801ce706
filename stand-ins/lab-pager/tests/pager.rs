//! The assembled pager, over HTTP.

use chassis_service::lifecycle::Running;
use clap::Parser;
use lab_pager::{SERVICE, build, config::PagerConfig};
use serde_json::{Value, json};

/// Alertmanager 0.25's payload for one firing alert, including fields that the pager ignores.
fn firing(alertname: &str, starts_at: &str) -> Value {
    json!({
        "version": "4", "receiver": "page", "status": "firing", "groupKey": "{}/{severity=\"page\"}:{}",
        "truncatedAlerts": 0, "externalURL": "http://127.0.0.1:9093", "notificationReason": "first",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "alerts": [{
            "status": "firing",
            "labels": { "alertname": alertname, "severity": "page", "service": "order-api", "slo": "order-availability" },
            "annotations": { "summary": "orders fail" },
            "startsAt": starts_at, "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://127.0.0.1:9090/graph", "fingerprint": "6b58fcd38f5a8ea8",
        }],
    })
}

fn resolved(alertname: &str, starts_at: &str, ends_at: &str) -> Value {
    let mut payload = firing(alertname, starts_at);
    payload["status"] = json!("resolved");
    payload["alerts"][0]["status"] = json!("resolved");
    payload["alerts"][0]["endsAt"] = json!(ends_at);
    payload
}

struct Rig {
    running: Running,
    http: reqwest::Client,
}

impl Rig {
    async fn start(extra: &[&str]) -> Self {
        let args = ["lab-pager", "--admin-addr", "127.0.0.1:0"].into_iter().chain(extra.iter().copied());
        let config = PagerConfig::try_parse_from(args).expect("valid flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let running = Running::start(build(&config, chassis)).await.expect("a free port");
        Self { running, http: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, String, String) {
        let url = format!("http://{}{path}", self.running.admin);
        let answer = self.http.post(url).body(body).send().await.expect("an answer");
        let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let (status, kind) = (answer.status().as_u16(), kind.to_owned());
        (status, kind, answer.text().await.expect("a body"))
    }

    async fn send(&self, payload: &Value) {
        let (status, _, body) = self.post("/webhook", payload.to_string()).await;
        assert_eq!(status, 200, "{body}");
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let url = format!("http://{}{path}", self.running.admin);
        let answer = self.http.get(url).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }

    async fn pages(&self, query: &str) -> Vec<Value> {
        let (status, body) = self.get(&format!("/pages{query}")).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("an array")
    }
}

const START: &str = "2026-11-21T10:00:00.123Z";

#[tokio::test]
async fn an_alert_becomes_a_page_with_all_its_fields() {
    let rig = Rig::start(&[]).await;
    rig.send(&firing("OrderAvailabilityBudgetBurn", START)).await;
    rig.send(&resolved("OrderAvailabilityBudgetBurn", START, "2026-11-21T10:01:00Z")).await;
    let pages = rig.pages("").await;
    assert_eq!(pages.len(), 2, "{pages:?}");
    for (field, expected) in [
        ("id", json!(1)),
        ("receiver", json!("page")),
        ("status", json!("firing")),
        ("alertname", json!("OrderAvailabilityBudgetBurn")),
        ("severity", json!("page")),
        ("service", json!("order-api")),
        ("slo", json!("order-availability")),
        ("starts_at", json!("2026-11-21T10:00:00.123Z")),
        ("group", json!("{}/{severity=\"page\"}:{}")),
        ("repeats", json!(0)),
    ] {
        assert_eq!(pages[0][field], expected, "{field}");
    }
    assert_eq!(pages[0]["annotations"]["summary"], "orders fail");
    assert!(pages[0].get("ends_at").is_none(), "the year 1 is not an end: {}", pages[0]);
    assert_eq!(pages[1]["status"], "resolved");
    assert_eq!(pages[1]["ends_at"], "2026-11-21T10:01:00.000Z");
    let received = pages[0]["received_at"].as_str().expect("a time");
    assert_eq!((received.len(), received.ends_with('Z')), (24, true), "milliseconds: {received}");
    rig.running.stop().await;
}

#[tokio::test]
async fn a_reminder_is_counted_and_not_a_new_page() {
    let rig = Rig::start(&[]).await;
    rig.send(&firing("NoTraffic", START)).await;
    rig.send(&firing("NoTraffic", START)).await;
    rig.send(&firing("NoTraffic", "2026-11-21T11:00:00Z")).await;
    let pages = rig.pages("").await;
    let seen: Vec<_> = pages.iter().map(|page| (page["id"].as_u64(), page["repeats"].as_u64())).collect();
    assert_eq!(seen, [(Some(1), Some(1)), (Some(2), Some(0))], "the second alert began later");
    assert_eq!(rig.pages("?after=1").await.len(), 1);
}

#[tokio::test]
async fn only_the_latest_pages_are_kept() {
    let rig = Rig::start(&["--keep", "3"]).await;
    for n in 0..5 {
        rig.send(&firing(&format!("Alert{n}"), START)).await;
    }
    let names: Vec<_> = rig.pages("").await.into_iter().map(|page| page["alertname"].clone()).collect();
    assert_eq!(names, ["Alert2", "Alert3", "Alert4"]);
    assert!(rig.get("/metrics").await.1.contains("pager_pages 3\n"));
}

#[tokio::test]
async fn an_invalid_payload_is_refused_with_the_field_and_nothing_is_kept() {
    let rig = Rig::start(&[]).await;
    let change = |pointer: &str, value: Value| {
        let mut payload = firing("NoTraffic", START);
        *payload.pointer_mut(pointer).expect("it is there") = value;
        payload.to_string()
    };
    let mut without = firing("NoTraffic", START);
    without.as_object_mut().expect("an object").remove("alerts");
    for (path, body, field, said) in [
        ("/webhook", "no json".to_owned(), "body", "expected"),
        ("/webhook", String::new(), "body", "EOF"),
        ("/webhook", without.to_string(), "body", "missing field `alerts`"),
        ("/webhook", change("/version", json!("3")), "version", "version 4"),
        (
            "/webhook",
            change("/alerts/0/status", json!("burning")),
            "alerts[0].status",
            "`firing` or `resolved`",
        ),
        ("/webhook", change("/alerts/0/startsAt", json!("now")), "alerts[0].startsAt", "invalid characters"),
        (
            "/webhook",
            change("/alerts/0/labels", json!({"severity": 1})),
            "alerts[0].labels.severity",
            "a string",
        ),
        ("/webhook", change("/alerts/0/labels", json!({})), "alerts[0].labels.alertname", "name"),
        ("/slack", json!({"channel": "#pages"}).to_string(), "text", "attachments"),
        ("/slack", json!({"text": 7}).to_string(), "text", "a string"),
    ] {
        let (status, kind, answer) = rig.post(path, body.clone()).await;
        let problem: Value = serde_json::from_str(&answer).expect("a problem document");
        assert_eq!((status, kind.as_str()), (400, "application/problem+json"), "{body}: {answer}");
        let right = problem["errors"][field].as_str().unwrap_or_else(|| panic!("{field}: {answer}"));
        assert!(right.contains(said), "{body}: {right}");
    }
    let (status, ..) = rig.post("/webhook", vec![b' '; 2 << 20]).await;
    assert_eq!(status, 413);
    assert_eq!(rig.pages("").await, Vec::<Value>::new());
    let metrics = rig.get("/metrics").await.1;
    assert!(metrics.contains("pager_refused_total{format=\"webhook\"} 9\n"), "{metrics}");
    assert!(metrics.contains("pager_refused_total{format=\"slack\"} 2\n"), "{metrics}");
}

#[tokio::test]
async fn a_chat_message_is_kept_with_the_data_in_its_title() {
    let rig = Rig::start(&[]).await;
    let alertmanagers = json!({
        "channel": "", "username": "Alertmanager",
        "attachments": [{
            "title": "[FIRING:1] NoTraffic (order-api page)", "title_link": "http://127.0.0.1:9093/#/alerts",
            "fallback": "[FIRING:1] NoTraffic | http://127.0.0.1:9093", "text": "Nobody asks.", "color": "danger",
        }],
    });
    for message in [alertmanagers, json!({"text": "the demo starts"}), json!({"text": "the demo starts"})] {
        let (status, _, body) = rig.post("/slack", message.to_string()).await;
        assert_eq!((status, body.as_str()), (200, "ok"), "as Slack answers");
    }
    let pages = rig.pages("").await;
    assert_eq!((&pages[0]["status"], &pages[0]["alertname"]), (&json!("firing"), &json!("NoTraffic")));
    assert_eq!(pages[0]["text"], "[FIRING:1] NoTraffic (order-api page)\nNobody asks.");
    assert_eq!((pages.len(), &pages[1]["status"]), (3, &Value::Null), "sent twice is two messages");
}

#[tokio::test]
async fn every_series_exists_from_the_start_and_counts() {
    let rig = Rig::start(&[]).await;
    let before = rig.get("/metrics").await.1;
    for series in [
        "pager_notifications_total{format=\"webhook\"} 0",
        "pager_refused_total{format=\"slack\"} 0",
        "pager_pages_total{severity=\"page\",status=\"firing\"} 0",
        "pager_page_delay_seconds_count{severity=\"ticket\"} 0",
        "pager_repeats_total 0",
        "process_resident_memory_bytes",
    ] {
        assert!(before.contains(series), "{series}\n{before}");
    }
    let now = chrono::Utc::now().to_rfc3339();
    rig.send(&firing("NoTraffic", &now)).await;
    rig.send(&resolved("NoTraffic", &now, &now)).await;
    let after = rig.get("/metrics").await.1;
    for series in [
        "pager_pages_total{severity=\"page\",status=\"firing\"} 1",
        "pager_pages_total{severity=\"page\",status=\"resolved\"} 1",
        "pager_page_delay_seconds_count{severity=\"page\"} 1",
    ] {
        assert!(after.contains(series), "{series}\n{after}");
    }
}

#[tokio::test]
async fn the_other_routes_work_and_an_unknown_one_lists_them() {
    let rig = Rig::start(&[]).await;
    for path in ["/livez", "/readyz", "/version"] {
        assert_eq!(rig.get(path).await.0, 200, "{path}");
    }
    let (status, body) = rig.get("/page").await;
    assert!(status == 404 && body.contains("/pages"), "{status} {body}");
    let (status, body) = rig.get("/pages?since=5m").await;
    assert!(status == 400 && body.contains("after"), "{status} {body}");
}

#[tokio::test]
async fn a_web_page_of_another_site_cannot_page_anyone() {
    let rig = Rig::start(&["--allowed-hosts", "lab-pager"]).await;
    let send = async |name: &'static str, value: &'static str| {
        let url = format!("http://{}/webhook", rig.running.admin);
        let body = firing("Forged", START).to_string();
        rig.http.post(url).header(name, value).body(body).send().await.expect("an answer").status().as_u16()
    };
    for (name, value, status) in [
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("host", "evil.example", 421),
    ] {
        assert_eq!(send(name, value).await, status, "{name}: {value}");
    }
    assert!(rig.pages("").await.is_empty());
    // Alertmanager, which calls the pager by its name.
    assert_eq!(send("host", "lab-pager:9108").await, 200);
    assert_eq!(rig.pages("").await.len(), 1);
}

#[tokio::test]
async fn slow_clients_do_not_prevent_pages() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let rig = Rig::start(&["--body-timeout", "300ms", "--head-timeout", "300ms"]).await;
    let mut slow = Vec::new();
    for begin in ["POST /webhook HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{", "GET /pages HT"]
    {
        for _ in 0..200 {
            let mut tcp = tokio::net::TcpStream::connect(rig.running.admin).await.expect("connects");
            tcp.write_all(begin.as_bytes()).await.expect("sent");
            slow.push(tcp);
        }
    }
    rig.send(&firing("Real", START)).await;
    assert_eq!(rig.pages("").await.len(), 1);
    for mut tcp in slow {
        // 408, or nothing; but the connection is closed.
        let _ = tcp.read_to_end(&mut Vec::new()).await;
    }
}
