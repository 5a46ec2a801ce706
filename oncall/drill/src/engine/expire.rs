//! What the end of a phase's time means.

use chrono::{DateTime, Utc};

use super::{
    Failure, Phase, Run, Verdict,
    conditions::{self, id},
};
use crate::model::Step;

impl Run {
    /// A deadline has passed.
    pub(super) fn expire(&mut self, at: DateTime<Utc>) {
        match self.phase {
            Phase::Baseline => {
                // Nobody has looked before everything is prepared.
                let undone = self.unfinished("the baseline is prepared", "in time", at);
                let unmet = undone.map_or_else(|| self.unmet(&self.baseline(), at), |one| vec![one]);
                self.failures.extend(unmet);
                self.end(Verdict::Invalid, at);
            }
            Phase::Observe => self.observed(at),
            Phase::Wrong(index) => self.tried(index, at),
            Phase::Solve(index) => self.stepped(index, at),
            Phase::Recover => {
                let unmet = self.unmet(&self.recovery(), at);
                self.failures.extend(unmet);
                let late = self.responder().is_none() && self.record.submitted.is_none();
                self.end(if late { Verdict::TimedOut } else { Verdict::Failed }, at);
            }
            Phase::Reset => {
                self.dirty = true;
                let unmet = self.unmet(&conditions::clean(&self.drill), at);
                self.failures.extend(unmet);
                self.failures.extend(self.unfinished("the reset is done", "within 60 s", at));
                self.verdict = self.verdict.map(Verdict::worse);
            }
            Phase::Finished => {}
        }
    }

    /// Actions of the phase that are not done, as a failure; nothing if all are.
    fn unfinished(&self, condition: &str, expected: &str, at: DateTime<Utc>) -> Option<Failure> {
        let undone = self.undone();
        let seen = format!("not done: {}", undone.join(", "));
        (!undone.is_empty()).then(|| self.failure(condition, "", expected, &seen, at))
    }

    /// The time to observe is over.
    fn observed(&mut self, at: DateTime<Utc>) {
        if self.injected.is_none() {
            let seen = "no fault was set";
            self.failures.push(self.failure("the drill begins", "", "its first fault is set", seen, at));
            return self.end(Verdict::Invalid, at);
        }
        if self.responder().is_some() {
            return self.judge(at);
        }
        // A person whose action helped gets the time in which the system recovers.
        let good = self.watches.all(self.sli().iter().map(|id| (id.as_str(), true)));
        if good.is_some() && (self.helped.is_some() || self.drill.is_quiet()) {
            self.go(Phase::Recover, at);
        } else {
            self.end(Verdict::TimedOut, at);
        }
    }

    /// Verification: everything must have been seen by now.
    pub(super) fn judge(&mut self, at: DateTime<Utc>) {
        let gaps = self.gaps(at);
        if gaps.is_empty() {
            self.go(self.after_observe(), at);
        } else {
            self.failures.extend(gaps.into_iter().map(|gap| gap.failure));
            self.end(Verdict::Failed, at);
        }
    }

    pub(super) fn tried(&mut self, index: usize, at: DateTime<Utc>) {
        let drill = self.drill.clone();
        let Some(wrong) = drill.mitigations.wrong.get(index) else {
            return self.go(self.after_wrong(index), at);
        };
        let Some(done) = self.done.get(&id("wrong", index)).copied() else {
            let condition = format!("“{}” can be done", wrong.act);
            self.failures.push(self.failure(&condition, "", "done within 60 s", "not done", at));
            return self.end(Verdict::Failed, at);
        };
        if let Some(proof) = &wrong.proof {
            let look = self.still(proof);
            if !self.holds_since(&look, done) {
                let condition = format!("“{}” does not help: {}", wrong.act, wrong.why);
                let seen = self.watches.seen(&look);
                let expected = format!("still {}", proof.still.name);
                self.failures.push(self.failure(&condition, &proof.still.query, &expected, &seen, at));
            }
        }
        self.go(self.after_wrong(index + 1), at);
    }

    fn stepped(&mut self, index: usize, at: DateTime<Utc>) {
        if self.solves() && matches!(self.drill.solve.get(index), Some(Step::Wait(_))) {
            return self.go(self.after_step(index), at);
        }
        let (query, seen) = match self.drill.solve.get(index) {
            Some(Step::Until { check, .. }) if self.solves() => {
                (check.query.clone(), self.watches.seen(&id("until", index)))
            }
            _ => (String::new(), "not done".to_owned()),
        };
        let condition = format!("step {} of the response", index + 1);
        self.failures.push(self.failure(&condition, &query, "in time", &seen, at));
        self.end(Verdict::Failed, at);
    }
}
