//! What each event changes.

use chrono::{DateTime, Utc};

use super::{End, Event, Goal, How, Passed, Phase, Refused, Run, What};
use crate::{Block, Judge, Opinion, Verdict, judge::Count};

impl Run {
    /// A release that begins.
    ///
    /// # Errors
    /// When the event is no start, or its plan cannot be done.
    pub fn start(event: &Event) -> Result<Self, Refused> {
        let What::Started { plan } = &event.what else {
            let next = "expected the start".to_owned();
            return Err(Refused::Unexpected { what: name(&event.what), next });
        };
        plan.check()?;
        Ok(Self {
            plan: (**plan).clone(),
            phase: Phase::Commit(Goal::Step(0)),
            since: event.at,
            started: event.at,
            now: event.at,
            commits: Vec::new(),
            passed: Vec::new(),
            exposed: Count::default(),
            met: None,
            measured: None,
            let_through: None,
            last: None,
        })
    }

    /// Takes the next event. One that is older than the newest counts as of the same time as that.
    ///
    /// # Errors
    /// When it does not fit; nothing has changed then.
    pub fn apply(&mut self, event: &Event) -> Result<(), Refused> {
        if let Phase::Ended(end) = &self.phase {
            return Err(Refused::Over(end.why.clone()));
        }
        let at = event.at.max(self.now);
        match &event.what {
            What::Started { .. } => return self.unexpected(&event.what),
            What::Committed { key, commit } => self.committed(at, key, commit.as_deref())?,
            What::Settled => self.settled(at)?,
            What::Measured { block } => self.measured(block),
            What::Judged { opinion } => self.judged(at, opinion)?,
            What::Expired => self.expired(at)?,
            What::Frozen { why } => self.frozen(at, why)?,
            What::Failed { why } => self.failed(at, why),
            What::Continued { by, why } => self.continued(at, by, why)?,
            What::Aborted { by, why } => self.aborted(at, by, why)?,
        }
        self.now = at;
        Ok(())
    }

    fn unexpected(&self, what: &What) -> Result<(), Refused> {
        let next = format!("the release is in the state `{}`", self.state());
        Err(Refused::Unexpected { what: name(what), next })
    }

    fn go(&mut self, at: DateTime<Utc>, phase: Phase) {
        self.phase = phase;
        self.since = at;
    }

    fn committed(&mut self, at: DateTime<Utc>, key: &str, commit: Option<&str>) -> Result<(), Refused> {
        let Phase::Commit(goal) = &self.phase else {
            return self.unexpected(&What::Committed { key: key.to_owned(), commit: None });
        };
        let (goal, expected) = (goal.clone(), self.key(goal));
        let revert = matches!(goal, Goal::Revert { .. });
        if key != expected || (commit.is_none() && !revert) {
            let next = format!("expected a commit with the key `{expected}`");
            return Err(Refused::Unexpected { what: "a commit", next });
        }
        if !revert {
            self.commits.extend(commit.map(str::to_owned));
        }
        self.go(at, Phase::Settle(goal));
        Ok(())
    }

    fn settled(&mut self, at: DateTime<Utc>) -> Result<(), Refused> {
        let Phase::Settle(goal) = &self.phase else { return self.unexpected(&What::Settled) };
        let phase = match goal.clone() {
            Goal::Step(step) => {
                let judge = Judge::new(&self.plan.policy, self.plan.judged(), at);
                Phase::Watch { step, judge: Box::new(judge) }
            }
            Goal::Promote => {
                let why = format!("{} passed every step", self.plan.new);
                Phase::Ended(End { at, how: How::Released, why })
            }
            Goal::Revert { how, why, .. } => Phase::Ended(End { at, how, why }),
        };
        self.go(at, phase);
        Ok(())
    }

    fn measured(&mut self, block: &Block) {
        if self.measured.is_some_and(|last| block.until <= last) {
            return;
        }
        self.measured = Some(block.until);
        let canary = block.canary.requests.all;
        if canary > 0 {
            self.met.get_or_insert(block.until);
        }
        self.exposed.add(Count { bad: canary, all: block.everyone.max(canary) });
        match &mut self.phase {
            Phase::Watch { judge, .. } => judge.see(block),
            Phase::Held { .. } => self.last.iter_mut().for_each(|judge| judge.see(block)),
            _ => {}
        }
    }

    fn judged(&mut self, at: DateTime<Utc>, opinion: &Opinion) -> Result<(), Refused> {
        let (step, judge) = match &self.phase {
            Phase::Watch { step, judge } => (*step, judge.clone()),
            Phase::Held { step, .. } if opinion.verdict == Verdict::Fail && !self.plan.policy.by_hand => {
                let step = *step;
                self.worse(at, step, opinion);
                return Ok(());
            }
            _ => return self.unexpected(&What::Judged { opinion: opinion.clone() }),
        };
        self.last = Some(judge);
        let weight = self.plan.weight(step).unwrap_or_default();
        let (from, opinion) = (self.since, opinion.clone());
        let (verdict, why) = (opinion.verdict, opinion.why.clone());
        self.passed.push(Passed { weight, from, until: at, opinion, by: None });
        match verdict {
            _ if self.plan.policy.by_hand => {
                let why = format!("a person decides at {weight} %; the judge says: {why}");
                self.go(at, Phase::Held { step, why, frozen: false });
            }
            Verdict::Pass => self.step(at, step + 1),
            Verdict::Fail => self.back(at, How::RolledBack, format!("worse at {weight} %: {why}")),
            Verdict::Inconclusive => {
                let why = format!("inconclusive at {weight} %: {why}");
                self.go(at, Phase::Held { step, why, frozen: false });
            }
        }
        Ok(())
    }

    /// It got worse while it waited for a person.
    fn worse(&mut self, at: DateTime<Utc>, step: usize, opinion: &Opinion) {
        if let Some(passed) = self.passed.last_mut() {
            (passed.until, passed.opinion) = (at, opinion.clone());
        }
        let weight = self.plan.weight(step).unwrap_or_default();
        let why = format!("worse at {weight} %, while it waited: {}", opinion.why);
        self.back(at, How::RolledBack, why);
    }

    /// On to a step, or to the promotion after the last one.
    fn step(&mut self, at: DateTime<Utc>, step: usize) {
        let goal = self.goal(step);
        self.go(at, Phase::Commit(goal));
    }

    fn goal(&self, step: usize) -> Goal {
        if step < self.plan.judged() { Goal::Step(step) } else { Goal::Promote }
    }

    fn frozen(&mut self, at: DateTime<Utc>, why: &str) -> Result<(), Refused> {
        let step = self.passed.len().checked_sub(1).filter(|_| self.can_freeze());
        let Some(step) = step else {
            return self.unexpected(&What::Frozen { why: why.to_owned() });
        };
        self.go(at, Phase::Held { step, why: format!("releases are frozen: {why}"), frozen: true });
        Ok(())
    }

    fn continued(&mut self, at: DateTime<Utc>, by: &str, why: &str) -> Result<(), Refused> {
        let (by, why) = (filled("by", by)?, filled("why", why)?);
        let Phase::Held { step, frozen, .. } = self.phase else {
            return self.unexpected(&What::Continued { by, why });
        };
        if frozen {
            self.let_through = Some(self.passed.len());
        }
        if let Some(passed) = self.passed.last_mut() {
            passed.by = Some((by, why));
        }
        self.step(at, step + 1);
        Ok(())
    }

    fn aborted(&mut self, at: DateTime<Utc>, by: &str, why: &str) -> Result<(), Refused> {
        let (by, why) = (filled("by", by)?, filled("why", why)?);
        if self.is_going_back() {
            return self.unexpected(&What::Aborted { by, why });
        }
        self.back(at, How::Aborted, format!("{by} stopped it: {why}"));
        Ok(())
    }

    fn expired(&mut self, at: DateTime<Utc>) -> Result<(), Refused> {
        let seconds = self.plan.policy.settle.as_secs();
        match self.phase.clone() {
            Phase::Settle(Goal::Revert { why, .. }) => {
                let why = format!("not back to {} within {seconds} s, after: {why}", self.plan.old);
                self.go(at, Phase::Ended(End { at, how: How::Stuck, why }));
            }
            Phase::Settle(_) => {
                let why = format!("{} was not in force within {seconds} s", self.plan.new);
                self.back(at, How::RolledBack, why);
            }
            Phase::Held { why, .. } => {
                self.back(at, How::RolledBack, format!("{why}; and nobody decided"));
            }
            _ => return self.unexpected(&What::Expired),
        }
        Ok(())
    }

    fn failed(&mut self, at: DateTime<Utc>, why: &str) {
        match self.phase.clone() {
            Phase::Commit(Goal::Revert { why: first, .. }) => {
                let why = format!("the way back failed: {why}, after: {first}");
                self.go(at, Phase::Ended(End { at, how: How::Stuck, why }));
            }
            // The reconciler tries again, until the time is over.
            Phase::Settle(Goal::Revert { .. }) => {}
            _ => self.back(at, How::RolledBack, why.to_owned()),
        }
    }

    fn is_going_back(&self) -> bool {
        matches!(self.phase, Phase::Commit(Goal::Revert { .. }) | Phase::Settle(Goal::Revert { .. }))
    }

    /// Back to the old version, by a commit.
    fn back(&mut self, at: DateTime<Utc>, how: How, why: String) {
        let unsure = match &self.phase {
            Phase::Commit(goal) => Some(self.key(goal)),
            // The budget may have been spent after the commit and before its record.
            Phase::Held { step, frozen: true, .. } => Some(self.key(&self.goal(step + 1))),
            _ => None,
        };
        self.go(at, Phase::Commit(Goal::Revert { how, why, unsure }));
    }
}

fn filled(name: &'static str, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() { Err(Refused::Empty(name)) } else { Ok(text.to_owned()) }
}

/// For messages.
fn name(what: &What) -> &'static str {
    match what {
        What::Started { .. } => "a start",
        What::Committed { .. } => "a commit",
        What::Settled => "that all is in force",
        What::Measured { .. } => "a measurement",
        What::Judged { .. } => "a verdict",
        What::Expired => "that the time is over",
        What::Frozen { .. } => "a freeze",
        What::Failed { .. } => "a failure",
        What::Continued { .. } => "that a person continues",
        What::Aborted { .. } => "that a person stops it",
    }
}
