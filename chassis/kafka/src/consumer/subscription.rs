//! What a service says of a topic that it reads: as which group, and what becomes of messages that are given up.

use async_trait::async_trait;

use super::{super::InMessage, verdict::Verdict};

/// Handles one message. Runs inside the consumer span and the message's scope.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Decides one message; must be idempotent: a message may come again. The future is dropped at an await point when the
    /// partition must be given away and two seconds were not enough to finish.
    async fn handle(&self, message: &InMessage) -> Verdict;
}

/// One topic, read by one group.
#[derive(Debug, Clone, Copy)]
pub struct Subscription {
    /// Consumer group.
    pub group: &'static str,
    /// Topic.
    pub topic: &'static str,
    /// Topic of the messages that are given up.
    pub dead_letters: &'static str,
    /// Attempts of [`Verdict::Retry`], the first included.
    pub max_attempts: u32,
    /// Reasons that the handler gives up messages for, so that their series exist from the start.
    pub reasons: &'static [&'static str],
}
