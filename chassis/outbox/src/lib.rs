//! Transactional outbox: events are rows in the same transaction as the change, and a relay publishes them.
//!
//! At-least-once by construction. An entry is retired when the broker acknowledges it or, if the broker itself
//! may lose its log, only after the receiver's answer; an overdue entry is published again.
//!
//! Entries of one key are published in the order of staging, even if one of them fails for a while. If several replicas
//! relay, this holds for entries staged further apart than the duration of a batch.

mod batch;
pub mod inbox;
mod metrics;
mod relay;
mod verdict;

pub use verdict::{REFUSED_BY_DATABASE, verdict};

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sqlx::types::Json;
use tokio::sync::Notify;
use uuid::Uuid;

use self::{metrics::OutboxMetrics, relay::Relay};
use chassis_kafka::Producer;
use chassis_postgres::{Connection, Database, DbError};
use chassis_telemetry::{Chassis, traces};

/// When an entry is done.
#[derive(Debug, Clone, Copy)]
pub enum Retire {
    /// As soon as the broker acknowledged it.
    OnDelivery,
    /// When the service deletes the row by the entry's id, in the transaction that makes the effect durable; published
    /// again if that takes longer than `overdue`.
    OnSettlement {
        /// Time after which a published entry is published again; doubles each time, up to eight times this.
        overdue: Duration,
    },
}

/// The table `outbox` of one database, and its relay. Cheap to clone.
///
/// The service's migrations create the table from [`OUTBOX_DDL`] (a test compares).
#[derive(Clone)]
pub struct Outbox {
    wake: Arc<Notify>,
}

/// The table that [`Outbox`] works on.
///
/// Rows live for seconds, so the table is vacuumed by the count of dead rows, not their share; `outbox_failed` is
/// nearly always empty and read only to hold an entry back while an earlier one of its key waits for a retry.
pub const OUTBOX_DDL: &str = "
CREATE TABLE outbox (
    id           uuid PRIMARY KEY,
    topic        text        NOT NULL,
    key          text        NOT NULL,
    payload      bytea       NOT NULL,
    headers      jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    publish_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    attempts     integer     NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX outbox_due ON outbox (publish_at, id);
CREATE INDEX outbox_failed ON outbox (topic, key) WHERE published_at IS NULL AND attempts > 0;
";

/// An event to be staged, with the trace and the scope in which it was created.
#[derive(Debug, Clone)]
pub struct OutboxEntry {
    id: Uuid,
    topic: &'static str,
    key: String,
    payload: Vec<u8>,
    headers: Json<BTreeMap<String, String>>,
}

impl OutboxEntry {
    /// An event with the current trace context and scope as headers. `id` is the event's own.
    #[must_use]
    pub fn new(id: Uuid, topic: &'static str, key: String, payload: Vec<u8>) -> Self {
        Self { id, topic, key, payload, headers: Json(traces::inject()) }
    }
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
        sqlx::query(
            "INSERT INTO outbox (id, topic, key, payload, headers)
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::jsonb[])
             ON CONFLICT (id) DO UPDATE SET publish_at = now(), attempts = 0,
                 payload = excluded.payload, headers = excluded.headers",
        )
        .bind(entries.iter().map(|entry| entry.id).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.topic).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| entry.payload.as_slice()).collect::<Vec<_>>())
        .bind(entries.iter().map(|entry| &entry.headers).collect::<Vec<_>>())
        .execute(conn)
        .await?;
        Ok(())
    }

    /// Wakes the relay: call after the commit, so that an event is published at once instead of at the next poll.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}
