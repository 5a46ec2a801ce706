//! The faults of a single cache operation.

use redis::RedisError;
use tokio::net::TcpStream;

use chassis_faults::{FaultPoint, Faults};

use crate::catalogue::{CACHE_DOWN, CACHE_LATENCY, CACHE_STALE, CACHE_STAMPEDE, CacheLatency, CacheStampede};

/// A port that nothing listens on: tcpmux has had no server for decades.
const CLOSED_PORT: (&str, u16) = ("127.0.0.1", 1);

/// The fault points of one cache; each only if the service declares it.
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

    /// Applied to an operation before it reaches Redis: a delay, or a connect to a closed port.
    pub(super) async fn meet(&self) -> Result<(), RedisError> {
        if let Some(strike) = self.latency.as_ref().and_then(FaultPoint::strike) {
            tokio::time::sleep(strike.params.delay).await;
        }
        if self.down.as_ref().is_some_and(|point| point.strike().is_some()) {
            TcpStream::connect(CLOSED_PORT).await.map_err(RedisError::from)?;
        }
        Ok(())
    }

    /// Whether this operation keeps old entries: a change is acknowledged but not made, a reader treats what it finds as fresh.
    pub(super) fn keeps_old(&self) -> bool {
        self.stale.as_ref().is_some_and(|point| point.strike().is_some())
    }

    /// Whether old entries are kept at all now.
    pub(super) fn old_are_kept(&self) -> bool {
        self.stale.as_ref().is_some_and(|point| point.active().is_some())
    }

    /// Whether concurrent misses on one key each read the origin.
    pub(super) fn coalescing_suspended(&self) -> bool {
        let strike = self.stampede.as_ref().and_then(FaultPoint::active);
        strike.is_some_and(|strike| !strike.params.coalesce)
    }
}
