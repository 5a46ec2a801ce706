//! One upstream: its replicas, whose turn it is, which are out or drained, and how many requests may be repeated.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use http::uri::Authority;
use parking_lot::Mutex;

use crate::{
    domain::{
        balance::Wheel,
        budget::{Budget, Growth},
        drain::{Drain, Refused},
        outlier::{Outliers, Seen},
        table,
    },
    metrics::{EndpointMeter, ProxyMetrics, UpstreamMeter},
};

/// The replicas of one service.
pub struct Upstream {
    /// Name, as in the file of the routes.
    pub name: Arc<str>,
    spec: table::Upstream,
    state: Mutex<State>,
    endpoints: Vec<EndpointMeter>,
    /// Whether a replica has ever answered, whatever the answer was.
    has_answered: AtomicBool,
    pub(crate) meter: UpstreamMeter,
}

struct State {
    wheel: Wheel,
    outliers: Outliers,
    drain: Drain,
    budget: Budget,
}

/// One replica.
pub struct Place<'a> {
    /// Its number.
    pub index: usize,
    /// Its address.
    pub authority: &'a Authority,
    pub(crate) meter: &'a EndpointMeter,
}

impl Upstream {
    /// Of what the file says.
    pub(crate) fn new(name: &str, spec: &table::Upstream, metrics: &ProxyMetrics, now: Duration) -> Self {
        let endpoints = spec.endpoints.iter();
        let endpoints = endpoints.map(|endpoint| EndpointMeter::new(metrics, name, endpoint.as_str()));
        let count = spec.endpoints.len();
        let state = State {
            wheel: Wheel::even(count),
            outliers: Outliers::new(spec.ejection, count),
            drain: Drain::default(),
            budget: Budget::new(Growth::default(), now),
        };
        Self {
            name: name.into(),
            spec: spec.clone(),
            state: Mutex::new(state),
            endpoints: endpoints.collect(),
            has_answered: AtomicBool::new(false),
            meter: UpstreamMeter::new(metrics, name),
        }
    }

    /// Whether it is what the file says.
    pub(crate) fn is(&self, spec: &table::Upstream) -> bool {
        self.spec == *spec
    }

    /// Whether another address could be tried.
    #[must_use]
    pub fn has_several(&self) -> bool {
        self.endpoints.len() > 1
    }

    /// Whether another attempt may reach another replica.
    #[must_use]
    pub fn has_others(&self) -> bool {
        self.has_several() || self.spec.balanced
    }

    /// The replica whose turn it is: one that was not tried and is not out, or as close to that as there is. A drained one
    /// has no turn, unless all others are out.
    #[must_use]
    pub fn pick(&self, tried: &[usize], now: Duration) -> Option<Place<'_>> {
        let mut state = self.state.lock();
        let State { wheel, outliers, drain, .. } = &mut *state;
        let fresh = |index: usize| !tried.contains(&index);
        let sound = |index: usize| !outliers.is_out(index, now);
        let drained = |index: usize| drain.is(index, now);
        let others = (0..self.endpoints.len()).any(|index| !drained(index) && sound(index));
        let open = |index: usize| !others || !drained(index);
        let index = wheel
            .next(|index| open(index) && fresh(index) && sound(index))
            .or_else(|| wheel.next(|index| open(index) && fresh(index)))
            .or_else(|| wheel.next(|index| open(index) && sound(index)))
            .or_else(|| wheel.next(open))?;
        drop(state);
        let (authority, meter) = self.spec.endpoints.get(index).zip(self.endpoints.get(index))?;
        Some(Place { index, authority, meter })
    }

    /// A replica has answered.
    pub fn answered(&self) {
        // Read first: a write for each request would take the cache line from all other threads.
        if !self.has_answered() {
            self.has_answered.store(true, Relaxed);
        }
    }

    /// Whether a replica has ever answered.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.has_answered.load(Relaxed)
    }

    /// Notes what a request showed of a replica.
    pub fn seen(&self, index: usize, seen: Seen, now: Duration) {
        let ejected = self.state.lock().outliers.record(index, seen, now);
        if let (Some(reason), Some(meter), Some(endpoint)) =
            (ejected, self.endpoints.get(index), self.spec.endpoints.get(index))
        {
            meter.ejected(reason);
            let (upstream, endpoint, reason) = (&*self.name, endpoint.as_str(), reason.as_str());
            tracing::warn!(upstream, endpoint, reason, "a replica gets no requests for a while");
        }
    }

    /// A request came.
    pub fn deposit(&self) {
        self.state.lock().budget.deposit();
    }

    /// Takes one retry out of the budget, if there is one.
    pub fn withdraw(&self, now: Duration) -> bool {
        self.state.lock().budget.withdraw(now)
    }

    /// The replica with this address.
    #[must_use]
    pub fn at(&self, endpoint: &str) -> Option<usize> {
        self.spec.endpoints.iter().position(|known| known.as_str() == endpoint)
    }

    /// Drains a replica for this time, or with `dry` only says whether that may be.
    ///
    /// # Errors
    /// Why not.
    pub fn drain(&self, index: usize, ttl: Duration, now: Duration, dry: bool) -> Result<(), Refused> {
        let mut state = self.state.lock();
        let State { outliers, drain, .. } = &mut *state;
        drain.may(index, self.endpoints.len(), |other| !outliers.is_out(other, now), now)?;
        if !dry {
            drain.begin(index, now.saturating_add(ttl));
        }
        Ok(())
    }

    /// Puts a drained replica back; `false` if it was not drained.
    pub fn undrain(&self, index: usize, now: Duration) -> bool {
        self.state.lock().drain.end(index, now)
    }

    /// The address of the drained replica, and for how much longer it is.
    #[must_use]
    pub fn drained(&self, now: Duration) -> Option<(String, Duration)> {
        let (index, left) = self.state.lock().drain.now(now)?;
        self.spec.endpoints.get(index).map(|at| (at.to_string(), left))
    }

    /// What was drained in the same upstream of an earlier file stays so, if it still has others.
    pub(crate) fn keep_drained(&self, before: &Self, now: Duration) {
        let Some((endpoint, left)) = before.drained(now) else { return };
        if let Some(index) = self.at(&endpoint).filter(|_| self.has_several()) {
            self.state.lock().drain.begin(index, now.saturating_add(left));
        }
    }

    /// Its replicas by address, and whether each is out.
    #[must_use]
    pub fn replicas(&self, now: Duration) -> Vec<(String, bool)> {
        let state = self.state.lock();
        let replicas = self.spec.endpoints.iter().enumerate();
        replicas.map(|(index, at)| (at.to_string(), state.outliers.is_out(index, now))).collect()
    }
}
