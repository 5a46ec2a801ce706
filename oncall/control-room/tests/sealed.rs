//! What is sealed: which fault is active, since when, and everything that names it. A trainee learns it from no route, no event and
//! no page before the incident is closed; an instructor does, and after closing everyone does.
//!
//! A service with an active fault is asked by the control room itself, so the truth arrives as it does in a lab.

#[path = "api/rig.rs"]
#[allow(dead_code, reason = "shared with tests/api")]
mod rig;

use axum::{Router, routing::get};
use chassis_serve::{Limits, Server, Settings};
use control_room::{SERVICE, api, assemble, web};
use http::Method;
use serde_json::{Value, json};
use testkit::eventually;

use rig::{Rig, SOON};

/// Name of the fault: if a trainee reads this, something leaks.
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

/// Method and template of every route that the program has.
async fn routes() -> Vec<(Method, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let config = rig::config(&folder, &[]);
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    let room = assemble(&config, chassis).await.expect("a control room");
    api::routes(&room).and(web::routes(&room)).declared().to_vec()
}

/// A path of a template. None of its parts is the secret, which an answer may repeat.
fn path(template: &str) -> String {
    let known = [
        ("{id}", "INC-1"),
        ("{n}", "1"),
        ("{number}", "1"),
        ("{schedule}", "first-line.ics"),
        ("{to}", "mitigated"),
    ];
    let path = known.into_iter().fold(template.to_owned(), |path, (part, value)| path.replace(part, value));
    let parts = path.split('/').map(|part| if part.starts_with('{') { "order-api" } else { part });
    parts.collect::<Vec<_>>().join("/")
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

#[tokio::test]
async fn no_route_and_no_page_tells_a_trainee_what_is_sealed() {
    let service = service().await;
    let rig = with_truth(&service).await;
    let (mut pages, mut changes) = (0, 0);
    for (method, template) in routes().await {
        // It has no end; its own test follows.
        if template == "/api/v1/events" {
            continue;
        }
        let path = path(&template);
        let bodies = if method == Method::GET {
            pages += 1;
            vec![("text/html", String::new())]
        } else {
            changes += 1;
            vec![("application/json", "{}".to_owned()), ("application/x-www-form-urlencoded", String::new())]
        };
        for (kind, body) in bodies {
            let headers = [("content-type", kind), ("accept", "text/html")];
            let answer = rig.http.send(method.clone(), &path, &headers, body).await;
            let told = answer.body.contains(SECRET) || format!("{:?}", answer.headers).contains(SECRET);
            assert!(!told, "{method} {path} tells a trainee: {answer:?}");
        }
    }
    assert!(pages > 30 && changes > 30, "only {pages} and {changes} routes were asked");
    // The walk has not closed it, so all of this was asked while it was sealed.
    assert_ne!(rig.get("/api/v1/incidents/INC-1").await["state"], "closed");
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
