//! What canary and baseline did over time, from the recorded blocks of a release: each point is a stretch of a few seconds, because
//! a second of few requests is noise.

use serde::Serialize;

use crate::{
    judge::{Arm, Count},
    run::{Event, What},
};

/// A curve: seconds since 1970, and a share from 0 to 1; nothing was measured where there is no point.
pub type Points = Vec<(f64, f64)>;

/// Two curves of one signal.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Both {
    /// Of the new version.
    pub canary: Points,
    /// Of the old one.
    pub baseline: Points,
}

/// All curves.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Curves {
    /// The share of requests that failed.
    pub errors: Both,
    /// The share of requests that took longer than the objective.
    pub slow: Both,
}

/// The curves of a release whose latency objective is `objective` seconds, a bound of the histogram; a point for every
/// `seconds`, at least 1.
#[must_use]
pub fn curves(events: &[Event], objective: f64, seconds: i64) -> Curves {
    let errors = |arm: &Arm| arm.requests;
    let slow = |arm: &Arm| arm.latency.slower_than(objective);
    Curves { errors: both(events, seconds, errors), slow: both(events, seconds, slow) }
}

fn both(events: &[Event], seconds: i64, of: impl Fn(&Arm) -> Count) -> Both {
    let blocks = || {
        events.iter().filter_map(|event| match &event.what {
            What::Measured { block } => Some(block),
            _ => None,
        })
    };
    let curve = |arm: fn(&crate::Block) -> &Arm| {
        points(blocks().map(|block| (block.until.timestamp(), of(arm(block)))), seconds)
    };
    Both { canary: curve(|block| &block.canary), baseline: curve(|block| &block.baseline) }
}

/// Counts of blocks, which are in order of time, as shares of stretches.
fn points(counts: impl Iterator<Item = (i64, Count)>, seconds: i64) -> Points {
    let seconds = seconds.max(1);
    let mut stretches: Vec<(i64, Count)> = Vec::new();
    for (at, count) in counts {
        let begin = at - at.rem_euclid(seconds);
        match stretches.last_mut() {
            Some((last, sum)) if *last == begin => sum.add(count),
            _ => stretches.push((begin, count)),
        }
    }
    stretches.into_iter().filter_map(|(at, count)| Some((at as f64, count.share()?))).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::Block;

    fn block(second: i64, bad: u64, all: u64) -> Event {
        let until = DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap();
        let arm = |bad| Arm { requests: Count { bad, all }, ..Arm::default() };
        let block = Block { until, canary: arm(bad), baseline: arm(0), everyone: 10 * all };
        What::Measured { block }.at(until)
    }

    #[test]
    fn seconds_are_summed_and_a_stretch_without_requests_has_no_point() {
        let events = [block(0, 1, 4), block(4, 1, 4), block(10, 0, 0), block(20, 2, 2)];
        let curves = curves(&events, 0.25, 10);
        let at = |second: i64| (1_700_000_000 + second) as f64;
        assert_eq!(curves.errors.canary, [(at(0), 0.25), (at(20), 1.0)]);
        assert_eq!(curves.errors.baseline, [(at(0), 0.0), (at(20), 0.0)]);
        assert!(curves.slow.canary.is_empty(), "no request was timed");
    }

    proptest! {
        #[test]
        fn shares_are_shares_and_times_rise(
            seconds in prop::collection::vec((0..50_u64, 0..50_u64), 0..60), every in -1..30_i64,
        ) {
            let events: Vec<Event> =
                (0..).zip(&seconds).map(|(second, (bad, all))| block(second, *bad, *all)).collect();
            let points = curves(&events, 0.25, every).errors.canary;
            prop_assert!(points.iter().all(|(_, share)| (0.0..=1.0).contains(share)));
            prop_assert!(points.is_sorted_by(|one, next| one.0 < next.0));
        }
    }
}
