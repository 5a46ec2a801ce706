//! Topics and the consumer groups that read them.

/// Orders that were accepted: order-api -> order-worker. Key: order id.
pub const ORDERS: &str = "orders";
/// Outcomes of orders: order-worker -> order-api. Key: order id.
pub const ORDER_OUTCOMES: &str = "order-outcomes";
/// Messages of [`ORDERS`] that cannot be handled, with error headers.
pub const ORDERS_DLQ: &str = "orders.dlq";
/// Messages of [`ORDER_OUTCOMES`] that cannot be applied, with error headers.
pub const ORDER_OUTCOMES_DLQ: &str = "order-outcomes.dlq";
/// Messages of [`ORDER_OUTCOMES`] that the notifier cannot make a notification of, with error headers.
pub const NOTIFICATIONS_DLQ: &str = "notifications.dlq";

/// Consumer group of the worker.
pub const GROUP_ORDER_WORKER: &str = "order-worker";
/// Consumer group of the API's outcome consumer.
pub const GROUP_ORDER_API: &str = "order-api";
/// Consumer group of the notifier.
pub const GROUP_NOTIFIER: &str = "notifier";
