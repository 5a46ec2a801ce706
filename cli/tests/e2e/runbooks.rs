//! A runbook against a real fault: orders are not settled, a page opens an incident, and its runbook restarts what stands
//! still. Once step by step, with the answers of a person, and once by itself. Before that, an alert that fires begins its
//! runbook, and nobody does anything.

use std::{
    fs,
    io::Write as _,
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::lab::{Lab, eventually, text};

/// The page that tells of a worker that consumes nothing; its runbook restarts the worker, and proves that it helped.
const RUNBOOK: &str = "OrderFreshnessBudgetBurn";
/// From a cause to its page, with a margin for a busy machine: an order is late after seconds, and a window has to burn.
const SOON: Duration = Duration::from_secs(120);
/// Until the windows of a page have forgotten an outage; those of tickets take many minutes.
const OVER: Duration = Duration::from_secs(120);
/// Messages are consumed.
const CONSUMES: &str = r#"sum(rate(kafka_consumed_total{job="order-worker", topic="orders"}[15s])) > 1"#;
/// Nothing was consumed for as long as the runbook looks back.
const STANDS_STILL: &str = r#"sum(rate(kafka_consumed_total{job="order-worker"}[15s])) == 0"#;
/// More answers than the runbook has steps.
const ANSWERS: usize = 40;
/// A ticket whose runbook restarts a process that leaves files behind, which `guardrails.yaml` lets automation do.
const TICKET: &str = "DataFolderFilling";
/// From the fault to the end of the run that its alert begins: a line through the last minute, a restart, and half a minute
/// of proof.
const HEALED: Duration = Duration::from_secs(240);

/// Waits until a query has a sample.
async fn until(lab: &Lab, query: &str) {
    eventually(SOON, || async {
        let seen = lab.query(query).await;
        if seen.is_empty() { Err(format!("{query}: {:?}", lab.alerts())) } else { Ok(()) }
    })
    .await;
}

/// The open incident that has the runbook's page, while it fires.
async fn paged(lab: &Lab) -> String {
    eventually(SOON, || async {
        let open = lab.json(&["incident", "list", "--json"]);
        let ids = open.as_array().into_iter().flatten().filter_map(|one| one["id"].as_str());
        let found = ids.map(str::to_owned).find(|id| fires(lab, id));
        found.ok_or_else(|| format!("no incident has {RUNBOOK}: {open:#}, {:?}", lab.alerts()))
    })
    .await
}

/// Whether the runbook's page fires in an incident.
fn fires(lab: &Lab, id: &str) -> bool {
    let incident = lab.json(&["incident", "show", id, "--json"]);
    let mut alerts = incident["alerts"].as_array().into_iter().flatten();
    alerts.any(|member| {
        let alert = &member["alert"];
        alert["name"] == RUNBOOK && alert["labels"]["severity"] == "page" && member["ended_at"].is_null()
    })
}

/// Waits until the page has ended in its incident.
async fn cleared(lab: &Lab, id: &str) {
    eventually(OVER, || async {
        if fires(lab, id) { Err(format!("{RUNBOOK} still fires: {:?}", lab.alerts())) } else { Ok(()) }
    })
    .await;
}

/// Runs the runbook for its incident, as ada at a terminal, until it is over.
fn run(lab: &Lab, mode: &str, answers: &str) -> Output {
    let mut command = lab.command(&["runbook", "run", RUNBOOK, "--mode", mode, "--as", "ada"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("lab runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A run that is over reads no further.
    let _ = stdin.write_all(answers.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

/// Breaks the worker, lets the runbook repair it, and waits until everything is over.
async fn repaired(lab: &Lab, mode: &str, answers: &str) -> Value {
    until(lab, CONSUMES).await;
    let before = lab.part("order-worker")["pid"].clone();
    lab.ok(&["break", "order-worker", "consumer-pause", "ttl=20m"]);
    let id = paged(lab).await;
    until(lab, STANDS_STILL).await;
    let output = run(lab, mode, answers);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{mode}: {out}\n{err}\n{:#}", lab.part("order-worker"));
    let runs = lab.json(&["runbook", "status", "--json"]);
    let run = runs[0].clone();
    assert_eq!((&run["mode"], &run["ending"]), (&mode.into(), &"succeeded".into()), "{run:#}");
    assert_eq!(run["incident"], id.as_str(), "it is for the incident that has its alert: {run:#}");
    assert_ne!(lab.part("order-worker")["pid"], before, "the worker was restarted");
    cleared(lab, &id).await;
    let timeline = lab.json(&["incident", "timeline", &id, "--json"]);
    let mut entries = timeline.as_array().into_iter().flatten();
    let told = entries.any(|entry| entry["source"]["name"] == RUNBOOK);
    assert!(told, "what the runbook did is in the timeline: {timeline:#}");
    run
}

/// In quiet hours automation asks first: ben agrees.
fn approve(lab: &Lab, run: &Value) {
    if let (Some(id), Some(digest)) = (run["id"].as_str(), run["request"]["digest"].as_str()) {
        // If it is refused, the next look shows what there is to approve then.
        lab.run(&["runbook", "approve", id, "--digest", digest, "--as", "ben"]);
    }
}

/// A folder fills up while automation is on. Its alert begins the runbook, and nobody else does anything.
async fn healed(lab: &Lab) -> Value {
    until(lab, CONSUMES).await;
    let before = lab.part("order-worker")["pid"].clone();
    lab.ok(&["automation", "on", "a test of what it does", "--as", "ada"]);
    lab.ok(&["break", "order-worker", "disk-fill", "size=768MiB", "step=2MiB", "ttl=10m"]);
    let run = eventually(HEALED, || async {
        let runs = lab.json(&["runbook", "status", "--json"]);
        let found = runs.as_array().into_iter().flatten().find(|run| run["runbook"] == TICKET);
        let run = found.ok_or_else(|| format!("{TICKET} begins nothing: {:?}, {runs:#}", lab.alerts()))?;
        approve(lab, run);
        if run["state"] == "ended" { Ok(run.clone()) } else { Err(format!("{run:#}")) }
    })
    .await;
    assert_eq!((&run["by"], &run["mode"]), (&"automation".into(), &"auto".into()), "{run:#}");
    assert_eq!(run["ending"], "succeeded", "{run:#}");
    assert_ne!(lab.part("order-worker")["pid"], before, "the worker was restarted");
    let left = fs::read_dir(lab.dir().join("data/order-worker")).expect("its folder").count();
    assert_eq!(left, 0, "the folder is empty: {run:#}");
    eventually(OVER, || async {
        let alerts = lab.alerts();
        let fires = alerts.iter().any(|(name, _)| name == TICKET);
        if fires { Err(format!("{TICKET} still fires: {alerts:?}")) } else { Ok(()) }
    })
    .await;
    let incident = run["incident"].as_str().unwrap_or_else(|| panic!("it is for an incident: {run:#}"));
    let timeline = lab.timeline(incident);
    let told = timeline.iter().any(|entry| entry["source"]["name"] == TICKET);
    assert!(told, "what automation did is in the timeline: {timeline:#?}");
    lab.ok(&["automation", "off", "the test of it is over", "--as", "ada"]);
    run
}

#[tokio::test]
async fn a_runbook_repairs_what_pages_guided_and_by_itself_and_an_alert_begins_one() {
    let Some(lab) = Lab::up(&["--rate", "60"]).await else { return };
    // First: automation does nothing to a service that has another incident.
    let healed = healed(&lab).await;
    let guided = repaired(&lab, "manual", &"y\n".repeat(ANSWERS)).await;
    let by_itself = repaired(&lab, "auto", "").await;
    assert_ne!(guided["id"], by_itself["id"]);
    let steps = by_itself["steps"].as_array().expect("steps");
    assert!(steps.iter().all(|step| step["state"] == "done"), "{by_itself:#}");

    // Everything that was done is in the log, and the log is whole.
    let log = lab.ok(&["audit", "export"]);
    for (run, by) in [(&healed, "\"automation\""), (&guided, "\"ada\""), (&by_itself, "\"ada\"")] {
        let id = run["id"].as_str().expect("an id");
        assert!(log.lines().any(|line| line.contains(id) && line.contains(by)), "{id} in:\n{log}");
    }
    lab.ok(&["audit", "verify"]);
}
