//! Transactional outbox: events are rows in the same transaction as the change, and a relay publishes them.
//!
//! At-least-once by construction. An entry is retired when the broker acknowledges it or, if the broker itself
//! may lose its log, only after the receiver's answer; an overdue entry is published again.
//!
//! Entries of one key leave in the order of their staging, even when one of them fails for a while. Where several replicas
//! relay, that holds for entries staged further apart than one batch takes.

mod batch;
pub mod inbox;
mod metrics;
mod relay;
mod retirement;
mod table;
mod verdict;

use std::sync::Arc;

use tokio::sync::Notify;
use uuid::Uuid;

use self::{metrics::OutboxMetrics, relay::Relay};
pub use self::{
    retirement::Retire,
    table::{OUTBOX_DDL, OutboxEntry, entries},
    verdict::{REFUSED_BY_DATABASE, verdict},
};
use chassis_kafka::Producer;
use chassis_postgres::{Connection, Database, DbError};
use chassis_telemetry::Chassis;

/// The table `outbox` of one database, and its relay. Cheap to clone.
///
/// The service's migrations create the table from [`OUTBOX_DDL`] (a test compares); everything else that is done to it is done
/// here, or by statements that are composed from [`stage!`] and [`retire!`].
#[derive(Clone)]
pub struct Outbox {
    wake: Arc<Notify>,
}

impl Outbox {
    /// Starts the relay and registers depth, age and publish metrics.
    #[must_use]
    pub fn start(database: Database, producer: Producer, retire: Retire, chassis: &Chassis) -> Self {
        let metrics = OutboxMetrics::register(&chassis.metrics);
        let wake = Arc::new(Notify::new());
        chassis.spawn(metrics.clone().watch(database.clone(), chassis.shutdown.clone()));
        let relay = Relay { database, producer, retire, metrics, wake: Arc::clone(&wake) };
        chassis.spawn(relay.run(chassis.shutdown.clone()));
        Self { wake }
    }

    /// Adds events inside the caller's transaction. Staging an id that still exists makes it due again.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn stage(&self, conn: &mut Connection, entries: &[&OutboxEntry]) -> Result<(), DbError> {
        table::stage(conn, entries).await
    }

    /// Removes entries, by their ids, inside the transaction that makes the effect durable that they waited for
    /// ([`Retire::OnSettlement`]).
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn retire(&self, conn: &mut Connection, ids: &[Uuid]) -> Result<(), DbError> {
        table::retire(conn, ids).await
    }

    /// Wakes the relay: call after the commit, so that an event is published at once instead of at the next poll.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}
