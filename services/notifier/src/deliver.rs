//! From a queue to the provider. A notification is deleted after its delivery: what fails comes back when its visibility timeout
//! has passed, and goes to the dead-letter queue after the last attempt.
//!
//! There is no provider in the lab: a delivery ends here, with a counter and a log line of level debug.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    adapters::{Received, SqsError, SqsQueues},
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
            let Some(received) = stop.run_until_cancelled(self.queues.receive(self.queue)).await else {
                return;
            };
            let ended = match received {
                Ok(batch) => self.deliver(batch, &stop).await,
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

    async fn deliver(&self, batch: Vec<Received>, stop: &CancellationToken) -> Result<(), SqsError> {
        let mut done = Vec::new();
        for Received { body, receipt } in batch {
            // What is left comes back by itself.
            if stop.is_cancelled() {
                break;
            }
            if self.hand_over(&body).await {
                self.metrics.delivered(self.queue);
                done.push(receipt);
            } else {
                self.metrics.failed(self.queue);
            }
        }
        if done.is_empty() { Ok(()) } else { self.queues.delete(self.queue, &done).await }
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
        let taken = self.faults.provider().await;
        if taken {
            tracing::debug!(queue = self.queue.name(), order_id = %notification.order_id, "delivered");
        }
        taken
    }
}
