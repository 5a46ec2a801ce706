//! order-api: accepts orders, keeps them, hands them to order-worker through an outbox and applies what comes back.
//!
//! Reads in this order: [`router`] (what it offers), [`routes`] (one handler per file), [`domain`] (what an order is),
//! [`adapters`] (PostgreSQL, user-service), [`outcomes`] (the way back from Kafka).

pub mod adapters;
pub mod config;
pub mod domain;
pub mod error;
pub mod faults;
pub mod freshness;
pub mod metrics;
pub mod openapi;
pub mod outcomes;
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

use crate::{
    adapters::{Backend, OrderStore, UserClient},
    error::OrderError,
    metrics::OrderApiMetrics,
    outcomes::Outcomes,
    state::AppState,
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "order-api", version: env!("CARGO_PKG_VERSION") };

/// The schema of the database `orders`, embedded.
pub static MIGRATIONS: std::sync::LazyLock<sqlx::migrate::Migrator> =
    chassis_postgres::migrations!["0001_orders", "0002_freshness"];

/// Attempts of an outcome whose statement keeps losing conflicts, before it is given up.
const MAX_ATTEMPTS: u32 = 10;

/// Assembles the service: opens the database and brings its schema up to date, starts the outbox relay and the outcome
/// consumer, and returns the public routes.
///
/// # Errors
/// When an address of the configuration is not one, or the database stays away until the start-up deadline.
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
    let orders = OrderStore::new(database, outbox, &chassis);

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

/// The error of a database that really failed like this.
fn storage(failure: Failure) -> DbError {
    match failure {
        Failure::Lost => DbError::lost(),
        Failure::Mismatched => DbError::mismatched(),
    }
}

/// Puts at most `limit` dead letters back on the topic `order-outcomes`, oldest of each partition first.
///
/// # Errors
/// When the broker does not answer or does not take a message; what was moved until then stays moved.
pub async fn redrive(config: &OrderApiConfig, chassis: &Chassis, limit: u64) -> anyhow::Result<Redriven> {
    Kafka::connect(&config.kafka, chassis)?.redrive(topics::ORDER_OUTCOMES_DLQ, limit).await
}
