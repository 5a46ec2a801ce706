//! Re-drive: puts notifications back into the queue that they came from, once the provider takes them again.
//!
//! One is deleted from the dead-letter queue after it was sent. So a crash between the two tells a customer twice, and
//! never loses a notification.

use chassis_kafka::Redriven;
use futures::future::join_all;

use crate::{
    adapters::{BATCH, Received, SqsError, SqsQueues},
    domain::Notification,
};

/// Moves at most `limit` notifications. What cannot be read, or does not say where it came from, stays.
///
/// # Errors
/// When SQS does not answer, or refuses; what was moved before stays moved.
pub(super) async fn run(queues: &SqsQueues, limit: u64) -> Result<Redriven, SqsError> {
    let mut report = Redriven::default();
    while report.moved < limit {
        let batch = queues.receive(None, BATCH.min(limit - report.moved)).await?;
        // What stays is not seen again for the visibility timeout of the queue, so this ends.
        if batch.is_empty() {
            break;
        }
        let sent = join_all(batch.iter().map(|letter| back(queues, letter))).await;
        let (mut done, mut broken) = (Vec::new(), None);
        for (letter, sent) in batch.into_iter().zip(sent) {
            match sent {
                Ok(true) => done.push(letter.receipt),
                Ok(false) => report.unknown_origin += 1,
                Err(error) => broken = Some(error),
            }
        }
        if !done.is_empty() {
            queues.delete(None, &done).await?;
            report.moved += done.len() as u64;
        }
        if let Some(error) = broken {
            return Err(error);
        }
    }
    let waiting = u64::try_from(queues.depth(None).await?).unwrap_or_default();
    report.left = waiting.saturating_sub(report.unknown_origin);
    Ok(report)
}

/// Sends one back; whether it says where it came from.
async fn back(queues: &SqsQueues, letter: &Received) -> Result<bool, SqsError> {
    let read = serde_json::from_str::<Notification>(&letter.body).ok();
    let Some((queue, notification)) = read.and_then(|one| Some((one.queue?, one))) else {
        return Ok(false);
    };
    queues.send(queue, &notification).await.map(|()| true)
}
