//! Has the client replaced when its join is lost (`join.rs` decides when).
//!
//! Leaving and joining with the same client is no way out: librdkafka asks nothing else of a group before it has the answer
//! to the join, and the broker reads nothing else from a connection on which it owes one. A new client has a new connection
//! and is a new member.

use tokio_util::sync::CancellationToken;

use super::{join, member::Member};

/// Watches the joins of a member until shutdown.
pub(super) async fn watch(member: Member, shutdown: CancellationToken) {
    let patience = join::patience(member.boundary.config.kafka_session_timeout);
    while let Some(waited) = shutdown.run_until_cancelled(member.session.join.lost(patience)).await {
        tracing::warn!(
            group = member.subscription.group,
            waited_seconds = waited.as_secs(),
            "the group's coordinator does not answer the join: joining anew; if that repeats, look for a member of the \
             group that is stuck, and restart it"
        );
        member.replacements.join.inc();
        member.session.replace();
    }
}
