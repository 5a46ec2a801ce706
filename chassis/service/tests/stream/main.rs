//! Kafka and Redis boundaries of the chassis, against a real protocol: librdkafka's mock cluster and a Redis server.

mod cache;
mod cache_faults;
mod consuming;
mod joining;
mod publishing;
mod queue_faults;
mod support;
mod traces;

testkit::broker!();
