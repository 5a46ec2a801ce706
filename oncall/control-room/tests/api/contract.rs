//! What others depend on: the OpenAPI document, and that every operation in it is there.

use std::path::Path;

use chassis_http::openapi;
use control_room::api;
use serde_json::json;
use testkit::golden;

use crate::rig::Rig;

#[test]
fn the_openapi_document_is_the_committed_one() {
    let text = format!("{}\n", api::document().to_pretty_json().unwrap());
    golden::check(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi/control-room.json"), &text);
}

#[tokio::test]
async fn the_openapi_document_is_served_and_every_operation_answers() {
    let document = api::document();
    let rig = Rig::start(&[]).await;
    assert_eq!(rig.get("/openapi.json").await, serde_json::to_value(&document).unwrap());
    rig.open("Orders fail").await;
    for (method, template) in openapi::operations(&document) {
        // It has no end.
        if template == "/api/v1/events" {
            continue;
        }
        let path =
            template.replace("{id}", "INC-1").replace("{n}", "1").replace("{schedule}", "first-line.ics");
        let headers = [("content-type", "application/json")];
        let answer = rig.http.send(method.clone(), &path, &headers, json!({}).to_string()).await;
        let lost = answer.status == 405 || answer.body.contains("There is no such route");
        assert!(!lost, "{method} {path} is not routed: {answer:?}");
        // Nobody listens where Prometheus would be.
        assert!(answer.status < 500 || template.contains("query"), "{method} {path}: {answer:?}");
    }
}

/// Its answers are described in words, so their shape is not judged, nor what it takes for valid: only that every
/// request made from the document gets a status that the document has, and none an error of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_the_document_describes_gets_a_status_that_it_does_not() {
    testkit::needs!(Schemathesis);
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    let address = rig.running.public.unwrap();
    let checks = ["--checks", "not_a_server_error,status_code_conformance"];
    // A hundred operations; the stream of events has no end.
    let extent = ["--phases", "examples,fuzzing", "--max-examples", "10", "--exclude-path", "/api/v1/events"];
    testkit::conforms(address, &[checks.as_slice(), &extent].concat()).await;
}

#[test]
fn operations_have_names_of_their_own() {
    let document = serde_json::to_value(api::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|item| item.as_object().into_iter().flatten());
    let mut names: Vec<&str> =
        operations.filter_map(|(_, operation)| operation["operationId"].as_str()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!((names.len(), all > 40), (all, true), "{names:?}");
}
