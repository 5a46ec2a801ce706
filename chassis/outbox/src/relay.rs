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

/// How often the relay polls without being woken. One index probe.
const POLL: Duration = Duration::from_millis(200);
/// After being woken, commits within this time share a batch: under load, a few milliseconds save most batches.
const GATHER: Duration = Duration::from_millis(2);
/// The same after a batch of [`BUSY`] entries or more, which takes more than a thousand a second: an entry costs the database and
/// the broker the less, the more go together.
const GATHER_BUSY: Duration = Duration::from_millis(15);
const BUSY: usize = 32;
/// Longest pause while the database fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Relay {
    pub(super) database: Database,
    pub(super) producer: Producer,
    pub(super) retire: Retire,
    pub(super) metrics: OutboxMetrics,
    pub(super) wake: Arc<Notify>,
}

/// What a turn did.
#[derive(Default)]
struct Relayed {
    entries: usize,
    /// More may be due.
    more: bool,
}

impl Relay {
    /// Relays until `stop`; a batch in progress is finished first.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut failures = 0_u32;
        let mut woken = false;
        let mut gather = GATHER;
        loop {
            let pause = match self.turn(woken).await {
                Ok(relayed) => {
                    if failures > 0 {
                        tracing::info!("outbox relay recovered");
                    }
                    failures = 0;
                    gather = if relayed.entries >= BUSY { GATHER_BUSY } else { GATHER };
                    if relayed.more { Duration::ZERO } else { POLL }
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
                    tokio::time::sleep(gather).await;
                    true
                }
            };
        }
    }

    /// Relays one batch, if anything is due.
    async fn turn(&self, woken: bool) -> Result<Relayed, DbError> {
        if !woken && !self.anything_due().await? {
            return Ok(Relayed::default());
        }
        self.relay().await
    }

    async fn anything_due(&self) -> Result<bool, DbError> {
        let mut query = self.database.background_query().await?;
        batch::anything_due(&mut query).await
    }

    async fn relay(&self) -> Result<Relayed, DbError> {
        let mut tx = self.database.background_transaction().await?;
        let claiming = Instant::now();
        let entries = batch::claim(&mut tx).await?;
        self.database.observe(QueryType::Select, claiming);
        let claimed = entries.len();
        if claimed == 0 {
            return Ok(Relayed::default());
        }

        let outcome = batch::publish(&self.producer, entries).await;

        let marking = Instant::now();
        let kind = batch::mark(&mut tx, &outcome, self.retire).await?;
        tx.commit().await?;
        self.database.observe(kind, marking);
        self.metrics.delivered.inc_by(outcome.delivered.len() as u64);
        self.metrics.failed.inc_by(outcome.failed.len() as u64);
        self.metrics.outbox_republished_total.inc_by(outcome.republished);
        Ok(Relayed { entries: claimed, more: claimed == BATCH && outcome.failed.is_empty() })
    }
}
