//! The switchboard of one process: all declared points, by name.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Attribute, Catalogue, Fault, FaultError, FaultPoint, Params, parse::parse, state::PointState, value::clip,
};

/// The fault switchboard of one process. Cheap to clone.
#[derive(Clone)]
pub struct Faults {
    points: Arc<[Arc<PointState>]>,
    subject: &'static [Attribute],
}

impl Faults {
    /// A switchboard with the points of `catalogue`, all off except baselines; plans may select by `subject`. `reveal` names active faults in telemetry.
    ///
    /// # Panics
    /// If the catalogue names a point twice or has a default or baseline outside its own ranges: a mistake in the
    /// code, found at start-up by every test.
    #[must_use]
    pub fn new(catalogue: Catalogue, subject: &'static [Attribute], reveal: bool) -> Self {
        let mut points: Vec<Arc<PointState>> = Vec::with_capacity(catalogue.len());
        for fault in catalogue {
            let spec = fault.spec();
            assert!(
                points.iter().all(|point| point.spec.name != spec.name),
                "fault `{}` declared twice",
                spec.name
            );
            let plan = parse(spec, subject, spec.baseline.unwrap_or_default(), true)
                .unwrap_or_else(|error| panic!("fault `{}`: {error}", spec.name));
            let baseline = spec.baseline.map(|_| plan);
            points.push(Arc::new(PointState::new(spec, baseline, reveal)));
        }
        Self { points: points.into(), subject }
    }

    /// The handle of one declared point.
    ///
    /// # Panics
    /// When the service did not declare `fault`: a mistake in the code, found at start-up by every test. As [`Faults::find`].
    #[must_use]
    pub fn point<P: Params>(&self, fault: &Fault<P>) -> FaultPoint<P> {
        self.find(fault).unwrap_or_else(|| panic!("{}", self.unknown(fault.spec.name)))
    }

    /// The handle of a point that not every service declares; `None` if it is not declared. A service that takes one does what the
    /// fault says ([`Faults::unclaimed`]).
    ///
    /// # Panics
    /// When another fault was declared under the name of `fault`: a mistake in the code, found at start-up by every test.
    #[must_use]
    pub fn find<P: Params>(&self, fault: &Fault<P>) -> Option<FaultPoint<P>> {
        let state = self.state(fault.spec.name).ok()?;
        assert!(*state.spec == fault.spec, "two faults are called `{}`", fault.spec.name);
        state.claimed.store(true, Ordering::Relaxed);
        Some(FaultPoint::new(Arc::clone(state)))
    }

    /// Whether the service declares `fault`, for who prepares what it may need.
    #[must_use]
    pub fn declares<P>(&self, fault: &Fault<P>) -> bool {
        self.state(fault.spec.name).is_ok()
    }

    /// The declared points of which nobody has taken a handle: plans for them are accepted and do nothing. Empty once a
    /// service is assembled; a test of each service asks.
    #[must_use]
    pub fn unclaimed(&self) -> Vec<&'static str> {
        let unclaimed = |point: &&Arc<PointState>| !point.claimed.load(Ordering::Relaxed);
        self.points.iter().filter(unclaimed).map(|point| point.spec.name).collect()
    }

    /// Sets a plan from a query string such as `rate=0.2&ttl=5m`, as `PUT /faults/{name}` does.
    ///
    /// # Errors
    /// What is wrong and what is valid.
    pub fn set(&self, name: &str, query: &str) -> Result<(), FaultError> {
        let state = self.state(name)?;
        state.set(parse(state.spec, self.subject, query, false)?);
        Ok(())
    }

    /// Whether [`Faults::set`] would accept a plan; sets nothing.
    ///
    /// # Errors
    /// As [`Faults::set`].
    pub fn check(&self, name: &str, query: &str) -> Result<(), FaultError> {
        parse(self.state(name)?.spec, self.subject, query, false).map(drop)
    }

    /// Ends a fault, its baseline included.
    ///
    /// # Errors
    /// If the point does not exist.
    pub fn clear(&self, name: &str) -> Result<(), FaultError> {
        self.state(name)?.end(true);
        Ok(())
    }

    /// Ends every fault that was set; baselines stay or come back unchanged.
    pub fn clear_all(&self) {
        for point in self.points.iter() {
            point.end(false);
        }
    }

    /// The attributes by which plans of this process may select.
    #[must_use]
    pub fn subject(&self) -> &'static [Attribute] {
        self.subject
    }

    /// A handle of every declared point, in the order of the catalogue, for who reads how strong they are.
    pub fn points(&self) -> impl Iterator<Item = FaultPoint> {
        self.points.iter().map(|state| FaultPoint::new(Arc::clone(state)))
    }

    pub(super) fn states(&self) -> &[Arc<PointState>] {
        &self.points
    }

    pub(super) fn state(&self, name: &str) -> Result<&Arc<PointState>, FaultError> {
        self.points.iter().find(|point| point.spec.name == name).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> FaultError {
        let known: Vec<_> = self.points.iter().map(|point| point.spec.name).collect();
        FaultError::UnknownFault { name: clip(name), known: known.join(", ") }
    }
}
