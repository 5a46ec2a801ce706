//! The life of the client: one thread polls it, replaces it when it cannot find its group any more or its group does not
//! answer, and leaves the group at the end.
//!
//! librdkafka 2.12 does not follow a group coordinator that keeps its broker id and changes its address: it continues
//! connecting to the old one. A broker that comes back elsewhere, as `lab-kafka` does, would be lost forever; a new client
//! finds it (`watchdog.rs` decides when). A join that is never answered needs one as well (`rejoin.rs`).

use std::{sync::Arc, time::Duration};

use rdkafka::{
    Message as _, Offset,
    consumer::{CommitMode, Consumer},
    error::KafkaResult,
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::{super::client, commits, context::Client, member::Member};
use chassis_telemetry::Chassis;

/// Time between two attempts to make a client.
const RECONNECT: Duration = Duration::from_secs(1);

/// Makes a client of the group and joins.
fn connect(member: &Member, runtime: &Handle) -> KafkaResult<Arc<Client>> {
    let native = client::consumer(&member.boundary.config, member.subscription.group);
    // Makes a task of its own on the runtime.
    let _runtime = runtime.enter();
    let client: Arc<Client> = Arc::new(native.create_with_context(member.next_context())?);
    member.session.attach(&client);
    client.subscribe(&[member.subscription.topic])?;
    Ok(client)
}

/// Starts the thread that polls the group. Callbacks run on it and may block it; it must not be one of the runtime's.
///
/// # Errors
/// When librdkafka refuses the configuration or there can be no thread.
pub(super) fn start(member: Member, chassis: &Chassis) -> anyhow::Result<()> {
    let runtime = Handle::current();
    let mut client = connect(&member, &runtime)?;
    let (finished, over) = oneshot::channel::<()>();
    let shutdown = chassis.shutdown.clone();
    let thread = std::thread::Builder::new().name(format!("kafka-{}", member.subscription.group));
    thread.spawn(move || {
        while runtime.block_on(poll(&member, &client, &shutdown)) == After::Replace {
            drop_elsewhere(&member, client);
            client = loop {
                match connect(&member, &runtime) {
                    Ok(client) => break client,
                    Err(error) => tracing::warn!(%error, "no new consumer"),
                }
                std::thread::sleep(RECONNECT);
            };
        }
        leave(&member, client);
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

async fn poll(member: &Member, client: &Client, shutdown: &CancellationToken) -> After {
    loop {
        let event = tokio::select! {
            biased;
            () = shutdown.cancelled() => return After::Leave,
            () = member.session.must_be_replaced() => return After::Replace,
            event = client.recv() => event,
        };
        match event {
            // Each partition has a queue of its own; should a message come here all the same, have it come again there.
            Ok(message) => {
                let (topic, at) = (member.subscription.topic, Offset::Offset(message.offset()));
                let again = client.seek(topic, message.partition(), at, Duration::ZERO);
                tracing::debug!(
                    partition = message.partition(),
                    ?again,
                    "message outside its partition's queue"
                );
            }
            Err(error) => {
                client.context().unexpected(&error);
                // This thread is the group's own, and the runtime's timers may be gone by now.
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Gives up a client. What it did since its last commit comes again; closing it may take as long as its group is
/// away or does not answer.
fn drop_elsewhere(member: &Member, client: Arc<Client>) {
    // From here on its callbacks do not count.
    member.session.renew();
    let _ = member.assignment.revoked_all();
    std::thread::spawn(move || drop(client));
}

/// Finishes what is under way, commits it and leaves the group, so that others need not wait for the session to time out.
fn leave(member: &Member, client: Arc<Client>) {
    let due = member.assignment.revoked_all();
    if due.count() > 0 {
        commits::report(&client.commit(&due, CommitMode::Sync));
    }
    // Dropping the last handle closes the client. Others hold one for moments only.
    drop(client);
}
