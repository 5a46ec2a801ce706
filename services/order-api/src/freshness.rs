//! Judges every accepted order once: fresh if it is settled within [`FRESH_WITHIN`], late as soon as that time has passed.
//!
//! A histogram of the time to settle does not include orders that never settle. So overdue orders are searched for, counted,
//! and marked in their outbox entries: the mark keeps the count right across restarts and replicas.

use std::time::Duration;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use crate::{adapters::OrderStore, metrics::OrderApiMetrics};

/// The limit of the freshness objective (dashboards/slos/order-freshness.yaml).
pub const FRESH_WITHIN: Duration = Duration::from_secs(5);
/// How often overdue orders are searched for: one pass over a table of the orders in progress.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The table grows while nothing is settled: searching may take one in this many parts of the time.
const LOOK_SHARE: u32 = 20;

/// Counts overdue orders until `stop`. While the database does not respond nothing is judged; this is caught up afterwards.
pub(crate) async fn watch(orders: OrderStore, metrics: OrderApiMetrics, stop: CancellationToken) {
    loop {
        let started = tokio::time::Instant::now();
        // The outbox's relay logs the cause of the failure, which it has as well.
        if let Ok(late) = orders.mark_late(Utc::now() - FRESH_WITHIN).await {
            metrics.orders_late(late);
        }
        let pause = LOOK_EVERY.max(started.elapsed() * LOOK_SHARE);
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
