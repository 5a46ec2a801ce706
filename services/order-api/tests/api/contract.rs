//! What others depend on: the metrics, the OpenAPI document, the outbox's table.

use std::path::Path;

use chassis_http::{openapi, page};
use chassis_outbox::OUTBOX_DDL;
use testkit::{eventually, golden};

use crate::lab::{Lab, Parts, SOON, order, run, shared};

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn traffic_adds_no_metric() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = Lab::start(Parts::default()).await;
        // The lag is measured once per second; all other metrics exist from the start.
        let first = eventually(SOON, || async {
            let scrape = lab.scrape().await;
            if scrape.find("kafka_consumer_lag", &[]).is_some() {
                Ok(scrape)
            } else {
                Err("no lag yet".to_owned())
            }
        })
        .await;
        for counter in
            ["orders_accepted_total", "orders_settled_total", "order_settle_duration_seconds_count"]
        {
            assert_eq!(first.value(counter, &[]), 0.0, "{counter}");
        }
        let id = lab.place(&order(1)).await;
        lab.settled(&id).await;
        lab.http.get("/orders").await.expect_status(200);
        lab.http.get("/nowhere").await.expect_status(404);
        assert_eq!(lab.scrape().await.contract(), first.contract());
    });
}

#[test]
fn every_declared_fault_is_one_that_somebody_does() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        // `main` claims these two when it starts traces and logs, which a process does once.
        assert_eq!(lab.api.chassis.faults.unclaimed(), ["trace-drop", "log-drop"]);
    });
}

#[test]
fn the_openapi_document_is_the_committed_one() {
    let document = openapi::document(&order_api::router::routes());
    let text = format!("{}\n", document.to_pretty_json().unwrap());
    golden::check(repository().join("docs/openapi/order-api.json"), &text);
}

#[test]
fn the_openapi_document_names_the_pages_that_are_answered() {
    let document = serde_json::to_value(openapi::document(&order_api::router::routes())).unwrap();
    let parameters = document["paths"]["/orders"]["get"]["parameters"].as_array().unwrap();
    let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!(limit["schema"]["maximum"], page::MAX_LIMIT);
}

#[test]
fn the_openapi_document_is_served_and_every_operation_answers() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let document = openapi::document(&order_api::router::routes());
        let served = lab.http.get("/openapi.json").await.expect_status(200).json();
        assert_eq!(served, serde_json::to_value(&document).unwrap());
        let id = lab.place(&order(1)).await;
        for (method, path) in openapi::operations(&document) {
            let answer = lab.http.send(method.clone(), &path.replace("{id}", &id), &[], String::new()).await;
            assert!(![404, 405].contains(&answer.status), "{method} {path} is not routed: {answer:?}");
        }
    });
}

#[test]
fn the_outbox_table_is_the_one_that_the_relay_uses() {
    let ours =
        order_api::MIGRATIONS.iter().any(|migration| migration.sql.as_str().contains(OUTBOX_DDL.trim()));
    assert!(ours, "a migration creates chassis_outbox::OUTBOX_DDL");
}
