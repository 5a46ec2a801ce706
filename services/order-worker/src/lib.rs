//! order-worker: consumes accepted orders, takes payment once for each, publishes the outcomes, and dead-letters messages
//! that it cannot read.
//!
//! Read it in this order: [`consumers`] (handling of one message), [`domain`] (how payment is decided), [`adapters`]
//! (PostgreSQL).

pub mod adapters;
pub mod config;
pub mod consumers;
pub mod domain;
pub mod faults;
mod life;
pub mod metrics;

use chassis_core::ServiceInfo;
use chassis_kafka::{Kafka, Redriven, Subscription};
use chassis_outbox::{Outbox, Retire};
use chassis_postgres::{Database, DbTargets};
use chassis_service::App;
use chassis_telemetry::Chassis;
use contracts::topics;

pub use config::OrderWorkerConfig;
pub use life::live;

use crate::{
    adapters::PaymentStore,
    consumers::fulfil::{self, Fulfil},
    metrics::OrderWorkerMetrics,
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "order-worker", version: env!("CARGO_PKG_VERSION") };

/// The schema of the database `fulfillment`, embedded.
pub static MIGRATIONS: std::sync::LazyLock<sqlx::migrate::Migrator> =
    chassis_postgres::migrations!["0001_fulfillment"];

/// Attempts for a message whose transaction keeps losing conflicts, before it is dead-lettered.
const MAX_ATTEMPTS: u32 = 10;

/// Assembles the service: opens the database and migrates its schema, starts the outbox relay and the consumer.
///
/// # Errors
/// When a configured address is invalid, or the database is not available within the start-up deadline.
pub async fn build(config: &OrderWorkerConfig, chassis: Chassis) -> anyhow::Result<App> {
    let metrics = OrderWorkerMetrics::new(&chassis.metrics);

    let targets = DbTargets {
        database: "fulfillment",
        table: "payments",
        created: "decided_at",
        operations: &["pay_order", "answer_again"],
    };
    let database = Database::connect(&config.database, targets, &chassis).await?;
    database.migrate(&MIGRATIONS).await?;

    let kafka = Kafka::connect(&config.kafka, &chassis)?;
    let producer = kafka.producer(topics::ORDER_OUTCOMES);
    let outbox = Outbox::start(database.clone(), producer, Retire::OnDelivery, &chassis);

    let orders = Subscription {
        group: topics::GROUP_ORDER_WORKER,
        topic: topics::ORDERS,
        dead_letters: topics::ORDERS_DLQ,
        max_attempts: MAX_ATTEMPTS,
        reasons: fulfil::REASONS,
    };
    kafka.consume(orders, Fulfil::new(PaymentStore::new(database, outbox), metrics))?;

    Ok(App::new(&config.common, chassis))
}

/// Puts at most `limit` dead letters back on the topic `orders`, oldest of each partition first.
///
/// # Errors
/// When the broker does not respond or does not accept a message; messages that were moved before stay moved.
pub async fn redrive(config: &OrderWorkerConfig, chassis: &Chassis, limit: u64) -> anyhow::Result<Redriven> {
    Kafka::connect(&config.kafka, chassis)?.redrive(topics::ORDERS_DLQ, limit).await
}
