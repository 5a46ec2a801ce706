//! Which unit of work is hit: decision `n` of a plan is a pure function of the plan's seed and `n`.
//!
//! Each decision has its own ChaCha stream, so decisions need no lock, may be taken in any order, and are the
//! same each time that a plan is replayed with its seed.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// One decision: two independent uniform numbers in [0, 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Draw {
    /// Compared with the rate: below it, the fault strikes.
    pub chance: f64,
    /// Free for the fault itself, such as the jitter of a delay.
    pub sample: f64,
}

/// Decision `n` under `seed`.
pub(super) fn draw(seed: u64, n: u64) -> Draw {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(n);
    Draw { chance: rng.random(), sample: rng.random() }
}
