//! The metrics of an outbox, and the task that reads its depth and age.

use std::time::{Duration, Instant};

use prometheus::{Gauge, IntCounter, IntGauge};
use tokio_util::sync::CancellationToken;

use chassis_postgres::{Database, DbError};

/// How often depth and age are read, unless reading is slow.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Reading counts all rows: in a huge backlog it may take this share (one in …) of the time.
const READ_SHARE: u32 = 20;

chassis_telemetry::metrics! {
    /// What an outbox exports.
    #[derive(Clone)]
    pub(super) struct OutboxMetrics {
        /// Entries of the outbox that are not done.
        outbox_entries: IntGauge,
        /// Age of the oldest entry of the outbox that is not done; 0 when there is none.
        outbox_oldest_age_seconds: Gauge,
        /// Entries that were published again because they were not settled in time.
        pub(super) outbox_republished_total: IntCounter,
    }

    /// Attempts to publish an outbox entry, by whether the broker acknowledged it.
    outbox_published_total["outcome"] = { pub(super) delivered: "ok", pub(super) failed: "error" };
}

impl OutboxMetrics {
    /// Keeps depth and age fresh until `stop`. While the database does not answer, the last values stand.
    pub(super) async fn watch(self, database: Database, stop: CancellationToken) {
        loop {
            let started = Instant::now();
            // The relay sees the same failure and logs its cause.
            if let Ok((entries, age)) = read(&database).await {
                self.outbox_entries.set(entries);
                self.outbox_oldest_age_seconds.set(age);
            }
            let pause = READ_EVERY.max(started.elapsed() * READ_SHARE);
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }
}

async fn read(database: &Database) -> Result<(i64, f64), DbError> {
    let mut query = database.background_query().await?;
    let row = sqlx::query_as(
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM outbox",
    )
    .fetch_one(&mut query)
    .await?;
    Ok(row)
}
