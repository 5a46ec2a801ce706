//! The sequence of operations: which kind, which user, which items. The same for a seed, whatever the responses and the
//! rate are: its random numbers are not shared with the schedule.

use contracts::{
    orders::Item,
    users::{PROBE_USER, SEEDED_USERS, UserTier, seeded_user_id, seeded_user_tier},
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::Zipf;
use uuid::Uuid;

use crate::mix::{Mix, OperationKind};

/// One of the seeded users, by number: 0 is the most active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Visitor(pub u32);

impl Visitor {
    /// The user's id.
    #[must_use]
    pub fn id(self) -> Uuid {
        seeded_user_id(self.0)
    }

    /// The user's tier.
    #[must_use]
    pub fn tier(self) -> UserTier {
        seeded_user_tier(self.0)
    }
}

/// One operation, and its user.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The user; sent as baggage.
    pub visitor: Visitor,
    /// What to send.
    pub action: Action,
}

/// What to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// An order with these lines.
    PlaceOrder(Vec<Item>),
    /// The order that was accepted `back` orders ago.
    ReadOrder {
        /// 0 is the latest.
        back: usize,
    },
    /// The visitor's orders.
    ListOrders,
    /// The visitor's account.
    ReadUser,
    /// A page of `limit` users.
    ListUsers {
        /// 1 to 50.
        limit: u32,
    },
    /// A new display name for the visitor.
    UpdateUser {
        /// The name.
        name: String,
    },
    /// The endpoint that fails by design.
    Risky,
}

impl Operation {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> OperationKind {
        match self.action {
            Action::PlaceOrder(_) => OperationKind::PlaceOrder,
            Action::ReadOrder { .. } => OperationKind::ReadOrder,
            Action::ListOrders => OperationKind::ListOrders,
            Action::ReadUser => OperationKind::ReadUser,
            Action::ListUsers { .. } => OperationKind::ListUsers,
            Action::UpdateUser { .. } => OperationKind::UpdateUser,
            Action::Risky => OperationKind::Risky,
        }
    }
}

/// The number of the user with a rank from 1 on. The user of the probes belongs to them alone: its neighbour comes instead.
pub(crate) const fn ranked(rank: u32) -> u32 {
    let number = match rank {
        0 => 0,
        1..=SEEDED_USERS => rank - 1,
        _ => SEEDED_USERS - 1,
    };
    if number == PROBE_USER { PROBE_USER - 1 } else { number }
}

/// How many of the latest accepted orders can be read.
pub const RECENT_ORDERS: usize = 64;

/// Number of products: stock keeping units with prices in cents. The n-th has the same price in every order.
const CATALOGUE: u32 = 500;

/// The endless sequence of operations.
#[derive(Debug, Clone)]
pub struct Workload {
    mix: Mix,
    rng: Xoshiro256PlusPlus,
    users: Zipf<f64>,
}

impl Workload {
    /// Operations of `mix`; users by a Zipf distribution with this exponent (0 is uniform).
    ///
    /// # Errors
    /// When the exponent is negative or not a number.
    pub fn new(mix: Mix, zipf_exponent: f64, seed: u64) -> Result<Self, String> {
        Self::among(SEEDED_USERS, mix, zipf_exponent, seed)
    }

    /// The same, of the `users` most active users only.
    ///
    /// # Errors
    /// When there are none, or the exponent is negative or not a number.
    pub fn among(users: u32, mix: Mix, zipf_exponent: f64, seed: u64) -> Result<Self, String> {
        if users == 0 {
            return Err("at least one user is needed".to_owned());
        }
        let users = Zipf::new(f64::from(users), zipf_exponent)
            .map_err(|_| format!("`{zipf_exponent}` is not a Zipf exponent of 0 or more"))?;
        // A different stream than the schedule's: both use the same seed.
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x6f70_6572_6174_696f);
        Ok(Self { mix, rng, users })
    }

    fn visitor(&mut self) -> Visitor {
        let rank = self.rng.sample(self.users);
        Visitor(ranked(rank as u32))
    }

    fn items(&mut self) -> Vec<Item> {
        let lines = self.rng.random_range(1..=4);
        (0..lines)
            .map(|_| {
                let n = self.rng.random_range(0..CATALOGUE);
                Item {
                    sku: format!("SKU-{n:04}"),
                    quantity: self.rng.random_range(1..=3),
                    unit_price_cents: 199 + i64::from(n * 37 % 9_800),
                }
            })
            .collect()
    }
}

impl Iterator for Workload {
    type Item = Operation;

    fn next(&mut self) -> Option<Operation> {
        let kind = self.mix.draw(&mut self.rng);
        let visitor = self.visitor();
        let action = match kind {
            OperationKind::PlaceOrder => Action::PlaceOrder(self.items()),
            OperationKind::ReadOrder => Action::ReadOrder { back: self.rng.random_range(0..RECENT_ORDERS) },
            OperationKind::ListOrders => Action::ListOrders,
            OperationKind::ReadUser => Action::ReadUser,
            OperationKind::ListUsers => Action::ListUsers { limit: self.rng.random_range(1..=50) },
            OperationKind::UpdateUser => Action::UpdateUser {
                name: format!("Visitor {} ({})", visitor.0, self.rng.random_range(0..1_000)),
            },
            OperationKind::Risky => Action::Risky,
        };
        Some(Operation { visitor, action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(exponent: f64, seed: u64) -> Workload {
        Workload::new(Mix::profile("shop").unwrap(), exponent, seed).unwrap()
    }

    #[test]
    fn the_same_seed_has_the_same_operations_users_and_items() {
        let first: Vec<_> = workload(1.0, 42).take(5_000).collect();
        let again: Vec<_> = workload(1.0, 42).take(5_000).collect();
        let other: Vec<_> = workload(1.0, 43).take(5_000).collect();
        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[test]
    fn users_follow_a_zipf_distribution() {
        let draws = 400_000_usize;
        let mut counts = vec![0_usize; SEEDED_USERS as usize];
        let mut workload = workload(1.0, 1);
        for _ in 0..draws {
            counts[workload.visitor().0 as usize] += 1;
        }
        // Rank k has the share 1 / (k H), with H the 10,000th harmonic number.
        let harmonic: f64 = (1..=SEEDED_USERS).map(|k| 1.0 / f64::from(k)).sum();
        for rank in [1_u32, 2, 5, 10, 50] {
            let expected = draws as f64 / (f64::from(rank) * harmonic);
            let seen = counts[rank as usize - 1] as f64;
            // Four standard deviations of a binomial count.
            assert!(
                (seen - expected).abs() < 4.0 * expected.sqrt(),
                "rank {rank}: {seen}, expected {expected}"
            );
        }
        assert!(counts.iter().filter(|count| **count > 0).count() > 9_000, "the tail is visited too");
    }

    #[test]
    fn an_exponent_of_zero_visits_all_users_equally() {
        let mut workload = workload(0.0, 1);
        let first_half = (0..20_000).filter(|_| workload.visitor().0 < SEEDED_USERS / 2).count();
        assert!((9_700..10_300).contains(&first_half), "{first_half} of 20000");
    }

    #[test]
    fn few_users_are_the_most_active_ones() {
        let of = |users, exponent| Workload::among(users, Mix::profile("shop").unwrap(), exponent, 1);
        let seen = |users| {
            let workload = of(users, 0.0).unwrap();
            workload
                .take(5_000)
                .map(|operation| operation.visitor.0)
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(seen(1).into_iter().collect::<Vec<_>>(), [0]);
        assert_eq!(seen(50).into_iter().collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
        assert!(of(0, 1.0).unwrap_err().contains("at least one"));
    }

    #[test]
    fn the_load_leaves_the_user_of_the_probes_alone() {
        assert_eq!((ranked(0), ranked(1), ranked(2), ranked(u32::MAX)), (0, 0, 1, SEEDED_USERS - 1));
        assert!((0..=SEEDED_USERS).all(|rank| ranked(rank) != PROBE_USER));
        assert_eq!(seeded_user_tier(PROBE_USER), UserTier::Free, "as most users");
    }

    #[test]
    fn items_are_accepted_by_order_api() {
        for operation in workload(1.0, 3).take(10_000) {
            let Action::PlaceOrder(items) = operation.action else { continue };
            assert!((1..=50).contains(&items.len()));
            for item in items {
                assert!((1..=1_000).contains(&item.quantity) && item.unit_price_cents > 0);
                assert!(item.sku.len() <= 64);
            }
        }
    }
}
