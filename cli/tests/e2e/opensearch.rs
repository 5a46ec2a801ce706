//! `lab up --logs opensearch`: every line of a part is in the index once, whatever dies; and the access log can be asked which
//! client got the 404s.

use std::{collections::BTreeSet, fs, time::Duration};

use serde_json::{Value, json};
use testkit::{Need, available};

use crate::lab::{BACK, Lab, eventually, kill, text};

/// Requests for something that does not exist.
const MISSING: u64 = 7;

/// Time for a line to arrive: logs are shipped every second.
const ARRIVED: Duration = Duration::from_secs(60);

async fn search(lab: &Lab, body: &Value) -> Result<Value, String> {
    let url = format!("http://127.0.0.1:{}/sre-lab-logs-*/_search", lab.named_port("opensearch"));
    let answer =
        reqwest::Client::new().post(url).json(body).send().await.map_err(|error| error.to_string())?;
    answer.json().await.map_err(|error| error.to_string())
}

/// Lines that a part has written since the lab was first started.
fn written(lab: &Lab, part: &str) -> u64 {
    let log = |name: String| fs::read_to_string(lab.dir().join("log").join(name)).unwrap_or_default();
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count() as u64;
    lines(&log(format!("{part}.log.1"))) + lines(&log(format!("{part}.log")))
}

/// Waits until each line of a part is in the index, and no line twice.
async fn every_line_is_there(lab: &Lab, part: &str) {
    let body = json!({ "size": 0, "track_total_hits": true, "query": { "term": { "service": part } } });
    eventually(ARRIVED, || async {
        let lines = written(lab, part);
        let found = search(lab, &body).await?;
        let stored = found["hits"]["total"]["value"].as_u64();
        if lines > 0 && stored == Some(lines) {
            Ok(())
        } else {
            Err(format!("{part}: {lines} lines, {found}"))
        }
    })
    .await;
}

async fn ask_for_what_is_missing(lab: &Lab) {
    let url = format!(
        "http://127.0.0.1:{}/orders/0190b5a4-0000-7000-8000-000000000000",
        lab.port("order-api", "order-api")
    );
    for _ in 0..MISSING {
        let answer = reqwest::get(&url).await.expect("order-api answers");
        assert_eq!(answer.status(), 404);
    }
}

/// The clients with the most 404s of order-api.
async fn top_of_404(lab: &Lab) -> Result<Vec<(String, u64)>, String> {
    let body = json!({ "size": 0, "aggs": { "peers": { "terms": { "field": "peer" } } },
        "query": { "bool": { "filter": [{ "term": { "status": 404 } }, { "term": { "service": "order-api" } }] } } });
    let found = search(lab, &body).await?;
    let buckets = found["aggregations"]["peers"]["buckets"].as_array().ok_or_else(|| found.to_string())?;
    let peer = |bucket: &Value| Some((bucket["key"].as_str()?.to_owned(), bucket["doc_count"].as_u64()?));
    Ok(buckets.iter().filter_map(peer).collect())
}

/// Traces that documents of a query belong to.
async fn traces_of(lab: &Lab, query: &Value) -> Result<BTreeSet<String>, String> {
    let body =
        json!({ "size": 20, "query": query, "sort": [{ "@timestamp": "desc" }], "_source": ["trace_id"] });
    let found = search(lab, &body).await?;
    let hits = found["hits"]["hits"].as_array().ok_or_else(|| found.to_string())?;
    Ok(hits.iter().filter_map(|hit| hit["_source"]["trace_id"].as_str().map(str::to_owned)).collect())
}

/// From a document to its trace, and from a trace to its documents.
async fn documents_and_traces_lead_to_each_other(lab: &Lab) {
    let missing = json!({ "bool": { "filter": [{ "term": { "status": 404 } }, { "exists": { "field": "trace_id" } }] } });
    eventually(ARRIVED, || async {
        let ids = traces_of(lab, &missing).await?;
        let known = ids.iter().any(|id| lab.run(&["trace", id]).status.success());
        if known { Ok(()) } else { Err(format!("{} ids, no trace", ids.len())) }
    })
    .await;
    eventually(ARRIVED, || async {
        let traces = lab.json(&["traces", "--service", "order-api", "--limit", "5", "--json"]);
        let ids: Vec<&str> = traces["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|trace| trace["traceID"].as_str())
            .collect();
        for id in &ids {
            let found = traces_of(lab, &json!({ "term": { "trace_id": id } })).await?;
            assert!(found.iter().all(|other| other == id), "{id}: {found:?}");
            if !found.is_empty() {
                return Ok(());
            }
        }
        Err(format!("no document for the traces {ids:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_in_opensearch_once_whatever_dies() {
    if !available(&[Need::OpenSearch]) {
        return;
    }
    let Some(lab) = Lab::up(&["--no-load", "--logs", "opensearch"]).await else { return };
    ask_for_what_is_missing(&lab).await;
    for part in ["order-api", "postgres", "user-service"] {
        every_line_is_there(&lab, part).await;
    }
    eventually(ARRIVED, || async {
        let top = top_of_404(&lab).await?;
        if top == [("127.0.0.1".to_owned(), MISSING)] { Ok(()) } else { Err(format!("{top:?}")) }
    })
    .await;

    documents_and_traces_lead_to_each_other(&lab).await;

    let part = lab.part("opensearch");
    kill(&part["pid"]);
    ask_for_what_is_missing(&lab).await;
    eventually(BACK, || async {
        let part = lab.part("opensearch");
        if part["ready"] == true && part["restarts"] == 1 { Ok(()) } else { Err(part.to_string()) }
    })
    .await;
    every_line_is_there(&lab, "order-api").await;

    // The last lines of a run, which nobody took any more, are sent by the next one.
    lab.ok(&["down"]);
    let again = lab.start(&["--no-load", "--logs", "opensearch"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    for part in ["order-api", "postgres"] {
        every_line_is_there(&lab, part).await;
    }
    lab.down();
}

#[test]
fn a_wrong_address_of_an_opensearch_is_refused_with_the_right_form() {
    let mut lab = std::process::Command::new(env!("CARGO_BIN_EXE_lab"));
    let output = lab.args(["up", "--opensearch-url", "https://search:9200"]).output().expect("lab runs");
    let error = text(&output.stderr);
    assert!(!output.status.success() && error.contains("http://host:9200"), "{error}");
}
