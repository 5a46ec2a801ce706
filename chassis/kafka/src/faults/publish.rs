//! Faults of publishing: no acknowledgement, copies, floods and garbage.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Handle;

use super::{
    super::{
        KafkaConfig, OutMessage,
        client::{self, Logs},
        producer::{self, Client, Producer},
    },
    recent::Recent,
    traffic,
};
use chassis_faults::{FaultPoint, Faults};
use chassis_telemetry::Chassis;

/// How long to wait for an acknowledgement that does not come; the configured delivery timeout if that is shorter.
const NO_ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// The fault points of one producer.
pub(crate) struct PublishFaults {
    duplicate: Option<FaultPoint>,
    unreachable: Arc<Unreachable>,
    pub(crate) recent: Recent,
}

impl PublishFaults {
    pub(crate) fn new(config: &KafkaConfig, faults: &Faults) -> Self {
        let recent =
            Recent::new(faults.find("queue-flood").is_some() || faults.find("poison-message").is_some());
        Self {
            duplicate: faults.find("publish-duplicate"),
            unreachable: Arc::new(Unreachable::new(config, faults.find("publish-error"))),
            recent,
        }
    }

    /// Starts the tasks of the faults that generate traffic or must clean up.
    pub(crate) fn run(producer: &Producer, chassis: &Chassis) {
        if let Some(point) = chassis.faults.find("publish-error") {
            let (stop, unreachable) = (chassis.shutdown.clone(), Arc::clone(&producer.faults().unreachable));
            chassis.spawn(async move {
                stop.run_until_cancelled(unreachable.tidy(point)).await;
            });
        }
        if let Some(point) = chassis.faults.find("queue-flood") {
            chassis.spawn(traffic::flood(point, producer.clone(), chassis.shutdown.clone()));
        }
        if let Some(point) = chassis.faults.find("poison-message") {
            chassis.spawn(traffic::poison(point, producer.clone(), chassis.shutdown.clone()));
        }
    }

    /// Whether this message gets no acknowledgement.
    pub(crate) fn refuses(&self) -> bool {
        self.unreachable.point.as_ref().is_some_and(|point| point.strike().is_some())
    }

    /// Publishes through a client that reaches no broker, and returns librdkafka's error.
    pub(crate) async fn time_out(&self, message: &OutMessage) -> Result<(), KafkaError> {
        let share = self.unreachable.open()?;
        let Some(client) = &share.0 else { return Err(KafkaError::Canceled) };
        match producer::send(client, message, &self.unreachable.config).await {
            Ok(()) => Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)),
            Err(error) => Err(error),
        }
    }

    /// How many more times the message is sent.
    pub(crate) fn extra_copies(&self) -> u64 {
        self.duplicate.as_ref().and_then(FaultPoint::strike).map_or(0, |strike| strike.count("copies"))
    }
}

/// A client whose only broker is a closed port; exists while the fault is on or one of its messages is in progress.
struct Unreachable {
    point: Option<FaultPoint>,
    config: KafkaConfig,
    client: Mutex<Option<Share>>,
}

impl Unreachable {
    fn new(config: &KafkaConfig, point: Option<FaultPoint>) -> Self {
        let config = KafkaConfig {
            // Port 1 (tcpmux) has had no server for decades.
            kafka_brokers: "127.0.0.1:1".to_owned(),
            kafka_delivery_timeout: config.kafka_delivery_timeout.min(NO_ACKNOWLEDGEMENT),
            ..config.clone()
        };
        Self { point, config, client: Mutex::new(None) }
    }

    fn open(&self) -> Result<Share, KafkaError> {
        let mut slot = self.slot();
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = Share(Some(client::producer(&self.config).create_with_context(Logs::quiet())?));
        // Under the lock: either the fault is still on, or `tidy` has looked already and would not look again.
        if self.point.as_ref().is_some_and(|point| point.active().is_some()) {
            *slot = Some(client.clone());
        }
        Ok(client)
    }

    /// Drops the client whenever the fault has ended, however briefly it was on.
    async fn tidy(&self, point: FaultPoint) {
        loop {
            point.next_off().await;
            drop(self.slot().take());
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Share>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shared handle of the client. The last one waits for the client's threads, so it is not dropped on a runtime thread.
#[derive(Clone)]
struct Share(Option<Client>);

impl Drop for Share {
    fn drop(&mut self) {
        // Without a runtime the process is ending.
        if let (Some(client), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(client));
        }
    }
}
