//! Two edges behind one port, and their firewalls: a command reaches both or one of them, and the port outlives an edge.

use serde_json::Value;

use crate::{
    dashboards::root,
    lab::{BACK, Lab, eventually, kill, text},
};

/// A request that the rule `cross-site-scripting` refuses.
const ATTACK: &str = "/users?q=%3Cscript%3E";
const RULE: &str = "cross-site-scripting";
/// The port of each edge alone.
const OWN: [&str; 2] = ["edge-own", "edge-2"];

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

#[tokio::test]
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
    let before = lab.part("edge-2")["pid"].clone();
    kill(&before);
    // Until the kernel has closed what the process had, connections may still be given to it.
    eventually(BACK, || async {
        let pid = lab.part("edge-2")["pid"].clone();
        if pid == before { Err(format!("{pid} is still there")) } else { Ok(()) }
    })
    .await;
    for _ in 0..20 {
        assert_eq!(status(&lab, "edge", "/users?limit=1").await, 200, "the other edge answers");
    }
    lab.down();
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
