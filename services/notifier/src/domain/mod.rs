//! What customers are told, and through which queue. Pure.

use chrono::{DateTime, Utc};
use contracts::orders::{OrderSettled, OrderStatus};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a notification waits for its provider. The names are those of the SRE exercises.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::EnumCount, strum::VariantArray,
)]
pub enum Queue {
    /// Receipts, by mail.
    #[serde(rename = "email_queue")]
    Email,
    /// Refusals, by push message: a customer who waits can still change the order.
    #[serde(rename = "notification_queue")]
    Push,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Name in SQS, and the label `queue_name`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email_queue",
            Self::Push => "notification_queue",
        }
    }
}

/// The queue of notifications that could not be delivered, of either kind.
pub const DEAD_LETTERS: &str = "notification_dlq";

/// What a customer is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The same on every repetition, so that a provider can drop it.
    pub id: Uuid,
    /// The order.
    pub order_id: Uuid,
    /// When it was settled.
    pub settled_at: DateTime<Utc>,
    /// The sentence.
    pub text: String,
    /// The queue that it was put into: the dead-letter queue has those of both. Absent in those of an older version.
    #[serde(default)]
    pub queue: Option<Queue>,
}

impl Notification {
    /// The notification about an outcome, and its queue; `None` for an outcome that says nothing.
    #[must_use]
    pub fn about(event: &OrderSettled) -> Option<(Queue, Self)> {
        let id = event.order_id;
        let (queue, text) = match event.status {
            OrderStatus::Completed => (Queue::Email, format!("Order {id} is paid. Thank you.")),
            OrderStatus::Rejected => {
                let reason = event.reason.as_deref().unwrap_or("no reason was given");
                (Queue::Push, format!("Order {id} was not accepted: {reason}."))
            }
            OrderStatus::Pending => return None,
        };
        let (id, order_id, settled_at) = (event.event_id, id, event.settled_at);
        Some((queue, Self { id, order_id, settled_at, text, queue: Some(queue) }))
    }
}

#[cfg(test)]
mod tests {
    use contracts::orders::EVENT_VERSION;
    use proptest::prelude::*;

    use super::*;

    fn event(status: OrderStatus, reason: Option<String>) -> OrderSettled {
        OrderSettled {
            version: EVENT_VERSION,
            event_id: Uuid::from_u128(1),
            order_id: Uuid::from_u128(2),
            status,
            reason,
            settled_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_paid_order_is_a_mail_and_a_refused_one_a_push_message() {
        let (queue, mail) = Notification::about(&event(OrderStatus::Completed, None)).unwrap();
        assert_eq!((queue.name(), mail.id), ("email_queue", Uuid::from_u128(1)));
        let (queue, push) =
            Notification::about(&event(OrderStatus::Rejected, Some("over-limit".to_owned()))).unwrap();
        assert_eq!(queue.name(), "notification_queue");
        assert!(push.text.ends_with("was not accepted: over-limit."), "{}", push.text);
        assert_eq!(Notification::about(&event(OrderStatus::Pending, None)), None);
    }

    #[test]
    fn a_notification_says_which_queue_it_was_for_and_an_older_one_does_not() {
        let (queue, sent) = Notification::about(&event(OrderStatus::Completed, None)).unwrap();
        assert_eq!(sent.queue, Some(queue));
        let mut text = serde_json::to_value(&sent).unwrap();
        assert_eq!(text["queue"], queue.name(), "the name in SQS");
        text.as_object_mut().unwrap().remove("queue");
        assert_eq!(serde_json::from_value::<Notification>(text).unwrap().queue, None);
    }

    proptest! {
        #[test]
        fn a_notification_survives_the_queue(reason in proptest::option::of(".{0,80}")) {
            let (_, sent) = Notification::about(&event(OrderStatus::Rejected, reason)).unwrap();
            let text = serde_json::to_string(&sent).unwrap();
            prop_assert_eq!(serde_json::from_str::<Notification>(&text).unwrap(), sent);
        }
    }
}
