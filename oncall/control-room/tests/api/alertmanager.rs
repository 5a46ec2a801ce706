//! What a real Alertmanager sends: two of them page once, and its integration for PagerDuty is understood.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use testkit::{Alertmanager, eventually, needs};

use crate::rig::Rig;

/// Longest wait: several Alertmanagers take seconds to agree that they are all there.
const SOON: Duration = Duration::from_secs(40);

/// The chart's flags that say how fast replicas agree.
fn of_the_chart() -> Vec<&'static str> {
    let template = include_str!("../../../../deploy/helm/sre-lab/templates/observability/alertmanager.yaml");
    let flags = template.lines().filter_map(|line| line.trim().strip_prefix("- --cluster."));
    let fast = flags.filter(|flag| flag.starts_with("peer-timeout=") || flag.starts_with("gossip-interval="));
    let all: Vec<&str> = fast.collect();
    assert_eq!(all.len(), 2, "{all:?}");
    all
}

/// An alert as Prometheus sends it; with an end, it has ended.
fn alert(name: &str, began: DateTime<Utc>, ended: Option<DateTime<Utc>>) -> Value {
    let mut alert = json!({
        "labels": { "alertname": name, "severity": "page", "service": "order-api" },
        "annotations": { "summary": "orders fail", "runbook_url": "http://localhost:8080/runbooks/OrdersFail" },
        "startsAt": began.to_rfc3339(),
    });
    if let Some(ended) = ended {
        alert["endsAt"] = json!(ended.to_rfc3339());
    }
    json!([alert])
}

/// Name and status of each alert that the control room was paged for, in order.
async fn pages(rig: &Rig) -> Vec<(String, String)> {
    let all = rig.get("/api/v1/pages").await;
    let text = |page: &Value, field: &str| page[field].as_str().unwrap_or_default().to_owned();
    let list = all["pages"].as_array().expect("a list").iter().filter(|page| page["kind"] == "alert");
    list.map(|page| (text(page, "alertname"), text(page, "status"))).collect()
}

/// Waits for a page.
async fn paged(rig: &Rig, name: &str, status: &str, said: impl Fn() -> String) {
    eventually(SOON, || async {
        let pages = pages(rig).await;
        let there = pages.iter().any(|page| page.0 == name && page.1 == status);
        there.then_some(()).ok_or_else(|| format!("{pages:?}\n{}", said()))
    })
    .await;
}

#[tokio::test]
async fn two_alertmanagers_with_the_same_alert_are_one_page_and_one_is_enough() {
    needs!(Alertmanager);
    let rig = Rig::start(&[]).await;
    let room = rig.running.public.expect("a public port");
    let url = format!("http://{room}/hooks/alertmanager");
    let hook = format!("webhook_configs: [{{ url: \"{url}\", send_resolved: true }}]");
    let flags: Vec<String> = of_the_chart().iter().map(|flag| format!("--cluster.{flag}")).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let [mut one, other] = Alertmanager::pair(&Alertmanager::at_once(&hook), &flags).await;
    let said = || format!("{}\n{}", one.output(), other.output());

    let began = Utc::now();
    let fires = alert("OrdersFail", began, None);
    tokio::join!(one.post(&fires), other.post(&fires));
    paged(&rig, "OrdersFail", "firing", said).await;

    let ended = alert("OrdersFail", began, Some(Utc::now()));
    tokio::join!(one.post(&ended), other.post(&ended));
    paged(&rig, "OrdersFail", "resolved", said).await;

    one.kill();
    other.post(&alert("NoTraffic", Utc::now(), None)).await;
    paged(&rig, "NoTraffic", "firing", || other.output()).await;

    // Alertmanager notifies at least once: if the two do not hear each other in time, both do. That is no second page.
    let mut pages = pages(&rig).await;
    pages.retain(|page| page.0 == "OrdersFail");
    let page = |status: &str| ("OrdersFail".to_owned(), status.to_owned());
    assert_eq!(pages, [page("firing"), page("resolved")], "{}", other.output());
    let incidents = rig.get("/api/v1/incidents").await;
    assert_eq!(incidents["incidents"].as_array().map(Vec::len), Some(1), "of the same service: {incidents}");
}

#[tokio::test]
async fn alertmanagers_own_integration_for_pagerduty_opens_one_incident_and_resolves_it() {
    needs!(Alertmanager);
    let rig = Rig::start(&["--hook-token", "0123456789abcdef0123456789abcdef"]).await;
    let room = rig.running.public.expect("a public port");
    // As the chart has it, with another address.
    let integration = format!(
        "pagerduty_configs:\n  - url: http://{room}/v2/enqueue\n    \
         routing_key: 0123456789abcdef0123456789abcdef\n    \
         severity: critical\n    \
         description: '{{{{ .CommonAnnotations.summary }}}}'\n    \
         details: {{ runbook: '{{{{ .CommonAnnotations.runbook_url }}}}' }}"
    );
    let alertmanager = Alertmanager::start(&Alertmanager::at_once(&integration)).await;
    let incident = async |wanted: &str, ended: bool| {
        eventually(SOON, || async {
            let list = rig.get("/api/v1/incidents").await;
            let opened = list["incidents"].as_array().map(Vec::len) == Some(1);
            let incident = if opened { rig.get("/api/v1/incidents/INC-1").await } else { Value::Null };
            let there = opened && incident["alerts"][0]["ended_at"].is_string() == ended;
            there
                .then(|| incident.clone())
                .ok_or_else(|| format!("{wanted}: {list} {incident}\n{}", alertmanager.output()))
        })
        .await
    };

    let began = Utc::now();
    alertmanager.post(&alert("OrdersFail", began, None)).await;
    let open = incident("it is open", false).await;
    assert_eq!(open["severity"], "SEV-1", "{open}");
    let told = &open["alerts"][0]["alert"];
    assert_eq!(told["summary"], "orders fail", "{told}");
    assert_eq!(told["details"]["runbook"], "http://localhost:8080/runbooks/OrdersFail", "{told}");

    alertmanager.post(&alert("OrdersFail", began, Some(Utc::now()))).await;
    incident("its alert has ended", true).await;
    let statuses: Vec<String> = pages(&rig).await.into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["firing", "resolved"]);
}
