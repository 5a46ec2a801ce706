//! The faults of a single cache operation.

use redis::RedisError;
use tokio::net::TcpStream;

use chassis_faults::{FaultPoint, Faults};

/// A port that nothing listens on: tcpmux is unused.
const CLOSED_PORT: (&str, u16) = ("127.0.0.1", 1);

/// The fault points of one cache; each only if the service declares it.
pub(super) struct CacheFaults {
    down: Option<FaultPoint>,
    latency: Option<FaultPoint>,
    stale: Option<FaultPoint>,
    stampede: Option<FaultPoint>,
}

impl CacheFaults {
    pub(super) fn new(faults: &Faults) -> Self {
        Self {
            down: faults.find("cache-down"),
            latency: faults.find("cache-latency"),
            stale: faults.find("cache-stale"),
            stampede: faults.find("cache-stampede"),
        }
    }

    /// Applied to an operation before it reaches Redis: a delay, or a connect to a closed port.
    pub(super) async fn meet(&self) -> Result<(), RedisError> {
        if let Some(strike) = self.latency.as_ref().and_then(FaultPoint::strike) {
            tokio::time::sleep(strike.duration("delay")).await;
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
        strike.is_some_and(|strike| strike.word("coalesce") == "off")
    }
}
