//! user-service: users in PostgreSQL behind a cache in Redis.
//!
//! `router` is the table of contents; each handler is a file in `routes`; `domain` decides what a lookup does if the cache
//! or the database misbehaves; only `adapters` use PostgreSQL and Redis.

pub mod adapters;
pub mod config;
pub mod domain;
pub mod error;
pub mod faults;
mod life;
pub mod metrics;
pub mod openapi;
pub mod router;
pub mod routes;
pub mod state;

use chassis_core::ServiceInfo;
use chassis_http::{Failure, Routes};
use chassis_postgres::{Database, DbError, DbTargets};
use chassis_redis::Cache;
use chassis_service::App;
use chassis_telemetry::Chassis;

pub use config::UserServiceConfig;
pub use life::live;

use crate::{
    adapters::{PgUserStore, RedisUserCache, RedisUserCount, Switches, seed},
    domain::{ActiveUsers, Lookup},
    metrics::LookupMetrics,
    state::AppState,
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "user-service", version: env!("CARGO_PKG_VERSION") };

static MIGRATIONS: std::sync::LazyLock<sqlx::migrate::Migrator> = chassis_postgres::migrations!["0001_users"];

/// Connects, migrates, seeds an empty database, and assembles the routes.
///
/// # Errors
/// When the database is not available within the start-up deadline, a migration fails, or a URL is invalid.
pub async fn build(config: &UserServiceConfig, chassis: Chassis) -> anyhow::Result<App> {
    let targets = DbTargets {
        database: "users",
        table: "users",
        created: "created_at",
        operations: &["find_user", "list_users", "create_user", "update_user"],
    };
    let database = Database::connect(&config.db, targets, &chassis).await?;
    database.migrate(&MIGRATIONS).await?;
    if config.seed_users {
        seed(database.pool()).await?;
    }
    let cache = Cache::connect(&config.cache, adapters::CACHE, &chassis).await?;
    let store = PgUserStore::new(database, chassis.faults.point(&faults::LOST_UPDATE));
    let switches = Switches::new(chassis.protections.clone(), cache.clone());
    let active_users = ActiveUsers::default();
    count_active_users(&cache, &active_users, &chassis).await;
    let cache = RedisUserCache::new(cache, LookupMetrics::register(&chassis.metrics));
    let lookup = Lookup::new(store.clone(), cache, config.lookup_policy());
    let state = AppState { store, lookup, switches, active_users };
    Ok(App::new(&config.common, chassis)
        .offering(Routes::documented(router::routes().with_state(state)))
        .failing(|failure| error::problem(&adapters::store_error(storage(failure)))))
}

/// Starts the count of active users. The first one is made at once: whom the other replicas and this one's predecessor have
/// read is known from the first scrape on.
async fn count_active_users(cache: &Cache, users: &ActiveUsers, chassis: &Chassis) {
    let count = RedisUserCount::new(cache.clone(), users.clone());
    count.count().await;
    let known = count.clone();
    metrics::active_users(&chassis.metrics, move || known.known());
    chassis.spawn(count.keep(chassis.clone()));
}

/// The error that a database which really failed like this would cause.
fn storage(failure: Failure) -> DbError {
    match failure {
        Failure::Lost => DbError::lost(),
        Failure::Mismatched => DbError::mismatched(),
    }
}
