//! The access log of a lab under load: which client got 404s?

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

use crate::lab::Lab;

/// Every address in 127.0.0.0/8 is this machine; only this client uses this one.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
/// Its requests.
const COUNT: u64 = 7;

/// A client asks for pages that order-api does not have; returns the id of a trace.
pub(crate) async fn a_stranger_gets_404s(lab: &Lab) -> String {
    let url = format!("http://127.0.0.1:{}/wp-login.php?user=admin", lab.port("order-api", "order-api"));
    let client = reqwest::Client::builder().local_address(STRANGER).user_agent("a-scanner/1.0").no_proxy();
    let client = client.build().expect("a client");
    let mut trace = String::new();
    for _ in 0..COUNT {
        let answer = client.get(&url).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 404);
        let problem: Value = answer.json().await.expect("a problem");
        trace = problem["trace_id"].as_str().expect("its trace").to_owned();
    }
    trace
}

/// The rows of `lab logs --top` with these arguments.
pub(crate) fn top(lab: &Lab, arguments: &[&str]) -> Vec<Value> {
    let rows = lab.ok(&[arguments, &["--json"]].concat());
    rows.lines().map(|row| serde_json::from_str(row).expect(row)).collect()
}

/// Whether the stranger's requests, and only those, are in the row with its address.
pub(crate) fn has_the_stranger(rows: &[Value]) -> bool {
    rows.iter().any(|row| row["peer"] == STRANGER.to_string().as_str() && row["requests"] == COUNT)
}

pub(crate) async fn says_which_client_got_404s(lab: &Lab) {
    let trace = a_stranger_gets_404s(lab).await;
    let rows = top(lab, &["logs", "--status", "404", "--top", "peer"]);
    assert!(has_the_stranger(&rows), "{rows:?}");
    let unmatched = &["logs", "--status", "4xx", "--route", "unmatched", "--service", "order-api"];
    let table = lab.ok(&[&unmatched[..], &["--top", "agent"]].concat());
    assert!(table.contains("100.0 %  a-scanner/1.0") && table.contains("7 requests from"), "{table}");
    // The load is there too, under its own name, and it gets few errors.
    let rows = top(lab, &["logs", "--status", "2xx", "--top", "agent"]);
    let load = |row: &Value| row["agent"].as_str().is_some_and(|agent| agent.starts_with("load/"));
    assert!(rows.iter().any(load), "{rows:?}");
    let routes = top(lab, &["logs", "--top", "route", "--service", "user-service"]);
    assert!(routes.iter().any(|row| row["route"] == "/users/{id}"), "{routes:?}");

    let one = lab.ok(&["logs", "--trace", &trace]);
    assert!(one.contains("url.path=/wp-login.php") && !one.contains("user=admin"), "{one}");
    let all = lab.ok(&["logs", "--service", "order-api"]);
    assert!(!all.contains("wp-login.php"), "the access log is shown when something asks for it");
    let all = lab.ok(&["logs", "--service", "order-api", "--access"]);
    assert!(all.contains("wp-login.php"), "{all}");
}
