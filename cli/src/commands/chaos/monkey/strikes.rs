//! What the monkey does, and when: depends only on the seed, the length and what can be killed.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

use crate::commands::chaos::blow::Blow;

/// Seconds between the end of one strike and the next: long enough for the shortest windows to empty.
const BETWEEN: std::ops::RangeInclusive<u64> = 30..=75;
/// Seconds that a fault lasts.
const LASTS: std::ops::RangeInclusive<u64> = 10..=30;
/// One strike in this many kills, where there is something to kill.
const KILL_EVERY: u32 = 3;

/// Service, fault, and its parameters.
type Break = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Faults that harm a part of the requests or of the time: a budget survives several of them. All hit units
/// of work, so that they take a seed.
const BREAKS: [Break; 15] = [
    ("order-api", "http-error", &[("rate", "0.05")]),
    ("order-api", "http-latency", &[("rate", "0.1"), ("delay", "400ms")]),
    ("order-api", "upstream-error", &[("rate", "0.1")]),
    ("order-api", "upstream-latency", &[("rate", "0.2"), ("delay", "200ms")]),
    ("order-api", "db-latency", &[("delay", "20ms")]),
    ("order-api", "publish-error", &[("rate", "0.2")]),
    ("user-service", "cache-down", &[]),
    ("user-service", "cache-latency", &[("delay", "20ms")]),
    ("user-service", "db-error", &[("rate", "0.1")]),
    ("order-worker", "consumer-slow", &[("delay", "20ms")]),
    ("order-worker", "db-error", &[("rate", "0.05")]),
    ("edge", "http-error", &[("rate", "0.03")]),
    ("edge", "http-latency", &[("rate", "0.1"), ("delay", "300ms")]),
    ("edge", "upstream-error", &[("rate", "0.1")]),
    ("edge", "upstream-latency", &[("rate", "0.2"), ("delay", "200ms")]),
];
/// A rule that costs too much. With its guard, the edge ends each search, and users feel nothing.
const RULE: (&str, &str) = ("edge", "inline-script");

/// One strike.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Strike {
    /// After the start.
    pub(super) at: Duration,
    /// How long it lasts; nothing for a kill.
    pub(super) lasts: Duration,
    pub(super) blow: Blow,
}

/// All strikes of a run. `parts` can be killed.
pub(super) fn schedule(seed: u64, length: Duration, parts: &[String]) -> Vec<Strike> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Sort first: the order of the table may change.
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    let (mut strikes, mut at) = (Vec::new(), Duration::ZERO);
    loop {
        at += Duration::from_secs(rng.random_range(BETWEEN));
        // All are drawn whatever comes of them, so that a lab without kills has the same faults.
        let kills = rng.random_range(0..KILL_EVERY) == 0;
        let victim = rng.random_range(0..1_000_000_usize);
        // One more than there are faults: the last one is the rule.
        let broken = BREAKS.get(rng.random_range(0..=BREAKS.len()));
        let lasts = Duration::from_secs(rng.random_range(LASTS));
        let seed = rng.random_range(0..1_000_000_u64);
        let (blow, lasts) = match parts.get(victim % parts.len().max(1)).filter(|_| kills) {
            Some(part) => (Blow::Kill { part: part.clone() }, Duration::ZERO),
            None => (broken.map_or_else(pushed, |broken| fault(*broken, seed)), lasts),
        };
        if at + lasts > length {
            return strikes;
        }
        strikes.push(Strike { at, lasts, blow });
        at += lasts;
    }
}

fn fault((service, fault, parameters): Break, seed: u64) -> Blow {
    let own = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let parameters = own.chain([("seed".to_owned(), seed.to_string())]).collect();
    Blow::Fault { service: service.to_owned(), fault: fault.to_owned(), parameters }
}

fn pushed() -> Blow {
    Blow::Push { service: RULE.0.to_owned(), rule: RULE.1.to_owned(), canary: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn parts() -> Vec<String> {
        ["order-api", "user-service", "order-worker"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_seed_repeats_its_strikes_and_another_seed_has_others() {
        let mut other_order = parts();
        other_order.reverse();
        assert_eq!(schedule(7, HOUR, &parts()), schedule(7, HOUR, &other_order));
        assert_ne!(schedule(7, HOUR, &parts()), schedule(8, HOUR, &parts()));
    }

    #[test]
    fn strikes_follow_each_other_with_room_between_and_end_in_time() {
        let strikes = schedule(1, HOUR, &parts());
        assert!(strikes.len() > 30, "{}", strikes.len());
        for pair in strikes.windows(2) {
            let between = pair[1].at - (pair[0].at + pair[0].lasts);
            assert!(BETWEEN.contains(&between.as_secs()), "{pair:?}");
        }
        assert!(strikes.last().is_some_and(|last| last.at + last.lasts <= HOUR));
        let kills = strikes.iter().filter(|strike| matches!(strike.blow, Blow::Kill { .. })).count();
        assert!(kills > 3 && kills < strikes.len() / 2, "{kills} of {}", strikes.len());
        assert_eq!(schedule(1, Duration::from_secs(20), &parts()), []);
    }

    #[test]
    fn where_nothing_can_be_killed_everything_else_is_done() {
        let strikes = schedule(1, HOUR, &[]);
        assert!(strikes.iter().all(|strike| !matches!(strike.blow, Blow::Kill { .. })));
        let edge = |blow: &Blow| match blow {
            Blow::Fault { service, .. } => service == "edge",
            Blow::Push { .. } => true,
            _ => false,
        };
        assert!(strikes.iter().any(|strike| edge(&strike.blow)), "the edge is struck, too");
    }
}
