//! The experiment of the SRE sandbox: a loop on an endpoint that fails for a fifth of its calls takes the success rate of the
//! board below its line, and the repaired endpoint takes it back to 100 %. `docs/exercises` has the steps. A part of a test
//! of `chaos`, whose lab has no load.

use std::time::Duration;

use dashgen::check::promql;

use crate::{
    dashboards::boards,
    lab::{Lab, eventually},
};

/// Between two calls: about as many as a loop of `curl` makes.
const PACE: Duration = Duration::from_millis(20);
/// The window of the query has 15 s. It has to empty, on a busy machine.
const DRAWN: Duration = Duration::from_secs(60);

/// The query of the graph "Success Rate", as Grafana sends it.
fn success_rate() -> String {
    let boards = boards();
    let board = boards.iter().find(|board| board.uid() == "sandbox").expect("the sandbox");
    let panel = board.panels.iter().find(|panel| panel.title == "Success Rate").expect("the panel");
    let variables: Vec<_> = board.variables().filter_map(|variable| variable["name"].as_str()).collect();
    promql::fill(&panel.targets[0].expr, &variables)
}

/// `while :; do curl -s -o /dev/null localhost:8000/risky; done`
async fn calls(url: String) {
    let client = reqwest::Client::new();
    // The pace of the client, not a wait for something.
    let mut ticks = tokio::time::interval(PACE);
    loop {
        ticks.tick().await;
        // That it fails is what the experiment is about.
        let _ = client.get(&url).send().await;
    }
}

/// Waits until the graph is above or below a value.
async fn draws(lab: &Lab, condition: &str) {
    let rate = success_rate();
    let query = format!("{rate} {condition}");
    eventually(DRAWN, || async {
        if lab.query(&query).await.is_empty() {
            return Err(format!("not {condition}: {:?}", lab.query(&rate).await));
        }
        Ok(())
    })
    .await;
}

/// The experiment, on a lab without load: nothing else is in the graph but the synthetic probes.
pub(crate) async fn falls_below_its_line_and_is_repaired(lab: &Lab) {
    let calls = tokio::spawn(calls(format!("http://127.0.0.1:{}/risky", lab.named_port("edge"))));
    draws(lab, "< 90").await;
    let fault = format!("http://127.0.0.1:{}/faults/risky", lab.named_port("order-api-admin"));
    let repaired = reqwest::Client::new().delete(fault).send().await.expect("the admin port answers");
    assert!(repaired.status().is_success(), "{repaired:?}");
    draws(lab, "> 99.9").await;
    calls.abort();
}
