//! The relay: a loop that publishes what is due, woken by a commit of this process and by a clock for everything else
//! (entries of other replicas, failed ones, overdue ones, those left by a crash).

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Retire, batch, metrics::OutboxMetrics};
use chassis_kafka::Producer;
use chassis_postgres::{Database, DbError};

/// How often the relay polls without being woken. One index probe.
const POLL: Duration = Duration::from_millis(200);
/// After being woken, commits within this time share a batch: under load, a few milliseconds save most batches.
const GATHER: Duration = Duration::from_millis(2);
/// Longest pause while the database fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Relay {
    pub(super) database: Database,
    pub(super) producer: Producer,
    pub(super) retire: Retire,
    pub(super) metrics: Arc<OutboxMetrics>,
    pub(super) wake: Arc<Notify>,
}

impl Relay {
    /// Relays until `stop`; a batch in progress is finished first.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut failures = 0_u32;
        let mut woken = false;
        loop {
            let pause = match self.turn(woken).await {
                Ok(more) => {
                    if failures > 0 {
                        tracing::info!("outbox relay recovered");
                    }
                    failures = 0;
                    if more { Duration::ZERO } else { POLL }
                }
                Err(error) => {
                    if failures == 0 {
                        let error = &error as &(dyn std::error::Error + 'static);
                        tracing::error!(error, "outbox relay failed");
                    }
                    failures = failures.saturating_add(1);
                    POLL.saturating_mul(failures).min(LONGEST_PAUSE)
                }
            };
            woken = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => false,
                () = self.wake.notified(), if failures == 0 => {
                    tokio::time::sleep(GATHER).await;
                    true
                }
            };
        }
    }

    /// Publishes one batch, if anything is due; returns whether there may be more.
    async fn turn(&self, woken: bool) -> Result<bool, DbError> {
        if !woken && !batch::anything_due(&self.database).await? {
            return Ok(false);
        }
        batch::relay(self).await
    }
}
