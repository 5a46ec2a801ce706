//! What is refused: by the port, by the protocol, by a tool.

use http::Method;
use serde_json::{Value, json};

use crate::{
    agent::{Agent, prometheus},
    rig::Rig,
};

fn list() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} })
}

#[tokio::test]
async fn a_page_of_another_site_calls_nothing() {
    let rig = Rig::start(&[]).await;
    let agent = Agent { rig: &rig };
    agent.send(&list(), &[]).await.expect_status(200);
    agent.send(&list(), &[("origin", "http://evil.example")]).await.expect_problem(403, "cross-origin");
    agent.send(&list(), &[("sec-fetch-site", "cross-site")]).await.expect_problem(403, "cross-origin");
    agent.send(&list(), &[("host", "evil.example")]).await.expect_status(421);
}

#[tokio::test]
async fn with_tokens_a_stranger_is_sent_away() {
    let rig = Rig::start(&["--access-token", "door", "--instructor-token", "secret"]).await;
    let agent = Agent { rig: &rig };
    agent.send(&list(), &[]).await.expect_problem(401, "unauthorized");
    agent.send(&list(), &[("authorization", "Bearer wrong")]).await.expect_problem(401, "unauthorized");
    agent.send(&list(), &[("authorization", "Bearer door")]).await.expect_status(200);
    rig.http.get("/api/v1/observe/map").await.expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn what_is_no_message_of_the_protocol_is_said() {
    let rig = Rig::start(&[]).await;
    let agent = Agent { rig: &rig };
    rig.http.get("/mcp").await.expect_status(405);
    let plain = [("content-type", "application/json")];
    rig.http.send(Method::POST, "/mcp", &plain, list().to_string()).await.expect_status(406);
    let named = [("content-type", "application/json"), ("x-agent", "No Name")];
    rig.http.send(Method::POST, "/mcp", &named, list().to_string()).await.expect_invalid("X-Agent");
    let unknown = agent.request("tools/call", &json!({ "name": "break", "arguments": {} }), &[]).await;
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    assert!(unknown["error"]["message"].as_str().is_some_and(|text| text.contains("no tool `break`")));
}

#[tokio::test]
async fn faults_are_for_nobody_here_even_with_an_instructors_rights() {
    let rig = Rig::start(&[]).await;
    let agent = Agent { rig: &rig };
    for more in [&[][..], &[("x-role", "instructor")][..]] {
        for action in [
            json!({ "action": "end_faults" }),
            json!({ "action": "set_fault", "target": "order-api", "fault": "http-error" }),
        ] {
            let asked = json!({ "action": action, "dry_run": true });
            let refused = agent.call_as(more, "act", &asked).await.unwrap_err();
            assert!(refused.contains("not for responders; expected one of restart"), "{refused}");
        }
    }
}

#[tokio::test]
async fn what_is_too_wide_is_refused_with_what_would_be_right() {
    let prometheus = prometheus().await;
    let rig = Rig::start(&["--prometheus-url", &format!("http://{}", prometheus.address)]).await;
    let agent = Agent { rig: &rig };
    for (tool, arguments, said) in [
        ("query_metrics", json!({ "query": "up", "start": "7h" }), "start: at most 6 h before `end`"),
        ("query_metrics", json!({ "query": "up", "start": "6h", "step": "1s" }), "step: at least 90 s"),
        ("query_metrics", json!({ "query": "up", "limit": 1000 }), "limit: a whole number from 1 to 100"),
        ("query_metrics", json!({ "query": "x".repeat(2001) }), "query: 1 to 2000 characters"),
        ("query_metrics", json!({ "query": "wide" }), "query: a narrower one"),
        ("search_logs", json!({}), "service: a service; or one of"),
        ("search_logs", json!({ "service": "order-api", "since": "2d" }), "since: at most 6 h ago"),
        ("find_traces", json!({ "trace": "../../x" }), "trace: up to 32 hexadecimal digits"),
        ("list_changes", json!({ "since": "1h", "limit": 0 }), "limit: a whole number from 1 to 100"),
        ("read_runbook", json!({ "name": "../README" }), "there is no runbook `../README`"),
        ("list_alerts", json!({ "team": "a" }), "unknown field `team`"),
    ] {
        let refused = agent.call(tool, &arguments).await.unwrap_err();
        assert!(refused.contains(said), "{tool}: {refused}");
    }
}
