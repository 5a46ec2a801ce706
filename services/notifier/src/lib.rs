//! The notifier: puts the outcome of each order into a queue of SQS, takes it out again, and delivers it. What cannot be
//! delivered ends in a dead-letter queue.
//!
//! Read it in this order: [`domain`] (what is told, through which queue), [`consumers`] (from Kafka into the queues),
//! [`jobs`] (from the queues to the providers), [`adapters`] (SQS). What was given up goes back with `notifier redrive`.
//!
//! Delivery is at least once: a notification may come twice, after a crash on either side of the queue.

pub mod adapters;
pub mod config;
pub mod consumers;
pub mod domain;
pub mod faults;
pub mod jobs;
mod life;
pub mod metrics;
mod redrive;

use chassis_core::ServiceInfo;
use chassis_kafka::{Kafka, Redriven, Subscription};
use chassis_service::App;
use chassis_telemetry::Chassis;
use contracts::topics;

pub use config::NotifierConfig;
pub use life::live;

use crate::{
    adapters::SqsQueues,
    consumers::outcomes::{self, Outcomes},
    domain::Queue,
    faults::NotifierFaults,
    jobs::{deliver::Courier, depth},
    metrics::NotifierMetrics,
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "notifier", version: env!("CARGO_PKG_VERSION") };

/// Attempts for an outcome whose own content makes its handling fail; a queue that does not answer does not count.
const MAX_ATTEMPTS: u32 = 10;

/// Assembles the service: the consumer of outcomes, a courier for each queue, and the watch over their depth. The queues are
/// created when they are first used, so SQS may come up later.
///
/// # Errors
/// When librdkafka refuses the configuration, or the HTTP client cannot be built.
pub fn build(config: &NotifierConfig, chassis: Chassis) -> anyhow::Result<App> {
    let metrics = NotifierMetrics::new(&chassis.metrics);
    let faults = NotifierFaults::new(&chassis.faults);
    let queues = SqsQueues::new(config, metrics.clone())?;

    let subscription = Subscription {
        group: topics::GROUP_NOTIFIER,
        topic: topics::ORDER_OUTCOMES,
        dead_letters: topics::NOTIFICATIONS_DLQ,
        max_attempts: MAX_ATTEMPTS,
        reasons: outcomes::REASONS,
    };
    let kafka = Kafka::connect(&config.kafka, &chassis)?;
    kafka.consume(subscription, Outcomes::new(queues.clone(), metrics.clone()))?;

    for queue in Queue::ALL {
        let courier = Courier::new(queues.clone(), queue, faults.clone(), metrics.clone());
        chassis.spawn(courier.work(chassis.shutdown.clone()));
    }
    chassis.spawn(depth::watch(queues, metrics, chassis.shutdown.clone()));
    Ok(App::new(&config.common, chassis))
}

/// Puts at most `limit` notifications of the dead-letter queue back into the queue that they came from; with 0, only counts them.
///
/// # Errors
/// When SQS does not answer, or refuses; notifications that were moved before stay moved.
pub async fn redrive(config: &NotifierConfig, chassis: &Chassis, limit: u64) -> anyhow::Result<Redriven> {
    let queues = SqsQueues::new(config, NotifierMetrics::new(&chassis.metrics))?;
    Ok(redrive::run(&queues, limit).await?)
}
