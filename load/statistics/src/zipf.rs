//! How uneven a load is when it is spread by user over shards: some users are much more active than others, and each is on one
//! shard.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// The users that are placed one by one; the others are each so small that they are spread evenly.
const HEAD: u64 = 10_000;

/// How active users are: the n-th one is proportional to n to the power of minus `exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Users {
    /// How many there are; at least 1.
    pub count: u64,
    /// 0 is uniform, 1 is typical.
    pub exponent: f64,
    /// Largest share of the load that one user may have: 1 without a limit for each user.
    pub largest: f64,
}

impl Users {
    /// The share of the load of the most active user.
    #[must_use]
    pub fn first(&self) -> f64 {
        (1.0 / self.sum()).min(self.largest)
    }

    /// The share of the load on the fullest of `shards` shards, to which users are assigned at random (by a hash of their id), and
    /// of what is let through: a user above the limit is cut to it.
    #[must_use]
    pub fn fullest(&self, shards: u64, seed: u64) -> f64 {
        let (sum, head) = (self.sum(), self.count.min(HEAD));
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut load = vec![0.0_f64; usize::try_from(shards.max(1)).unwrap_or(1)];
        let mut placed = 0.0;
        let mut of_head = 0.0;
        for number in 1..=head {
            let share = self.weight(number as f64) / sum;
            let let_through = share.min(self.largest);
            of_head += share;
            placed += let_through;
            let shard = rng.random_range(0..load.len());
            load[shard] += let_through;
        }
        let rest = (1.0 - of_head).max(0.0);
        let fullest = load.iter().copied().fold(0.0, f64::max) + rest / load.len() as f64;
        fullest / (placed + rest)
    }

    fn weight(&self, number: f64) -> f64 {
        number.powf(-self.exponent)
    }

    /// Sum of all weights: the first ones exactly, the others by the integral between their halves.
    fn sum(&self) -> f64 {
        let head = self.count.clamp(1, HEAD);
        let first: f64 = (1..=head).map(|number| self.weight(number as f64)).sum();
        let (from, to) = (head as f64 + 0.5, self.count as f64 + 0.5);
        if to <= from {
            return first;
        }
        let power = 1.0 - self.exponent;
        let others =
            if power.abs() < 1e-9 { (to / from).ln() } else { (to.powf(power) - from.powf(power)) / power };
        first + others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(count: u64, exponent: f64) -> Users {
        Users { count, exponent, largest: 1.0 }
    }

    #[test]
    fn the_sum_of_many_users_is_that_of_arithmetic() {
        for exponent in [0.0, 0.8, 1.0, 1.3] {
            let users = users(100_000, exponent);
            let right: f64 = (1..=100_000_u32).map(|number| users.weight(f64::from(number))).sum();
            assert!((users.sum() / right - 1.0).abs() < 1e-6, "{exponent}: {} and {right}", users.sum());
        }
        assert!((users(3, 1.0).sum() - (1.0 + 0.5 + 1.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn one_shard_has_everything_and_equal_users_fill_all_evenly() {
        assert!((users(1_000_000, 1.0).fullest(1, 1) - 1.0).abs() < 1e-9);
        let even = users(10_000_000, 0.0).fullest(100, 1);
        assert!((even * 100.0 - 1.0).abs() < 0.02, "{even}");
    }

    #[test]
    fn the_most_active_user_bounds_what_shards_can_do_until_there_is_a_limit() {
        let free = users(10_000_000, 1.0);
        let first = free.first();
        assert!((0.05..0.07).contains(&first), "{first}");
        assert!(free.fullest(1_000, 1) >= first, "the shard of the first user");
        let limited = Users { largest: 0.000_1, ..free };
        assert!(limited.fullest(1_000, 1) < 0.003, "{}", limited.fullest(1_000, 1));
    }
}
