//! Spans of messages, with the attributes of OpenTelemetry's semantic conventions for messaging.

use rdkafka::error::KafkaError;
use tracing::{Span, field::Empty};

use super::{InMessage, OutMessage};
use chassis_telemetry::traces::Place;

/// `publish {topic}`, a child of the `traceparent` among the message's headers or else of the current span.
pub(super) fn publish(message: &OutMessage) -> Place {
    Place::after(&message.headers, || {
        tracing::info_span!(
            "publish",
            otel.name = format!("publish {}", message.topic),
            otel.kind = "producer",
            otel.status_code = Empty,
            error.type = Empty,
            messaging.system = "kafka",
            messaging.operation.name = "publish",
            messaging.operation.type = "send",
            messaging.destination.name = message.topic,
            messaging.destination.partition.id = Empty,
            messaging.kafka.offset = Empty,
            messaging.kafka.message.key = message.key,
            messaging.message.body.size = message.payload.len(),
        )
    })
}

/// Records the partition and offset of the message.
pub(super) fn delivered(span: &Span, partition: i32, offset: i64) {
    if !span.is_disabled() {
        span.record("messaging.destination.partition.id", partition.to_string());
        span.record("messaging.kafka.offset", offset);
    }
}

/// `process {topic}`: one attempt to handle a message; child of the producer's span and linked to it.
pub(super) fn process(message: &InMessage, group: &str) -> Place {
    Place::after_and_linked(&message.headers, || {
        tracing::info_span!(
            "process",
            otel.name = format!("process {}", message.topic),
            otel.kind = "consumer",
            otel.status_code = Empty,
            error.type = Empty,
            messaging.system = "kafka",
            messaging.operation.name = "process",
            messaging.operation.type = "process",
            messaging.destination.name = message.topic,
            messaging.destination.partition.id = message.partition.to_string(),
            messaging.consumer.group.name = group,
            messaging.kafka.offset = message.offset,
            messaging.kafka.message.key = message.key,
            messaging.message.body.size = message.payload.len(),
        )
    })
}

/// Marks a span as failed.
pub(super) fn fail(span: &Span, error_type: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error_type);
}

/// A bounded name of a librdkafka error, such as `MessageTimedOut`.
pub(super) fn error_type(error: &KafkaError) -> String {
    error.rdkafka_error_code().map_or_else(|| "client".to_owned(), |code| format!("{code:?}"))
}
