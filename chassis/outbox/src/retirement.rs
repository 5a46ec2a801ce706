//! When an entry is done.

use std::time::Duration;

/// When an entry is done.
#[derive(Debug, Clone, Copy)]
pub enum Retire {
    /// As soon as the broker acknowledged it.
    OnDelivery,
    /// When the service retires it, in the transaction that makes the effect durable ([`Outbox::retire`](crate::Outbox::retire) or
    /// a statement with [`retire!`](crate::retire) in it); published again when that takes longer than this.
    OnSettlement {
        /// Time after which a published entry is published again; doubles with each time that it is, up to eight times as much.
        overdue: Duration,
    },
}
