//! The relay: a loop that publishes what is due, woken by a commit of this process and by a clock for everything else
//! (entries of other replicas, failed ones, overdue ones, those that a crash left behind).
//!
//! A batch is claimed, published and marked in one transaction. The claim's row locks keep other relays away. A crash anywhere
//! before the commit gives the rows back untouched: what was published already is then published again, and nothing is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    batch::{self, BATCH},
    metrics::OutboxMetrics,
    retirement::Retire,
};
use chassis_kafka::Producer;
use chassis_postgres::{Database, DbError, QueryType};

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
    pub(super) metrics: Arc<OutboxMetrics>,
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

    /// Relays one batch, if anything is due; whether there may be more.
    async fn turn(&self, woken: bool) -> Result<bool, DbError> {
        if !woken && !self.anything_due().await? {
            return Ok(false);
        }
        self.relay().await
    }

    async fn anything_due(&self) -> Result<bool, DbError> {
        batch::anything_due(&mut *self.database.background_query().await?).await
    }

    /// Relays a batch; whether more may be due.
    async fn relay(&self) -> Result<bool, DbError> {
        let mut tx = self.database.background_transaction().await?;
        let claiming = Instant::now();
        let entries = batch::claim(&mut tx).await?;
        self.database.observe(QueryType::Select, claiming);
        if entries.is_empty() {
            return Ok(false);
        }
        let full = entries.len() == BATCH;

        let outcome = batch::publish(&self.producer, entries).await;

        let marking = Instant::now();
        let kind = batch::mark(&mut tx, &outcome, self.retire).await?;
        tx.commit().await?;
        self.database.observe(kind, marking);
        self.metrics.delivered.inc_by(outcome.delivered.len() as u64);
        self.metrics.failed.inc_by(outcome.failed.len() as u64);
        self.metrics.republished.inc_by(outcome.republished);
        Ok(full && outcome.failed.is_empty())
    }
}
