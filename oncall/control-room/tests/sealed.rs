//! What is sealed: which fault is active, since when, and everything that names it. A trainee learns it from no route, no event and
//! no page before the incident is closed; an instructor does, and after closing everyone does.
//!
//! A service with an active fault is asked by the control room itself, so the truth arrives as it does in a lab.

#[path = "mcp/agent.rs"]
#[allow(dead_code, reason = "shared with tests/mcp")]
mod agent;
#[path = "api/rig.rs"]
#[allow(dead_code, reason = "shared with tests/api")]
mod rig;
mod walk;

use axum::{Router, routing::get};
use chassis_serve::{Limits, Server, Settings};
use http::Method;
use serde_json::{Value, json};
use testkit::eventually;

use agent::Agent;
use rig::{Rig, SOON};

/// Name of the fault: if a trainee reads this, something leaks. No path has it, because an answer may repeat that.
const SECRET: &str = "zz-sealed-fault";
/// An instructor.
static INSTRUCTOR: [(&str, &str); 3] =
    [("content-type", "application/json"), ("x-role", "instructor"), ("x-person", "ben")];

/// The admin port of a service with an active fault.
async fn service() -> Server {
    let faults = json!({ "faults": [{
        "name": SECRET, "summary": SECRET, "parameters": [], "signals": "", "ends": "",
        "active": { "rate": 1.0, "parameters": {}, "expires_at": null, "seconds_left": null },
    }] });
    let routes = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/protections", get(|| async { r#"{"protections":[]}"# }))
        .route("/faults", get(move || async move { faults.to_string() }));
    let settings = Settings::new(&Limits::default(), 1 << 16);
    Server::bind(([127, 0, 0, 1], 0).into(), routes, settings).await.expect("a free port")
}

async fn as_instructor(rig: &Rig, method: Method, path: &str, body: Value) -> String {
    let answer = rig.http.send(method, path, &INSTRUCTOR, body.to_string()).await;
    answer.expect_status(200);
    answer.body
}

/// An open incident whose truth the control room has found out.
async fn with_truth(service: &Server) -> Rig {
    let rig = Rig::start(&["--instances", &format!("order-api=http://{}", service.address)]).await;
    rig.open("Orders fail").await;
    eventually(SOON, || async {
        let incident = as_instructor(&rig, Method::GET, "/api/v1/incidents/INC-1", json!({})).await;
        let faults = as_instructor(&rig, Method::GET, "/api/v1/faults", json!({})).await;
        if incident.contains(SECRET) && faults.contains(SECRET) {
            Ok(())
        } else {
            Err(format!("{faults}: {incident}"))
        }
    })
    .await;
    rig
}

/// Asks a route as a trainee, in each way that it understands. None may answer with what is sealed; how many answered with 200.
async fn asked(rig: &Rig, method: &Method, template: &str) -> usize {
    let path = walk::path(template);
    let bodies = if method == Method::GET {
        vec![("text/html", "")]
    } else {
        vec![("application/json", "{}"), ("application/x-www-form-urlencoded", "")]
    };
    let mut found = 0;
    for (kind, body) in bodies {
        let headers = [("content-type", kind), ("accept", "text/html")];
        let answer = rig.http.send(method.clone(), &path, &headers, body.to_owned()).await;
        let told = answer.body.contains(SECRET) || format!("{:?}", answer.headers).contains(SECRET);
        assert!(!told, "{method} {path} tells a trainee: {answer:?}");
        found += usize::from(answer.status == 200);
    }
    found
}

/// Asks all of these routes; how many there are, and how many answered with 200.
async fn asked_all<'r>(rig: &Rig, routes: impl Iterator<Item = &'r (Method, String)>) -> (usize, usize) {
    let (mut all, mut found) = (0, 0);
    for (method, template) in routes {
        all += 1;
        found += asked(rig, method, template).await;
    }
    (all, found)
}

#[tokio::test]
async fn no_route_and_no_page_tells_a_trainee_what_is_sealed() {
    let service = service().await;
    let rig = with_truth(&service).await;
    let run = json!({ "mode": "manual", "incident": "INC-1", "parameters": { "next": "ben" } });
    rig.post("/api/v1/runbooks/hand-over/runs", &run).await;
    // The stream of events has a test of its own.
    let routes = walk::routes().await;
    let reads = || routes.iter().filter(|(method, _)| method == Method::GET);
    let (pages, found) = asked_all(&rig, reads()).await;
    assert!(pages > 30 && found > 45, "only {pages} routes were asked, and {found} have something to tell");
    // Without what these ask for, they answer less.
    for path in [
        "/api/v1/observe/incident?id=INC-1",
        "/api/v1/observe/logs?service=order-api",
        "/api/v1/observe/runbooks?name=OrderAvailabilityBudgetBurn",
        "/api/v1/incidents/INC-1/timeline?kind=truth",
        "/actions?incident=INC-1",
    ] {
        let answer = rig.http.get(path).await;
        assert!(!answer.body.contains(SECRET), "{path} tells a trainee: {answer:?}");
    }
    assert_eq!(rig.get("/api/v1/observe/incident?id=INC-1").await["incident"]["title"], "Orders fail");
    let (changes, _) = asked_all(&rig, routes.iter().filter(|(method, _)| method != Method::GET)).await;
    assert!(changes > 30, "only {changes} routes were asked");

    // What is written when it is over is sealed too, until it is closed.
    rig.post("/api/v1/incidents/INC-1/state", &json!({ "to": "resolved", "why": "x" })).await;
    // The cost is asked for three times, as there is no Prometheus.
    eventually(4 * SOON, || async {
        let draft = rig.http.get("/api/v1/incidents/INC-1/postmortem").await;
        if draft.status == 200 { Ok(()) } else { Err(draft.body) }
    })
    .await;
    let (_, more) = asked_all(&rig, reads()).await;
    assert!(more > found, "the pages of the postmortem are there: {found}, then {more}");
    // The walk has not closed it, so all of this was asked while it was sealed.
    assert_eq!(rig.get("/api/v1/incidents/INC-1").await["state"], "resolved");
}

/// Arguments with which a tool that only looks has something to answer.
fn arguments(tool: &str) -> Value {
    match tool {
        "read_incident" => json!({ "id": "INC-1" }),
        "query_metrics" => json!({ "query": "up" }),
        "search_logs" | "find_traces" => json!({ "service": "order-api" }),
        "read_runbook" => json!({ "name": "OrderAvailabilityBudgetBurn" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn no_tool_that_looks_tells_an_agent_what_is_sealed() {
    let service = service().await;
    let rig = with_truth(&service).await;
    let agent = Agent { rig: &rig };
    let listed = agent.request("tools/list", &json!({}), &[]).await["result"]["tools"].take();
    let looks = |tool: &&Value| tool["annotations"]["readOnlyHint"] == true;
    let tools = listed.as_array().expect("a list").iter().filter(looks);
    let tools: Vec<&str> = tools.filter_map(|tool| tool["name"].as_str()).collect();
    for tool in &tools {
        // An agent has a trainee's eyes, whatever it asks for.
        for role in ["trainee", "instructor"] {
            for arguments in [json!({}), arguments(tool)] {
                let asked = json!({ "name": tool, "arguments": arguments });
                let told = agent.request("tools/call", &asked, &[("x-role", role)]).await.to_string();
                assert!(!told.contains(SECRET), "{tool} {arguments} tells an agent: {told}");
            }
        }
    }
    assert!(tools.len() >= 10 && tools.contains(&"read_incident"), "only these were asked: {tools:?}");
    let read = agent.call("read_incident", &arguments("read_incident")).await.expect("an answer");
    assert_eq!(read["incident"]["title"], "Orders fail");
}

#[tokio::test]
async fn what_people_do_answers_a_trainee_without_what_is_sealed() {
    let service = service().await;
    let rig = with_truth(&service).await;
    for (verb, body) in [
        ("acknowledge", json!({})),
        ("notes", json!({ "text": "x" })),
        ("updates", json!({ "text": "x" })),
        ("tasks", json!({ "text": "x", "follow_up": true })),
        ("hypotheses", json!({ "text": "x" })),
        ("severity", json!({ "severity": "SEV-2", "why": "x" })),
        ("major", json!({ "why": "x" })),
        ("diagnose", json!({})),
        ("messages", json!({ "text": "x" })),
        ("page", json!({ "person": "ben", "why": "x" })),
        ("state", json!({ "to": "mitigated", "why": "x" })),
        ("state", json!({ "to": "resolved", "why": "x" })),
    ] {
        let answer = rig.post(&format!("/api/v1/incidents/INC-1/{verb}"), &body).await;
        assert!(!answer.to_string().contains(SECRET), "{verb}: {answer}");
    }
    // The draft is made by now, or will be; it is for trainees.
    let draft = rig.http.get("/api/v1/incidents/INC-1/postmortem").await;
    assert!(!draft.body.contains(SECRET), "{draft:?}");
    assert!(!rig.get("/api/v1/measures").await.to_string().contains("\"fault\""));
}

#[tokio::test]
async fn events_are_sealed_until_the_incident_is_closed() {
    let service = service().await;
    let rig = with_truth(&service).await;
    let end = async |text: &str| rig.post("/api/v1/incidents/INC-1/notes", &json!({ "text": text })).await;
    let instructor = &INSTRUCTOR[1..];
    end("the end of the walk").await;
    let mut trainee = rig.stream("/api/v1/events?after=0", &[]).await;
    assert!(!trainee.until("the end of the walk").await.contains(SECRET), "{}", trainee.text);
    let mut knows = rig.stream("/api/v1/events?after=0", instructor).await;
    assert!(knows.until("the end of the walk").await.contains(SECRET), "{}", knows.text);

    for state in ["resolved", "closed"] {
        rig.post("/api/v1/incidents/INC-1/state", &json!({ "to": state, "why": "x" })).await;
    }
    let shown = rig.get("/api/v1/incidents/INC-1").await;
    assert_eq!(shown["truth"]["fault"], SECRET);
    assert!(shown["timeline"].to_string().contains(SECRET), "{shown}");
    let mut after = rig.stream("/api/v1/events?after=0", &[]).await;
    assert!(after.until("\"to\":\"closed\"").await.contains(SECRET), "{}", after.text);
}

#[tokio::test]
async fn with_a_token_nobody_becomes_an_instructor_by_asking() {
    let service = service().await;
    let instance = format!("order-api=http://{}", service.address);
    let tokens = ["--access-token", "door", "--instructor-token", "secret"];
    let rig = Rig::start(&[&["--instances", instance.as_str()][..], &tokens].concat()).await;
    let asks = [("authorization", "Bearer door"), ("x-role", "instructor")];
    for path in ["/api/v1/faults", "/faults"] {
        let answer = rig.http.send(Method::GET, path, &asks, String::new()).await;
        assert_eq!((answer.status, answer.body.contains(SECRET)), (403, false), "{path}");
    }
    let knows = [("authorization", "Bearer secret")];
    eventually(SOON, || async {
        let answer = rig.http.send(Method::GET, "/api/v1/faults", &knows, String::new()).await;
        if answer.body.contains(SECRET) { Ok(()) } else { Err(answer.body) }
    })
    .await;
}
