//! Two instances of a service: every query of the exercises has data, as those of the dashboards have in `dashboards`; nothing
//! is counted twice, and the switches reach all of them.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use contracts::users::seeded_user_id;
use serde_json::{Value, json};
use testkit::Scrape;

use crate::{
    actions::ask,
    classic,
    lab::{BACK, Lab, eventually, kill},
};

/// Two of each service.
pub(crate) const TWO: &str = "edge=2,order-api=2,user-service=2,order-worker=2";
/// Users that the test reads, and by how many the estimate of them may be wrong: its standard error is 0.81 %.
const USERS: u32 = 300;
const TOLERANCE: f64 = 6.0;
/// Time for a figure to be counted, scraped and recorded, on a busy machine.
const SEEN: Duration = Duration::from_secs(60);

/// Load on the second instances, past the edge; ends when dropped.
struct Load(Child);

impl Load {
    fn start(lab: &Lab) -> Self {
        let url = |name| format!("http://127.0.0.1:{}", lab.named_port(name));
        let mut load = Command::new(Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("load"));
        load.args(["--order-api", &url("order-api-2"), "--user-service", &url("user-service-2")])
            .args(["--rate", "30", "--seed", "2", "--duration", "10m", "--no-admin", "--json"])
            .stdout(Stdio::null());
        Self(load.spawn().expect("load runs"))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// Waits until a query returns this many series.
pub(crate) async fn series(lab: &Lab, query: &str, count: usize) -> Vec<Value> {
    eventually(SEEN, || async {
        let found = lab.query(query).await;
        if found.len() == count { Ok(found) } else { Err(format!("not {count} series: {query}: {found:?}")) }
    })
    .await
}

/// Numbers of the series.
fn values(series: &[Value]) -> Vec<f64> {
    series.iter().filter_map(|one| one["value"][1].as_str()?.parse().ok()).collect()
}

#[tokio::test]
async fn with_two_instances_of_each_service_every_query_has_data_and_the_switches_reach_both() {
    let Some(lab) = Lab::up(&["--rate", "30", "--replicas", TWO]).await else { return };
    let load = Load::start(&lab);
    let prometheus = format!("http://127.0.0.1:{}", lab.named_port("prometheus"));
    for service in ["edge", "order-api", "user-service", "order-worker"] {
        series(&lab, &format!("up{{job=\"{service}\"}} == 1"), 2).await;
    }
    // Both work: requests where something calls them, orders because the queue is shared.
    let requests =
        "sum by (job, instance) (rate(http_requests_total{job=~\"order-api|user-service\"}[1m])) > 0";
    series(&lab, requests, 4).await;
    series(&lab, "sum by (instance) (rate(orders_processed_total[1m])) > 0", 2).await;
    classic::every_query_has_data(&prometheus).await;

    // What every instance reports about the same thing is not added up.
    let users = values(&series(&lab, "active_users_total", 1).await);
    let of_each = values(&series(&lab, "active_users", 2).await);
    let most = of_each.iter().copied().fold(0.0, f64::max);
    // The load continues between two looks.
    assert!(users[0] > 0.0 && users[0] < most * 1.2 + 10.0, "{users:?} active users, of each: {of_each:?}");

    let broken = |name: &str| lab.json(&["break", name, "http-latency", "delay=1ms", "ttl=1m", "--json"]);
    assert_eq!(broken("order-api").as_array().map(Vec::len), Some(2), "all instances of the service");
    let one = broken("order-api-2");
    let admin = lab.named_port("order-api-2-admin").to_string();
    assert!(one["curl"].as_str().is_some_and(|curl| curl.contains(&admin)), "one of them: {one}");
    lab.ok(&["fix"]);
    a_drained_instance_gets_no_requests_from_any_edge(&lab).await;
    drop(load);
    lab.down();
}

async fn a_drained_instance_gets_no_requests_from_any_edge(lab: &Lab) {
    let of = |name: &str| format!("endpoint=\"127.0.0.1:{}\"", lab.named_port(name));
    let (first, second) = (of("order-api"), of("order-api-2"));
    let drain = |target: &str| json!({ "action": "drain", "target": target, "ttl": "10m" });
    let (status, done) = ask(lab, &drain("order-api-2"), false).await;
    let edges = done["done"]["results"].as_array().map(Vec::len);
    assert_eq!((status, edges), (200, Some(2)), "both edges: {done}");
    series(lab, &format!("sum(edge_drained{{{second}}}) == 2"), 1).await;
    series(lab, &format!("sum(increase(edge_attempts_total{{{second}}}[10s])) == 0"), 1).await;
    series(lab, &format!("sum(rate(edge_attempts_total{{{first}}}[10s])) > 1"), 1).await;
    let (status, refused) = ask(lab, &drain("order-api-1"), false).await;
    assert!(status >= 400 && refused.to_string().contains("never two"), "{status}: {refused}");
    let back = json!({ "action": "undrain", "target": "order-api-2" });
    let (status, back) = ask(lab, &back, false).await;
    assert_eq!(status, 200, "{back}");
    series(lab, &format!("sum(rate(edge_attempts_total{{{second}}}[10s])) > 1"), 1).await;
    // What is forgotten ends with the faults.
    let (status, again) = ask(lab, &drain("order-api-2"), false).await;
    assert_eq!(status, 200, "{again}");
    series(lab, &format!("sum(edge_drained{{{second}}}) == 2"), 1).await;
    lab.ok(&["fix"]);
    series(lab, &format!("sum(edge_drained{{{second}}}) == 0"), 1).await;
}

/// The estimate of [`USERS`] users.
fn right(count: f64) -> bool {
    (count - f64::from(USERS)).abs() <= TOLERANCE
}

#[tokio::test]
async fn each_active_user_counts_once_over_two_instances_and_their_restarts() {
    let Some(lab) = Lab::up(&["--no-load", "--replicas", "user-service=2"]).await else { return };
    let client = reqwest::Client::new();
    for instance in ["user-service", "user-service-2"] {
        let port = lab.named_port(instance);
        for n in 0..USERS {
            let url = format!("http://127.0.0.1:{port}/users/{}", seeded_user_id(n));
            let answer = client.get(url).send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "user {n} of {instance}");
        }
    }
    for query in ["active_users_total", "sum(active_users_total)"] {
        eventually(SEEN, || async {
            let found = values(&lab.query(query).await);
            if found.len() == 1 && right(found[0]) { Ok(()) } else { Err(format!("{query}: {found:?}")) }
        })
        .await;
    }
    for instance in ["user-service", "user-service-2"] {
        let before = lab.part(instance);
        kill(&before["pid"]);
        eventually(BACK, || async {
            let part = lab.part(instance);
            let back = part["ready"] == true && part["pid"] != before["pid"];
            if back { Ok(()) } else { Err(format!("{instance} is not back: {part}")) }
        })
        .await;
    }
    for admin in ["user-service-admin", "user-service-2-admin"] {
        let admin = SocketAddr::from(([127, 0, 0, 1], lab.named_port(admin)));
        let count = Scrape::of(admin).await.value("active_users", &[]);
        assert!(right(count), "{count} active users after the restart");
    }
    lab.down();
}
