//! From the topic `order-outcomes` into the queues: the offset is committed only when SQS has the notification.

use std::time::Duration;

use async_trait::async_trait;
use chassis_kafka::{Handler, InMessage, Verdict};
use contracts::orders::{OrderSettled, decode};

use crate::{adapters::SqsQueues, domain::Notification, metrics::NotifierMetrics};

/// Reasons for giving up on messages.
pub const REASONS: &[&str] = &["malformed", "truncated", "unknown-version", INVALID, REFUSED];
const INVALID: &str = "invalid";
const REFUSED: &str = "refused-by-queue";

/// First pause after SQS did not take a notification; doubles.
const PAUSE: Duration = Duration::from_millis(200);

/// Handler of the topic `order-outcomes`.
pub struct Outcomes {
    queues: SqsQueues,
    metrics: NotifierMetrics,
}

impl Outcomes {
    /// Puts notifications into `queues`.
    #[must_use]
    pub const fn new(queues: SqsQueues, metrics: NotifierMetrics) -> Self {
        Self { queues, metrics }
    }
}

#[async_trait]
impl Handler for Outcomes {
    async fn handle(&self, message: &InMessage) -> Verdict {
        let event: OrderSettled = match decode(&message.payload) {
            Ok(event) => event,
            Err(error) => return give_up(error.reason(), error.to_string()),
        };
        let Some((queue, notification)) = Notification::about(&event) else {
            return give_up(INVALID, format!("order {} cannot be settled as pending", event.order_id));
        };
        match self.queues.send(queue, &notification).await {
            Ok(()) => {
                self.metrics.queued(queue);
                Verdict::Done
            }
            Err(error) if error.is_about_the_message() => give_up(REFUSED, error.to_string()),
            // Whatever it is, the next notification would meet it too.
            Err(error) => Verdict::Blocked { after: PAUSE, cause: error.to_string().into() },
        }
    }
}

fn give_up(reason: &'static str, cause: String) -> Verdict {
    Verdict::DeadLetter { reason, cause: cause.into() }
}
