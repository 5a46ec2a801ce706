//! librdkafka's callbacks: partitions come and go, commits succeed or fail.
//!
//! The context owns the session, and the session holds the client (weakly) that owns the context: librdkafka calls back while it
//! still closes a client that is given up, and wants the client for every answer.

use std::sync::Arc;

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance, StreamConsumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};

use super::{
    super::client::Logs,
    assignment::Assignment,
    commits::{self, Commits},
    session::Session,
};

/// A client of a group.
pub(super) type Client = StreamConsumer<GroupContext>;

/// Hands the callbacks of one client on, for as long as it speaks for the member.
pub(super) struct GroupContext {
    logs: Logs,
    number: u64,
    session: Arc<Session<Self>>,
    assignment: Arc<Assignment>,
    commits: Arc<Commits>,
}

impl GroupContext {
    /// The context of the next client of `session`.
    pub(super) fn new(
        session: Arc<Session<Self>>,
        assignment: Arc<Assignment>,
        commits: Arc<Commits>,
    ) -> Self {
        Self { logs: Logs::default(), number: session.renew(), session, assignment, commits }
    }

    fn is_current(&self) -> bool {
        self.session.is_current(self.number)
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
        if let Ok(Statistics { cgrp: Some(group) }) = serde_json::from_slice(statistics)
            && self.is_current()
        {
            self.session.coordinator_is(group.is_up());
            if group.joins_without_partitions() {
                self.session.join.waits();
            } else {
                self.session.join.over();
            }
        }
    }
}

impl ConsumerContext for GroupContext {
    // Before the client starts to fetch: a partition whose queue is split off now delivers nothing to the shared queue.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if !self.is_current() {
            return;
        }
        match rebalance {
            // Also comes without a partition, when other members have them all.
            Rebalance::Assign(partitions) => {
                self.session.join.answered();
                if let Some(client) = self.session.client() {
                    self.assignment.assigned(&client, &numbers(partitions));
                }
            }
            Rebalance::Revoke(partitions) => {
                let lost = consumer.assignment_lost();
                let due = self.assignment.revoked(&numbers(partitions));
                // A consumer that was expelled from the group may not commit any more; another has the partitions.
                if !lost && due.count() > 0 {
                    commits::report(&consumer.commit(&due, CommitMode::Sync));
                }
            }
            Rebalance::Error(error) => self.logs.warn("REBALANCE", &error.to_string()),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        if !self.is_current() {
            return;
        }
        commits::report(&result);
        if result.is_err() {
            self.commits.offsets.commit_failed(&numbers(offsets));
        }
    }
}

/// The part of librdkafka's statistics that is read.
#[derive(serde::Deserialize)]
struct Statistics<'a> {
    #[serde(borrow)]
    cgrp: Option<GroupState<'a>>,
}

/// What the client knows of its group.
#[derive(serde::Deserialize)]
struct GroupState<'a> {
    /// Of the connection to the coordinator; also `up` during a rebalance.
    state: &'a str,
    /// Of the membership.
    join_state: &'a str,
    /// Number of partitions.
    assignment_size: i64,
}

impl GroupState<'_> {
    fn is_up(&self) -> bool {
        self.state == "up"
    }

    /// Whether a request to join is under way. The request after it, for the partitions, has a short deadline of its own.
    fn joins_without_partitions(&self) -> bool {
        self.is_up() && self.join_state == "wait-join" && self.assignment_size == 0
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions
        .elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}
