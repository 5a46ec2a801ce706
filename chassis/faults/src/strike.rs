//! A fault that struck: the parameters of its plan, and what belongs to this strike alone.

use std::{sync::Arc, time::Duration};

use super::state::InForce;
use crate::Params;

/// A fault that struck, under a plan whose parameters are `P`.
#[derive(Clone)]
pub struct Strike<P = ()> {
    in_force: Arc<InForce>,
    sample: f64,
    /// The fault's own parameters, defaults filled in.
    pub params: P,
}

impl<P: Params> Strike<P> {
    pub(super) fn new(in_force: Arc<InForce>, sample: f64) -> Self {
        let params = P::read(&in_force.plan.values);
        Self { in_force, sample, params }
    }

    pub(super) fn same_plan(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.in_force, &other.in_force)
    }

    /// Time until its plan ends by itself; `None` for a baseline.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.in_force.left()
    }

    /// A uniform number in [0, 1) that belongs to this strike; replayed with the plan's `seed`.
    #[must_use]
    pub const fn sample(&self) -> f64 {
        self.sample
    }
}
