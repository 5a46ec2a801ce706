//! Every query of every dashboard against a lab under load, with two instances of each service, backups, a replica, queues
//! and an incident behind it: a panel must not stay empty. Also the links between
//! signals, as Grafana follows them: from exemplar to trace, and from the traces' calls to the service map. The
//! logs: `logs`.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use dashgen::check::{promql, read::Dashboard};
use serde_json::Value;
use testkit::{Need, available, eventually_every};
use tokio::sync::Mutex;

use crate::{
    grafana,
    lab::{Lab, eventually},
    logs,
    replicas::TWO,
    room::SOON,
};

/// Time for the last panel to get data: an incident ends by itself, after the windows of its alerts.
const DATA: Duration = Duration::from_secs(240);

/// Time in which it ends by itself on an idle machine, and between two looks.
const BY_ITSELF: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_secs(2);

/// Panels that have no data in this lab, with the reason: dashboard, panel (`*` for all), reason.
const NO_DATA_HERE: &[(&str, &str, &str)] = &[
    ("kubernetes", "*", "there is no kubelet and no kube-state-metrics in local mode"),
    ("data-stores", "Request p99 in the broker", "Redpanda does not run in local mode"),
    ("data-stores", "Bytes", "Redpanda does not run in local mode"),
    ("data-stores", "Under-replicated replicas", "Redpanda does not run in local mode"),
    ("data-stores", "Disk in use", "Redpanda does not run in local mode"),
    ("*", "Alerts", "after its incident the lab has no alert: the table is empty"),
    ("*", "Alerts of this service", "after its incident the lab has no alert: the table is empty"),
    ("*", "Budget alerts", "after its incident the lab has no alert: the table is empty"),
];

/// One query of a panel, as Grafana sends it with all variables at "All".
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) panel: String,
    pub(crate) query: String,
}

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the checkout")
}

/// Every dashboard.
pub(crate) fn boards() -> Vec<Dashboard> {
    let entries = fs::read_dir(root().join("dashboards/grafana")).expect("the dashboards").flatten();
    let files = entries.map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let read = |path| Dashboard::parse(&fs::read_to_string(path).expect("readable")).expect("a dashboard");
    files.map(read).collect()
}

/// Whether a panel has no data in this lab.
pub(crate) fn excused(board: &str, panel: &str) -> bool {
    let fits = |pattern: &str, name: &str| pattern == "*" || pattern == name;
    NO_DATA_HERE.iter().any(|(uid, title, _)| fits(uid, board) && fits(title, panel))
}

/// Whether the lab has the metrics: some need exporters, those of backups and the replica too, whose files node_exporter
/// reads; queues; or a kernel with pressure stall information.
fn measured(query: &str, exporters: bool, queues: bool, pressure: bool) -> bool {
    let of = |prefix: &str| query.contains(prefix);
    let exported = ["pg_", "redis_", "node_", "(-exporter)", "backup_", "replica_"].into_iter().any(of);
    let queued =
        ["email_queue", "notifications_queued_", "notifications_delivered_", "notifications_failed_"];
    (exporters || !exported) && (queues || !queued.into_iter().any(of)) && (pressure || !of("node_pressure_"))
}

fn asked(queues: bool) -> Vec<Asked> {
    let mut all = Vec::new();
    let exporters = available(&[Need::Exporters]);
    let pressure = Path::new("/proc/pressure/io").exists();
    if !pressure {
        eprintln!("SKIPPED: panels about pressure (this kernel has no /proc/pressure)");
    }
    for board in boards() {
        let variables: Vec<_> = board.variables().filter_map(|variable| variable["name"].as_str()).collect();
        for panel in board.panels.iter().filter(|panel| !excused(board.uid(), &panel.title)) {
            let targets = panel.targets.iter().filter(|target| target.source == "prometheus");
            let targets = targets.filter(|target| measured(&target.expr, exporters, queues, pressure));
            all.extend(targets.map(|target| Asked {
                panel: format!("{}: {}", board.uid(), panel.title),
                query: promql::fill(&target.expr, &variables),
            }));
        }
        let starts = board.annotations().find(|expr| expr.contains("process_start_time_seconds"));
        all.extend(starts.filter(|_| board.uid() != "kubernetes").map(|expr| Asked {
            panel: format!("{}: the annotation of deploys", board.uid()),
            query: promql::fill(expr, &variables),
        }));
    }
    all
}

/// Sends a query and parses the JSON response.
pub(crate) async fn get(url: &str, parameters: &[(&str, &str)]) -> Value {
    let answer = reqwest::Client::new().get(url).query(parameters).send().await;
    answer.unwrap_or_else(|error| panic!("{url}: {error}")).json().await.expect("JSON")
}

/// Why the query has no data; `None` if a series has a number.
async fn missing(prometheus: &str, query: &str) -> Option<String> {
    let answer = get(&format!("{prometheus}/api/v1/query"), &[("query", query)]).await;
    let Some(series) = answer["data"]["result"].as_array() else { return Some(answer["error"].to_string()) };
    let number = |sample: &Value| sample["value"][1].as_str().is_some_and(|value| value != "NaN");
    (!series.iter().any(number)).then(|| format!("{} series, no number", series.len()))
}

/// Waits until every query of every dashboard has had a number.
async fn every_panel_has_data(prometheus: &str, queues: bool) {
    let asked = asked(queues);
    assert!(asked.len() > 150, "too few panels found: {}", asked.len());
    all_have_data(prometheus, asked).await;
}

/// Waits until each of these queries has had a number.
pub(crate) async fn all_have_data(prometheus: &str, asked: Vec<Asked>) {
    let left = Mutex::new(asked);
    eventually(DATA, || async {
        let mut left = left.lock().await;
        let mut without = Vec::new();
        let mut words = String::new();
        for asked in left.drain(..) {
            if let Some(why) = missing(prometheus, &asked.query).await {
                let _ = write!(words, "\n{}: {why}\n    {}", asked.panel, asked.query);
                without.push(asked);
            }
        }
        *left = without;
        if left.is_empty() { Ok(()) } else { Err(format!("queries without data:{words}")) }
    })
    .await;
}

/// An exemplar of the latency panel leads to a trace that the trace store has.
async fn an_exemplar_leads_to_its_trace(lab: &Lab, prometheus: &str) {
    let query = r#"http_request_duration_seconds_bucket{job="order-api"}"#;
    let url = format!("{prometheus}/api/v1/query_exemplars");
    eventually(DATA, || async {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|e| e.to_string())?;
        let (from, to) = ((now.as_secs() - 60).to_string(), (now.as_secs() + 1).to_string());
        let answer = get(&url, &[("query", query), ("start", &from), ("end", &to)]).await;
        let series = answer["data"].as_array().into_iter().flatten();
        let exemplars = series.filter_map(|series| series["exemplars"].as_array()).flatten();
        let mut ids = exemplars.filter_map(|exemplar| exemplar["labels"]["trace_id"].as_str());
        if ids.any(|id| lab.run(&["trace", id]).status.success()) {
            Ok(())
        } else {
            Err(format!("no exemplar whose trace is known: {answer}"))
        }
    })
    .await;
}

/// The data of the panel "Service map".
async fn the_service_map_has_the_calls(lab: &Lab) {
    let port = lab.named_port("traces-ui");
    let url = format!("http://127.0.0.1:{port}/api/dependencies");
    eventually(DATA, || async {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|e| e.to_string())?;
        let answer = get(&url, &[("endTs", &now.as_millis().to_string()), ("lookback", "900000")]).await;
        let calls = answer["data"].as_array().cloned().unwrap_or_default();
        let has =
            |from: &str, to: &str| calls.iter().any(|call| call["parent"] == from && call["child"] == to);
        if has("order-api", "user-service") && has("order-api", "order-worker") {
            Ok(())
        } else {
            Err(format!("calls are missing: {answer}"))
        }
    })
    .await;
}

/// Orders fail until somebody was paged and has ended it. A busy machine may open other incidents.
async fn an_incident_is_mitigated(lab: &Lab) -> String {
    lab.healthy().await;
    lab.ok(&["break", "order-api", "http-error", "rate=1", "ttl=5m"]);
    let id = eventually(SOON, || async {
        let open = lab.incidents();
        let mut ids = open.iter().filter_map(|incident| incident["id"].as_str());
        let paged = ids.find(|id| !lab.notified(id).is_empty()).map(str::to_owned);
        paged.ok_or_else(|| format!("nobody was notified: {open:#?}"))
    })
    .await;
    lab.ok(&["fix", "order-api", "http-error"]);
    lab.ok(&["incident", "ack", &id, "--as", "ben"]);
    lab.ok(&["incident", "mitigate", &id, "ended the fault", "--as", "ben"]);
    id
}

/// The incident resolves by itself. On a busy machine, alerts that last may have joined it: a person ends it then, because its
/// panels count what has resolved.
async fn it_resolves(lab: &Lab, id: &str) {
    let late = Instant::now() + BY_ITSELF;
    eventually_every(LOOK, DATA, || async {
        let state = lab.incident(id)["state"].clone();
        if state == "resolved" || state == "closed" {
            return Ok(());
        }
        if Instant::now() > late {
            lab.run(&["incident", "resolve", id, "orders are placed again", "--as", "ben"]);
        }
        Err(format!("{id} is {state}"))
    })
    .await;
}

#[tokio::test]
async fn every_panel_of_every_dashboard_has_data_and_the_links_work() {
    let queues = available(&[Need::S3Emulators]);
    let mut args = vec!["--rate", "60", "--replicas", TWO, "--backups", "--replica"];
    if queues {
        args.extend(["--cloud", "ministack"]);
    }
    let Some(lab) = Lab::up(&args).await else { return };
    let prometheus = format!("http://127.0.0.1:{}", lab.named_port("prometheus"));
    // What an incident costs is the difference of two budgets.
    let budget = r#"slo:error_budget_remaining:ratio{slo="order-availability"}"#.to_owned();
    all_have_data(&prometheus, vec![Asked { panel: "the budget before".to_owned(), query: budget }]).await;
    let id = an_incident_is_mitigated(&lab).await;
    // At once: the delay of its page is drawn over the last seconds.
    tokio::join!(every_panel_has_data(&prometheus, queues), it_resolves(&lab, &id));
    an_exemplar_leads_to_its_trace(&lab, &prometheus).await;
    the_service_map_has_the_calls(&lab).await;
    logs::are_in_loki(&lab).await;
    grafana::draws_every_panel(&lab).await;
    lab.down();
}
