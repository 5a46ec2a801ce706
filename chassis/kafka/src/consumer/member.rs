//! One member of a consumer group, as its thread and its tasks see it.

use std::sync::Arc;

use super::{
    super::{boundary::Boundary, metrics::Replacements},
    assignment::Assignment,
    commits::Commits,
    context::GroupContext,
    session::Session,
    subscription::Subscription,
};

/// What the parts of a consumer share. Cheap to clone.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) subscription: Subscription,
    /// Which client speaks for it.
    pub(super) session: Arc<Session<GroupContext>>,
    /// Which partitions it has, and who works on them.
    pub(super) assignment: Arc<Assignment>,
    /// How far they are done.
    pub(super) commits: Arc<Commits>,
    /// Counts the clients that were given up.
    pub(super) replacements: Replacements,
    pub(super) boundary: Arc<Boundary>,
}

impl Member {
    /// What the callbacks of the next client work on; those of the client before count no more.
    pub(super) fn next_context(&self) -> GroupContext {
        GroupContext::new(Arc::clone(&self.session), Arc::clone(&self.assignment), Arc::clone(&self.commits))
    }
}
