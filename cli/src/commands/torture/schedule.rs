//! What is killed and when: depends only on the seed, the length and the names of the parts.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use serde::Serialize;

/// The victim that is not a part.
pub(super) const SUPERVISOR: &str = "supervisor";

/// Shortest and longest time between two kills, in milliseconds: long enough for most parts to come back and work,
/// too short for the lab to settle.
const BETWEEN_MS: std::ops::RangeInclusive<u64> = 5_000..=9_000;

/// One SIGKILL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Kill {
    /// Milliseconds since the lab was first ready.
    pub(super) at_ms: u64,
    /// A part, or the supervisor.
    pub(super) victim: String,
}

impl Kill {
    /// Time since the lab was first ready.
    pub(super) fn at(&self) -> Duration {
        Duration::from_millis(self.at_ms)
    }
}

/// The kills of a run. Victims come in rounds, each in a new random order, so that every part is killed once before
/// any part is killed again.
pub(super) fn schedule(seed: u64, length: Duration, parts: &[String]) -> Vec<Kill> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut everyone: Vec<&str> = parts.iter().map(String::as_str).collect();
    everyone.push(SUPERVISOR);
    // Sort first: the order of the table may change.
    everyone.sort_unstable();
    let mut round = Vec::new();
    let mut kills = Vec::new();
    let mut at_ms = 0;
    loop {
        at_ms += rng.random_range(BETWEEN_MS);
        if Duration::from_millis(at_ms) > length {
            return kills;
        }
        if round.is_empty() {
            round.clone_from(&everyone);
            round.shuffle(&mut rng);
        }
        let victim = round.pop().unwrap_or(SUPERVISOR).to_owned();
        kills.push(Kill { at_ms, victim });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn parts() -> Vec<String> {
        ["postgres", "redis", "order-api", "lab-kafka"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_seed_repeats_its_kills_and_another_seed_has_others() {
        let length = Duration::from_secs(300);
        let mut other_order = parts();
        other_order.reverse();
        assert_eq!(schedule(7, length, &parts()), schedule(7, length, &other_order));
        assert_ne!(schedule(7, length, &parts()), schedule(8, length, &parts()));
        // Repeating a seed is useful only if later versions make the same kills.
        let first = &schedule(7, length, &parts())[0];
        assert_eq!((first.at_ms, first.victim.as_str()), (5_631, "order-api"));
    }

    #[test]
    fn kills_are_five_to_nine_seconds_apart_and_end_in_time() {
        let kills = schedule(1, Duration::from_secs(300), &parts());
        let times: Vec<u64> = std::iter::once(0).chain(kills.iter().map(|kill| kill.at_ms)).collect();
        assert!(times.windows(2).all(|pair| (5_000..=9_000).contains(&(pair[1] - pair[0]))), "{times:?}");
        assert!(times.last() <= Some(&300_000) && times.len() > 33, "{times:?}");
        assert_eq!(schedule(1, Duration::from_secs(4), &parts()), []);
    }

    #[test]
    fn every_part_is_killed_before_any_is_killed_again() {
        let kills = schedule(3, Duration::from_secs(300), &parts());
        for round in kills.chunks_exact(5) {
            let victims: BTreeSet<&str> = round.iter().map(|kill| kill.victim.as_str()).collect();
            assert_eq!(victims.len(), 5, "{round:?}");
        }
    }
}
