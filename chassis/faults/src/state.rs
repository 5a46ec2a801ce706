//! The state of one point: the plan in force, when it began, and what follows it.
//!
//! Invariant: `on` is false whenever no plan is in force, and then nothing else needs to be read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use super::{
    FaultSpec,
    decide::{self, Draw},
    plan::Plan,
};

/// A plan with its start and its count of decisions.
pub(super) struct InForce {
    pub plan: Plan,
    /// Whether this is the baseline of the process and not a plan that was set.
    pub baseline: bool,
    pub since: DateTime<Utc>,
    started: Instant,
    seed: u64,
    decisions: AtomicU64,
}

impl InForce {
    pub(super) fn new(plan: Plan, baseline: bool) -> Arc<Self> {
        let seed = plan.seed.unwrap_or_else(rand::random);
        Arc::new(Self {
            plan,
            baseline,
            since: Utc::now(),
            started: Instant::now(),
            seed,
            decisions: AtomicU64::new(0),
        })
    }

    pub(super) fn level(&self) -> f64 {
        self.plan.level(self.started.elapsed())
    }

    pub(super) fn left(&self) -> Option<Duration> {
        self.plan.ttl.map(|ttl| ttl.saturating_sub(self.started.elapsed()))
    }

    /// The next decision of this plan, in the order in which units of work arrive.
    pub(super) fn decide(&self) -> Draw {
        decide::draw(self.seed, self.decisions.fetch_add(1, Ordering::Relaxed))
    }

    fn expired(&self) -> bool {
        self.plan.expired(self.started.elapsed())
    }

    /// The instant of the next change without a new plan.
    pub(super) fn next_change(&self) -> Option<Instant> {
        self.plan.next_change(self.started.elapsed()).map(|offset| self.started + offset)
    }
}

/// The shared state of one point.
pub(super) struct PointState {
    pub spec: &'static FaultSpec,
    /// Whether somebody has taken a handle, to do what the fault says.
    pub claimed: AtomicBool,
    pub on: AtomicBool,
    in_force: ArcSwapOption<InForce>,
    /// What to return to when a plan ends; permanently removed by `DELETE` of this point.
    baseline: Mutex<Option<Plan>>,
    /// Counts changes; also the lock under which plans change.
    pub version: watch::Sender<u64>,
    pub reveal: bool,
}

impl PointState {
    pub(super) fn new(spec: &'static FaultSpec, baseline: Option<Plan>, reveal: bool) -> Self {
        let state = Self {
            spec,
            claimed: AtomicBool::new(false),
            on: AtomicBool::new(false),
            in_force: ArcSwapOption::empty(),
            baseline: Mutex::new(None),
            version: watch::Sender::new(0),
            reveal,
        };
        if let Some(plan) = baseline {
            state.put(Some(InForce::new(plan.clone(), true)));
            *state.baseline.lock() = Some(plan);
        }
        state
    }

    /// The plan in force, after ending it if it has expired.
    pub(super) fn current(&self) -> Option<Arc<InForce>> {
        loop {
            if !self.on.load(Ordering::Acquire) {
                return None;
            }
            let in_force = self.in_force.load_full()?;
            if !in_force.expired() {
                return Some(in_force);
            }
            self.retire(&in_force);
        }
    }

    pub(super) fn set(&self, plan: Plan) {
        self.tell("fault set");
        self.put(Some(InForce::new(plan, false)));
    }

    /// Ends the plan and, with `forever`, the baseline.
    pub(super) fn end(&self, forever: bool) {
        let Some(in_force) = self.in_force.load_full() else { return };
        if forever {
            *self.baseline.lock() = None;
        } else if in_force.baseline {
            return;
        }
        self.retire(&in_force);
    }

    /// Replaces `ended` by the baseline or by nothing, unless it was already replaced.
    fn retire(&self, ended: &Arc<InForce>) {
        let mut retired = false;
        self.version.send_if_modified(|version| {
            retired = self.in_force.load().as_ref().is_some_and(|now| Arc::ptr_eq(now, ended));
            if retired {
                let baseline = self.baseline.lock().clone();
                self.store(baseline.map(|plan| InForce::new(plan, true)));
                *version += 1;
            }
            retired
        });
        if retired {
            self.tell("fault ended");
        }
    }

    fn put(&self, in_force: Option<Arc<InForce>>) {
        self.version.send_modify(|version| {
            self.store(in_force);
            *version += 1;
        });
    }

    fn store(&self, in_force: Option<Arc<InForce>>) {
        let on = in_force.is_some();
        self.in_force.store(in_force);
        self.on.store(on, Ordering::Release);
    }

    /// Only with `reveal`: otherwise no log line may name a fault.
    fn tell(&self, what: &'static str) {
        if self.reveal {
            tracing::info!(fault.name = self.spec.name, "{what}");
        }
    }
}
