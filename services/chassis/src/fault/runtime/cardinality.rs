//! `cardinality-bomb`: a counter with a label that anybody can choose, as somebody adds it with the best intentions.
//!
//! The family is registered from the start and has no series, so nothing of it is exposed while the fault is off.

use std::time::Duration;

use prometheus::IntCounterVec;

use super::{FaultPoint, Strike, part};
use crate::telemetry::metrics::Metrics;

const TICK: Duration = Duration::from_millis(500);

/// The family.
#[derive(Clone)]
pub(super) struct Clients {
    requests: IntCounterVec,
}

impl Clients {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let help = "Requests by client address.";
        Self { requests: metrics.counter_vec("http_requests_by_client_total", help, &["client"]) }
    }

    pub(super) async fn bomb(self, point: FaultPoint, strike: Strike) {
        let series = strike.count("series");
        let family = Forget(self.requests);
        let mut made = 0;
        loop {
            let wanted = part(series, point.level());
            for n in made..wanted {
                family.0.with_label_values(&[&client(n)]).inc();
            }
            made = made.max(wanted);
            // Traffic goes on: some of the clients come back.
            for _ in 0..(made / 50).min(made) {
                family.0.with_label_values(&[&client(rand::random_range(0..made))]).inc();
            }
            tokio::time::sleep(TICK).await;
        }
    }
}

/// Removes all series when it is dropped.
struct Forget(IntCounterVec);

impl Drop for Forget {
    fn drop(&mut self) {
        self.0.reset();
    }
}

/// An address and port, different for each `n` below 2^24.
fn client(n: u64) -> String {
    let [.., a, b, c] = n.to_be_bytes();
    format!("10.{a}.{b}.{c}:{}", 32_768 + n.wrapping_mul(2_654_435_761) % 28_232)
}
