//! What a fault is: as data a row of a catalogue, of `GET /faults` and of `docs/faults.md`; as a type what its parameters are.

use std::marker::PhantomData;

use crate::{ParamSpec, Params};

/// What a fault acts on, which decides the common parameters that apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Units of work (requests, messages, calls): `rate` is the share that is hit; `route`, the subject and
    /// `seed` select which.
    Work,
    /// The whole process or one of its resources: `rate` is the share of the fault's full strength.
    Process,
}

/// A fault, as data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultSpec {
    /// Kebab-case name.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// What it acts on.
    pub reach: Reach,
    /// Parameters beyond the common ones.
    pub params: &'static [ParamSpec],
    /// What changes in metrics, logs and traces.
    pub signals: &'static str,
    /// How to end it beyond `DELETE` and expiry, and what remains afterwards (normally nothing).
    pub ends: &'static str,
    /// A plan that is in force from start-up until it is deleted, as a query string.
    pub baseline: Option<&'static str>,
}

/// A fault whose own parameters are `P`: what a boundary declares, and asks [`Faults`](crate::Faults) for.
pub struct Fault<P = ()> {
    pub(crate) spec: FaultSpec,
    params: PhantomData<fn() -> P>,
}

/// A [`Fault`], whatever its parameters are.
pub trait AnyFault: Sync {
    /// The fault as data.
    fn spec(&self) -> &FaultSpec;
}

impl<P> AnyFault for Fault<P> {
    fn spec(&self) -> &FaultSpec {
        &self.spec
    }
}

/// The faults of a boundary or of a service.
pub type Catalogue = &'static [&'static dyn AnyFault];

/// A fault that hits units of work.
#[must_use]
pub const fn work<P: Params>(name: &'static str, summary: &'static str, signals: &'static str) -> Fault<P> {
    Fault::new(name, summary, Reach::Work, signals)
}

/// A fault that hits the process or one of its resources.
#[must_use]
pub const fn process<P: Params>(
    name: &'static str,
    summary: &'static str,
    signals: &'static str,
) -> Fault<P> {
    Fault::new(name, summary, Reach::Process, signals)
}

impl<P: Params> Fault<P> {
    const fn new(name: &'static str, summary: &'static str, reach: Reach, signals: &'static str) -> Self {
        let ends = "Nothing stays behind.";
        let spec = FaultSpec { name, summary, reach, params: P::SPECS, signals, ends, baseline: None };
        Self { spec, params: PhantomData }
    }

    /// The same, with what else ends it or what it leaves behind.
    #[must_use]
    pub const fn ends(mut self, ends: &'static str) -> Self {
        self.spec.ends = ends;
        self
    }

    /// The same, on from the start with this plan until it is deleted.
    #[must_use]
    pub const fn baseline(mut self, plan: &'static str) -> Self {
        self.spec.baseline = Some(plan);
        self
    }
}
