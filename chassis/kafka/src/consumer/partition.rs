//! The work on one partition: one message after the other, until the partition is taken away.

use std::{sync::Arc, time::Duration};

use rdkafka::consumer::stream_consumer::StreamPartitionQueue;
use tokio_util::sync::CancellationToken;

use super::{super::InMessage, context::GroupContext, group::Group};

/// Time that a message under way has to finish when its partition is taken away.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(2);

/// Works on `partition` until `stop`.
pub(super) async fn run(
    group: Arc<Group>,
    queue: StreamPartitionQueue<GroupContext>,
    partition: i32,
    stop: CancellationToken,
) {
    while let Some(received) = stop.run_until_cancelled(receive(&queue)).await {
        let Some(message) = received else { continue };
        group.offsets.started(partition, message.offset, message.timestamp);
        let settled = tokio::select! {
            settled = group.decider.settle(&message, &stop) => settled,
            () = grace_is_over(&stop) => false,
        };
        if !settled {
            return;
        }
        let held = group.commit_skip.as_ref().is_some_and(|point| point.strike().is_some());
        group.offsets.done(partition, message.offset, held);
    }
}

async fn receive(queue: &StreamPartitionQueue<GroupContext>) -> Option<InMessage> {
    let error = match queue.recv().await {
        Ok(message) => return Some(InMessage::from(&message)),
        Err(error) => error,
    };
    tracing::debug!(%error, "no message");
    tokio::time::sleep(Duration::from_millis(50)).await;
    None
}

async fn grace_is_over(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(STOP_GRACE).await;
}
