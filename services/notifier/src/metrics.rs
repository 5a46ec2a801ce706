//! What the notifier exports beyond the chassis.

use chassis_telemetry::metrics::{IntCounterVec, IntGaugeVec, Metrics};

use crate::domain::{DEAD_LETTERS, Queue};

/// The calls of SQS that are made; their series exist from the start.
const ACTIONS: &[&str] = &[
    "CreateQueue",
    "DeleteMessageBatch",
    "GetQueueAttributes",
    "ReceiveMessage",
    "SendMessage",
    "SetQueueAttributes",
];

chassis_telemetry::metrics! {
    /// Of the whole process. Cheap to clone.
    #[derive(Clone)]
    pub struct NotifierMetrics {
        /// Messages waiting in a queue: the lag of all assigned partitions of a topic.
        // Declared by the chassis too; the first of equal declarations counts.
        queue_size: IntGaugeVec["queue_name"],
        /// Calls of SQS, by whether it did what it was asked.
        sqs_requests_total: IntCounterVec["action", "outcome"],
    }

    /// Notifications that SQS has acknowledged, by the queue that they were put into.
    notifications_queued_total["queue_name"] = {
        queued_email: Queue::Email.name(),
        queued_push: Queue::Push.name(),
    };

    /// Notifications that were delivered, by the queue that they came from.
    notifications_delivered_total["queue_name"] = {
        delivered_email: Queue::Email.name(),
        delivered_push: Queue::Push.name(),
    };

    /// Deliveries that failed, by queue; a notification may fail several times.
    notifications_failed_total["queue_name"] = {
        failed_email: Queue::Email.name(),
        failed_push: Queue::Push.name(),
    };
}

impl NotifierMetrics {
    /// Registers all, each series from now on at 0.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let made = Self::register(metrics);
        for queue in Queue::ALL.map(Queue::name).into_iter().chain([DEAD_LETTERS]) {
            made.queue_size.with_label_values(&[queue]).set(0);
        }
        for action in ACTIONS {
            for outcome in ["ok", "error"] {
                made.sqs_requests_total.with_label_values(&[action, outcome]);
            }
        }
        made
    }

    /// A call of SQS has ended.
    pub fn called(&self, action: &str, ok: bool) {
        let outcome = if ok { "ok" } else { "error" };
        self.sqs_requests_total.with_label_values(&[action, outcome]).inc();
    }

    /// This many messages are in a queue, those that are being delivered included.
    pub fn depth(&self, queue: &str, messages: i64) {
        self.queue_size.with_label_values(&[queue]).set(messages);
    }

    /// SQS has a notification.
    pub fn queued(&self, queue: Queue) {
        match queue {
            Queue::Email => self.queued_email.inc(),
            Queue::Push => self.queued_push.inc(),
        }
    }

    /// A notification was delivered.
    pub fn delivered(&self, queue: Queue) {
        match queue {
            Queue::Email => self.delivered_email.inc(),
            Queue::Push => self.delivered_push.inc(),
        }
    }

    /// A delivery failed.
    pub fn failed(&self, queue: Queue) {
        match queue {
            Queue::Email => self.failed_email.inc(),
            Queue::Push => self.failed_push.inc(),
        }
    }
}
