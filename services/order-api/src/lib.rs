//! order-api: accepts and stores orders, passes them to order-worker through an outbox, and applies the outcomes.
//!
//! Read it in this order: [`router`] (the routes), [`routes`] (one handler per file), [`domain`] (the rules of orders),
//! [`adapters`] (PostgreSQL, user-service), [`consumers`] (the way back from Kafka), [`jobs`] (what runs by itself).

pub mod adapters;
pub mod config;
pub mod consumers;
pub mod domain;
pub mod error;
pub mod faults;
pub mod jobs;
mod life;
pub mod metrics;
pub mod openapi;
pub mod router;
pub mod routes;
pub mod state;

use chassis_core::ServiceInfo;
use chassis_http::{Failure, Routes};
use chassis_kafka::{Kafka, Redriven, Subscription};
use chassis_outbox::{Outbox, Retire};
use chassis_postgres::{Database, DbError, DbTargets};
use chassis_service::App;
use chassis_telemetry::Chassis;
use contracts::topics;

pub use config::OrderApiConfig;
pub use life::live;

use crate::{
    adapters::{Backend, OrderStore, UserClient},
    consumers::outcomes::{self, Outcomes},
    error::OrderError,
    jobs::freshness,
    metrics::OrderApiMetrics,
    state::AppState,
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "order-api", version: env!("CARGO_PKG_VERSION") };

/// The schema of the database `orders`, embedded.
pub static MIGRATIONS: std::sync::LazyLock<sqlx::migrate::Migrator> =
    chassis_postgres::migrations!["0001_orders", "0002_freshness", "0003_late_orders"];

/// Attempts for an outcome whose statement keeps losing conflicts.
const MAX_ATTEMPTS: u32 = 10;

/// Assembles the service: opens the database and migrates its schema, starts the outbox relay and the outcome
/// consumer, and returns the public routes.
///
/// # Errors
/// When a configured address is invalid, or the database is not available within the start-up deadline.
pub async fn build(config: &OrderApiConfig, chassis: Chassis) -> anyhow::Result<App> {
    let metrics = OrderApiMetrics::register(&chassis.metrics);

    let targets = DbTargets {
        database: "orders",
        table: "orders",
        created: "created_at",
        operations: &["place_order", "find_order_by_key", "get_order", "list_orders", "settle_order"],
    };
    let database = Database::connect(&config.database, targets, &chassis).await?;
    database.migrate(&MIGRATIONS).await?;

    let kafka = Kafka::connect(&config.kafka, &chassis)?;
    let retire = Retire::OnSettlement { overdue: config.outbox_overdue };
    let outbox = Outbox::start(database.clone(), kafka.producer(topics::ORDERS), retire, &chassis);
    let orders = OrderStore::new(database, outbox, config.release_track, &chassis);

    let outcomes = Subscription {
        group: topics::GROUP_ORDER_API,
        topic: topics::ORDER_OUTCOMES,
        dead_letters: topics::ORDER_OUTCOMES_DLQ,
        max_attempts: MAX_ATTEMPTS,
        reasons: outcomes::REASONS,
    };
    kafka.consume(outcomes, Outcomes::new(orders.clone(), metrics.clone()))?;

    chassis.spawn(freshness::watch(orders.clone(), metrics.clone(), chassis.shutdown.clone()));

    let state = AppState {
        orders,
        users: UserClient::new(config, &chassis),
        backend: Backend::new(&chassis),
        metrics,
    };
    Ok(App::new(&config.common, chassis)
        .offering(Routes::documented(router::routes().with_state(state)))
        .failing(|failure| OrderError::Storage(storage(failure)).into()))
}

/// The error that a database which really failed like this would cause.
fn storage(failure: Failure) -> DbError {
    match failure {
        Failure::Lost => DbError::lost(),
        Failure::Mismatched => DbError::mismatched(),
    }
}

/// Puts at most `limit` dead letters back on the topic `order-outcomes`, oldest of each partition first.
///
/// # Errors
/// When the broker does not respond or does not accept a message; messages that were moved before stay moved.
pub async fn redrive(config: &OrderApiConfig, chassis: &Chassis, limit: u64) -> anyhow::Result<Redriven> {
    Kafka::connect(&config.kafka, chassis)?.redrive(topics::ORDER_OUTCOMES_DLQ, limit).await
}
