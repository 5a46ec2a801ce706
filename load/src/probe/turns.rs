//! Which samples are next, and which are judged wrongly. No I/O.

use std::collections::BTreeSet;

use super::samples::{Kind, Sample, Verdict};

/// How many attacks are sent in a round; the edge answers them itself.
const ATTACKS: usize = 8;
/// How many look-alikes are sent in a round; a service answers them.
const LOOK_ALIKES: usize = 2;

/// Samples take turns, so that a round is a few requests; those whose last
/// verdict was wrong are in every round, so that it is seen at once when they are judged rightly again.
#[derive(Debug)]
pub struct Turns {
    /// By kind: positions of its samples, how many are sent in a round, and the turn of the next one.
    queues: [Queue; 2],
    wrong: BTreeSet<usize>,
}

#[derive(Debug)]
struct Queue {
    samples: Vec<usize>,
    per_round: usize,
    next: usize,
}

impl Turns {
    /// All samples, from the first one on.
    #[must_use]
    pub fn new(samples: &[Sample]) -> Self {
        let queue = |kind: Kind, per_round: usize| {
            let of_kind = samples.iter().enumerate().filter(|(_, sample)| sample.kind == kind);
            Queue { samples: of_kind.map(|(at, _)| at).collect(), per_round, next: 0 }
        };
        Self {
            queues: [queue(Kind::Attack, ATTACKS), queue(Kind::LookAlike, LOOK_ALIKES)],
            wrong: BTreeSet::new(),
        }
    }

    /// The samples of a round, by their positions, none of them twice.
    pub fn round(&mut self) -> BTreeSet<usize> {
        let mut round = self.wrong.clone();
        for queue in &mut self.queues {
            let turn = queue.samples.iter().cycle().skip(queue.next).take(queue.per_round);
            round.extend(turn);
            let count = queue.samples.len().max(1);
            queue.next = (queue.next + queue.per_round) % count;
        }
        round
    }

    /// Keeps what happened to a sample; without a verdict, nothing changes.
    pub fn saw(&mut self, sample: usize, verdict: Verdict) {
        match verdict {
            Verdict::Right => {
                self.wrong.remove(&sample);
            }
            Verdict::Wrong => {
                self.wrong.insert(sample);
            }
            Verdict::Missing => {}
        }
    }

    /// The samples whose last verdict was wrong.
    pub fn wrong(&self) -> impl Iterator<Item = usize> {
        self.wrong.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::probe::samples::shipped;

    #[test]
    fn a_sample_that_is_judged_wrongly_is_in_every_round_until_it_is_not() {
        let mut turns = Turns::new(&shipped().unwrap());
        let first = *turns.round().first().unwrap();
        turns.saw(first, Verdict::Wrong);
        for _ in 0..50 {
            assert!(turns.round().contains(&first));
            turns.saw(first, Verdict::Missing);
        }
        assert_eq!(turns.wrong().collect::<Vec<_>>(), [first]);
        turns.saw(first, Verdict::Right);
        assert_eq!(turns.wrong().count(), 0);
    }

    proptest! {
        #[test]
        fn every_sample_has_its_turn_and_rounds_stay_small(skip in 0_usize..40) {
            let samples = shipped().unwrap();
            let mut turns = Turns::new(&samples);
            for _ in 0..skip {
                turns.round();
            }
            let mut seen = BTreeSet::new();
            for _ in 0..samples.len() {
                let round = turns.round();
                prop_assert!(round.len() <= ATTACKS + LOOK_ALIKES);
                seen.extend(round);
            }
            prop_assert_eq!(seen.len(), samples.len());
        }
    }
}
