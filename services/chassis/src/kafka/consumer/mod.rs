//! The consumer: one thread that talks to the group, one task for each assigned partition, one task that commits.
//!
//! Partitions are worked on at once, the messages of one in order. A message is read ahead by librdkafka (bounded), handed
//! to the handler, decided (`decide.rs`) and only then marked as done; marks are committed every [`COMMIT_INTERVAL`], and
//! synchronously before a partition is given away. So nothing is lost, and after a crash at most that interval comes again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{InMessage, KafkaConfig, Producer, faults};
use crate::Chassis;

mod context;
mod decide;
mod group;
mod lag;
mod offsets;
mod partition;
mod session;
mod watchdog;
mod watermarks;

use context::GroupContext;
pub(super) use group::Group;

pub(super) type Client = rdkafka::consumer::StreamConsumer<GroupContext>;

/// How often finished messages are committed, and so about how much comes again after a crash.
const COMMIT_INTERVAL: Duration = Duration::from_millis(200);

/// What to do with a message after handling. The one place where commits are decided reads this.
#[derive(Debug)]
pub enum Verdict {
    /// Done: commit.
    Done,
    /// Try this message again after a pause, at most [`ConsumerConfig::max_attempts`] times, then dead-letter it.
    Retry {
        /// The pause.
        after: Duration,
        /// Why, for the log and the dead letter.
        cause: String,
    },
    /// Try this message again until it works: the cause is a dependency, not the message.
    Blocked {
        /// The first pause; it doubles with each attempt up to 5 s.
        after: Duration,
        /// Why, for the log.
        cause: String,
    },
    /// Never going to work: publish to the dead-letter topic with the reason and commit.
    DeadLetter {
        /// One of a few words: a metric label.
        reason: &'static str,
        /// Why, for the log and the dead letter.
        cause: String,
    },
}

/// Handles one message. Runs inside the consumer span and the message's scope.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Decides one message; must be idempotent: a message may come again. The future is dropped at an await point when the
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
    /// Dead-letter topic; `None`: a dead letter is logged, counted and committed.
    pub dead_letter_topic: Option<&'static str>,
    /// Attempts of [`Verdict::Retry`], the first included.
    pub max_attempts: u32,
    /// Reasons that the handler gives up messages for, so that their series exist from the start.
    pub reasons: &'static [&'static str],
}

/// Reasons of dead letters that the consumer itself gives; their series exist from the start.
const REASONS: [&str; 2] = [decide::EXHAUSTED, decide::PANICKED];

/// Runs a consumer in the background until shutdown: partitions are worked on concurrently, each in order, commits after
/// handling, leaves the group cleanly. Registers lag, age, rebalance and dead-letter metrics; the readiness check `kafka` is
/// the producer's.
///
/// # Errors
/// When librdkafka refuses the configuration.
pub fn consume(
    kafka: &KafkaConfig,
    config: ConsumerConfig,
    producer: &Producer,
    handler: impl Handler,
    chassis: &Chassis,
) -> anyhow::Result<()> {
    producer.metrics().declare_consumed(config.topic, config.group, &[&REASONS, config.reasons].concat());
    producer.faults().recent.know(config.topic);
    if let Some(topic) = config.dead_letter_topic {
        producer.metrics().declare_published(topic);
    }
    let group = Arc::new(Group::new(config, producer.clone(), handler, chassis));
    session::start(kafka, Arc::clone(&group), chassis)?;
    chassis.spawn(lag::watch(Arc::clone(&group), chassis.shutdown.clone()));
    chassis.spawn(group::commit_regularly(Arc::clone(&group), chassis.shutdown.clone()));
    faults::consume::run(&group, chassis);
    Ok(())
}
