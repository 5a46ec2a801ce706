//! The life of the client: one thread polls it, replaces it when it can no longer find its group, and leaves the group at
//! the end.
//!
//! librdkafka 2.12 does not follow a group coordinator that keeps its broker id but changes its address: it keeps
//! connecting to the old one. A broker that comes back at another address, as `lab-kafka` does, would be lost forever; a new client
//! finds it (`watchdog.rs` decides when).

use std::{sync::Arc, time::Duration};

use rdkafka::{
    Message as _, Offset,
    consumer::{CommitMode, Consumer},
    error::KafkaResult,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    super::{KafkaConfig, client},
    Client,
    context::{self, GroupContext},
    group::Group,
};
use chassis_telemetry::Chassis;

/// Time between two attempts to create a client.
const RECONNECT: Duration = Duration::from_secs(1);

/// Creates a client of the group and joins.
fn connect(kafka: &KafkaConfig, group: &Arc<Group>) -> KafkaResult<Arc<Client>> {
    let context = GroupContext::new(Arc::clone(group), group.next_session());
    let native = client::consumer(kafka, group.config.group);
    // Spawns its own task on the runtime.
    let _runtime = group.runtime.enter();
    let consumer: Arc<Client> = Arc::new(native.create_with_context(context)?);
    group.attach(&consumer);
    consumer.subscribe(&[group.config.topic])?;
    Ok(consumer)
}

/// Starts the thread that polls the group. Callbacks run on it and may block it; it must not be a thread of the runtime.
///
/// # Errors
/// If librdkafka refuses the configuration or no thread can be started.
pub(super) fn start(kafka: &KafkaConfig, group: Arc<Group>, chassis: &Chassis) -> anyhow::Result<()> {
    let mut consumer = connect(kafka, &group)?;
    let (finished, over) = oneshot::channel::<()>();
    let (shutdown, kafka) = (chassis.shutdown.clone(), kafka.clone());
    std::thread::Builder::new().name(format!("kafka-{}", group.config.group)).spawn(move || {
        while group.runtime.block_on(poll(&group, &consumer, &shutdown)) == After::Replace {
            drop_elsewhere(&group, consumer);
            consumer = loop {
                match connect(&kafka, &group) {
                    Ok(consumer) => break consumer,
                    Err(error) => tracing::warn!(%error, "no new consumer"),
                }
                std::thread::sleep(RECONNECT);
            };
        }
        leave(&group, consumer);
        drop(finished);
    })?;
    chassis.spawn(async move {
        let _ = over.await;
    });
    Ok(())
}

/// Why polling ended.
#[derive(PartialEq, Eq)]
enum After {
    Leave,
    Replace,
}

async fn poll(group: &Group, consumer: &Client, shutdown: &CancellationToken) -> After {
    loop {
        let event = tokio::select! {
            biased;
            () = shutdown.cancelled() => return After::Leave,
            () = group.replace.notified() => return After::Replace,
            event = consumer.recv() => event,
        };
        match event {
            // Each partition has its own queue; should a message arrive here anyway, it is redelivered there.
            Ok(message) => {
                let (topic, at) = (group.config.topic, Offset::Offset(message.offset()));
                let again = consumer.seek(topic, message.partition(), at, Duration::ZERO);
                tracing::debug!(
                    partition = message.partition(),
                    ?again,
                    "message outside its partition's queue"
                );
            }
            Err(error) => {
                consumer.context().unexpected(&error);
                // This thread belongs to the group, and the runtime's timers may already be gone.
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Drops a client. Its work since the last commit is redelivered; closing it may block until the group is back.
fn drop_elsewhere(group: &Group, consumer: Arc<Client>) {
    tracing::warn!(group = group.config.group, "the group's coordinator is out of reach: reconnecting");
    // From here on its callbacks are ignored.
    group.next_session();
    let _ = group.revoked_all();
    std::thread::spawn(move || drop(consumer));
}

/// Finishes and commits work in progress and leaves the group, so that others need not wait for the session timeout.
fn leave(group: &Group, consumer: Arc<Client>) {
    let due = group.revoked_all();
    if due.count() > 0 {
        context::report(&consumer.commit(&due, CommitMode::Sync));
    }
    // Dropping the last handle closes the client. Others hold one only briefly.
    drop(consumer);
}
