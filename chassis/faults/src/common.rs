//! The parameters that every fault takes.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    FaultError, ParamSpec,
    params::{Param, duration, ratio},
};

const HOUR: Duration = Duration::from_secs(3600);
/// Shortest plan, ramp or flap: below this a resource task could not follow.
const TICK: Duration = Duration::from_millis(10);

pub(super) const RATE: Common<f64> =
    Common::new("rate", "share of the work that is hit, or of the full strength", ratio("1"));
pub(super) const TTL: Common<Duration> =
    Common::new("ttl", "ends by itself after this long", duration("10m", TICK, HOUR));
pub(super) const RAMP: Common<Duration> =
    Common::new("ramp", "reaches its rate gradually within this time", duration("0s", Duration::ZERO, HOUR));
pub(super) const EVERY: Common<Duration> =
    Common::new("every", "flapping: length of a period, together with `for`", duration("", TICK, HOUR));
pub(super) const FOR: Common<Duration> =
    Common::new("for", "flapping: on for this long at the start of each `every`", duration("", TICK, HOUR));

/// Parameters that every point takes; an empty default means that an absent one does not apply. Points that hit units of
/// work take `route`, the attributes of the subject (texts) and `seed` beside them.
pub const COMMON_PARAMS: &[ParamSpec] = &[RATE.spec(), TTL.spec(), RAMP.spec(), EVERY.spec(), FOR.spec()];

/// A parameter that every fault takes.
pub(super) struct Common<T> {
    pub(super) name: &'static str,
    summary: &'static str,
    param: Param<T>,
}

impl<T> Common<T> {
    const fn new(name: &'static str, summary: &'static str, param: Param<T>) -> Self {
        Self { name, summary, param }
    }

    const fn spec(&self) -> ParamSpec {
        self.param.spec(self.name, self.summary)
    }

    /// Its value in a plan, or its default.
    pub(super) fn value(&self, given: &mut BTreeMap<String, String>) -> Result<T, FaultError> {
        let text = given.remove(self.name);
        self.read(text.as_deref().unwrap_or(self.param.default))
    }

    /// Its value in a plan that has one.
    pub(super) fn given(&self, given: &mut BTreeMap<String, String>) -> Result<Option<T>, FaultError> {
        given.remove(self.name).map(|text| self.read(&text)).transpose()
    }

    fn read(&self, text: &str) -> Result<T, FaultError> {
        self.param.parse(text).map_err(|why| FaultError::bad(self.name, why))
    }
}
