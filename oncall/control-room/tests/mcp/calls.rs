//! What an agent does in an incident: connects, looks, tries an action, takes the incident, tells others.

use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    agent::{Agent, prometheus, service},
    rig::{Rig, SOON},
};

#[tokio::test]
async fn a_client_connects_and_learns_the_tools() {
    let rig = Rig::start(&[]).await;
    let agent = Agent { rig: &rig };
    let who = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
    });
    let welcome = agent.request("initialize", &who, &[]).await["result"].take();
    assert_eq!(welcome["serverInfo"]["name"], "control-room");
    assert_eq!(welcome["protocolVersion"], "2025-06-18");
    assert!(welcome["capabilities"]["tools"].is_object(), "{welcome}");
    assert!(welcome["instructions"].as_str().is_some_and(|text| text.contains("submit_done")), "{welcome}");
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    agent.send(&ready, &[]).await.expect_status(202);

    let listed = agent.request("tools/list", &json!({}), &[]).await["result"]["tools"].take();
    let tools = listed.as_array().expect("a list");
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    for name in ["query_metrics", "list_alerts", "search_logs", "find_traces", "act", "submit_diagnosis"] {
        assert!(names.contains(&name), "no {name} in {names:?}");
    }
    // Every tool that is listed is there: without arguments it answers, or says which one is missing.
    for name in names {
        if let Err(wrong) = agent.call(name, &json!({})).await {
            assert!(!wrong.contains("no tool"), "{name}: {wrong}");
        }
    }
}

#[tokio::test]
async fn an_agent_looks_at_metrics_alerts_the_map_and_runbooks() {
    let (prometheus, service) = (prometheus().await, service().await);
    let rig = Rig::start(&[
        "--prometheus-url",
        &format!("http://{}", prometheus.address),
        "--instances",
        &format!("order-api=http://{}", service.address),
        "--calls",
        "load>order-api",
    ])
    .await;
    let agent = Agent { rig: &rig };
    let now = agent.call("query_metrics", &json!({ "query": "up" })).await.unwrap();
    assert_eq!(now["samples"], json!([{ "labels": { "service": "order-api" }, "value": 0.25 }]));
    let curve = agent.call("query_metrics", &json!({ "query": "up", "start": "30m" })).await.unwrap();
    assert_eq!(curve["series"][0]["points"], json!([[0, 0.5], [60, "NaN"]]));
    assert_eq!((&curve["step_seconds"], &curve["notes"]), (&json!(30.0), &Value::Null));

    let alerts = eventually(SOON, || async {
        let seen = agent.call("list_alerts", &json!({})).await?;
        if seen["alerts"][0].is_object() { Ok(seen) } else { Err(seen.to_string()) }
    })
    .await;
    assert_eq!(alerts["alerts"][0]["runbook"], "OrderAvailabilityBudgetBurn");
    let runbook = json!({ "name": alerts["alerts"][0]["runbook"] });
    let runbook = agent.call("read_runbook", &runbook).await.unwrap();
    let text = runbook["text"].as_str().expect("a text");
    assert!(text.contains("## Mitigate") && !text.contains("lab break"), "{text}");
    let map = agent.call("service_map", &json!({})).await.unwrap();
    assert_eq!(map["calls"], json!([{ "caller": "load", "callee": "order-api" }]));
}

#[tokio::test]
async fn an_action_is_tried_without_doing_it() {
    let service = service().await;
    let rig = Rig::start(&["--instances", &format!("order-api=http://{}", service.address)]).await;
    let agent = Agent { rig: &rig };
    let actions = agent.call("list_actions", &json!({})).await.unwrap();
    assert_eq!(actions["targets"], json!([{ "service": "order-api", "instance": "order-api" }]));
    let names: Vec<&str> =
        actions["actions"].as_array().unwrap().iter().filter_map(|one| one["action"].as_str()).collect();
    assert!(names.contains(&"restart") && !names.iter().any(|name| name.contains("fault")), "{names:?}");

    let off =
        json!({ "action": "set_protection", "target": "order-api", "name": "timeout", "enabled": false });
    let tried = agent.call("act", &json!({ "action": off, "dry_run": true })).await.unwrap();
    let text = tried["done"]["results"][0]["text"].as_str().expect("a text");
    assert!(text.contains("timeout is on; it would be off"), "{tried}");
    assert_eq!(rig.get("/api/v1/changes").await["changes"], json!([]));
    let elsewhere =
        json!({ "action": "set_protection", "target": "web", "name": "timeout", "enabled": true });
    let wrong = agent.call("act", &json!({ "action": elsewhere })).await.unwrap_err();
    assert!(wrong.contains("`web`") && wrong.contains("order-api"), "{wrong}");
}

#[tokio::test]
async fn an_incident_is_taken_and_others_are_told_under_the_agents_name() {
    let rig = Rig::start(&[]).await;
    let agent = Agent { rig: &rig };
    let nothing = agent.call("acknowledge", &json!({})).await.unwrap_err();
    assert!(nothing.contains("no drill is running"), "{nothing}");
    rig.open("Orders fail").await;
    agent.call("acknowledge", &json!({})).await.unwrap();
    let update = json!({ "text": "Orders fail since 12:00; looking at order-api", "incident": "INC-1" });
    assert_eq!(agent.call("post_update", &update).await.unwrap()["incident"], "INC-1");
    let incident = rig.get("/api/v1/incidents/INC-1").await;
    assert_eq!(incident["acknowledged"]["by"], "tester");
    let told = agent.call("read_incident", &json!({ "id": "INC-1" })).await.unwrap();
    let entries = told["incident"]["timeline"].as_array().expect("a timeline");
    let update = entries.iter().find(|entry| entry["kind"] == "update").expect("the update");
    assert_eq!(update["source"]["name"], "tester");
}

#[tokio::test]
async fn without_a_drill_there_is_nothing_to_submit() {
    let rig = Rig::start(&[]).await;
    let agent = Agent { rig: &rig };
    assert_eq!(agent.call("current_drill", &json!({})).await.unwrap(), json!({ "run": null }));
    for (tool, arguments) in [
        ("submit_done", json!({})),
        ("take_hint", json!({})),
        ("submit_diagnosis", json!({ "components": ["order-api"] })),
    ] {
        let refused = agent.call(tool, &arguments).await.unwrap_err();
        assert!(refused.contains("no drill is running"), "{tool}: {refused}");
    }
}

#[tokio::test]
async fn every_call_is_in_the_journal_for_instructors_and_counted_for_everyone() {
    let rig = Rig::start(&[]).await;
    let agent = Agent { rig: &rig };
    agent.call("service_map", &json!({})).await.unwrap();
    agent.call("query_metrics", &json!({ "query": "zz_no_such_metric" })).await.unwrap_err();
    rig.get("/api/v1/observe/alerts").await;
    let used = rig.get("/api/v1/observe/usage").await;
    let tools = json!({ "list_alerts": 1, "query_metrics": 1, "service_map": 1 });
    assert_eq!(used, json!({ "queries": 3, "actions": 0, "by_tool": tools }));
    assert_eq!(rig.get("/api/v1/observe/usage?by=tester").await["queries"], 2);

    rig.open("The end").await;
    let mut trainee = rig.stream("/api/v1/events?after=0", &[]).await;
    let seen = trainee.until("The end").await;
    assert!(!seen.contains("zz_no_such_metric"), "{seen}");
    let mut instructor = rig.stream("/api/v1/events?after=0", &[("x-role", "instructor")]).await;
    let seen = instructor.until("zz_no_such_metric").await;
    assert!(seen.contains("event: asked") && seen.contains("\"by\":\"tester\""), "{seen}");
}
