//! The metrics of an outbox, and the task that reads its depth and age.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use prometheus::{Gauge, IntCounter, IntGauge};
use tokio_util::sync::CancellationToken;

use chassis_postgres::{Database, DbError};
use chassis_telemetry::metrics::Metrics;

/// How often depth and age are read, unless reading is slow.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Reading counts all rows: in a huge backlog it may take this share (one in …) of the time.
const READ_SHARE: u32 = 20;

#[derive(Clone)]
pub(super) struct OutboxMetrics {
    entries: IntGauge,
    oldest_age: Gauge,
    pub(super) delivered: IntCounter,
    pub(super) failed: IntCounter,
    pub(super) republished: IntCounter,
}

impl OutboxMetrics {
    pub(super) fn register(metrics: &Metrics) -> Arc<Self> {
        let published = metrics.counter_vec(
            "outbox_published_total",
            "Attempts to publish an outbox entry, by whether the broker acknowledged it.",
            &["outcome"],
        );
        Arc::new(Self {
            entries: metrics.gauge("outbox_entries", "Entries of the outbox that are not done."),
            oldest_age: metrics.float_gauge(
                "outbox_oldest_age_seconds",
                "Age of the oldest entry of the outbox that is not done; 0 when there is none.",
            ),
            delivered: published.with_label_values(&["ok"]),
            failed: published.with_label_values(&["error"]),
            republished: metrics.counter(
                "outbox_republished_total",
                "Entries that were published again because they were not settled in time.",
            ),
        })
    }

    /// Updates depth and age until `stop`. While the database does not answer, the last values stay.
    pub(super) async fn watch(self: Arc<Self>, database: Database, stop: CancellationToken) {
        loop {
            let started = Instant::now();
            // The relay sees the same failure and logs its cause.
            if let Ok((entries, age)) = read(&database).await {
                self.entries.set(entries);
                self.oldest_age.set(age);
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
    .fetch_one(&mut *query)
    .await?;
    Ok(row)
}
