//! What others depend on: the OpenAPI document, the names in a scrape, the admin port.

use std::path::Path;

use chassis_http::{openapi, page};
use testkit::{golden, needs};
use user_service::faults::CATALOGUE;

use crate::rig::Rig;

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_openapi_document_is_the_committed_one() {
    let document = openapi::document(&user_service::router::routes());
    let text = format!("{}\n", document.to_pretty_json().unwrap());
    golden::check(here("../../docs/openapi/user-service.json"), &text);
}

#[test]
fn the_openapi_document_names_the_pages_that_are_answered() {
    let document = serde_json::to_value(openapi::document(&user_service::router::routes())).unwrap();
    let parameters = document["paths"]["/users"]["get"]["parameters"].as_array().unwrap();
    let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!(limit["schema"]["maximum"], page::MAX_LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_is_served_and_every_operation_answers() {
    needs!(Postgres, Redis);
    let document = openapi::document(&user_service::router::routes());
    let rig = Rig::start().await;
    let served = rig.public.get("/openapi.json").await.expect_status(200).json();
    assert_eq!(served, serde_json::to_value(&document).unwrap());
    for (method, path) in openapi::operations(&document) {
        let path = path.replace("{id}", &contracts::users::seeded_user_id(0).to_string());
        let answer = rig.public.send(method.clone(), &path, &[], String::new()).await;
        assert!(![404, 405].contains(&answer.status), "{method} {path} is not routed: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn series_exist_at_zero_before_anything_happens() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let scrape = rig.scrape().await;
    for (name, labels) in [
        ("cache_hits_total", &[("cache_type", "users")][..]),
        ("cache_misses_total", &[("cache_type", "users")]),
        ("cache_origin_reads_total", &[]),
        ("cache_coalesced_total", &[]),
        ("cache_stale_served_total", &[]),
        ("cache_bypass_refused_total", &[]),
        ("database_errors_total", &[("database", "users")]),
        ("http_requests_total", &[("endpoint", "/users/{id}"), ("status", "503")]),
    ] {
        assert_eq!(scrape.value(name, labels), 0.0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_declared_fault_is_one_that_somebody_does() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    // `main` claims these two when it starts traces and logs, which a process does once.
    assert_eq!(rig.running.chassis.faults.unclaimed(), ["trace-drop", "log-drop"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_port_lists_every_declared_fault() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let list = rig.admin.get("/faults").await.expect_status(200).body.clone();
    for fault in CATALOGUE {
        let name = fault.spec().name;
        assert!(list.contains(&format!("\"{name}\"")), "{name} is missing");
    }
    rig.admin.get("/readyz").await.expect_status(200);
    assert_eq!(rig.admin.get("/version").await.json()["service"], "user-service");
}
