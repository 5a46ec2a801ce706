//! When a connection ends although it could serve further requests.
//!
//! Ten times per second, whatever the rate: people leave, and others come with connections of their own. What balances by
//! connection (the kernel for edges that share a port, a Service of Kubernetes) then gives each replica its share. One client that
//! keeps its connections would stay with the replicas that it met first, and by chance see nothing of one that is sick.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::time::Instant;

/// Time between two connections that end, in milliseconds.
const EVERY: u64 = 100;

/// Which requests are the last ones of their connections.
pub(crate) struct Renewal {
    begun: Instant,
    /// When the next one is due, in milliseconds since it has begun.
    due: AtomicU64,
}

impl Renewal {
    /// From now on.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), due: AtomicU64::new(EVERY) }
    }

    /// Whether this request is the last one of its connection; of several at the same time, one is.
    pub(crate) fn is_due(&self) -> bool {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.due.load(Relaxed);
        now >= due && self.due.compare_exchange(due, now.saturating_add(EVERY), Relaxed, Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_connections_end_per_second_whatever_the_rate() {
        for (pause, requests, ends) in [(1, 1000, 10), (20, 50, 10), (500, 4, 4)] {
            let renewal = Renewal::new();
            let mut ended = 0;
            for _ in 0..requests {
                advance(Duration::from_millis(pause)).await;
                ended += u32::from(renewal.is_due());
                assert!(!renewal.is_due(), "one of two at the same time");
            }
            assert_eq!(ended, ends, "one request each {pause} ms");
        }
    }
}
