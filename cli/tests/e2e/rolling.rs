//! Three instances of order-api, restarted one after the other under load: every order is settled in the time that
//! the freshness objective gives it. Each restart moves a partition of the outcomes, which nobody reads meanwhile.
//! The test runs alone: rebalances leave two of the five seconds for everything else.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::Connection as _;

use crate::{
    actions::ask,
    lab::{Lab, eventually},
    replicas::series,
};

/// For the orders of the restarts to be settled, however late.
const SETTLED: Duration = Duration::from_secs(60);
/// Every instance has read outcomes within the last seconds.
const READING: &str = "sum by (instance) (rate(kafka_consumed_total{job=\"order-api\"}[5s])) > 0";

const ALL: &str = "SELECT count(*) FROM orders WHERE created_at BETWEEN $1 AND $2";
const PENDING: &str = "SELECT count(*) FROM orders WHERE created_at BETWEEN $1 AND $2 AND status = 'pending'";
/// An order keeps the mark that it was late. order-api looks every half second; its counters end with its process.
const LATE: &str = "SELECT count(*) FROM orders WHERE created_at BETWEEN $1 AND $2 AND late";

/// Counts orders of a time.
async fn count(
    url: &str,
    orders: &'static str,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<i64, String> {
    let mut connection = sqlx::PgConnection::connect(url).await.map_err(|error| error.to_string())?;
    let count = sqlx::query_scalar(orders).bind(from).bind(until).fetch_one(&mut connection).await;
    count.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_rolling_restart_of_three_instances_settles_every_order_in_time() {
    let Some(lab) = Lab::up(&["--rate", "30", "--replicas", "order-api=3"]).await else { return };
    let url = lab.database("orders");
    // Only an instance with a partition takes one along.
    series(&lab, READING, 3).await;

    let from = Utc::now();
    let restart = json!({ "action": "restart", "target": "order-api" });
    let (status, answer) = ask(&lab, &restart, false).await;
    assert_eq!(status, 200, "{answer}");
    let results = answer["done"]["results"].as_array().expect("results");
    let orderly = |text: &str| text.contains(" stopped, ") && text.contains("is ready after");
    let all = results.iter().all(|one| one["text"].as_str().is_some_and(orderly));
    assert!(results.len() == 3 && all, "{answer}");
    series(&lab, READING, 3).await;
    let until = Utc::now();

    eventually(SETTLED, || async {
        match count(&url, PENDING, from, until).await? {
            0 => Ok(()),
            pending => Err(format!("{pending} orders are pending")),
        }
    })
    .await;
    let accepted = count(&url, ALL, from, until).await.expect("a count");
    let late = count(&url, LATE, from, until).await.expect("a count");
    assert!(accepted > 20, "{accepted} orders were accepted from the first restart to the last");
    assert_eq!(late, 0, "orders of {accepted} were settled too late: {answer}");
    lab.down();
}
