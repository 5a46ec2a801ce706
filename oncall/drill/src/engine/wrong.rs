//! Whether an action does not help: after the time that the drill states, or as soon as that can be seen.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Run, conditions::id, plan::later};
use crate::model::Proof;

/// Between an action and the first moment that is looked at early: as between an action and the window of 15 s that ends
/// after the usual 20 s. A process that has just started may still fail requests.
const SETTLES: Duration = Duration::from_secs(5);
/// For how long it has to be seen in every look.
const STEADY: Duration = Duration::from_secs(3);

impl Run {
    /// How it is proven that a wrong action does not help.
    pub(super) fn proof(&self, index: usize) -> Option<&Proof> {
        self.drill.mitigations.wrong.get(index)?.proof.as_ref()
    }

    /// Id of the look at what must still be seen.
    pub(super) fn still(&self, proof: &Proof) -> String {
        let signal = self.drill.signals.iter().position(|signal| signal.name == proof.still.name);
        id("signal", signal.unwrap_or_default())
    }

    /// Whether a condition holds now. What was seen before the action proves nothing of it.
    pub(super) fn holds_since(&self, look: &str, done: DateTime<Utc>) -> bool {
        self.watches.get(look).is_some_and(|watch| watch.holds && watch.at > done)
    }

    /// Judges a wrong action early: what must still be seen is seen, also over windows that lie behind the action, look
    /// after look. Never that it helped: that needs all of its time.
    pub(super) fn prove(&mut self, index: usize) {
        let Some(done) = self.done.get(&id("wrong", index)).copied() else { return };
        let Some(proof) = self.proof(index) else { return };
        let Some(question) = &proof.fresh else { return };
        let from = later(done, SETTLES + question.looks_back);
        let now = |look: &str| self.watches.get(look).filter(|watch| watch.holds && watch.at == self.now);
        // Both in the same look.
        let (fresh, still) = (now(&id("fresh", index)), now(&self.still(proof)));
        let steady = fresh.is_some_and(|watch| later(watch.since.max(from), STEADY) <= watch.at);
        if steady && still.is_some() {
            self.tried(index, self.now);
        }
    }
}
