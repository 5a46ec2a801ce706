//! What others depend on: the metrics, the OpenAPI document, the outbox's table.

use std::{collections::BTreeSet, path::Path};

use chassis_outbox::OUTBOX_DDL;
use testkit::{eventually, golden};

use crate::lab::{Lab, Parts, SOON, order, run};

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
fn the_openapi_document_is_the_committed_one() {
    golden::check(repository().join("docs/openapi/order-api.json"), &order_api::openapi::document());
}

#[test]
fn the_openapi_document_describes_every_route() {
    let document: serde_json::Value = serde_json::from_str(&order_api::openapi::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let served = order_api::router::ROUTES.iter().map(|&(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(described, served.collect());
}

#[test]
fn the_outbox_table_is_the_one_that_the_relay_uses() {
    let ours =
        order_api::MIGRATIONS.iter().any(|migration| migration.sql.as_str().contains(OUTBOX_DDL.trim()));
    assert!(ours, "a migration creates chassis_outbox::OUTBOX_DDL");
}
