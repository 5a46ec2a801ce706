//! The relay: a loop that publishes what is due, woken by a commit of this process and by a clock for everything else
//! (entries of other replicas, failed ones, overdue ones, those that a crash left behind).

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Retire, batch, metrics::OutboxMetrics};
use chassis_kafka::Producer;
use chassis_postgres::{Database, DbError};

/// How often the relay looks when nobody wakes it. One index probe.
const POLL: Duration = Duration::from_millis(200);
/// After being woken, the commits of this long share a batch: under load, a few milliseconds save most of the batches.
const GATHER: Duration = Duration::from_millis(2);
/// Longest pause while the database fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Relay {
    pub(super) database: Database,
    pub(super) producer: Producer,
    pub(super) retire: Retire,
    pub(super) metrics: OutboxMetrics,
    pub(super) wake: Arc<Notify>,
}

impl Relay {
    /// Relays until `stop`; a batch under way is finished first.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut failures = 0_u32;
        let mut woken = false;
        loop {
            let pause = match self.turn(woken).await {
                Ok(more) => {
                    if failures > 0 {
                        tracing::info!("the outbox is relayed again");
                    }
                    failures = 0;
                    if more { Duration::ZERO } else { POLL }
                }
                Err(error) => {
                    if failures == 0 {
                        let error = &error as &(dyn std::error::Error + 'static);
                        tracing::error!(error, "the outbox cannot be relayed");
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

    /// Publishes one batch, if anything is due; whether there may be more.
    async fn turn(&self, woken: bool) -> Result<bool, DbError> {
        if !woken && !batch::anything_due(&self.database).await? {
            return Ok(false);
        }
        batch::relay(self).await
    }
}
