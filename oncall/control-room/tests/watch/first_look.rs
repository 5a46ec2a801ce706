//! The first look at an incident while everything answers: what it says, how that is known, and where to ask again.

use chrono::Utc;
use control_room::{SERVICE, assemble, bus::Kind, changes::Change, desk::New, watch};
use incident::{EntryKind, Severity, Source, Viewer};
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    SOON, config,
    fake::{Fake, samples, series},
    watching,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What an entry says, a part of its query, and a part of its link.
const FOUND: [(&str, &str, &str); 6] = [
    (
        "user-service is not ready",
        "changes(process_start_time_seconds{service=",
        "/explore?query=sum+by+%28service%29",
    ),
    ("most failures: order-api POST /orders 500, 4.0 per second", "topk(5, ", "/explore?query=topk"),
    (
        "order-availability 20.0 times too fast (75",
        "slo:current_burn_rate:ratio{service=",
        "/explore?query=max+by+%28slo%29",
    ),
    (
        "connection pool of order-api 95",
        "database_connections_active{service=",
        "/explore?query=label_replace",
    ),
    ("slowest of 1 traces: POST /orders took 300 ms, failed in order-api: SELECT orders", TRACE, TRACE),
    (
        "2 error lines, 2 of them “order-api: no connection”",
        "level=ERROR service=order-api",
        "/explore/logs?service=order-api&level=ERROR",
    ),
];

/// A trace of an order whose last step failed.
fn trace() -> Value {
    let start = Utc::now().timestamp_micros();
    let failed = json!([{ "key": "error", "value": true }]);
    let parent = json!([{ "refType": "CHILD_OF", "traceID": TRACE, "spanID": "a" }]);
    json!({ "data": [{
        "traceID": TRACE,
        "spans": [
            { "spanID": "a", "operationName": "POST /orders", "startTime": start, "duration": 300_000, "processID": "p" },
            { "spanID": "b", "operationName": "SELECT orders", "startTime": start + 1000, "duration": 200_000,
              "processID": "p", "references": parent, "tags": failed },
        ],
        "processes": { "p": { "serviceName": "order-api" } },
    }] })
}

/// Everything answers, and order-api is in trouble.
fn answer_all(fake: &Fake) {
    let order_api = json!({ "service": "order-api" });
    let slo = json!({ "slo": "order-availability" });
    let route = json!({ "service": "order-api", "method": "POST", "endpoint": "/orders", "status": "500" });
    let pool = json!({ "what": "connection pool", "service": "order-api" });
    for (query, labels, value) in [
        ("query:changes(process_start_time_seconds{service=", order_api, 2.0),
        ("query:topk(5, sum by (service, method", route, 4.0),
        ("query:slo:current_burn_rate:ratio{service=", slo.clone(), 20.0),
        ("query:slo:error_budget_remaining:ratio{service=", slo, 0.75),
        ("query:database_connections_active{service=", pool, 0.95),
    ] {
        fake.set(query, samples(&[(labels, value)]));
    }
    fake.set("/api/traces", trace());
}

#[tokio::test]
async fn a_first_look_has_each_finding_with_its_query_and_link_and_is_in_the_war_room() {
    let fake = Fake::start().await;
    answer_all(&fake);
    let logs = tempfile::tempdir().expect("a folder");
    let line = json!({ "timestamp": Utc::now(), "level": "ERROR", "message": "no connection" });
    std::fs::write(logs.path().join("order-api.log"), format!("{line}\n{line}\n")).expect("a file");
    let folder = logs.path().to_str().expect("UTF-8");
    let room = watching(&fake, &["--public-url", "http://lab.example", "--logs-dir", folder]).await;
    let change = Change {
        at: Utc::now(),
        kind: "release".to_owned(),
        service: Some("order-api".to_owned()),
        text: "order-api 1.42".to_owned(),
        by: "ci".to_owned(),
        link: None,
    };
    room.0.changes.record(change).await.expect("it is recorded");
    let id = room.open("order-api").await;
    // The last thing that it does.
    let said = eventually(SOON, || async {
        let thread = room.0.notify.thread(id, 0).await.map_err(|error| error.to_string())?;
        let look = thread.iter().find(|message| message.text.starts_with("First look at INC-1:"));
        look.map(|message| message.text.clone()).ok_or_else(|| format!("{thread:?}"))
    })
    .await;
    assert_eq!(said.matches("• ").count(), 7, "{said}");
    assert!(said.ends_with("Evidence: http://lab.example/incidents/INC-1"), "{said}");
    let incident = room.incident(id).await;
    let entries: Vec<_> =
        incident.timeline.iter().filter(|entry| entry.kind == EntryKind::Diagnosis).collect();
    for (text, query, link) in FOUND {
        let entry = entries.iter().find(|entry| entry.text.contains(text));
        let entry = entry.unwrap_or_else(|| panic!("nothing says `{text}`: {entries:#?}"));
        let known = entry.evidence.iter().any(|one| {
            let linked = one.link.as_deref().and_then(|url| url.strip_prefix("http://lab.example"));
            one.query.contains(query) && linked.is_some_and(|path| path.contains(link))
        });
        assert!(known, "`{query}` and `{link}`: {entry:#?}");
        assert!(entry.evidence.iter().all(|one| !one.answer.is_empty()), "{entry:#?}");
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(said.contains("order-api was started again 2 times"), "{said}");
    assert!(said.contains("release: order-api 1.42"), "{said}");
    let changed = |incident: &incident::Incident| {
        let changes = incident.timeline.iter().filter(|entry| entry.kind == EntryKind::Change);
        changes.map(|entry| (entry.at < incident.opened_at, entry.text.clone())).collect::<Vec<_>>()
    };
    let before = vec![(true, "order-api 1.42 (release by ci)".to_owned())];
    assert_eq!(changed(&incident), before, "at its own time");
    watch::diagnose(&room.0, id).await.expect("it looks again");
    let again = room.incident(id).await;
    assert_eq!(changed(&again), before, "once");
}

#[tokio::test]
async fn an_opening_that_is_found_more_than_once_has_one_first_look() {
    let fake = Fake::start().await;
    let room = watching(&fake, &[]).await;
    let mut news = room.0.bus.listen();
    let id = room.open("order-api").await;
    let opened = loop {
        let notice = news.recv().await.expect("news");
        if notice.kind == Kind::Incident {
            break notice;
        }
    };
    // While the first look is under way, and when it is over.
    room.0.bus.tell(opened.clone());
    room.noted(id, EntryKind::Diagnosis, Viewer::Trainee).await;
    let searches = fake.asked("/api/traces");
    room.0.bus.tell(opened);
    // A person may look as often as they like; by the end of it, a second one would have begun.
    watch::diagnose(&room.0, id).await.expect("it ends");
    let incident = room.incident(id).await;
    let entries = incident.timeline.iter().filter(|entry| entry.kind == EntryKind::Diagnosis).count();
    assert_eq!((entries, fake.asked("/api/traces")), (14, 2 * searches));
}

#[tokio::test]
async fn what_the_opening_of_an_incident_begins_is_made_up_for_after_a_kill() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().expect("a folder"));
    let now = Utc::now().timestamp() as f64;
    let bad: Vec<(f64, f64)> =
        (0..60).map(|at| (now - 59.0 + f64::from(at), if at < 40 { 0.0 } else { 0.5 })).collect();
    fake.set("range:slo:sli_error", series(&json!({ "slo": "order-availability" }), &bad));
    let file = folder.path().join("room.db");
    let file = ["--file", file.to_str().expect("UTF-8")];
    // It is killed before anything of it looks.
    let id = {
        let config = config(&fake, &file);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let room = assemble(&config, chassis).await.expect("a control room");
        let services = vec!["order-api".to_owned()];
        let new = New {
            title: "Orders fail".to_owned(),
            description: String::new(),
            severity: Severity::Sev2,
            services,
        };
        room.desk.create(Source::ControlRoom, new).await.expect("it opens").id
    };
    let looked = async || {
        let room = watching(&fake, &file).await;
        room.noted(id, EntryKind::Symptom, Viewer::Trainee).await;
        room.noted(id, EntryKind::Diagnosis, Viewer::Trainee).await;
        let incident = room.incident(id).await;
        let of = |kind: EntryKind| incident.timeline.iter().filter(|entry| entry.kind == kind).count();
        (of(EntryKind::Symptom), of(EntryKind::Diagnosis))
    };
    assert_eq!(looked().await, (1, 7));
    assert_eq!(looked().await, (1, 7), "once, however often it starts");
}
