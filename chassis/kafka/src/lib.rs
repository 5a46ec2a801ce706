//! Kafka by librdkafka: an idempotent producer and a consumer with manual commits, both with metrics, trace context in
//! the message headers (W3C `traceparent`, `tracestate`, `baggage`) and the broker faults at their boundary.
//!
//! A process has one [`Kafka`]. What it sends goes out through a [`Producer`] of it, what it reads comes in through a
//! [`Subscription`] and its [`Handler`].
//!
//! Delivery is at least once: a message may come again after a crash, a rebalance or a broker that lost its log.

mod boundary;
pub mod catalogue;
mod client;
mod config;
mod consumer;
mod headers;
mod kafka;
mod message;
mod metrics;
mod producer;
mod recent;
mod redrive;
mod signing;
mod spans;
mod traffic;

pub use config::KafkaConfig;
pub use consumer::{Cause, Handler, Subscription, Verdict};
pub use kafka::Kafka;
pub use message::{InMessage, OutMessage, PublishError};
pub use producer::Producer;
pub use redrive::{Command, Redriven};
pub use signing::EventKeys;
