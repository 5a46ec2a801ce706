//! Sweeps every fault of the notifier: nothing reveals it, and it leaves nothing behind.

use std::time::Duration;

use contracts::{orders::OrderStatus, topics};
use futures::future::BoxFuture;
use testkit::{Http, Kafka, Scrape, Sender, TraceSink, eventually, free_addr, sweep};

use crate::rig::{SOON, Sqs, outcome};

const BINARY: &str = env!("CARGO_BIN_EXE_notifier");
/// Pause after each burst: the emulator takes milliseconds for a notification, and would not keep up with the broker.
const PACE: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_gives_itself_away_or_leaves_anything_behind() {
    testkit::needs!(Kafka, S3Emulators);
    let (kafka, sqs, traces) = (Kafka::start(), Sqs::start().await, TraceSink::start().await);
    let admin = free_addr();
    let (admin_text, otlp, endpoint) = (admin.to_string(), traces.endpoint(), sqs.endpoint());
    let data = sweep::data();
    let data_text = data.path().to_string_lossy().into_owned();
    let flags = [
        ["--admin-addr", &admin_text],
        ["--kafka-brokers", kafka.brokers()],
        ["--sqs-endpoint", &endpoint],
        ["--otlp-endpoint", &otlp],
        ["--data-dir", &data_text],
        // What fails comes back while the sweep looks.
        ["--visibility", "1s"],
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
    let subject = sweep::Subject {
        name: notifier::SERVICE.name,
        process,
        admin: Http::to(admin),
        database: None,
        redis: None,
        data,
        traces,
        traffic: Box::new(traffic),
        keep: Box::new((kafka, sqs)),
    };
    sweep::sweep(vec![subject]).await;
}

/// A mail, a push message, and an unreadable outcome.
async fn traffic(sender: Sender) {
    for status in [OrderStatus::Completed, OrderStatus::Rejected] {
        let event = outcome(status);
        let payload = serde_json::to_vec(&event).unwrap();
        sender.send(topics::ORDER_OUTCOMES, &event.order_id.to_string(), &payload).await;
    }
    sender.send(topics::ORDER_OUTCOMES, "none", b"{").await;
    tokio::time::sleep(PACE).await;
}
