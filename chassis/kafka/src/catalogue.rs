//! Faults of messages: publishing, the queue, consuming.

use std::time::Duration;

use chassis_faults::{
    Fault, catalogue, params,
    params::{MINUTE, MS, count, duration},
    spec::{process, work},
};

params! {
    /// Parameters of `publish-duplicate`.
    pub struct PublishDuplicate {
        /// additional copies
        copies: u64 = count("1", 1, 10),
    }

    /// Parameters of `queue-flood`.
    pub struct QueueFlood {
        /// messages per second
        rps: u64 = count("200", 1, 5_000),
    }

    /// Parameters of `poison-message`.
    pub struct PoisonMessage {
        /// time between two of them
        interval: Duration = duration("2s", Duration::from_millis(10), MINUTE),
    }

    /// Parameters of `consumer-slow`.
    pub struct ConsumerSlow {
        /// time added to each message
        delay: Duration = duration("200ms", MS, MINUTE),
    }

    /// Parameters of `rebalance-storm`.
    pub struct RebalanceStorm {
        /// time from getting partitions to leaving again
        interval: Duration = duration("5s", Duration::from_secs(1), MINUTE),
    }
}

catalogue! {
    /// `publish-error`: the broker refuses.
    pub const PUBLISH_ERROR: Fault = work(
        "publish-error",
        "Publishing goes through a client that reaches no broker and times out; the message is not sent.",
        "`kafka_published_total{outcome}` counts errors, `outbox_entries` and `outbox_oldest_age_seconds` rise, what \
         waits for the messages is late; nothing is lost.",
    );

    /// `publish-duplicate`: messages arrive twice.
    pub const PUBLISH_DUPLICATE: Fault<PublishDuplicate> = work(
        "publish-duplicate",
        "A message is really published more than once, with the same key, headers and id.",
        "`kafka_published_total` runs ahead of what was accepted, the consuming \
         service counts duplicates; nothing is done twice.",
    );

    /// `queue-flood`: more messages than the consumers can take.
    pub const QUEUE_FLOOD: Fault<QueueFlood> = process(
        "queue-flood",
        "Copies of the latest messages are really published beside the real ones. `rate` is the share of `rps`.",
        "`kafka_consumer_lag`, `kafka_oldest_message_age_seconds` and `queue_size` rise; what waits for the messages is late.",
    );

    /// `poison-message`: messages that nobody can read.
    pub const POISON_MESSAGE: Fault<PoisonMessage> = process(
        "poison-message",
        "Messages that are no valid event are really published: truncated, malformed, of an unknown version. Any \
         `rate` above 0 counts in full.",
        "`dead_letters_total{reason}` rises and the dead-letter topic fills; the partition continues.",
    );

    /// `consumer-slow`: consuming takes long.
    pub const CONSUMER_SLOW: Fault<ConsumerSlow> = work(
        "consumer-slow",
        "Each message takes longer to process.",
        "`kafka_process_duration_seconds` rises, then lag and age of the oldest message once the arrival rate is above what \
         is left.",
    );

    /// `consumer-pause`: consuming stops.
    pub const CONSUMER_PAUSE: Fault = process(
        "consumer-pause",
        "The consumer pauses its partitions: it stays in its group and takes no messages.",
        "`kafka_consumed_total` stands still, lag and age grow in a straight line, no error anywhere.",
    );

    /// `rebalance-storm`: the group never settles.
    pub const REBALANCE_STORM: Fault<RebalanceStorm> = process(
        "rebalance-storm",
        "The consumer really leaves its group and joins it again, over and over; the group is rebalanced each time. Any \
         `rate` above 0 counts in full.",
        "`kafka_rebalances_total` rises, gaps in `kafka_consumed_total`, saw-tooth lag, messages delivered again \
         (the consuming service counts duplicates).",
    );

    /// `commit-skip`: progress is not recorded.
    pub const COMMIT_SKIP: Fault = work(
        "commit-skip",
        "Messages are processed and their offsets not committed.",
        "Lag grows by the broker's account while messages are handled in time; after a restart or rebalance a burst of \
         duplicates.",
    )
    .ends("The next commit after it covers all that was skipped.");
}
