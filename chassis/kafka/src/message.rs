//! Outbound and inbound messages.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rdkafka::message::{BorrowedMessage, Message};

use super::headers;

/// A message to publish. Trace context and scope are added from `headers` (as staged in an outbox) or else the current span.
#[derive(Debug, Clone, Default)]
pub struct OutMessage {
    /// Topic.
    pub topic: String,
    /// Key: messages of one key keep their order. Empty: no key, any partition.
    pub key: String,
    /// Body.
    pub payload: Vec<u8>,
    /// Headers; `traceparent` among them makes the producer span its child.
    pub headers: BTreeMap<String, String>,
}

/// The broker did not take the message.
#[derive(Debug, thiserror::Error)]
#[error("publishing to {topic} failed")]
pub struct PublishError {
    /// The topic of the message.
    pub topic: String,
    /// The error of librdkafka.
    #[source]
    pub source: rdkafka::error::KafkaError,
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct InMessage {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key; bytes that are not UTF-8 are replaced by U+FFFD.
    pub key: Option<String>,
    /// Body.
    pub payload: Vec<u8>,
    /// Headers that are UTF-8.
    pub headers: BTreeMap<String, String>,
    /// Broker time of the message.
    pub timestamp: Option<DateTime<Utc>>,
}

impl From<&BorrowedMessage<'_>> for InMessage {
    fn from(message: &BorrowedMessage<'_>) -> Self {
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(|key| String::from_utf8_lossy(key).into_owned()),
            payload: message.payload().unwrap_or_default().to_vec(),
            headers: headers::of_message(message),
            timestamp: message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis),
        }
    }
}

impl InMessage {
    /// The same message, to be published on `topic`.
    pub(super) fn to_topic(&self, topic: &str) -> OutMessage {
        OutMessage {
            topic: topic.to_owned(),
            key: self.key.clone().unwrap_or_default(),
            payload: self.payload.clone(),
            headers: self.headers.clone(),
        }
    }
}
