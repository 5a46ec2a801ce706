//! From a queue to the provider. A notification is deleted after its delivery: what fails comes back when its visibility timeout
//! has passed, and goes to the dead-letter queue after the last attempt.
//!
//! There is no provider in the lab: a delivery ends here, with a counter and a log line of level debug.

use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::{
    adapters::{BATCH, Received, SqsError, SqsQueues},
    domain::{Notification, Queue},
    faults::NotifierFaults,
    metrics::NotifierMetrics,
};

/// Pause after SQS did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Delivers what waits in one queue.
pub struct Courier {
    queues: SqsQueues,
    queue: Queue,
    faults: NotifierFaults,
    metrics: NotifierMetrics,
}

impl Courier {
    /// Of `queue`.
    #[must_use]
    pub const fn new(
        queues: SqsQueues,
        queue: Queue,
        faults: NotifierFaults,
        metrics: NotifierMetrics,
    ) -> Self {
        Self { queues, queue, faults, metrics }
    }

    /// Works until `stop`; a batch in progress is finished first.
    pub async fn work(self, stop: CancellationToken) {
        let mut silent = false;
        loop {
            let Some(received) = stop.run_until_cancelled(self.queues.receive(Some(self.queue), BATCH)).await
            else {
                return;
            };
            let ended = match received {
                Ok(batch) => self.deliver(batch).await,
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => silent = false,
                Err(error) => {
                    // Once per outage: the counter of calls says how long it lasts.
                    if !silent {
                        tracing::warn!(queue = self.queue.name(), %error, "the queue cannot be worked on");
                    }
                    silent = true;
                    if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// Delivers a batch at once: the visibility timeout of all its messages began with the answer that they came in.
    async fn deliver(&self, batch: Vec<Received>) -> Result<(), SqsError> {
        let taken = join_all(batch.iter().map(|received| self.hand_over(&received.body))).await;
        let mut done = Vec::new();
        for (Received { receipt, .. }, taken) in batch.into_iter().zip(taken) {
            if taken {
                self.metrics.delivered(self.queue);
                done.push(receipt);
            } else {
                self.metrics.failed(self.queue);
            }
        }
        if done.is_empty() { Ok(()) } else { self.queues.delete(Some(self.queue), &done).await }
    }

    /// Whether the provider has it now. What cannot be read is nothing that a provider could take.
    async fn hand_over(&self, body: &str) -> bool {
        let notification: Notification = match serde_json::from_str(body) {
            Ok(notification) => notification,
            Err(error) => {
                tracing::warn!(queue = self.queue.name(), %error, "a notification cannot be read");
                return false;
            }
        };
        let (queue, order_id) = (self.queue.name(), notification.order_id);
        match tokio::time::timeout(self.queues.patience(), self.faults.provider()).await {
            Ok(true) => {
                tracing::debug!(queue, %order_id, "delivered");
                true
            }
            Ok(false) => false,
            // It is tried again, and would be deleted too late: after it was given out again.
            Err(_) => {
                tracing::debug!(queue, %order_id, "the provider did not answer in time");
                false
            }
        }
    }
}
