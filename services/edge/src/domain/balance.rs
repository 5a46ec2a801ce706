//! Whose turn it is: smooth weighted round robin, as nginx has it. Among weights 5, 1 and 1 the first one has
//! five turns of seven, and not five in a row. Equal weights are plain round robin.

/// The turns of a few places. A place that may not be chosen keeps what it has, and takes part again when it
/// may.
#[derive(Debug, Clone)]
pub struct Wheel {
    weights: Vec<u32>,
    /// What each place is owed, in turns times the sum of the weights. Sums up to 0.
    owed: Vec<i64>,
}

impl Wheel {
    /// Of places with these weights; 0 has no turn.
    #[must_use]
    pub fn new(weights: Vec<u32>) -> Self {
        let owed = vec![0; weights.len()];
        Self { weights, owed }
    }

    /// Of `count` places that are alike.
    #[must_use]
    pub fn even(count: usize) -> Self {
        Self::new(vec![1; count])
    }

    /// The place whose turn it is among those that `may` be chosen; `None` if there are none.
    pub fn next(&mut self, may: impl Fn(usize) -> bool) -> Option<usize> {
        let (mut total, mut best) = (0, None);
        for (place, weight) in self.weights.iter().enumerate() {
            if *weight == 0 || !may(place) {
                continue;
            }
            let weight = i64::from(*weight);
            total += weight;
            self.owed[place] += weight;
            if best.is_none_or(|best: usize| self.owed[place] > self.owed[best]) {
                best = Some(place);
            }
        }
        let best = best?;
        self.owed[best] -= total;
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_heavy_place_has_its_turns_spread_out() {
        let mut wheel = Wheel::new(vec![5, 1, 1]);
        let turns: Vec<usize> = (0..7).filter_map(|_| wheel.next(|_| true)).collect();
        assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn nobody_is_chosen_where_nobody_may_be() {
        assert_eq!(Wheel::new(vec![0, 0]).next(|_| true), None);
        assert_eq!(Wheel::even(3).next(|_| false), None);
        assert_eq!(Wheel::new(Vec::new()).next(|_| true), None);
    }

    proptest! {
        #[test]
        fn each_place_has_exactly_its_share_of_a_whole_round(
            weights in prop::collection::vec(0_u32..20, 1..8), rounds in 1_usize..5,
        ) {
            let total: u32 = weights.iter().sum();
            prop_assume!(total > 0);
            let mut wheel = Wheel::new(weights.clone());
            let mut turns = vec![0; weights.len()];
            for _ in 0..total as usize * rounds {
                let place = wheel.next(|_| true);
                prop_assert!(place.is_some());
                turns[place.unwrap()] += 1;
            }
            let expected: Vec<usize> = weights.iter().map(|weight| *weight as usize * rounds).collect();
            prop_assert_eq!(turns, expected);
        }

        #[test]
        fn of_equal_places_none_waits_longer_than_a_round(count in 1_usize..9, start in 0_usize..20) {
            let mut wheel = Wheel::even(count);
            for _ in 0..start {
                let _ = wheel.next(|_| true);
            }
            let mut round: Vec<usize> = (0..count).filter_map(|_| wheel.next(|_| true)).collect();
            round.sort_unstable();
            prop_assert_eq!(round, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn places_may_come_and_go_and_only_one_that_may_be_chosen_is(
            asks in prop::collection::vec(prop::collection::vec(any::<bool>(), 4), 1..200),
        ) {
            let mut wheel = Wheel::new(vec![3, 1, 2, 1]);
            for may in asks {
                let chosen = wheel.next(|place| may[place]);
                prop_assert_eq!(chosen.is_some(), may.iter().any(|may| *may));
                prop_assert!(chosen.is_none_or(|place| may[place]));
                prop_assert_eq!(wheel.owed.iter().sum::<i64>(), 0);
            }
        }
    }
}
