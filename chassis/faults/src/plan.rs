//! A plan: what a fault point was set to. Pure: its strength is a function of the time since it was set.

use std::time::Duration;

use crate::{Attribute, params::Values, scope::Scope};

/// Flapping: on for the first `on` of each `every`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flap {
    pub every: Duration,
    pub on: Duration,
}

/// Which units of work a plan may hit; an absent part matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Blast {
    pub route: Option<String>,
    pub subject: Vec<(Attribute, String)>,
}

/// A parsed plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Share of the work that is hit, or of the full strength, once the ramp is over.
    pub rate: f64,
    /// `None` only for a baseline.
    pub ttl: Option<Duration>,
    /// Time in which the strength rises linearly from nothing to `rate`; zero means at once.
    pub ramp: Duration,
    pub flap: Option<Flap>,
    pub blast: Blast,
    /// Absent: each run of the plan decides differently.
    pub seed: Option<u64>,
    /// Every parameter of the point's own, defaults filled in.
    pub values: Values,
}

impl Plan {
    /// Strength at `elapsed` since the start, from 0 to `rate`.
    pub(super) fn level(&self, elapsed: Duration) -> f64 {
        if self.expired(elapsed) || self.flap.is_some_and(|flap| position(elapsed, flap.every) >= flap.on) {
            return 0.0;
        }
        if elapsed >= self.ramp {
            return self.rate;
        }
        self.rate * elapsed.as_secs_f64() / self.ramp.as_secs_f64()
    }

    pub(super) fn expired(&self, elapsed: Duration) -> bool {
        self.ttl.is_some_and(|ttl| elapsed >= ttl)
    }

    /// Time since the start at which the level next changes by itself; `None` if it no longer changes.
    pub(super) fn next_change(&self, elapsed: Duration) -> Option<Duration> {
        let ramp = (elapsed < self.ramp).then(|| (elapsed + self.ramp_step()).min(self.ramp));
        let flap = self.flap.map(|flap| next_edge(elapsed, flap));
        let end = self.ttl.filter(|ttl| elapsed < *ttl);
        [ramp, flap, end].into_iter().flatten().min()
    }

    /// A ramp has about fifty steps, long enough to follow and short enough to be smooth.
    fn ramp_step(&self) -> Duration {
        (self.ramp / 50).clamp(Duration::from_millis(50), Duration::from_secs(1))
    }
}

impl Blast {
    /// Whether a unit of work is in the plan's scope.
    pub(super) fn covers(&self, scope: &Scope) -> bool {
        self.route.as_deref().is_none_or(|route| same_route(route, &scope.route))
            && self.subject.iter().all(|(asked, value)| scope.subject.get(asked.key) == Some(value))
    }

    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether more must be known than `scope` contains to decide.
    pub(super) fn asks_more_than(&self, scope: &Scope) -> bool {
        self.subject.iter().any(|(asked, _)| !scope.subject.contains_key(asked.key))
    }
}

/// Compares route templates without their braces: curl treats `{id}` as a glob and sends `id`.
fn same_route(wanted: &str, is: &str) -> bool {
    let plain = |c: &char| !matches!(c, '{' | '}');
    wanted.chars().filter(plain).eq(is.chars().filter(plain))
}

/// How far `elapsed` is into the current period.
fn position(elapsed: Duration, every: Duration) -> Duration {
    let nanos = elapsed.as_nanos() % every.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The next switch between on and off, strictly after `elapsed`.
fn next_edge(elapsed: Duration, flap: Flap) -> Duration {
    let position = position(elapsed, flap.every);
    let start = elapsed.saturating_sub(position);
    start + if position < flap.on { flap.on } else { flap.every }
}
