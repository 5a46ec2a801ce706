//! What a phase waits for, and what was seen of it last. For anyone who asks why a run does not continue.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    Look, Phase, Run,
    conditions::{self, Condition},
};

/// A condition that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The condition. The truth may be in it.
    pub look: Look,
    /// What it has to be.
    pub holds: bool,
    /// What came back last.
    pub seen: String,
}

impl Run {
    /// What it waits for at `now`; nothing in a phase that ends by time or by an action.
    #[must_use]
    pub fn waiting(&self, now: DateTime<Utc>) -> Vec<Waiting> {
        let ahead = self.ahead(now);
        let conditions = match ahead.phase {
            Phase::Baseline => ahead.baseline(),
            Phase::Recover => ahead.recovery(),
            Phase::Reset => conditions::clean(&ahead.drill),
            Phase::Observe | Phase::Wrong(_) | Phase::Solve(_) | Phase::Finished => Vec::new(),
        };
        let open = |condition: &Condition| {
            ahead.watches.get(&condition.look.id).is_none_or(|watch| watch.holds != condition.holds)
        };
        let waiting = |Condition { look, holds }: Condition| {
            let seen = ahead.watches.seen(&look.id);
            Waiting { look, holds, seen }
        };
        conditions.into_iter().filter(open).map(waiting).collect()
    }
}
