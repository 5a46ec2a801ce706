//! Two edges behind one port, and their firewalls: a command reaches both or one of them, and a client that asks again
//! when a connection breaks loses no request by an edge that is killed.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use contracts::users::seeded_user_id;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    dashboards::root,
    lab::{BACK, Lab, eventually, kill, text},
};

/// A request that the rule `cross-site-scripting` refuses.
const ATTACK: &str = "/users?q=%3Cscript%3E";
const RULE: &str = "cross-site-scripting";
/// The port of each edge alone.
const OWN: [&str; 2] = ["edge-own", "edge-2"];
/// Clients that place orders while an edge is killed, and how many orders have to be placed before that and after it.
const CLIENTS: usize = 4;
const ORDERS: usize = 40;
/// How often a client asks again when its connection breaks, and how long after that.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// The status of a request over a new connection.
async fn status(lab: &Lab, port: &str, path: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://127.0.0.1:{}{path}", lab.named_port(port));
    client.get(url).send().await.expect("an answer").status().as_u16()
}

/// Which of the two edges refuse the attack.
async fn refuse(lab: &Lab) -> [bool; 2] {
    [status(lab, OWN[0], ATTACK).await == 403, status(lab, OWN[1], ATTACK).await == 403]
}

#[tokio::test]
async fn a_rule_is_tried_in_the_staging_edge_before_users_meet_it() {
    let Some(lab) = Lab::up(&["--staging"]).await else { return };
    let refuse = async || {
        [status(&lab, "edge", ATTACK).await == 403, status(&lab, "edge-staging", ATTACK).await == 403]
    };
    assert_eq!(refuse().await, [true, true]);
    lab.ok(&["waf", "--edge", "edge-staging", "disable", RULE]);
    assert_eq!(refuse().await, [true, false]);
    lab.ok(&["waf", "disable", RULE]);
    lab.ok(&["waf", "--edge", "edge-staging", "restore"]);
    assert_eq!(refuse().await, [false, true], "what is done to every edge is not done to this one");
    lab.ok(&["waf", "restore"]);

    // The probes attack it every five seconds; nobody else asks it anything.
    let file = root().join(format!("waf/{RULE}.yaml"));
    let told = lab.ok(&["waf", "apply", "--staging", "12s", file.to_str().expect("UTF-8")]);
    let (staging, edge) = (told.find("edge-staging: "), told.find("edge: "));
    assert!(staging.is_some() && staging < edge, "{told}");
    for edge in ["edge", "edge-staging"] {
        let rule = lab.json(&["waf", "--edge", edge, "show", RULE, "--json"]);
        assert_eq!(rule[edge]["pushed"], true, "{rule}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_reach_every_edge_and_the_port_that_they_share_outlives_one() {
    let Some(lab) = Lab::up(&["--no-load", "--replicas", "edge=2,order-api=2"]).await else { return };
    assert_eq!(status(&lab, "edge", ATTACK).await, 403);
    assert_eq!(status(&lab, "edge", "/users?limit=1").await, 200);
    assert_eq!(refuse(&lab).await, [true, true]);
    let all = lab.json(&["waf", "list", "--json"]);
    for edge in ["edge", "edge-2"] {
        assert_eq!((&all[edge]["enabled"], &all[edge]["guarded"]), (&true.into(), &true.into()), "{all}");
    }
    assert!(lab.ok(&["waf", "list"]).contains(RULE));
    assert!(lab.ok(&["waf", "test"]).contains("are sound"));

    let file = root().join("waf/incidents/inline-script.yaml");
    let file = file.to_str().expect("UTF-8");
    let refused = lab.run(&["waf", "apply", file]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("not applied"), "{refused:?}");
    assert!(text(&refused.stdout).contains("takes more than 20000 steps"), "{refused:?}");
    lab.ok(&["waf", "apply", file, "--force"]);
    let pushed = lab.json(&["waf", "show", "inline-script", "--json"]);
    assert!(["edge", "edge-2"].iter().all(|edge| pushed[edge]["pushed"] == true), "{pushed}");

    lab.ok(&["waf", "disable", RULE]);
    assert_eq!(refuse(&lab).await, [false, false]);
    lab.ok(&["waf", "--edge", "edge-2", "restore", RULE]);
    assert_eq!(refuse(&lab).await, [false, true]);
    lab.ok(&["waf", "restore"]);
    assert_eq!(refuse(&lab).await, [true, true]);
    assert!(!lab.run(&["waf", "show", "inline-script"]).status.success(), "what was pushed is gone");
    lab.ok(&["waf", "kill"]);
    assert_eq!(refuse(&lab).await, [false, false]);
    lab.ok(&["waf", "restore"]);

    balances_over_two(&lab).await;
    no_order_is_lost_when_an_edge_is_killed(&lab).await;
    lab.down();
}

async fn no_order_is_lost_when_an_edge_is_killed(lab: &Lab) {
    let (placed, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let url = format!("http://127.0.0.1:{}/orders", lab.named_port("edge"));
    let client = |number| tokio::spawn(client(url.clone(), number, Arc::clone(&placed), Arc::clone(&stop)));
    let clients: Vec<_> = (0..CLIENTS).map(client).collect();
    more_are_placed(&placed).await;
    let before = lab.part("edge-2")["pid"].clone();
    kill(&before);
    eventually(BACK, || async {
        let part = lab.part("edge-2");
        if part["ready"] == true && part["pid"] != before { Ok(()) } else { Err(format!("not back: {part}")) }
    })
    .await;
    more_are_placed(&placed).await;
    stop.store(true, Relaxed);
    let (mut orders, mut again) = (BTreeSet::new(), 0);
    for client in clients {
        let (own, broken) = client.await.expect("every request is answered");
        orders.extend(own);
        again += broken;
    }
    let keys = placed.load(Relaxed);
    println!("{keys} orders while an edge was killed; {again} requests were sent again");
    assert_eq!(orders.len(), keys, "one order for each key");
}

async fn more_are_placed(placed: &AtomicUsize) {
    let goal = placed.load(Relaxed) + ORDERS;
    eventually(BACK, || async {
        let count = placed.load(Relaxed);
        if count >= goal { Ok(()) } else { Err(format!("{count} of {goal} orders are placed")) }
    })
    .await;
}

/// Places orders until told to stop, each over a new connection: their ids, and how many requests were sent again.
async fn client(
    url: String,
    number: usize,
    placed: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> (Vec<String>, usize) {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
    let (mut ids, mut again) = (Vec::new(), 0);
    while !stop.load(Relaxed) {
        let (id, broken) = place(&client, &url, &format!("edge-{number}-{}", ids.len())).await;
        ids.push(id);
        again += broken;
        placed.fetch_add(1, Relaxed);
    }
    (ids, again)
}

/// Places the order with this key. After a connection that broke, nobody knows whether it was placed: it is sent again.
async fn place(client: &reqwest::Client, url: &str, key: &str) -> (String, usize) {
    let items = json!([{ "sku": "EDGE-1", "quantity": 1, "unit_price_cents": 199 }]);
    let body = json!({ "user_id": seeded_user_id(7), "items": items });
    for broken in 0..TRIES {
        let exchange = async {
            let answer = client.post(url).header("idempotency-key", key).json(&body).send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.json::<Value>().await?))
        };
        if let Ok((status, order)) = exchange.await {
            assert_eq!(status, 202, "{key}: {order}");
            return (order["id"].as_str().expect("an id").to_owned(), broken);
        }
        sleep(PAUSE).await;
    }
    panic!("{key}: no answer after {TRIES} connections that broke");
}

/// The file of the routes has both instances of order-api.
async fn balances_over_two(lab: &Lab) {
    let url = format!("http://127.0.0.1:{}/routes", lab.named_port("edge-admin"));
    let routes: Value = reqwest::get(url).await.expect("an answer").json().await.expect("JSON");
    let upstreams = routes["upstreams"].as_array().cloned().unwrap_or_default();
    let orders = upstreams.iter().find(|upstream| upstream["name"] == "order-api");
    let replicas = orders.and_then(|orders| orders["replicas"].as_array()).map(Vec::len);
    assert_eq!(replicas, Some(2), "{routes}");
}
