//! What one verification leaves to the next one: what it proved at its end need not be proven from nothing again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Mode, Outcome, Proven, Run, Verdict};
use crate::Drill;

/// Longest time in which nobody looked, before and after the end, for which the system is taken to be as it was.
const FRESH: TimeDelta = TimeDelta::seconds(10);
/// What a baseline proves itself at least: a whole window of the fastest objective, after Prometheus has forgotten.
const LEAST: Duration = Duration::from_secs(5);

impl Proven {
    /// What a run proved that ended so, at this time of the clock. Nothing, unless it is a verification that passed,
    /// and whose reset came right after the recovery: only that proves the whole system, and not just a reset.
    #[must_use]
    pub fn by(drill: &Drill, outcome: &Outcome, at: DateTime<Utc>) -> Option<Self> {
        let verified = matches!(outcome.mode, Mode::Verify { .. }) && outcome.verdict == Verdict::Passed;
        let seen = outcome.recovered.is_some_and(|recovered| outcome.ended - recovered <= FRESH);
        (verified && seen).then(|| Self {
            at,
            good_for: drill.oracle.good_for,
            scenario: drill.load.scenario.clone(),
            rps: drill.load.rps,
        })
    }

    /// Whether a verification that starts now finds what was proven: at once, and under the same load.
    fn lasts(&self, drill: &Drill, start: DateTime<Utc>) -> bool {
        let same = self.scenario == drill.load.scenario && self.rps == drill.load.rps;
        same && self.at <= start && start - self.at <= FRESH
    }
}

impl Run {
    /// Whether the baseline begins with what the verification before has proven. One alert, or one look at the alerts
    /// without an answer, and it has to be proven from nothing.
    pub(super) fn inherits(&self) -> bool {
        let quiet = self.watches.get("no-alert").is_none_or(|watch| watch.failed.is_none());
        let proves = matches!(self.start.mode, Mode::Verify { .. });
        let lasts = |proven: &Proven| proven.lasts(&self.drill, self.start.at);
        proves && quiet && self.start.follows.as_ref().is_some_and(lasts)
    }

    /// How long all conditions of the baseline have to be as wanted: less by the time for which users were seen to be
    /// served already.
    pub(super) fn holds(&self) -> Duration {
        let holds = self.drill.baseline.holds;
        match &self.start.follows {
            Some(proven) if self.inherits() => holds.saturating_sub(proven.good_for).max(LEAST.min(holds)),
            _ => holds,
        }
    }
}
