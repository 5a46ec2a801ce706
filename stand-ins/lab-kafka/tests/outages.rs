//! The outages that the broker can make, switched fifty times: they leave no connection, no thread and no memory
//! behind.

use futures::future::BoxFuture;
use testkit::{Http, Kafka, Sender, TraceSink, free_addr, sweep};

const TOPIC: &str = "orders";

/// The broker, with a client that publishes.
async fn broker() -> sweep::Subject {
    let (kafka, admin) = (free_addr(), free_addr());
    let (kafka_text, admin_text) = (kafka.to_string(), admin.to_string());
    let flags = ["--listen", &kafka_text, "--admin-addr", &admin_text];
    let process = sweep::process(env!("CARGO_BIN_EXE_lab-kafka"), &flags);
    process.ready(admin).await;
    let sender = Kafka::at(&kafka_text).sender();
    sweep::Subject {
        name: lab_kafka::SERVICE.name,
        process,
        admin: Http::to(admin),
        database: None,
        redis: None,
        data: sweep::data(),
        // It exports no spans.
        traces: TraceSink::start().await,
        traffic: Box::new(move || Box::pin(publish(sender.clone())) as BoxFuture<'static, ()>),
        keep: Box::new(()),
    }
}

/// To each partition, and so to each broker that leads one.
async fn publish(sender: Sender) {
    for key in 0..9 {
        sender.send(TOPIC, &key.to_string(), b"{}").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_that_go_and_come_and_slow_answers_leave_nothing_behind() {
    let mut broker = broker().await;
    sweep::switch(&mut broker, "/brokers/2?up=false", "/brokers/2?up=true").await;
    sweep::switch(&mut broker, "/rtt?ms=20", "/rtt?ms=0").await;
    broker.admin.get("/readyz").await.expect_status(200);
}
