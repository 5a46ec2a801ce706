//! Faults of messages: publishing, the queue, consuming.

use chassis_faults::{
    FaultSpec, Reach,
    spec::{MINUTE, MS, count, duration, process, work},
};
use std::time::Duration;

/// All of them, in the order of the documentation.
pub const ALL: &[&FaultSpec] = &[
    &PUBLISH_ERROR,
    &PUBLISH_DUPLICATE,
    &QUEUE_FLOOD,
    &POISON_MESSAGE,
    &CONSUMER_SLOW,
    &CONSUMER_PAUSE,
    &REBALANCE_STORM,
    &COMMIT_SKIP,
];

/// `publish-error`: the broker refuses.
pub const PUBLISH_ERROR: FaultSpec = work(
    "publish-error",
    "Publishing goes through a client that reaches no broker and times out; the message is not sent.",
    &[],
    "`kafka_published_total{outcome}` counts errors, `outbox_entries` and `outbox_oldest_age_seconds` rise, what \
     waits for the messages is late; nothing is lost.",
);

/// `publish-duplicate`: messages arrive twice.
pub const PUBLISH_DUPLICATE: FaultSpec = work(
    "publish-duplicate",
    "A message is really published more than once, with the same key, headers and id.",
    &[count("copies", "additional copies", "1", 1, 10)],
    "`kafka_published_total` runs ahead of what was accepted, the consuming \
     service counts duplicates; nothing is done twice.",
);

/// `queue-flood`: more messages than the consumers can take.
pub const QUEUE_FLOOD: FaultSpec = process(
    "queue-flood",
    "Copies of the latest messages are really published in addition to the real ones. `rate` is the share of `rps`.",
    &[count("rps", "messages per second", "200", 1, 5_000)],
    "`kafka_consumer_lag`, `kafka_oldest_message_age_seconds` and `queue_size` rise; what waits for the messages is late.",
);

/// `poison-message`: unreadable messages.
pub const POISON_MESSAGE: FaultSpec = process(
    "poison-message",
    "Messages that are no valid event are really published: truncated, malformed, of an unknown version. Any \
     `rate` above 0 counts in full.",
    &[duration("interval", "time between two of them", "2s", Duration::from_millis(10), MINUTE)],
    "`dead_letters_total{reason}` rises and the dead-letter topic fills; the partition continues.",
);

/// `consumer-slow`: consuming takes long.
pub const CONSUMER_SLOW: FaultSpec = work(
    "consumer-slow",
    "Each message takes longer to process.",
    &[duration("delay", "time added to each message", "200ms", MS, MINUTE)],
    "`kafka_process_duration_seconds` rises, then lag and age of the oldest message once the arrival rate is above what \
     is left.",
);

/// `consumer-pause`: consuming stops.
pub const CONSUMER_PAUSE: FaultSpec = process(
    "consumer-pause",
    "The consumer pauses its partitions: it stays in its group and takes no messages.",
    &[],
    "`kafka_consumed_total` stops, lag and age grow in a straight line, no error anywhere.",
);

/// `rebalance-storm`: the group never settles.
pub const REBALANCE_STORM: FaultSpec = process(
    "rebalance-storm",
    "The consumer really leaves its group and joins it again, over and over; the group is rebalanced each time. Any \
     `rate` above 0 counts in full.",
    &[duration(
        "interval",
        "time from getting partitions to leaving again",
        "5s",
        Duration::from_secs(1),
        MINUTE,
    )],
    "`kafka_rebalances_total` rises, gaps in `kafka_consumed_total`, saw-tooth lag, messages delivered again \
     (the consuming service counts duplicates).",
);

/// `commit-skip`: progress is not recorded.
pub const COMMIT_SKIP: FaultSpec = FaultSpec {
    name: "commit-skip",
    summary: "Messages are processed and their offsets not committed.",
    reach: Reach::Work,
    params: &[],
    signals: "Lag grows by the broker's account while messages are handled in time; after a restart or rebalance a burst of \
              duplicates.",
    ends: "The next commit after it covers all that was skipped.",
    baseline: None,
};
