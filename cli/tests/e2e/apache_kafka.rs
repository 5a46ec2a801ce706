//! `lab up --kafka apache`: orders settle through a real Kafka, and its log survives a kill and `down`.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Kafka, Need, Record, available};

use crate::lab::{BACK, Lab, eventually, kill, text};

/// Number of orders placed.
const ORDERS: usize = 10;

/// Waits until a newly placed order is settled.
async fn settles(lab: &Lab) {
    let url = format!("http://127.0.0.1:{}/orders", lab.port("order-api", "order-api"));
    let client = reqwest::Client::new();
    let body = json!({"user_id": contracts::users::seeded_user_id(1),
        "items": [{"sku": "TEA-1", "quantity": 1, "unit_price_cents": 250}]});
    let id = eventually(BACK, || async {
        let answer = client.post(&url).json(&body).send().await.map_err(|error| error.to_string())?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        answer["id"].as_str().map(str::to_owned).ok_or_else(|| answer.to_string())
    })
    .await;
    eventually(BACK, || async {
        let order = client.get(format!("{url}/{id}")).send().await.map_err(|error| error.to_string())?;
        let order: Value = order.json().await.map_err(|error| error.to_string())?;
        if order["status"].is_string() && order["status"] != "pending" {
            Ok(())
        } else {
            Err(order.to_string())
        }
    })
    .await;
}

/// Waits until the topic of orders is complete, and returns its records. (An order may be there twice: it is
/// published again if it is not settled in time.)
async fn log(lab: &Lab, whole: impl Fn(&[Record]) -> bool) -> Vec<Record> {
    let kafka = Kafka::at(&format!("127.0.0.1:{}", lab.named_port("kafka")));
    eventually(BACK, || async {
        let records = kafka.read("orders", usize::MAX, Duration::from_secs(5)).await;
        if whole(&records) { Ok(records) } else { Err(format!("{} records", records.len())) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_settle_through_apache_kafka_whose_log_survives_kills_and_restarts() {
    if !available(&[Need::ApacheKafka]) {
        return;
    }
    let Some(lab) = Lab::up(&["--no-load", "--kafka", "apache"]).await else { return };
    for _ in 0..ORDERS {
        settles(&lab).await;
    }
    let before = log(&lab, |records| records.len() >= ORDERS).await;
    let kept = |records: &[Record]| before.iter().all(|record| records.contains(record));

    let part = lab.part("kafka");
    kill(&part["pid"]);
    eventually(BACK, || async {
        let part = lab.part("kafka");
        if part["ready"] == true && part["restarts"] == 1 { Ok(()) } else { Err(part.to_string()) }
    })
    .await;
    log(&lab, kept).await;
    settles(&lab).await;

    lab.ok(&["down"]);
    let again = lab.start(&["--no-load", "--kafka", "apache"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    log(&lab, |records| kept(records) && records.len() > before.len()).await;
    settles(&lab).await;
    let logs = lab.ok(&["logs", "--service", "kafka"]);
    assert!(logs.contains("Kafka Server started"), "{logs}");
    lab.down();
}
