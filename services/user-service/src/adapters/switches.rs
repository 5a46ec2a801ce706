//! Which protections of a lookup are in force now.

use chassis_faults::protection::{Protection, Protections as Process};
use chassis_redis::Cache;

use crate::domain::Protections;

/// Reads the switches of the process, and what a fault of the cache takes away. Cheap to clone.
#[derive(Clone)]
pub struct Switches {
    process: Process,
    cache: Cache,
}

impl Switches {
    /// The switches of this process and this cache.
    #[must_use]
    pub const fn new(process: Process, cache: Cache) -> Self {
        Self { process, cache }
    }

    /// As they are set now.
    #[must_use]
    pub fn now(&self) -> Protections {
        let on = |protection| self.process.on(protection);
        Protections {
            single_flight: on(Protection::SingleFlight) && !self.cache.coalescing_suspended(),
            ttl_jitter: on(Protection::TtlJitter),
            stale_on_error: on(Protection::StaleOnError),
            bulkhead: on(Protection::Bulkhead),
            timeout: on(Protection::Timeout),
        }
    }
}
