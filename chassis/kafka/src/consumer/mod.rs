//! The consumer: one thread that talks to the group, one task for each assigned partition, one task that commits.
//!
//! Partitions are processed concurrently, the messages of one in order. A message is read ahead by librdkafka (bounded), handed
//! to the handler, decided (`decide.rs`) and only then marked as done; marks are committed every [`COMMIT_INTERVAL`], and
//! synchronously before a partition is revoked. So nothing is lost, and after a crash at most that interval is redelivered.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{InMessage, KafkaConfig, Producer, faults, signing};
use chassis_telemetry::Chassis;

mod context;
mod decide;
mod group;
mod lag;
mod letter;
mod offsets;
mod partition;
mod session;
mod verdict;
mod watchdog;
mod watermarks;

use context::GroupContext;
pub(super) use group::Group;
pub use verdict::{Cause, Verdict};

pub(super) type Client = rdkafka::consumer::StreamConsumer<GroupContext>;

/// How often finished messages are committed, and so about how much is redelivered after a crash.
const COMMIT_INTERVAL: Duration = Duration::from_millis(200);

/// Handles one message. Runs inside the consumer span and the message's scope.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Decides one message; must be idempotent: a message may be redelivered. The future is dropped at an await point when the
    /// partition must be given away and two seconds were not enough to finish.
    async fn handle(&self, message: &InMessage) -> Verdict;
}

/// One consumer of one group.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// Consumer group.
    pub group: &'static str,
    /// Topic.
    pub topic: &'static str,
    /// The topic of messages that are given up.
    pub dead_letter_topic: &'static str,
    /// Attempts of [`Verdict::Retry`], the first included.
    pub max_attempts: u32,
    /// Reasons that the handler gives up messages for, so that their series exist from the start.
    pub reasons: &'static [&'static str],
}

/// Reasons for dead letters of the consumer itself; their series exist from the start.
const REASONS: [&str; 4] = [decide::EXHAUSTED, decide::PANICKED, signing::UNSIGNED, signing::BAD_SIGNATURE];

/// Runs a consumer in the background until shutdown: partitions are worked on concurrently, each in order, commits after
/// handling, leaves the group cleanly. Registers lag, age, rebalance and dead-letter metrics; the readiness check `kafka` is
/// the producer's.
///
/// # Errors
/// If librdkafka refuses the configuration.
pub fn consume(
    kafka: &KafkaConfig,
    config: ConsumerConfig,
    producer: &Producer,
    handler: impl Handler,
    chassis: &Chassis,
) -> anyhow::Result<()> {
    producer.metrics().declare_consumed(config.topic, config.group, &[&REASONS, config.reasons].concat());
    producer.faults().recent.know(config.topic);
    producer.metrics().declare_published(config.dead_letter_topic);
    let group = Arc::new(Group::new(config, producer.clone(), handler, chassis));
    session::start(kafka, Arc::clone(&group), chassis)?;
    chassis.spawn(lag::watch(Arc::clone(&group), chassis.shutdown.clone()));
    chassis.spawn(group::commit_regularly(Arc::clone(&group), chassis.shutdown.clone()));
    faults::consume::run(&group, chassis);
    Ok(())
}
