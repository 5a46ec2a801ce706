//! How many notifications wait, as SQS counts them.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    adapters::SqsQueues,
    domain::{DEAD_LETTERS, Queue},
    metrics::NotifierMetrics,
};

/// How often SQS is asked; as often as Prometheus looks.
const EVERY: Duration = Duration::from_secs(1);

/// Keeps the depths fresh until `stop`. While SQS does not answer, the last values stay.
pub async fn watch(queues: SqsQueues, metrics: NotifierMetrics, stop: CancellationToken) {
    loop {
        for queue in Queue::ALL.map(Some).into_iter().chain([None]) {
            // The couriers meet the same failure and log its cause.
            if let Some(Ok(messages)) = stop.run_until_cancelled(queues.depth(queue)).await {
                metrics.depth(queue.map_or(DEAD_LETTERS, Queue::name), messages);
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            return;
        }
    }
}
