//! librdkafka's callbacks: partitions assigned and revoked, commits succeeded or failed.

use std::sync::Arc;

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};

use super::{super::client::Logs, group::Group};

/// Hands the callbacks of one consumer to its [`Group`].
pub(crate) struct GroupContext {
    logs: Logs,
    group: Arc<Group>,
    session: u64,
}

impl GroupContext {
    /// The context of the client with this number.
    pub(super) fn new(group: Arc<Group>, session: u64) -> Self {
        Self { logs: Logs::default(), group, session }
    }

    /// Handles an error that came instead of a message; the client recovers from it by itself.
    pub(super) fn unexpected(&self, error: &KafkaError) {
        match error.rdkafka_error_code() {
            // Logged by `error` and `log` already.
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure) => {}
            _ => self.logs.warn("CONSUME", &error.to_string()),
        }
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.logs.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.logs.error(error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        if let Ok(Statistics { cgrp: Some(CoordinatorState { state }) }) = serde_json::from_slice(statistics)
            && self.group.is_current(self.session)
        {
            self.group.coordinator_is(state == "up");
        }
    }
}

impl ConsumerContext for GroupContext {
    // Before the client starts to fetch: a partition whose queue is split off now delivers nothing to the shared queue.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if !self.group.is_current(self.session) {
            return;
        }
        match rebalance {
            Rebalance::Assign(partitions) => self.group.assigned(&numbers(partitions)),
            Rebalance::Revoke(partitions) => {
                let lost = consumer.assignment_lost();
                let due = self.group.revoked(&numbers(partitions));
                // A member expelled from the group may no longer commit: another has the partitions.
                if !lost && due.count() > 0 {
                    report(&consumer.commit(&due, rdkafka::consumer::CommitMode::Sync));
                }
            }
            Rebalance::Error(error) => self.logs.warn("REBALANCE", &error.to_string()),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        if !self.group.is_current(self.session) {
            return;
        }
        report(&result);
        if result.is_err() {
            self.group.offsets.commit_failed(&numbers(offsets));
        }
    }
}

/// The part of librdkafka's statistics that is read.
#[derive(serde::Deserialize)]
struct Statistics<'a> {
    #[serde(borrow)]
    cgrp: Option<CoordinatorState<'a>>,
}

/// The connection to the group's coordinator; also `up` during a rebalance.
#[derive(serde::Deserialize)]
struct CoordinatorState<'a> {
    state: &'a str,
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions
        .elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}

/// A commit that the group refuses because it is being rebalanced is repeated, or superseded by the new assignment.
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
