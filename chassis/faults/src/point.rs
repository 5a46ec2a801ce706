//! The handle of one point, used by the boundaries: does the fault strike now, how strongly, when does it change.

use std::{
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Strike, state::PointState};
use crate::{Params, scope::Scope};

/// The point of a fault whose parameters are `P`, resolved once at start-up and asked on every use. Cheap to clone.
pub struct FaultPoint<P = ()> {
    state: Arc<PointState>,
    /// The version that this handle's `changed` last reported.
    seen: AtomicU64,
    params: PhantomData<fn() -> P>,
}

impl<P> Clone for FaultPoint<P> {
    fn clone(&self) -> Self {
        let seen = AtomicU64::new(self.seen.load(Ordering::Relaxed));
        Self { state: Arc::clone(&self.state), seen, params: PhantomData }
    }
}

impl<P: Params> FaultPoint<P> {
    /// Of a state whose fault has the parameters `P`.
    pub(super) fn new(state: Arc<PointState>) -> Self {
        let seen = AtomicU64::new(*state.version.borrow());
        Self { state, seen, params: PhantomData }
    }

    /// The point's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.state.spec.name
    }

    /// Decides for the current [`Scope`]: `Some` when the fault strikes this unit of work.
    /// One atomic load when the point is off.
    #[must_use]
    #[inline]
    pub fn strike(&self) -> Option<Strike<P>> {
        if self.is_on() { self.decide() } else { None }
    }

    #[cold]
    fn decide(&self) -> Option<Strike<P>> {
        let in_force = self.state.current()?;
        let blast = &in_force.plan.blast;
        if !blast.is_everything() && !Scope::read(|scope| blast.covers(scope)) {
            return None;
        }
        let draw = in_force.decide();
        if draw.chance >= in_force.level() {
            return None;
        }
        if self.state.reveal {
            use tracing_opentelemetry::OpenTelemetrySpanExt;
            tracing::Span::current().set_attribute("fault.name", self.state.spec.name);
        }
        Some(Strike::new(in_force, draw.sample))
    }

    /// Whether a plan is in force at all: one atomic load.
    #[must_use]
    #[inline]
    pub fn is_on(&self) -> bool {
        self.state.on.load(Ordering::Relaxed)
    }

    /// Whether the plan in force can only be decided once more of the subject is known than `scope` contains.
    #[must_use]
    pub fn asks_more_than(&self, scope: &Scope) -> bool {
        self.is_on() && self.state.current().is_some_and(|in_force| in_force.plan.blast.asks_more_than(scope))
    }

    /// For resource faults: the current strength of the fault, as a share of its full strength (0 to 1); 0 when off.
    /// Follows `rate`, `ramp` and `every`/`for`; ignores the scope.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.state.current().map_or(0.0, |in_force| in_force.level())
    }

    /// The parameters of the plan in force; `None` when off (including the pauses of a flapping one).
    #[must_use]
    pub fn active(&self) -> Option<Strike<P>> {
        let in_force = self.state.current()?;
        (in_force.level() > 0.0).then(|| Strike::new(in_force, rand::random()))
    }

    /// Waits until [`FaultPoint::level`] may have changed: a plan was set, changed or ended, a ramp took a step, a
    /// flapping one switched. Returns at once if a plan changed since this handle's last `changed`; may also return
    /// without a change. Each task needs its own handle (clone).
    pub async fn changed(&self) {
        let mut version = self.state.version.subscribe();
        loop {
            let due = self.state.current().and_then(|in_force| in_force.next_change());
            let now = *version.borrow_and_update();
            if self.seen.swap(now, Ordering::Relaxed) != now {
                return;
            }
            let Some(due) = due else {
                // The sender lives in `self.state`, so this only returns on a change.
                let _ = version.changed().await;
                continue;
            };
            tokio::select! {
                _ = version.changed() => {}
                () = tokio::time::sleep_until(due) => return,
            }
        }
    }

    /// Waits until the fault is on with a level above 0; the parameters of the plan then in force.
    pub async fn started(&self) -> Strike<P> {
        loop {
            if let Some(strike) = self.active() {
                return strike;
            }
            self.changed().await;
        }
    }

    /// Waits for the next change that leaves the point off. Unlike a wait for [`FaultPoint::started`], a loop of these misses
    /// no plan: not even one that was set and cleared before the task ran.
    pub async fn next_off(&self) {
        loop {
            self.changed().await;
            if self.active().is_none() {
                return;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn version(&self) -> tokio::sync::watch::Ref<'_, u64> {
        self.state.version.borrow()
    }

    /// Waits until the plan behind `strike` is over: ended, expired, replaced, or in a pause of its flapping.
    pub async fn ended(&self, strike: &Strike<P>) {
        while self.active().is_some_and(|now| now.same_plan(strike)) {
            self.changed().await;
        }
    }
}
