//! What others depend on: the OpenAPI document, the names in a scrape, the admin port.

use std::path::Path;

use testkit::{golden, needs};
use user_service::{ROUTES, faults::CATALOGUE, openapi::ApiDoc};
use utoipa::OpenApi;

use crate::rig::Rig;

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn every_route_is_in_the_openapi_document_and_the_committed_copy_has_not_drifted() {
    let document = ApiDoc::openapi();
    let json = serde_json::to_value(&document).unwrap();
    let operations: usize =
        json["paths"].as_object().unwrap().values().map(|p| p.as_object().unwrap().len()).sum();
    assert_eq!(operations, ROUTES.len());
    for (method, path) in ROUTES {
        assert!(json["paths"][path][method.to_lowercase()].is_object(), "{method} {path} is missing");
    }
    let text = format!("{}\n", document.to_pretty_json().unwrap());
    golden::check(here("../../docs/openapi/user-service.json"), &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_served_and_every_route_answers() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let served = rig.public.get("/openapi.json").await.expect_status(200).json();
    assert_eq!(served, serde_json::to_value(ApiDoc::openapi()).unwrap());
    for (method, path) in ROUTES {
        let path = path.replace("{id}", &contracts::users::seeded_user_id(0).to_string());
        let answer = rig.public.send(method.parse().unwrap(), &path, &[], String::new()).await;
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
async fn the_admin_port_lists_every_declared_fault() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let list = rig.admin.get("/faults").await.expect_status(200).body.clone();
    for fault in CATALOGUE {
        assert!(list.contains(&format!("\"{}\"", fault.name)), "{} is missing", fault.name);
    }
    rig.admin.get("/readyz").await.expect_status(200);
    assert_eq!(rig.admin.get("/version").await.json()["service"], "user-service");
}
