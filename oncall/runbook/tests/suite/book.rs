//! What automation promises about the acts of its runs, checked with simple arithmetic and not with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use runbook::{
    Change, Guardrails, Verb,
    guardrails::{Proposal, Replicas, Situation, Then},
    run::Ending,
};

use crate::support::rails;

/// An act that counts.
struct Counted {
    at: DateTime<Utc>,
    run: String,
    target: String,
}

/// What was allowed and done.
pub(crate) struct Book {
    rails: Guardrails,
    acts: Vec<Counted>,
    /// The service that a run stops, or keeps a replica of from serving.
    stops: BTreeMap<String, String>,
    /// Runs that have drained a replica.
    drained: BTreeSet<String>,
    failures: Vec<DateTime<Utc>>,
    pub(crate) off: bool,
}

/// A time of production on the clock of a situation.
fn scaled(hours: i64, now: &Situation) -> TimeDelta {
    TimeDelta::hours(hours) / i32::try_from(now.speed).expect("a small number")
}

impl Book {
    pub(crate) fn new() -> Self {
        let (acts, failures) = (Vec::new(), Vec::new());
        let (stops, drained) = (BTreeMap::new(), BTreeSet::new());
        Self { rails: rails(), acts, stops, drained, failures, off: false }
    }

    /// An act was allowed, or allowed once more: then it counts since the first time.
    pub(crate) fn allowed(&mut self, now: &Situation, asked: &Proposal<'_>, again: bool) {
        let (change, target) = (asked.change, asked.change.target());
        let counts = !asked.undo && change.verb != Verb::Drain;
        let known = self.acts.iter().rposition(|act| act.run == asked.run && act.target == target);
        let first = known.filter(|_| again && counts).map(|known| self.acts.remove(known).at);
        self.holds(now, asked);
        if counts {
            let (at, run) = (first.unwrap_or(now.now), asked.run.to_owned());
            self.acts.push(Counted { at, run, target: target.clone() });
        }
        if change.verb.stops_replicas(&change.with) {
            self.stops.insert(asked.run.to_owned(), target);
        }
    }

    /// Everything that the file promises about an act that was allowed.
    fn holds(&self, now: &Situation, asked: &Proposal<'_>) {
        let (change, target) = (asked.change, asked.change.target());
        assert!(!self.off && !self.covered(Then::Deny, asked), "{asked:?}");
        if change.verb.stops_replicas(&change.with) {
            let mut others = self.stops.iter().filter(|(run, _)| *run != asked.run);
            assert!(others.all(|(_, other)| *other != target), "two at once: {asked:?}");
            let Replicas { healthy, target_healthy } = now.replicas[&target];
            let lost = if change.verb == Verb::Scale { 1 } else { u32::from(target_healthy) };
            let left = healthy.saturating_sub(lost);
            let least = self.rails.minimum_healthy.get(&target).copied().unwrap_or(1);
            assert!(left == healthy || left >= least, "{left} are left: {asked:?}");
        }
        if asked.undo {
            return;
        }
        let may =
            if self.covered(Then::Ask, asked) { asked.approved } else { self.covered(Then::Auto, asked) };
        assert!(may, "{asked:?}");
        // Berlin is an hour ahead of UTC in winter.
        let hour = (now.now.hour() + 1) % 24;
        assert!(asked.approved || (5..23).contains(&hour), "at night: {asked:?}");
        for service in asked.services.iter().chain([&target]) {
            assert!(!now.deploying.contains(service), "{asked:?}");
            assert!(now.incidents.iter().all(|one| !one.services.contains(service)), "{asked:?}");
        }
        let recent = self.acts.iter().filter(|act| now.now - act.at < scaled(1, now));
        let recent: Vec<&str> = recent.map(|act| act.target.as_str()).collect();
        let own = recent.iter().filter(|of| **of == target).count();
        assert!(recent.len() < 6 && own < 2, "{asked:?} after {recent:?}");
    }

    /// Whether a rule of a kind is about it.
    fn covered(&self, then: Then, asked: &Proposal<'_>) -> bool {
        let Change { verb, .. } = asked.change;
        let target = asked.change.target();
        let named = |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        self.rails.rules.iter().filter(|rule| rule.then == then).any(|rule| {
            (rule.verbs.is_empty() || rule.verbs.contains(verb))
                && named(&rule.targets, &target)
                && named(&rule.runbooks, asked.runbook)
        })
    }

    /// The act of a run is done: a drained replica is missing until it is put back.
    pub(crate) fn done(&mut self, run: &str, verb: Verb, ok: bool) {
        if verb == Verb::Drain {
            self.drained.insert(run.to_owned());
        } else if verb == Verb::Undrain && ok {
            self.drained.remove(run);
        }
        if !self.drained.contains(run) {
            self.stops.remove(run);
        }
    }

    /// A run is over; says whether the breaker opens because of it.
    pub(crate) fn over(&mut self, now: &Situation, run: &str, how: Ending) -> bool {
        self.drained.remove(run);
        self.stops.remove(run);
        if how != Ending::Failed {
            return false;
        }
        self.failures.retain(|before| now.now - *before < scaled(6, now));
        self.failures.push(now.now);
        let opens = !self.off && self.failures.len() >= 2;
        self.off |= opens;
        opens
    }

    /// Somebody uses the switch.
    pub(crate) fn switch(&mut self, on: bool) {
        self.off = !on;
        if on {
            self.failures.clear();
        }
    }
}
