//! The faults that a single cache operation meets.

use redis::RedisError;
use tokio::net::TcpStream;

use chassis_faults::{FaultPoint, Faults};

use crate::catalogue::{CACHE_DOWN, CACHE_LATENCY, CACHE_STALE, CACHE_STAMPEDE, CacheLatency, CacheStampede};

/// A port that nothing listens on: tcpmux has had no server for decades.
const CLOSED_PORT: (&str, u16) = ("127.0.0.1", 1);

/// The fault points of one cache; each only where the service declares it.
pub(super) struct CacheFaults {
    down: Option<FaultPoint>,
    latency: Option<FaultPoint<CacheLatency>>,
    stale: Option<FaultPoint>,
    stampede: Option<FaultPoint<CacheStampede>>,
}

impl CacheFaults {
    pub(super) fn new(faults: &Faults) -> Self {
        Self {
            down: faults.find(&CACHE_DOWN),
            latency: faults.find(&CACHE_LATENCY),
            stale: faults.find(&CACHE_STALE),
            stampede: faults.find(&CACHE_STAMPEDE),
        }
    }

    /// What happens to an operation before it reaches Redis: it waits, or connects to where nobody listens.
    pub(super) async fn meet(&self) -> Result<(), RedisError> {
        if let Some(strike) = self.latency.as_ref().and_then(FaultPoint::strike) {
            tokio::time::sleep(strike.params.delay).await;
        }
        if self.down.as_ref().is_some_and(|point| point.strike().is_some()) {
            TcpStream::connect(CLOSED_PORT).await.map_err(RedisError::from)?;
        }
        Ok(())
    }

    /// Whether this one is to see an old entry: a change is acknowledged and not made, a reader takes what is there as fresh.
    pub(super) fn keeps_old(&self) -> bool {
        self.stale.as_ref().is_some_and(|point| point.strike().is_some())
    }

    /// Whether old entries are kept at all now.
    pub(super) fn old_are_kept(&self) -> bool {
        self.stale.as_ref().is_some_and(|point| point.active().is_some())
    }

    /// Whether concurrent misses of one key are to read the origin each for itself.
    pub(super) fn coalescing_suspended(&self) -> bool {
        let strike = self.stampede.as_ref().and_then(FaultPoint::active);
        strike.is_some_and(|strike| !strike.params.coalesce)
    }
}
