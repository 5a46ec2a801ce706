//! One message to the brokers: how librdkafka is asked, and what comes back.

use rdkafka::{
    error::KafkaError,
    producer::{DeliveryFuture, FutureProducer, FutureRecord},
};

use super::super::{
    KafkaConfig, OutMessage,
    client::{self, Logs},
    headers, spans,
};

/// A client that publishes.
pub(super) type Client = FutureProducer<Logs>;

/// A client for these brokers; they may come up later.
pub(super) fn connect(config: &KafkaConfig, logs: Logs) -> Result<Client, KafkaError> {
    client::producer(config).create_with_context(logs)
}

/// Sends a message as it is and waits for the acknowledgement of all replicas, and while the client's buffer is full.
pub(super) async fn send(
    client: &Client,
    message: &OutMessage,
    config: &KafkaConfig,
) -> Result<(), KafkaError> {
    let sent = client.send(record(message), config.kafka_delivery_timeout).await;
    let delivery = sent.map_err(|(error, _)| error)?;
    spans::delivered(&tracing::Span::current(), delivery.partition, delivery.offset);
    Ok(())
}

/// Queues a message as it is; `None` when the buffer is full or the client broken.
pub(super) fn queue(client: &Client, message: &OutMessage) -> Option<DeliveryFuture> {
    client.send_result(record(message)).ok()
}

/// Without a key when it is empty.
fn record(message: &OutMessage) -> FutureRecord<'_, str, [u8]> {
    let record = FutureRecord::to(&message.topic)
        .payload(message.payload.as_slice())
        .headers(headers::to_native(&message.headers));
    if message.key.is_empty() { record } else { record.key(&message.key) }
}
