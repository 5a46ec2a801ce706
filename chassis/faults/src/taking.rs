//! For faults that take a resource: the future that holds it runs while a plan is on and is dropped when the plan ends.

use crate::{FaultPoint, Params, Strike};

impl<P: Params> FaultPoint<P> {
    /// Runs `during` while a plan of this point is on, once for each plan, and for each period of a flapping one. Never ends.
    pub async fn each_plan<F>(self, during: impl Fn(Self, Strike<P>) -> F)
    where
        F: Future<Output = ()>,
    {
        loop {
            let strike = self.started().await;
            tokio::select! {
                () = during(self.clone(), strike.clone()) => {}
                () = self.ended(&strike) => {}
            }
        }
    }
}

/// `level` of `full`, rounded.
#[must_use]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn part(full: u64, level: f64) -> u64 {
    // Full strengths are counts and sizes far below 2^53.
    (full as f64 * level).round() as u64
}
