//! Sweeps every fault of order-worker: nothing reveals it, and it leaves nothing behind.

use std::sync::Arc;

use contracts::topics;
use futures::future::{BoxFuture, join_all};
use testkit::{Http, Kafka, Postgres, Scrape, Sender, TraceSink, eventually, free_addr, sweep};

use crate::worker::{SOON, order};

const BINARY: &str = env!("CARGO_BIN_EXE_order-worker");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_gives_itself_away_or_leaves_anything_behind() {
    testkit::needs!(Postgres);
    let server = sweep::server().await;
    let replicas = join_all((0..3).map(|_| replica(&server))).await;
    sweep::sweep(replicas).await;
}

async fn replica(server: &Arc<Postgres>) -> sweep::Subject {
    let (name, url) = server.owned_database("fulfillment").await;
    let (kafka, traces) = (Kafka::start(), TraceSink::start().await);
    let admin = free_addr();
    let (admin_text, otlp) = (admin.to_string(), traces.endpoint());
    let data = sweep::data();
    let data_text = data.path().to_string_lossy().into_owned();
    let flags = [
        ["--admin-addr", &admin_text],
        ["--database-url", &url],
        ["--kafka-brokers", kafka.brokers()],
        ["--otlp-endpoint", &otlp],
        ["--data-dir", &data_text],
        ["--db-pool-size", "4"],
        ["--log-level", "debug"],
    ];
    let process = sweep::process(BINARY, &flags.concat());
    process.ready(admin).await;
    // Wait until its group has assigned partitions: before that there is no lag.
    eventually(SOON, || async {
        let lag = Scrape::of(admin).await.find("kafka_consumer_lag", &[]);
        lag.map(drop).ok_or("no partitions yet".to_owned())
    })
    .await;
    let sender = kafka.sender();
    let traffic = move || Box::pin(traffic(sender.clone())) as BoxFuture<'static, ()>;
    sweep::Subject {
        name: order_worker::SERVICE.name,
        process,
        admin: Http::to(admin),
        database: Some(sweep::Database { server: Arc::clone(server), name }),
        redis: None,
        data,
        traces,
        traffic: Box::new(traffic),
        keep: Box::new(kafka),
    }
}

/// An order, the same one again, and an unreadable message.
async fn traffic(sender: Sender) {
    let order = order();
    let (key, payload) = (order.order_id.to_string(), serde_json::to_vec(&order).unwrap());
    for payload in [payload.as_slice(), payload.as_slice(), b"{"] {
        sender.send(topics::ORDERS, &key, payload).await;
    }
}
