//! Sweeps every fault of order-api: nothing reveals it, and it leaves nothing behind.

use std::sync::Arc;

use chassis_service::lifecycle::Running;
use contracts::users::seeded_user_id;
use futures::future::{BoxFuture, join_all};
use http::Method;
use serde_json::json;
use testkit::{Http, Kafka, Postgres, Redis, Scrape, TraceSink, eventually, free_addr, sweep};

use crate::lab::{SOON, order, run, start_users, start_worker};

const BINARY: &str = env!("CARGO_BIN_EXE_order-api");

#[test]
fn no_fault_gives_itself_away_or_leaves_anything_behind() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let server = sweep::server().await;
        let redis = Redis::start().await;
        let users = start_users(&server.owned_database("users").await.1, &redis.url()).await;
        let replicas = join_all((0..3).map(|_| replica(&server, &users))).await;
        sweep::sweep(replicas).await;
    });
}

async fn replica(server: &Arc<Postgres>, users: &Running) -> sweep::Subject {
    let (name, url) = server.owned_database("orders").await;
    let (kafka, traces) = (Kafka::start(), TraceSink::start().await);
    // It settles the orders, so that order-api has outcomes to apply.
    let worker = start_worker(&server.owned_database("fulfillment").await.1, kafka.brokers()).await;
    let (public, admin) = (free_addr(), free_addr());
    let (public_text, admin_text, otlp) = (public.to_string(), admin.to_string(), traces.endpoint());
    let data = sweep::data();
    let data_text = data.path().to_string_lossy().into_owned();
    let users = format!("http://{}", users.public.unwrap());
    let flags = [
        ["--public-addr", &public_text],
        ["--admin-addr", &admin_text],
        ["--database-url", &url],
        ["--kafka-brokers", kafka.brokers()],
        ["--user-service-url", &users],
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
    let http = Http::to(public);
    sweep::Subject {
        name: order_api::SERVICE.name,
        process,
        admin: Http::to(admin),
        database: Some(sweep::Database { server: Arc::clone(server), name }),
        redis: None,
        data,
        traces,
        traffic: Box::new(move || Box::pin(traffic(http.clone())) as BoxFuture<'static, ()>),
        keep: Box::new((kafka, worker)),
    }
}

/// An order, one with a key, one of an unknown user, reads, and `/risky`.
async fn traffic(http: Http) {
    let get = async |path: &str| drop(http.try_send(Method::GET, path, &[], "").await);
    let place = async |body: serde_json::Value, key: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let headers = if key.is_empty() { &headers[..1] } else { &headers };
        drop(http.try_send(Method::POST, "/orders", headers, body.to_string()).await);
    };
    let nobody = json!({"user_id": "01900000-0000-7000-8000-ffffffffffff", "items": order(1)["items"]});
    let of_one = format!("/orders?user_id={}", seeded_user_id(1));
    futures::join!(
        place(order(1), ""),
        place(order(2), "sweep"),
        place(nobody, ""),
        get("/orders/01900000-0000-7000-8000-ffffffffffff"),
        get("/orders?status=pending"),
        get(&of_one),
        get("/risky"),
    );
}
