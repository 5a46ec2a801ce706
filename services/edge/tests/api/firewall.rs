//! The firewall: what it refuses, what it lets through, and how people change it.

use std::time::Duration;

use contracts::firewall::fingerprint;
use http::Method;
use serde_json::json;
use testkit::eventually;

use crate::rig::{Edge, Upstream, to};

const RULE: &str = "
id: no-tea
title: Coffee only
mode: enforce
engine: linear
targets: [query]
pattern: 'tea'
cases:
  - {what: tea, query: q=tea, verdict: block}
  - {what: coffee, query: q=coffee, verdict: pass}
";

#[tokio::test(flavor = "multi_thread")]
async fn attacks_are_refused_and_the_rule_is_in_the_metrics_but_not_in_the_answer() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    for (method, path, agent, body, rule) in [
        (Method::GET, "/orders?status=x'%20OR%20'1'='1", "curl/8", "", "sql-injection"),
        (Method::POST, "/users", "curl/8", r#"{"name":"<script>alert(1)</script>"}"#, "cross-site-scripting"),
        (Method::GET, "/files?name=..%2f..%2fetc%2fpasswd", "curl/8", "", "path-traversal"),
        (Method::GET, "/ping?host=x;whoami", "curl/8", "", "command-injection"),
        (Method::GET, "/.git/config", "curl/8", "", "private-files"),
        (Method::GET, "/", "sqlmap/1.8", "", "scanners"),
    ] {
        let answer = edge.http.send(method, path, &[("user-agent", agent)], body.to_owned()).await;
        answer.expect_problem(403, "request-blocked");
        assert!(!answer.body.contains(rule), "{}", answer.body);
        let labels = [("rule", rule), ("action", "blocked")];
        assert_eq!(edge.scrape().await.value("edge_waf_matches_total", &labels), 1.0, "{path}");
    }
    assert_eq!(upstream.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_traffic_of_the_lab_passes() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let user = "01900000-0000-7000-8000-000000000007";
    let order =
        json!({ "user_id": user, "items": [{ "sku": "SKU-0042", "quantity": 3, "unit_price_cents": 1999 }] });
    edge.http.post("/orders", &order).await.expect_status(200);
    edge.http
        .patch(&format!("/users/{user}"), &json!({ "name": "Visitor 42 (977)" }))
        .await
        .expect_status(200);
    for path in [
        "/orders/01900000-0000-7000-8000-000000000042",
        "/orders?user_id=01900000-0000-7000-8000-000000000007&limit=20",
        "/orders?status=pending&cursor=MDE5MDAwMDAtMDAwMC03MDAw",
        "/users?limit=50",
        "/risky",
        "/openapi.json",
    ] {
        let agent = [("user-agent", "load/0.1.0")];
        edge.http.send(Method::GET, path, &agent, String::new()).await.expect_status(200);
    }
    let scrape = edge.scrape().await;
    assert_eq!(scrape.value("edge_waf_matches_total", &[]), 0.0);
    assert_eq!(scrape.value("edge_waf_overruns_total", &[]), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_pushed_simulated_and_withdrawn_while_it_runs() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let tea = async || edge.http.get("/?q=tea").await.status;
    assert_eq!(tea().await, 200);
    edge.push("no-tea", RULE).await;
    assert_eq!(tea().await, 403);
    edge.admin.put("/waf/no-tea?mode=simulate").await.expect_status(200);
    assert_eq!(tea().await, 200);
    let shown = edge.admin.get("/waf/no-tea").await.expect_status(200).json();
    assert_eq!((&shown["mode"], &shown["mode_of_file"]), (&"simulate".into(), &"enforce".into()));
    assert_eq!((&shown["pushed"], &shown["mode_set"]), (&true.into(), &true.into()));
    let print = fingerprint(RULE);
    assert_eq!((&shown["fingerprint"], &shown["of_file"]), (&print.into(), &json!(null)), "it is in no file");
    assert_eq!((&shown["counts"]["blocked"], &shown["counts"]["simulated"]), (&1.into(), &1.into()));
    assert_eq!(shown["failures"], json!([]));
    edge.admin.delete("/waf/no-tea").await.expect_status(200);
    edge.admin.get("/waf/no-tea").await.expect_problem(404, "not-found");
    assert_eq!(tea().await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_says_which_text_of_a_rule_is_in_force_and_which_one_its_files_have() {
    const SCANNERS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../waf/scanners.yaml"));
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let of_file = json!({ "fingerprint": fingerprint(SCANNERS), "mode": "enforce" });
    let says = async |fingerprint: &str, set: [bool; 2]| {
        let shown = edge.admin.get("/waf/scanners").await.expect_status(200).json();
        assert_eq!(shown["fingerprint"], fingerprint);
        assert_eq!([&shown["pushed"], &shown["mode_set"]], set.map(serde_json::Value::from).each_ref());
        assert_eq!(shown["of_file"], of_file, "whatever is set at run time");
    };
    says(&fingerprint(SCANNERS), [false, false]).await;
    edge.admin.put("/waf/scanners?mode=enforce").await.expect_status(200);
    says(&fingerprint(SCANNERS), [false, true]).await;
    let other = SCANNERS.replacen("title: ", "title: Only ", 1);
    edge.push("scanners", &other).await;
    says(&fingerprint(&other), [true, false]).await;
    edge.admin.delete("/waf/scanners").await.expect_status(200);
    says(&fingerprint(SCANNERS), [false, false]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_rule_with_a_time_ends_by_itself() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let put = async |path: &str| edge.admin.send(Method::PUT, path, &[], RULE.to_owned()).await;
    put("/waf/no-tea?ttl=soon").await.expect_invalid("ttl");
    put("/waf/no-tea?ttl=0s").await.expect_invalid("ttl");
    edge.admin.put("/waf/no-tea?ttl=1s").await.expect_invalid("ttl");
    put("/waf/no-tea?ttl=1s").await.expect_status(200);
    eventually(Duration::from_secs(20), || async {
        let status = edge.admin.get("/waf/no-tea").await.status;
        if status == 404 { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    assert_eq!(edge.http.get("/?q=tea").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_rule_is_refused_with_line_and_field_and_changes_nothing() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let put = async |path: &str, body: &str| edge.admin.send(Method::PUT, path, &[], body.to_owned()).await;
    let wrong = put("/waf/no-tea", &RULE.replace("'tea'", "'te(a'")).await;
    wrong.expect_invalid("pattern (line 7)");
    put("/waf/other", RULE).await.expect_invalid("id (line 2)");
    put("/waf/no-tea", "").await.expect_invalid("mode");
    put("/waf/no-tea?mode=off", "").await.expect_problem(404, "not-found");
    put("/waf/scanners?mode=sometimes", "").await.expect_invalid("mode");
    put("/waf?enabled=perhaps", "").await.expect_invalid("enabled");
    edge.admin.send(Method::POST, "/waf", &[], String::new()).await.expect_problem(405, "method-not-allowed");
    let listed = edge.admin.get("/waf").await.expect_status(200).json();
    assert!(listed["rules"].as_array().unwrap().iter().all(|rule| rule["pushed"] == false), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_lets_everything_through_until_it_is_taken_back() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let attack = async || edge.http.get("/?q=%3Cscript%3E").await.status;
    assert_eq!(attack().await, 403);
    let off = edge.admin.put("/waf?enabled=false").await.expect_status(200).json();
    assert_eq!(off["enabled"], false);
    assert_eq!(attack().await, 200);
    assert_eq!(edge.scrape().await.value("edge_waf_enabled", &[]), 0.0);
    edge.admin.delete("/waf").await.expect_status(200);
    assert_eq!(attack().await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_guards_changes_and_nothing_else() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::with(&to(&[upstream.addr]), &["--faults-token=secret"]).await;
    for path in ["/waf", "/waf/scanners", "/routes", "/drained", "/limit"] {
        edge.admin.get(path).await.expect_status(200);
    }
    edge.admin.put("/waf?enabled=false").await.expect_problem(401, "unauthorized");
    let drain = format!("/drained?endpoint={}&ttl=10m", upstream.addr);
    edge.admin.put(&drain).await.expect_problem(401, "unauthorized");
    edge.admin.delete("/drained").await.expect_problem(401, "unauthorized");
    let right = [("authorization", "Bearer secret")];
    edge.admin.send(Method::PUT, "/waf?enabled=false", &right, String::new()).await.expect_status(200);
}
