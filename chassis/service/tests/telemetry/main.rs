//! One request in traces, logs and exemplars: telemetry is process-wide, so these tests have their own process.

mod access;
#[path = "../support/mod.rs"]
mod support;
mod world;

use chassis_faults::scope::Scope;
use http::Method;
use testkit::{Answer, Scrape, assert_child};

use world::{enter, trace_parent};

#[test]
fn a_request_is_a_server_span_that_continues_the_callers_trace() {
    let world = enter();
    let (trace, header) = trace_parent(1, true);
    world.get("/things/7?q=1", &header).expect_status(200);
    let spans = world.spans(&trace, &["GET /things/{id}"]);
    let span = &spans[0];
    assert_eq!((span.kind, span.error), ("server", false));
    assert_eq!((span.parent_id.as_str(), span.service.as_str()), ("00f067aa0ba902b7", "test-service"));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.path", "/things/7"),
        ("http.route", "/things/{id}"),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(span.attributes.get(key).map(String::as_str), Some(value), "{key}: {span:?}");
    }
    assert!(!span.attributes.contains_key("error.type"), "{span:?}");
}

#[test]
fn a_failure_is_one_error_line_with_its_cause_and_the_trace_of_the_answer() {
    let world = enter();
    let (trace, header) = trace_parent(2, true);
    let answer = world.get("/broken", &header);
    let problem = answer.expect_problem(500, "internal");
    assert_eq!(problem["trace_id"], trace);
    let spans = world.spans(&trace, &["GET /broken"]);
    assert!(spans[0].error);
    assert_eq!(spans[0].attributes["error.type"], "500");
    let lines = world.lines_of(&trace);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["level"], &lines[0]["message"]), (&"ERROR".into(), &"request failed".into()));
    assert_eq!(lines[0]["service"], "test-service");
    assert_eq!(lines[0]["span_id"], spans[0].span_id);
    let cause = lines[0]["cause"].as_str().unwrap_or_default();
    assert!(cause.contains("the disk is on fire"), "{cause}");
    assert!(chrono::DateTime::parse_from_rfc3339(lines[0]["timestamp"].as_str().unwrap()).is_ok());
}

#[test]
fn a_request_that_is_not_sampled_still_has_a_trace_on_its_lines_and_problem() {
    let world = enter();
    let (trace, header) = trace_parent(10, false);
    let problem = world.get("/broken", &header).expect_problem(500, "internal");
    assert_eq!(problem["trace_id"], trace);
    let lines = world.lines_of(&trace);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["span_id"].as_str().map(str::len), Some(16));
    // What it calls is not sampled either, and belongs to the same trace.
    world.get("/relay", &header).expect_status(200);
    world.telemetry.flush();
    assert!(world.sink.spans_of(&trace).is_empty());
}

#[test]
fn a_panic_is_one_error_line_with_its_location() {
    let world = enter();
    let (trace, header) = trace_parent(3, true);
    world.get("/panic", &header).expect_problem(500, "internal");
    let lines = world.lines_of(&trace);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["cause"], "a mistake");
    assert!(lines[0]["location"].as_str().is_some_and(|place| place.contains("world.rs:")), "{lines:?}");
}

#[test]
fn a_callers_mistake_is_not_an_error() {
    let world = enter();
    let (trace, header) = trace_parent(4, true);
    let problem = world.get("/nowhere", &header).expect_problem(404, "not-found");
    assert_eq!(problem["trace_id"], trace);
    let spans = world.spans(&trace, &["GET"]);
    assert!(!spans[0].error, "{spans:?}");
    assert!(world.lines_of(&trace).is_empty());
}

#[test]
fn a_latency_bucket_links_to_a_sampled_trace_and_never_to_another() {
    let world = enter();
    let (sampled, header) = trace_parent(5, true);
    world.get("/things/1", &header).expect_status(200);
    let exemplar = format!("# {{trace_id=\"{sampled}\"}} ");
    let text = world.open_metrics();
    let line = text.lines().find(|line| line.contains(&exemplar)).unwrap_or_else(|| panic!("{text}"));
    assert!(line.starts_with("http_request_duration_seconds_bucket{"), "{line}");
    let (unsampled, header) = trace_parent(6, false);
    world.get("/things/1", &header).expect_status(200);
    assert!(!world.open_metrics().contains(&unsampled));
    assert!(world.sink.spans_of(&unsampled).is_empty());
}

#[test]
fn a_call_to_a_peer_carries_trace_and_user_along() {
    let world = enter();
    let (trace, header) = trace_parent(7, true);
    let headers = [header, ("baggage", "user.id=u-1,user.tier=gold".to_owned())];
    let answer = world.send(Method::GET, "/relay", &headers);
    let expected = Scope {
        route: "/whoami".to_owned(),
        subject: [("user.id", "u-1".to_owned()), ("user.tier", "gold".to_owned())].into(),
    };
    assert_eq!(answer.json(), format!("{expected:?}"));
    let spans = world.spans(&trace, &["GET /relay", "GET /whoami"]);
    let find = |name: &str, kind: &str| {
        let found = spans.iter().find(|span| span.name == name && span.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind} span {name}: {spans:?}"))
    };
    let (relay, call, whoami) =
        (find("GET /relay", "server"), find("GET /whoami", "client"), find("GET /whoami", "server"));
    assert_child(call, relay);
    assert_child(whoami, call);
}

#[test]
fn lost_log_lines_are_counted_but_not_written() {
    let world = enter();
    let errors = |scrape: &Scrape| scrape.value("log_lines_total", &[("level", "error")]);
    let before = errors(&world.scrape());
    world.fault("log-drop", "rate=1");
    let (trace, header) = trace_parent(8, true);
    world.get("/broken", &header).expect_status(500);
    world.end("log-drop");
    assert!(world.lines_of(&trace).is_empty() && world.access_of(&trace).is_empty());
    assert_eq!(errors(&world.scrape()) - before, 1.0);
}

#[test]
fn lost_spans_are_counted_and_never_arrive() {
    let world = enter();
    let dropped = |scrape: &Scrape| scrape.value("traces_dropped_total", &[]);
    let exported = |scrape: &Scrape| scrape.value("traces_exported_total", &[]);
    world.telemetry.flush();
    let before = world.scrape();
    world.fault("trace-drop", "rate=1");
    let (trace, header) = trace_parent(9, true);
    let answer: Answer = world.get("/things/1", &header);
    answer.expect_status(200);
    world.telemetry.flush();
    world.end("trace-drop");
    let after = world.scrape();
    assert!(world.sink.spans_of(&trace).is_empty());
    assert_eq!(dropped(&after) - dropped(&before), 1.0);
    assert_eq!(exported(&after), exported(&before));
}
