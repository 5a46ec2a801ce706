//! Loki's contents for a lab under load: lines of every part and for every log panel, and the links between a line
//! and its trace, as Grafana follows them. Runs if Grafana's Loki is on PATH; `lab up` then starts it.

use std::{collections::BTreeSet, fs, time::Duration};

use dashgen::check::{promql::expand, read::Dashboard};
use serde_json::Value;

use crate::{
    access,
    dashboards::{boards, get, root},
    lab::{Lab, eventually},
};

/// Time for a line to arrive: logs are shipped every second, and the fault that causes it needs several requests.
const ARRIVED: Duration = Duration::from_secs(60);

/// Makes the services log errors whose log panels are empty in a healthy lab. order-api needs no fault: /risky
/// fails for a fifth of its calls.
const BREAKS: &[[&str; 5]] = &[
    ["break", "user-service", "http-error", "rate=0.2", "ttl=3m"],
    ["break", "order-worker", "db-error", "rate=0.2", "ttl=3m"],
    ["break", "edge", "http-error", "rate=0.2", "ttl=3m"],
];

struct Loki(String);

impl Loki {
    /// Lines of the last minutes with their labels.
    async fn lines(&self, query: &str) -> Vec<(Value, String)> {
        let url = format!("{}/loki/api/v1/query_range", self.0);
        let answer = get(&url, &[("query", query), ("since", "5m"), ("limit", "1000")]).await;
        let streams = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        let lines = |stream: &Value| {
            let labels = stream["stream"].clone();
            let values = stream["values"].as_array().cloned().unwrap_or_default();
            values
                .into_iter()
                .map(move |value| (labels.clone(), value[1].as_str().unwrap_or_default().to_owned()))
        };
        streams.iter().flat_map(lines).collect()
    }

    async fn labels(&self, path: &str) -> BTreeSet<String> {
        let answer = get(&format!("{}/loki/api/v1/{path}", self.0), &[("since", "5m")]).await;
        let words = answer["data"].as_array().into_iter().flatten();
        words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }
}

/// The checks, on a lab under load.
pub(crate) async fn are_in_loki(lab: &Lab) {
    let Some(port) = lab.port_if_any("loki") else {
        eprintln!("SKIPPED: the log panels (Grafana's loki is not on PATH)");
        return;
    };
    let loki = Loki(format!("http://127.0.0.1:{port}"));
    for fault in BREAKS {
        lab.ok(fault);
    }
    every_part_is_there(lab, &loki).await;
    the_access_log_is_there(lab, &loki).await;
    every_log_panel_has_lines(&loki).await;
    a_line_leads_to_its_trace(lab, &loki).await;
    a_span_leads_to_its_lines(lab, &loki).await;
    error_lines_alert(lab).await;
    lab.ok(&["fix"]);
}

/// Every part that has written a line, except Loki, under the documented labels only.
async fn every_part_is_there(lab: &Lab, loki: &Loki) {
    let logs = fs::read_dir(lab.dir().join("log")).expect("the lab's logs").flatten();
    let written = logs.filter(|log| log.metadata().is_ok_and(|log| log.len() > 0));
    let parts = written.filter_map(|log| log.file_name().to_str()?.strip_suffix(".log").map(str::to_owned));
    let parts: BTreeSet<_> = parts.filter(|part| !["loki", "lab"].contains(&part.as_str())).collect();
    assert!(parts.len() > 5 && parts.contains("postgres"), "too few parts found: {parts:?}");
    eventually(ARRIVED, || async {
        let (services, jobs) =
            (loki.labels("label/service/values").await, loki.labels("label/job/values").await);
        if services == jobs && parts.is_subset(&services) {
            Ok(())
        } else {
            Err(format!("lines of {parts:?}, in Loki: service {services:?}, job {jobs:?}"))
        }
    })
    .await;
    // `service_name` is added by Loki itself, derived from `service`.
    let known = ["job", "level", "service", "service_name"].map(str::to_owned);
    assert_eq!(loki.labels("labels").await, BTreeSet::from(known));
    let levels = loki.labels("label/level/values").await;
    let all = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].map(str::to_owned);
    assert!(levels.contains("INFO") && levels.is_subset(&BTreeSet::from(all)), "{levels:?}");
}

/// `lab logs --top` counts the same in Loki as in the files.
async fn the_access_log_is_there(lab: &Lab, loki: &Loki) {
    access::a_stranger_gets_404s(lab).await;
    let ask = ["--loki", loki.0.as_str(), "logs", "--status", "404", "--route", "unmatched", "--top", "peer"];
    eventually(ARRIVED, || async {
        let rows = access::top(lab, &ask);
        if access::has_the_stranger(&rows) { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
}

/// Loki's ruler tells Alertmanager.
async fn error_lines_alert(lab: &Lab) {
    eventually(ARRIVED, || async {
        let told = lab.json(&["alerts", "--json"]);
        let alerts = told["alertmanager"].as_array().cloned().unwrap_or_default();
        let about = |alert: &Value| {
            let labels = &alert["labels"];
            labels["alertname"] == "ErrorsLogged" && labels["service"] == "user-service"
        };
        if alerts.iter().any(about) { Ok(()) } else { Err(format!("no ErrorsLogged: {told}")) }
    })
    .await;
}

async fn every_log_panel_has_lines(loki: &Loki) {
    let queries: BTreeSet<_> =
        boards().iter().flat_map(Dashboard::log_queries).map(|query| expand(&query.expr)).collect();
    assert!(queries.len() > 3, "too few log panels found: {queries:?}");
    for query in queries {
        eventually(ARRIVED, || async {
            if loki.lines(&query).await.is_empty() { Err(format!("no line for {query}")) } else { Ok(()) }
        })
        .await;
    }
}

/// The provisioned settings of a data source.
fn settings(uid: &str) -> Value {
    let path = root().join("dashboards/grafana/provisioning/datasources/lab.yml");
    let text = fs::read_to_string(path).expect("the data sources").replace("$$", "$");
    let file: Value = serde_saphyr::from_str(&text).expect("YAML");
    let sources = file["datasources"].as_array().expect("a list");
    sources.iter().find(|source| source["uid"] == uid).expect("the data source")["jsonData"].clone()
}

/// The trace store knows the id that Grafana's derived field extracts from a line.
async fn a_line_leads_to_its_trace(lab: &Lab, loki: &Loki) {
    let field = &settings("loki")["derivedFields"][0];
    let pattern = field["matcherRegex"].as_str().expect("a pattern");
    let pattern = regex::Regex::new(pattern).expect("a regular expression");
    eventually(ARRIVED, || async {
        let lines = loki.lines(r#"{service="order-api"} | json | level="ERROR""#).await;
        let ids = lines.iter().filter_map(|(_, line)| Some(pattern.captures(line)?[1].to_owned()));
        let ids: BTreeSet<_> = ids.collect();
        let known = ids.iter().filter(|id| lab.run(&["trace", id]).status.success()).take(1).count();
        if known > 0 { Ok(()) } else { Err(format!("{} lines, {} ids, no trace", lines.len(), ids.len())) }
    })
    .await;
}

/// "Logs for this span", expanded as Grafana does: the span's service as the label, the trace id in the line.
async fn a_span_leads_to_its_lines(lab: &Lab, loki: &Loki) {
    let link = &settings("jaeger")["tracesToLogsV2"];
    assert_eq!(
        (&link["tags"][0]["key"], &link["tags"][0]["value"]),
        (&"service.name".into(), &"service".into())
    );
    let template = link["query"].as_str().expect("a query");
    eventually(ARRIVED, || async {
        let traces = lab.json(&["traces", "--service", "order-api", "--error", "--limit", "5", "--json"]);
        let ids =
            traces["data"].as_array().into_iter().flatten().filter_map(|trace| trace["traceID"].as_str());
        for id in ids {
            let query =
                template.replace("${__tags}", r#"service="order-api""#).replace("${__trace.traceId}", id);
            let lines = loki.lines(&query).await;
            assert!(lines.iter().all(|(_, line)| line.contains(id)), "{query}: {lines:?}");
            if !lines.is_empty() {
                return Ok(());
            }
        }
        Err(format!("no line for the traces that failed: {traces}"))
    })
    .await;
}
