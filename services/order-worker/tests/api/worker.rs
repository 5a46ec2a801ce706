//! A running worker with its own database and broker, and orders for it.

use std::time::Duration;

use chassis_service::lifecycle::Running;
use chrono::Utc;
use clap::Parser;
use contracts::{
    orders::{EVENT_VERSION, Item, OrderPlaced, OrderSettled, decode},
    topics,
    users::seeded_user_id,
};
use order_worker::{OrderWorkerConfig, SERVICE, build, faults};
use sqlx::Connection;
use testkit::{ChaosProxy, Http, Kafka, Postgres, Scrape, eventually};
use uuid::Uuid;

/// Longest wait for something that normally takes a moment: the group's first assignment alone takes 3 s.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The running worker and its dependencies.
pub(crate) struct Worker {
    pub(crate) admin: Http,
    pub(crate) running: Running,
    pub(crate) kafka: Kafka,
    /// Between the worker and its database.
    pub(crate) database: ChaosProxy,
    pub(crate) url: String,
}

impl Worker {
    /// Starts one and waits until it is ready.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with more flags and waits until it is ready.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let postgres = Postgres::shared().await;
        let url = postgres.database("fulfillment").await;
        let database = ChaosProxy::to(postgres.addr()).await;
        let kafka = Kafka::start();
        let config = config_with(&database.rewrite(&url), &kafka, flags);
        let chassis = config.common.chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT);
        let running = Running::start(build(&config, chassis).await.unwrap()).await.unwrap();
        let worker = Self { admin: Http::to(running.admin), running, kafka, database, url };
        worker.ready().await;
        worker
    }

    pub(crate) async fn ready(&self) {
        eventually(SOON, || async {
            let answer = self.admin.get("/readyz").await;
            if answer.status == 200 { Ok(()) } else { Err(answer.body) }
        })
        .await;
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        Scrape::of(self.running.admin).await
    }

    /// Publishes an order as order-api would.
    pub(crate) async fn publish(&self, order: &OrderPlaced) {
        let payload = serde_json::to_vec(order).unwrap();
        self.kafka.publish(topics::ORDERS, &order.order_id.to_string(), &payload, &[]).await;
    }

    /// Waits for `count` outcomes and returns them in order of arrival.
    pub(crate) async fn outcomes(&self, count: usize) -> Vec<OrderSettled> {
        let records = self.kafka.read(topics::ORDER_OUTCOMES, count, SOON).await;
        assert_eq!(records.len(), count, "outcomes");
        records.iter().map(|record| decode(&record.payload).unwrap()).collect()
    }

    /// Waits until `orders_processed_total{status}` is `count`.
    pub(crate) async fn processed(&self, status: &str, count: f64) -> Scrape {
        eventually(SOON, || async {
            let scrape = self.scrape().await;
            let value = scrape.value("orders_processed_total", &[("status", status)]);
            if value >= count { Ok(scrape) } else { Err(format!("{value} of {count} {status}")) }
        })
        .await
    }

    /// Amount and status of each payment.
    pub(crate) async fn payments(&self) -> Vec<(i64, String)> {
        let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
        let sql = "SELECT amount_cents, status FROM payments ORDER BY decided_at";
        sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
    }
}

/// The configuration of a worker on these servers.
pub(crate) fn config(database: &str, kafka: &Kafka) -> OrderWorkerConfig {
    config_with(database, kafka, &[])
}

fn config_with(database: &str, kafka: &Kafka, flags: &[&str]) -> OrderWorkerConfig {
    let own = ["order-worker", "--database-url", database, "--kafka-brokers", kafka.brokers()];
    let own = own.iter().chain(&["--admin-addr", "127.0.0.1:0"]);
    OrderWorkerConfig::parse_from(own.chain(flags))
}

/// An order that will be paid: 305 cents.
pub(crate) fn order() -> OrderPlaced {
    let id = std::iter::repeat_with(Uuid::now_v7).find(|id| !id.as_u128().is_multiple_of(50)).unwrap();
    let item =
        |sku: &str, quantity, unit_price_cents| Item { sku: sku.to_owned(), quantity, unit_price_cents };
    OrderPlaced {
        version: EVENT_VERSION,
        event_id: id,
        order_id: id,
        user_id: seeded_user_id(1),
        items: vec![item("tea", 2, 150), item("spoon", 1, 5)],
        total_cents: 305,
        placed_at: Utc::now(),
        track: None,
    }
}

/// An order that will be declined because of its id.
pub(crate) fn order_to_decline() -> OrderPlaced {
    let mut order = order();
    order.order_id = Uuid::from_u128(order.order_id.as_u128() / 50 * 50);
    order.event_id = order.order_id;
    order
}
