//! Faults of publishing, inside a publish: no acknowledgement, and copies.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Handle;

use crate::catalogue::{PUBLISH_DUPLICATE, PUBLISH_ERROR, PublishDuplicate};
use chassis_faults::FaultPoint;
use chassis_telemetry::Chassis;

use super::{
    super::{KafkaConfig, OutMessage, client::Logs},
    delivery::{self, Client},
};

/// How long an acknowledgement that does not come is waited for; the configured delivery timeout if that is shorter.
const NO_ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// The fault points of one producer.
pub(super) struct PublishFaults {
    duplicate: Option<FaultPoint<PublishDuplicate>>,
    unreachable: Arc<Unreachable>,
}

impl PublishFaults {
    /// Resolves the points, and starts the task that tidies up behind one of them.
    pub(super) fn start(config: &KafkaConfig, chassis: &Chassis) -> Self {
        let faults = &chassis.faults;
        let unreachable = Arc::new(Unreachable::new(config, faults.find(&PUBLISH_ERROR)));
        if let Some(point) = faults.find(&PUBLISH_ERROR) {
            let (stop, unreachable) = (chassis.shutdown.clone(), Arc::clone(&unreachable));
            chassis.spawn(async move {
                stop.run_until_cancelled(unreachable.tidy(point)).await;
            });
        }
        Self { duplicate: faults.find(&PUBLISH_DUPLICATE), unreachable }
    }

    /// Whether this message gets no acknowledgement.
    pub(super) fn refuses(&self) -> bool {
        self.unreachable.point.as_ref().is_some_and(|point| point.strike().is_some())
    }

    /// Publishes through a client that reaches no broker, and returns what librdkafka says to that.
    pub(super) async fn time_out(&self, message: &OutMessage) -> Result<(), KafkaError> {
        let share = self.unreachable.open()?;
        let Some(client) = &share.0 else { return Err(KafkaError::Canceled) };
        match delivery::send(client, message, &self.unreachable.config).await {
            Ok(()) => Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut)),
            Err(error) => Err(error),
        }
    }

    /// How many more times the message is sent.
    pub(super) fn extra_copies(&self) -> u64 {
        self.duplicate.as_ref().and_then(FaultPoint::strike).map_or(0, |strike| strike.params.copies)
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
        let client = Share(Some(delivery::connect(&self.config, Logs::quiet())?));
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
        self.client.lock()
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
