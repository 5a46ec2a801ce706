//! What others depend on: the metrics, and the tables that the chassis uses.

use chassis_outbox::{OUTBOX_DDL, inbox::INBOX_DDL};
use testkit::eventually;

use crate::worker::{SOON, Worker, order};

#[tokio::test(flavor = "multi_thread")]
async fn traffic_adds_no_metric() {
    testkit::needs!(Postgres);
    let worker = Worker::start().await;
    // The lag is measured once per second; all other metrics exist from the start.
    let first = eventually(SOON, || async {
        let scrape = worker.scrape().await;
        if scrape.find("kafka_consumer_lag", &[]).is_some() {
            Ok(scrape)
        } else {
            Err("no lag yet".to_owned())
        }
    })
    .await;
    for counter in ["orders_processed_total", "order_totals_checked_total", "revenue_dollars_total"] {
        assert_eq!(first.value(counter, &[]), 0.0, "{counter}");
    }
    worker.publish(&order()).await;
    worker.kafka.publish(contracts::topics::ORDERS, "k", b"{", &[]).await;
    worker.processed("completed", 1.0).await;
    worker.processed("dead_letter", 1.0).await;
    assert_eq!(worker.scrape().await.contract(), first.contract());
}

#[test]
fn the_tables_are_those_that_the_chassis_uses() {
    for ddl in [OUTBOX_DDL, INBOX_DDL] {
        let ours =
            order_worker::MIGRATIONS.iter().any(|migration| migration.sql.as_str().contains(ddl.trim()));
        assert!(ours, "a migration creates {ddl}");
    }
}
