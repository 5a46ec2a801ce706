//! `/faults` and `/protections` on the admin port of an assembled service, by HTTP only.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use chassis_faults::protection::{Protection, Protections};
use chassis_faults::{Catalogue, Fault, spec::work};
use chassis_http::catalogue::*;
use chassis_service::catalogue::*;
use chassis_service::{App, lifecycle::Running};
use chassis_telemetry::catalogue::*;
use http::Method;
use serde_json::Value;
use testkit::{Answer, Http, Scrape, eventually};

/// One that is on from the start.
const RISKY: Fault = work("risky", "", "").baseline("rate=0.2");

const POINTS: Catalogue = &[&RISKY, &HTTP_ERROR, &CPU_BURN, &METRICS_GONE, &CARDINALITY_BOMB];
const TOKEN: &str = "--faults-token=secret";

struct Service {
    running: Running,
    http: Http,
}

fn app(arguments: &[&str]) -> App {
    support::app(arguments, POINTS)
}

impl Service {
    async fn start(arguments: &[&str]) -> Self {
        let running = Running::start(app(arguments)).await.expect("a running service");
        let http = Http::to(running.admin);
        Self { running, http }
    }

    async fn put(&self, path: &str) -> Answer {
        self.http.put(path).await
    }

    async fn protections(&self) -> &Protections {
        &self.running.chassis.protections
    }
}

#[tokio::test]
async fn the_list_has_every_point_with_its_parameters_and_its_plan() {
    let service = Service::start(&[]).await;
    let list = service.http.get("/faults").await.expect_status(200).json();
    let names: Vec<_> =
        list["faults"].as_array().unwrap().iter().map(|point| point["name"].clone()).collect();
    assert_eq!(names, POINTS.iter().map(|fault| Value::from(fault.spec().name)).collect::<Vec<_>>());
    let risky = &list["faults"][0];
    assert_eq!((&risky["active"]["rate"], &risky["active"]["baseline"]), (&0.2.into(), &true.into()));
    let error = &list["faults"][1];
    assert_eq!(error["active"], Value::Null);
    let status =
        error["parameters"].as_array().unwrap().iter().find(|param| param["name"] == "status").unwrap();
    assert_eq!(status["expects"], "a whole number from 500 to 599");
    assert_eq!(status["default"], "500");
}

#[tokio::test]
async fn put_sets_a_plan_shows_it_and_delete_ends_it() {
    let service = Service::start(&[]).await;
    let path = "/faults/http-error?rate=0.5&ttl=5m&route=/orders&seed=7&every=10s&for=2s&ramp=1s&status=503";
    let active = service.put(path).await.expect_status(200).json()["active"].clone();
    assert_eq!(active["rate"], 0.5);
    assert_eq!(active["parameters"]["ttl"], "5m");
    assert_eq!(active["parameters"]["status"], "503");
    assert_eq!(active["parameters"]["route"], "/orders");
    assert_eq!(active["parameters"]["seed"], "7");
    let left = active["seconds_left"].as_f64().unwrap();
    assert!((290.0..=300.0).contains(&left), "{left}");
    let time = |field: &str| chrono::DateTime::parse_from_rfc3339(active[field].as_str().unwrap()).unwrap();
    assert_eq!((time("expires_at") - time("since")).num_seconds(), 300);

    let after = service.http.delete("/faults/http-error").await.expect_status(200).json();
    assert_eq!(after["active"], Value::Null);
}

#[tokio::test]
async fn a_reset_ends_what_was_set_and_leaves_the_baseline() {
    let service = Service::start(&[]).await;
    service.put("/faults/http-error").await.expect_status(200);
    service.put("/faults/risky?rate=1").await.expect_status(200);
    service.http.delete("/faults").await.expect_status(204);
    let active =
        async |name: &str| service.http.get(&format!("/faults/{name}")).await.json()["active"].clone();
    assert_eq!(active("http-error").await, Value::Null);
    assert_eq!(active("risky").await["rate"], 0.2);
    service.http.delete("/faults/risky").await.expect_status(200);
    assert_eq!(active("risky").await, Value::Null);
}

#[tokio::test]
async fn what_is_wrong_is_named_and_what_is_valid_is_listed() {
    let service = Service::start(&[]).await;
    let unknown = service.put("/faults/http-eror").await.expect_problem(404, "not-found");
    assert!(unknown["detail"].as_str().unwrap().contains("risky, http-error, cpu-burn"), "{unknown}");
    service.http.get("/faults/nope").await.expect_problem(404, "not-found");
    service.http.delete("/faults/nope").await.expect_problem(404, "not-found");
    for (query, field) in [
        ("rate=1.1", "rate"),
        ("rate=x", "rate"),
        ("ttl=61m", "ttl"),
        ("ttl=0s", "ttl"),
        ("status=200", "status"),
        ("speed=1", "speed"),
        ("every=1s", "for"),
        ("%ff=1", "\u{fffd}"),
    ] {
        let problem = service.put(&format!("/faults/http-error?{query}")).await;
        problem.expect_invalid(field);
    }
    let unknown = service.put("/faults/cpu-burn?user_id=1").await.expect_invalid("user_id");
    assert!(unknown["errors"]["user_id"].as_str().unwrap().contains("threads, rate, ttl"), "{unknown}");
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_with_problems() {
    let service = Service::start(&[]).await;
    let send = async |method: Method, path: &str| service.http.send(method, path, &[], String::new()).await;
    for (method, path, allowed) in [
        (Method::PUT, "/faults", "GET, DELETE"),
        (Method::POST, "/faults/http-error", "GET, PUT, DELETE"),
        (Method::PATCH, "/protections/timeout", "GET, PUT, DELETE"),
        (Method::POST, "/protections", "GET, DELETE"),
    ] {
        let answer = send(method, path).await;
        answer.expect_problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), allowed);
    }
    for path in ["/faults/", "/faults/a/b", "/fault", "/faults/%ff"] {
        let answer = send(Method::GET, path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        assert!(answer.header("content-type").starts_with("application/problem+json"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn disabled_switches_do_not_exist() {
    let service = Service::start(&["--faults-enabled=false"]).await;
    for path in ["/faults", "/faults/http-error", "/protections", "/protections/timeout"] {
        service.http.get(path).await.expect_problem(404, "not-found");
        service.put(&format!("{path}?enabled=false")).await.expect_problem(404, "not-found");
    }
    service.http.get("/livez").await.expect_status(200);
}

#[tokio::test]
async fn a_token_guards_the_switches_and_nothing_else() {
    let service = Service::start(&[TOKEN]).await;
    for path in ["/faults", "/faults/http-error", "/faults/nope", "/protections", "/protections/timeout"] {
        let answer = service.http.get(path).await;
        answer.expect_problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        let wrong = [("authorization", "Bearer secre")];
        service.http.send(Method::GET, path, &wrong, String::new()).await.expect_problem(401, "unauthorized");
    }
    let right = [("authorization", "Bearer secret")];
    service.http.send(Method::PUT, "/faults/http-error", &right, String::new()).await.expect_status(200);
    service.http.get("/metrics").await.expect_status(200);
}

#[tokio::test]
async fn protections_are_listed_switched_off_for_a_time_and_on_again() {
    let service = Service::start(&[]).await;
    let on = async |one| service.protections().await.on(one);
    let list = service.http.get("/protections").await.expect_status(200).json();
    let list = list["protections"].as_array().unwrap();
    assert_eq!(list.len(), Protection::ALL.len());
    assert!(list.iter().all(|one| one["enabled"] == true));

    let off = service.put("/protections/single-flight?enabled=false").await.expect_status(200).json();
    assert_eq!((&off["enabled"], &off["seconds_left"]), (&false.into(), &Value::Null));
    assert!(!on(Protection::SingleFlight).await);
    service.http.delete("/protections/single-flight").await.expect_status(200);
    assert!(on(Protection::SingleFlight).await);

    let off = service.put("/protections/timeout?enabled=false&ttl=200ms").await.expect_status(200).json();
    assert_eq!(off["enabled"], false);
    eventually(std::time::Duration::from_secs(10), async || {
        if on(Protection::Timeout).await { Ok(()) } else { Err("still off".to_owned()) }
    })
    .await;

    service.put("/protections/bulkhead?enabled=false").await.expect_status(200);
    service.http.delete("/protections").await.expect_status(204);
    assert!(on(Protection::Bulkhead).await);
    service.put("/protections/bulkhead").await.expect_invalid("enabled");
    let unknown = service.put("/protections/belt?enabled=false").await.expect_problem(404, "not-found");
    assert!(unknown["detail"].as_str().unwrap().contains("circuit-breaker, retry-budget"), "{unknown}");
}

#[tokio::test]
async fn the_configuration_sets_faults_and_protections_from_the_start() {
    let service = Service::start(&[
        "--faults-at-start=http-error?rate=0.3&ttl=1h cpu-burn?threads=1&rate=0",
        "--protections-off=timeout,bulkhead",
    ])
    .await;
    let error = service.http.get("/faults/http-error").await.json();
    assert_eq!(error["active"]["rate"], 0.3);
    assert_eq!(service.http.get("/faults/cpu-burn").await.json()["active"]["parameters"]["threads"], "1");
    let protections = service.protections().await;
    assert!(!protections.on(Protection::Timeout) && !protections.on(Protection::Bulkhead));
    assert!(protections.on(Protection::CircuitBreaker));
}

#[tokio::test]
async fn a_wrong_configuration_is_a_start_up_error_that_names_the_entry() {
    for (arguments, expected) in [
        (&["--faults-at-start=http-error?rate=2"][..], "FAULTS_AT_START: `http-error?rate=2`"),
        (&["--faults-at-start=nope"][..], "FAULTS_AT_START: `nope`"),
        (&["--protections-off=belt"][..], "PROTECTIONS_OFF"),
        (&["--faults-at-start=http-error", "--faults-enabled=false"][..], "FAULTS_ENABLED=true"),
    ] {
        let error = Running::start(app(arguments)).await.err().expect("refused");
        let text = format!("{error:#}");
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn faults_show_in_metrics_for_instructors_only() {
    let blind = Service::start(&[]).await;
    blind.put("/faults/cpu-burn?threads=1&rate=0.01").await.expect_status(200);
    let scrape = blind.http.get("/metrics").await.expect_status(200).body.clone();
    assert!(!scrape.contains("fault"), "{scrape}");

    let instructor = Service::start(&["--faults-reveal=true"]).await;
    instructor.put("/faults/http-error?rate=0.5").await.expect_status(200);
    let scrape = Scrape::of(instructor.running.admin).await;
    assert_eq!(scrape.value("fault_active", &[("fault", "http-error")]), 0.5);
    assert_eq!(scrape.value("fault_active", &[("fault", "risky")]), 0.2);
    assert_eq!(scrape.value("fault_active", &[("fault", "cpu-burn")]), 0.0);
}

#[tokio::test]
async fn metrics_gone_fails_the_scrape_until_it_ends_by_itself() {
    let service = Service::start(&[]).await;
    service.put("/faults/metrics-gone?ttl=300ms").await.expect_status(200);
    assert_eq!(service.http.get("/metrics").await.status, 503);
    service.http.get("/livez").await.expect_status(200);
    eventually(std::time::Duration::from_secs(10), async || {
        match service.http.get("/metrics").await.status {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    })
    .await;
}

#[tokio::test]
async fn cardinality_bomb_creates_its_series_and_removes_them() {
    let service = Service::start(&[]).await;
    let series = async || {
        let scrape = service.http.get("/metrics").await.body.clone();
        scrape.lines().filter(|line| line.starts_with("database_operations_total{")).count()
    };
    let becomes = async |wanted: usize| {
        eventually(std::time::Duration::from_secs(10), async || match series().await {
            count if count == wanted => Ok(()),
            count => Err(count.to_string()),
        })
        .await;
    };
    assert_eq!(series().await, 0);
    service.put("/faults/cardinality-bomb?series=3000&ttl=2s").await.expect_status(200);
    becomes(3000).await;
    becomes(0).await;
}
