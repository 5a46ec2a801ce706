//! Re-drive: moves dead letters back to the topic that they came from, once the cause is fixed.
//!
//! A letter keeps its signature: a forged one stays forged and becomes a dead letter again.

use std::{fmt, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer, StreamConsumer},
};

use super::{InMessage, KafkaConfig, Producer, client, client::Logs};

/// Deadline of each query to the broker, and for the next message that must exist.
const DEADLINE: Duration = Duration::from_secs(10);

/// Headers that the consumer adds to a dead letter and a re-drive removes.
const ADDED: [&str; 6] = [
    "error.reason",
    "error.message",
    "error.sqlstate",
    "original.topic",
    "original.partition",
    "original.offset",
];

/// Header of a dead letter without its body: the size of the body.
pub(super) const TRUNCATED: &str = "error.truncated";

/// Extra commands of a service with a consumer.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Put dead letters back on the topic they came from, oldest of each partition first, and print how many were moved.
    Redrive {
        /// Move at most this many dead letters.
        #[arg(long, default_value_t = 1000, value_name = "N")]
        limit: u64,
    },
}

/// The result of a re-drive; displays as one readable line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Messages published to their original topic.
    pub moved: u64,
    /// Messages without their origin, or that had to be shortened; they stay.
    pub unknown_origin: u64,
    /// Messages that were there at the start and lie beyond the limit.
    pub left: u64,
}

impl fmt::Display for Redriven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "moved {}, of unknown origin {}, left {}", self.moved, self.unknown_origin, self.left)
    }
}

/// As [`super::Kafka::redrive`].
pub(super) async fn run(
    kafka: &KafkaConfig,
    dead_letter_topic: &str,
    limit: u64,
    producer: &Producer,
) -> anyhow::Result<Redriven> {
    let group = format!("{dead_letter_topic}.redrive");
    let consumer: StreamConsumer<Logs> =
        client::consumer(kafka, &group).create_with_context(Logs::default())?;
    let ranges = ranges(&consumer, dead_letter_topic)?;
    let mut report = Redriven::default();
    for range in ranges {
        let mut next = range.start;
        let mut budget = limit.saturating_sub(report.moved);
        consumer.assign(&at(dead_letter_topic, range.partition, next)?)?;
        while next < range.end && budget > 0 {
            let message = tokio::time::timeout(DEADLINE, consumer.recv()).await??;
            let message = InMessage::from(&message);
            if message.partition != range.partition {
                continue;
            }
            next = message.offset + 1;
            match back(&message) {
                Some(message) => {
                    producer.pass_on(message).await?;
                    report.moved += 1;
                    budget -= 1;
                }
                None => report.unknown_origin += 1,
            }
            consumer.commit(&at(dead_letter_topic, range.partition, next)?, CommitMode::Sync)?;
        }
        report.left += u64::try_from(range.end - next).unwrap_or(0);
    }
    Ok(report)
}

/// The messages of one partition that have not been moved yet.
struct Range {
    partition: i32,
    start: i64,
    end: i64,
}

fn ranges(consumer: &StreamConsumer<Logs>, topic: &str) -> anyhow::Result<Vec<Range>> {
    let metadata = consumer.fetch_metadata(Some(topic), DEADLINE)?;
    let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
    let mut list = TopicPartitionList::with_capacity(count);
    list.add_partition_range(topic, 0, i32::try_from(count)? - 1);
    let mut ranges = Vec::with_capacity(count);
    for element in consumer.committed_offsets(list, DEADLINE)?.elements() {
        let (low, high) = consumer.fetch_watermarks(topic, element.partition(), DEADLINE)?;
        let start = match element.offset() {
            // A commit beyond the end belongs to a log that was lost.
            Offset::Offset(offset) if offset <= high => offset.max(low),
            _ => low,
        };
        ranges.push(Range { partition: element.partition(), start, end: high });
    }
    Ok(ranges)
}

fn at(topic: &str, partition: i32, offset: i64) -> anyhow::Result<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(1);
    list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    Ok(list)
}

/// The message as it was before it became a dead letter, if it can be restored.
fn back(message: &InMessage) -> Option<super::OutMessage> {
    if message.headers.contains_key(TRUNCATED) {
        return None;
    }
    let origin = message.headers.get("original.topic")?.clone();
    let mut out = message.to_topic(&origin);
    for name in ADDED {
        out.headers.remove(name);
    }
    Some(out)
}
