//! Faults of publishing: no acknowledgement, copies, floods and garbage.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::{
    super::{
        KafkaConfig, OutMessage,
        client::{self, Logs},
        producer::{self, Client, Producer},
    },
    recent::Recent,
    traffic,
};
use crate::{
    Chassis,
    fault::{FaultPoint, Faults},
};

/// How long an acknowledgement that does not come is waited for; the configured delivery timeout if that is shorter.
const NO_ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// The fault points of one producer.
pub(in crate::kafka) struct PublishFaults {
    error: Option<FaultPoint>,
    duplicate: Option<FaultPoint>,
    unreachable: Unreachable,
    pub(in crate::kafka) recent: Recent,
}

impl PublishFaults {
    pub(in crate::kafka) fn new(config: &KafkaConfig, faults: &Faults) -> Self {
        let recent =
            Recent::new(faults.find("queue-flood").is_some() || faults.find("poison-message").is_some());
        Self {
            error: faults.find("publish-error"),
            duplicate: faults.find("publish-duplicate"),
            unreachable: Unreachable::new(config),
            recent,
        }
    }

    /// Starts the tasks of the faults that make traffic of their own.
    pub(in crate::kafka) fn run(producer: &Producer, chassis: &Chassis) {
        if let Some(point) = chassis.faults.find("queue-flood") {
            chassis.spawn(traffic::flood(point, producer.clone(), chassis.shutdown.clone()));
        }
        if let Some(point) = chassis.faults.find("poison-message") {
            chassis.spawn(traffic::poison(point, producer.clone(), chassis.shutdown.clone()));
        }
    }

    /// Whether this message gets no acknowledgement.
    pub(in crate::kafka) fn refuses(&self) -> bool {
        let Some(point) = &self.error else { return false };
        let struck = point.strike().is_some();
        if !struck && point.active().is_none() {
            self.unreachable.close();
        }
        struck
    }

    /// Publishes through a client that reaches no broker, and returns what librdkafka says to that.
    pub(in crate::kafka) async fn time_out(&self, message: &OutMessage) -> Result<(), KafkaError> {
        let client = self.unreachable.open()?;
        match producer::send(&client, message, &self.unreachable.config).await {
            Ok(()) => Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)),
            Err(error) => Err(error),
        }
    }

    /// How many more times the message is sent.
    pub(in crate::kafka) fn extra_copies(&self) -> u64 {
        self.duplicate.as_ref().and_then(FaultPoint::strike).map_or(0, |strike| strike.count("copies"))
    }
}

/// A client whose only broker is a closed port; exists while it is needed.
struct Unreachable {
    config: KafkaConfig,
    client: Mutex<Option<Client>>,
}

impl Unreachable {
    fn new(config: &KafkaConfig) -> Self {
        let config = KafkaConfig {
            // Port 1 (tcpmux) has had no server for decades.
            kafka_brokers: "127.0.0.1:1".to_owned(),
            kafka_delivery_timeout: config.kafka_delivery_timeout.min(NO_ACKNOWLEDGEMENT),
            ..config.clone()
        };
        Self { config, client: Mutex::new(None) }
    }

    fn open(&self) -> Result<Client, KafkaError> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client: Client = client::producer(&self.config).create_with_context(Logs::quiet())?;
        *slot = Some(client.clone());
        Ok(client)
    }

    fn close(&self) {
        let Ok(mut slot) = self.client.try_lock() else { return };
        if let Some(client) = slot.take() {
            tokio::task::spawn_blocking(move || drop(client));
        }
    }
}
