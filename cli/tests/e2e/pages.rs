//! Notifications: a healthy lab pages nobody, failing users cause a page, and there are no false pages.

use std::time::Duration;

use serde_json::Value;

use crate::lab::{self, Lab, eventually};

/// How long a healthy lab is watched here. The promise is five minutes, which would take too long:
/// `lab alerts --clean-for 5m` on a running lab verifies it.
const CLEAN: &str = "15s";
/// From a cause to its page, and from its end to the resolve: seconds by the rules, with a margin for a busy machine.
const PAGE: Duration = Duration::from_secs(60);

impl Lab {
    /// The alerts of which the control room was told.
    pub(crate) fn pages(&self) -> Vec<Value> {
        let pages = self.json(&["pages", "--json"]);
        let of_alerts = |page: &&Value| page["kind"] == "alert";
        pages.as_array().expect("an array").iter().filter(of_alerts).cloned().collect()
    }

    /// Waits for a page with this name and status; returns it.
    pub(crate) async fn paged(&self, alertname: &str, service: &str, status: &str) -> Value {
        let is = |page: &Value| {
            page["alertname"] == alertname && page["labels"]["service"] == service && page["status"] == status
        };
        eventually(PAGE, || async {
            let pages = self.pages();
            let found = pages.iter().find(|page| is(page)).cloned();
            found.ok_or_else(|| format!("{alertname} of {service} is not {status}: {pages:#?}"))
        })
        .await
    }

    async fn set_load(&self, rps: u32) {
        let url = format!("http://127.0.0.1:{}/rate?rps={rps}", self.port("load", "load-admin"));
        let answer = reqwest::Client::new().put(url).send().await.expect("the load answers");
        assert!(answer.status().is_success(), "{answer:?}");
    }
}

/// Seconds from one RFC 3339 time to another.
fn seconds(from: &Value, to: &Value) -> f64 {
    let time = |value: &Value| {
        let text = value.as_str().unwrap_or_else(|| panic!("a time: {value}"));
        chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339")
    };
    (time(to) - time(from)).as_seconds_f64()
}

/// The same lab by its URLs alone, from a folder that knows of no lab.
fn asked_from_elsewhere(lab: &Lab) {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let ask = |flag: &str, port: &str, args: &[&str]| {
        let url = format!("http://127.0.0.1:{}", lab.named_port(port));
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lab"));
        command.arg("--dir").arg(elsewhere.path()).args([flag, &url]).args(args);
        let output = command.current_dir(elsewhere.path()).output().expect("lab runs");
        assert!(output.status.success(), "lab {args:?}: {}", lab::text(&output.stderr));
        lab::text(&output.stdout)
    };
    let alerts = ask("--prometheus", "prometheus", &["alerts"]);
    assert!(alerts.contains("nothing firing") && alerts.contains("--alertmanager URL"), "{alerts}");
    assert_eq!(ask("--control-room", "control-room", &["pages"]), "no pages\n");
    let traces = ask("--jaeger", "traces-ui", &["traces", "--limit", "3"]);
    assert!(traces.contains("order-api"), "{traces}");
    let report = ask("--prometheus", "prometheus", &["slo", "report"]);
    assert!(report.contains("order-availability"), "{report}");
}

#[tokio::test]
async fn a_healthy_lab_pages_nobody_and_failing_users_cause_a_page() {
    let Some(lab) = Lab::up(&["--rate", "40"]).await else { return };
    // Wait until a window of the page rules is full: from here on, silence means health.
    eventually(PAGE, || async {
        let seen = lab
            .query(r#"min_over_time(service:http_requests:rate15s{job=~"order-api|user-service"}[15s]) > 1"#)
            .await;
        (seen.len() == 2).then_some(()).ok_or_else(|| format!("both services have traffic: {seen:?}"))
    })
    .await;
    println!("{}", lab.ok(&["alerts", "--clean-for", CLEAN]));
    assert_eq!(lab.pages(), Vec::<Value>::new(), "a healthy lab pages nobody");
    asked_from_elsewhere(&lab);

    // No requests: none fails, so no objective can detect it.
    lab.set_load(0).await;
    for service in ["order-api", "user-service"] {
        let page = lab.paged("NoTraffic", service, "firing").await;
        let delay = seconds(&page["starts_at"], &page["received_at"]);
        assert_eq!(page["severity"], "page");
        assert!(delay < 5.0, "a page is not delayed: {delay} s");
    }
    let objectives = lab.query("ALERTS{slo!=\"\"}").await;
    assert!(objectives.is_empty(), "no objective is violated without requests: {objectives:?}");
    assert!(lab.pages().iter().all(|page| page["alertname"] == "NoTraffic"), "{:#?}", lab.pages());
    lab.set_load(40).await;
    lab.paged("NoTraffic", "order-api", "resolved").await;

    // Connections are reset: order-api counts them as lost (499), so its objective pages, once.
    lab.ok(&["break", "order-api", "http-abort", "rate=0.5", "ttl=5m"]);
    let page = lab.paged("OrderAvailabilityBudgetBurn", "order-api", "firing").await;
    assert_eq!(
        (&page["severity"], &page["labels"]["slo"]),
        (&"page".into(), &"order-availability".into()),
        "{page}"
    );
    lab.ok(&["fix"]);
    lab.paged("OrderAvailabilityBudgetBurn", "order-api", "resolved").await;
    let twice = |page: &Value| page["alertname"] == "ProbeFailures";
    assert!(!lab.pages().iter().any(twice), "one failure, one page: {:#?}", lab.pages());

    // The process is frozen: it counts nothing at all, and only a probe can tell.
    let pid = lab.part("order-api")["pid"].clone();
    lab::signal(&pid, rustix::process::Signal::STOP);
    let page = lab.paged("ProbeFailures", "order-api", "firing").await;
    assert_eq!(page["severity"], "page", "{page}");
    lab::signal(&pid, rustix::process::Signal::CONT);
    let page = lab.paged("ProbeFailures", "order-api", "resolved").await;
    assert!(seconds(&page["starts_at"], &page["ends_at"]) > 0.0, "{page}");
}
