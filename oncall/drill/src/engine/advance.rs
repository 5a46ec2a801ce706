//! How a run goes from one phase to the next: at a deadline, or when its conditions are met.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    ACT, Failure, GRACE, Mode, PREPARE, Phase, RESET, Responder, Run, Verdict,
    conditions::{self, Condition, id},
    plan::later,
};
use crate::model::Step;

impl Run {
    /// Moves to `now`, never back.
    pub(super) fn advance(&mut self, now: DateTime<Utc>) {
        let now = now.max(self.now);
        // Each deadline leads to a later phase, or is the last one of its phase.
        while let Some(at) = self.deadline().filter(|at| *at <= now) {
            self.now = self.now.max(at);
            self.expire(at);
        }
        self.now = now;
    }

    /// When the phase ends by time alone.
    pub(super) fn deadline(&self) -> Option<DateTime<Utc>> {
        match self.phase {
            Phase::Baseline => Some(later(self.start.at, PREPARE + self.drill.baseline.within)),
            Phase::Observe => Some(self.observed_until()),
            Phase::Wrong(index) => {
                let after = self.proof(index).map_or(Duration::ZERO, |proof| proof.after);
                let done = self.done.get(&id("wrong", index));
                Some(done.map_or_else(|| later(self.since, ACT), |at| later(*at, after)))
            }
            Phase::Solve(index) => Some(later(self.since, self.step_within(index))),
            Phase::Recover => Some(later(self.since, self.drill.oracle.within + GRACE)),
            Phase::Reset => Some(later(self.since, RESET)).filter(|_| !self.dirty),
            Phase::Finished => None,
        }
    }

    fn observed_until(&self) -> DateTime<Utc> {
        let begun = self.begun.unwrap_or(self.since);
        let faults = self.drill.faults.iter().map(|fault| fault.after).min().unwrap_or_default();
        let Some(injected) = self.injected else { return later(begun, faults + ACT) };
        match &self.start.mode {
            Mode::Person { .. } => later(begun, self.drill.time_box),
            Mode::Verify { .. } => later(injected, self.observation() + GRACE),
        }
    }

    fn step_within(&self, index: usize) -> Duration {
        match self.drill.solve.get(index) {
            Some(Step::Wait(time)) if self.solves() => *time,
            Some(Step::Until { within, .. }) if self.solves() => *within,
            _ => ACT,
        }
    }

    /// Advances as far as the conditions allow.
    pub(super) fn settle(&mut self) {
        let before = self.phase;
        match self.phase {
            Phase::Baseline => self.begin(),
            Phase::Observe => self.observe(),
            Phase::Solve(index) => self.solve(index),
            Phase::Recover => self.recover(),
            Phase::Reset => self.finish(),
            Phase::Wrong(index) => self.prove(index),
            Phase::Finished => {}
        }
        self.stop();
        if self.phase != before {
            self.settle();
        }
    }

    fn begin(&mut self) {
        let prepared = self.undone().is_empty();
        let conditions = self.baseline();
        let Some((since, until)) = self.watches.all(wanted(&conditions)) else { return };
        let loaded = self.done.get("set-load").copied().unwrap_or(since);
        if prepared && later(since.max(loaded), self.holds()) <= until {
            // What was looked at before is no sighting.
            self.watches = super::Watches::default();
            self.begun = Some(self.now);
            if self.drill.faults.is_empty() {
                self.injected = Some(self.now);
            }
            self.go(Phase::Observe, self.now);
        }
    }

    fn observe(&mut self) {
        if self.responder().is_none() {
            if self.record.submitted.is_some() && self.injected.is_some() {
                self.go(Phase::Recover, self.now);
            }
            return;
        }
        let Some(injected) = self.injected else { return };
        let looked = later(injected, self.drill.observe) <= self.now;
        if looked && !self.gaps(self.now).iter().any(|gap| gap.open) {
            self.judge(self.now);
        }
    }

    fn solve(&mut self, index: usize) {
        let step = self.drill.solve.get(index).filter(|_| self.solves());
        let done = match step {
            Some(Step::Wait(_)) => false,
            Some(Step::Until { .. }) => {
                let watch = self.watches.get(&id("until", index));
                watch.is_some_and(|watch| watch.holds && watch.at >= self.since)
            }
            Some(Step::Act(_)) => self.done.contains_key(&id("solve", index)),
            None => self.done.contains_key(&id("restart", index)),
        };
        if done {
            self.go(self.after_step(index), self.now);
        }
    }

    fn recover(&mut self) {
        let conditions = self.recovery();
        if self.watches.all(wanted(&conditions)).is_none() {
            return;
        }
        let sli = self.sli();
        let good = sli.iter().map(|id| (id.as_str(), true));
        // Counted from when the load was back: a system that is good only while it is spared is not well.
        let steady = self.watches.all(good.clone().chain([("load", true)]));
        let (Some((good, _)), Some((since, until))) = (self.watches.all(good), steady) else { return };
        if later(since.max(self.since), self.drill.oracle.good_for) <= until {
            self.recovered = Some(self.now);
            let affected =
                sli.iter().any(|id| self.watches.get(id).is_some_and(|watch| watch.failed.is_some()));
            self.mitigated = Some(good).filter(|_| affected);
            self.end(if self.failures.is_empty() { Verdict::Passed } else { Verdict::Failed }, self.now);
        }
    }

    fn finish(&mut self) {
        let planned = self.planned();
        let times: Option<Vec<DateTime<Utc>>> =
            planned.iter().map(|due| self.done.get(&due.id).copied()).collect();
        let Some(times) = times else { return };
        let last = times.into_iter().max().unwrap_or(self.since);
        let conditions = conditions::clean(&self.drill);
        // Each was looked at after the last action.
        let fresh = conditions
            .iter()
            .all(|condition| self.watches.get(&condition.look.id).is_some_and(|watch| watch.at > last));
        if fresh && self.watches.all(wanted(&conditions)).is_some() {
            self.ended = Some(self.now);
            self.go(Phase::Finished, self.now);
        }
    }

    /// The condition to abort.
    fn stop(&mut self) {
        if !(Phase::Observe..=Phase::Recover).contains(&self.phase) {
            return;
        }
        let drill = self.drill.clone();
        for (index, check) in drill.abort.iter().enumerate() {
            let look = id("abort", index);
            if self.watches.get(&look).is_some_and(|watch| watch.holds) {
                let seen = self.watches.seen(&look);
                let failure = self.failure("the run continues", &check.query, "nothing", &seen, self.now);
                self.failures.push(Failure { condition: check.name.clone(), ..failure });
                return self.end(Verdict::Aborted, self.now);
            }
        }
    }

    pub(super) fn go(&mut self, phase: Phase, at: DateTime<Utc>) {
        self.phase = phase;
        self.since = at;
        self.phases.push((phase, at));
    }

    pub(super) fn after_observe(&self) -> Phase {
        match self.responder() {
            Some(Responder::Solution) => self.after_wrong(0),
            Some(Responder::RestartAll) => Phase::Solve(0),
            Some(Responder::Nothing) | None => Phase::Recover,
        }
    }

    /// The first wrong action from `index` on that has a proof.
    pub(super) fn after_wrong(&self, index: usize) -> Phase {
        let mut wrong = self.drill.mitigations.wrong.iter().enumerate().skip(index);
        let next = wrong.find(|(_, wrong)| wrong.proof.is_some());
        match next {
            Some((index, _)) => Phase::Wrong(index),
            None if self.drill.solve.is_empty() => Phase::Recover,
            None => Phase::Solve(0),
        }
    }

    pub(super) fn after_step(&self, index: usize) -> Phase {
        let steps = if self.solves() { self.drill.solve.len() } else { self.start.services.len() };
        if index + 1 < steps { Phase::Solve(index + 1) } else { Phase::Recover }
    }

    pub(super) fn sli(&self) -> Vec<String> {
        (0..self.drill.oracle.sli.len()).map(|index| id("sli", index)).collect()
    }
}

/// Ids of conditions, and what they have to be.
fn wanted(conditions: &[Condition]) -> impl Iterator<Item = (&str, bool)> {
    conditions.iter().map(|condition| (condition.look.id.as_str(), condition.holds))
}
