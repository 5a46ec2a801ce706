//! What is committed, and when: regularly, and before a partition is given away.

use std::{sync::Arc, time::Duration};

use chassis_faults::FaultPoint;
use chrono::{DateTime, Utc};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _, ConsumerContext},
    error::{KafkaResult, RDKafkaErrorCode},
};
use tokio_util::sync::CancellationToken;

use super::{offsets::Offsets, session::Session};

/// How often finished messages are committed, and so about how much comes again after a crash.
const INTERVAL: Duration = Duration::from_millis(200);

/// The progress of one member, as librdkafka takes it.
pub(super) struct Commits {
    topic: &'static str,
    pub(super) offsets: Offsets,
    skip: Option<FaultPoint>,
}

impl Commits {
    /// Nothing is done yet; `skip` keeps what is done from being committed.
    pub(super) fn new(topic: &'static str, skip: Option<FaultPoint>) -> Self {
        Self { topic, offsets: Offsets::default(), skip }
    }

    /// A message is under way.
    pub(super) fn started(&self, partition: i32, offset: i64, timestamp: Option<DateTime<Utc>>) {
        self.offsets.started(partition, offset, timestamp);
    }

    /// It is decided for good.
    pub(super) fn done(&self, partition: i32, offset: i64) {
        let held = self.skip.as_ref().is_some_and(|point| point.strike().is_some());
        self.offsets.done(partition, offset, held);
    }

    /// What is to be committed of `partitions`, which are given away: nothing more of them is.
    pub(super) fn last_of(&self, partitions: &[i32]) -> TopicPartitionList {
        let due = self.due(Some(partitions));
        for &partition in partitions {
            self.offsets.revoked(partition);
        }
        due
    }

    fn due(&self, partitions: Option<&[i32]>) -> TopicPartitionList {
        let holding = self.skip.as_ref().is_some_and(|point| point.active().is_some());
        let due = self.offsets.due(partitions, holding);
        let mut list = TopicPartitionList::with_capacity(due.len());
        for (partition, offset) in due {
            // Fails only for offsets that cannot be represented, which no message has.
            let _ = list.add_partition_offset(self.topic, partition, Offset::Offset(offset));
        }
        list
    }
}

/// Commits what is done every [`INTERVAL`].
pub(super) async fn regularly<C: ConsumerContext>(
    session: Arc<Session<C>>,
    commits: Arc<Commits>,
    shutdown: CancellationToken,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let Some(client) = session.client() else { continue };
        let due = commits.due(None);
        if due.count() > 0 {
            report(&client.commit(&due, CommitMode::Async));
        }
    }
}

/// A commit that the group refuses because it is being rebalanced is repeated or made void by the new assignment.
pub(super) fn report(result: &KafkaResult<()>) {
    if let Err(error) = result {
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::NoOffset,
            ) => tracing::debug!(%error, "offsets not committed"),
            _ => tracing::warn!(%error, "offsets not committed"),
        }
    }
}
