//! Judges orders that do not settle: each is counted as late as soon as its time is over.
//!
//! A histogram of the time to settle knows nothing of an order that never settles. So the orders that are overdue are looked
//! for, counted, and marked: the mark makes the count right across restarts and replicas.

use std::time::Duration;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use crate::{adapters::OrderStore, domain::FRESH_WITHIN, metrics::OrderApiMetrics};

/// How often overdue orders are looked for: one pass over what is in flight.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// That becomes much while nothing is settled: looking may take this share (one in …) of the time.
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
