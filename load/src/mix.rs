//! What to send, as data: the operations, their weights, and the profiles by name.

use std::{fmt, str::FromStr};

use rand::RngExt;

/// One kind of request; also the value of the label `operation`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    clap::ValueEnum,
    strum::IntoStaticStr,
    strum::EnumCount,
    strum::VariantArray,
)]
#[strum(serialize_all = "kebab-case")]
pub enum OperationKind {
    /// `POST /orders`
    PlaceOrder,
    /// `GET /orders/{id}` of an order that this run has placed recently
    ReadOrder,
    /// `GET /orders?user_id=`
    ListOrders,
    /// `GET /users/{id}`, users by a Zipf distribution
    ReadUser,
    /// `GET /users`
    ListUsers,
    /// `PATCH /users/{id}`
    UpdateUser,
    /// `GET /risky`
    Risky,
}

impl OperationKind {
    /// All kinds, in the order of the summary.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Name in flags, labels and summaries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Weights of the operations; an operation that is not named has weight 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    weights: [u32; OperationKind::ALL.len()],
}

/// The profiles that `--profile` accepts: name, description, weights.
pub const PROFILES: &[(&str, &str, &str)] = &[
    (
        "shop",
        "people who order, look at their orders and at their account",
        "place-order=30,read-order=25,list-orders=8,read-user=30,list-users=2,update-user=3,risky=2",
    ),
    ("browse", "almost only reads", "place-order=2,read-order=8,list-orders=20,read-user=65,list-users=5"),
    ("orders", "only new orders", "place-order=1"),
];

impl Mix {
    /// The mix of a profile; `None` for a name that is not in [`PROFILES`].
    #[must_use]
    pub fn profile(name: &str) -> Option<Self> {
        let (_, _, weights) = PROFILES.iter().find(|(known, ..)| *known == name)?;
        weights.parse().ok()
    }

    /// Only this operation.
    #[must_use]
    pub fn only(kind: OperationKind) -> Self {
        let mut weights = [0; OperationKind::ALL.len()];
        weights[kind as usize] = 1;
        Self { weights }
    }

    /// Draws a kind by weight.
    pub fn draw(&self, rng: &mut impl rand::Rng) -> OperationKind {
        let mut ticket = rng.random_range(0..self.weights.iter().sum::<u32>());
        for kind in OperationKind::ALL {
            let weight = self.weights[kind as usize];
            if ticket < weight {
                return kind;
            }
            ticket -= weight;
        }
        unreachable!("a ticket is below the sum of the weights")
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut weights = [0; OperationKind::ALL.len()];
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, weight) =
                part.split_once('=').ok_or_else(|| format!("`{part}` is not NAME=WEIGHT"))?;
            let known = || OperationKind::ALL.map(OperationKind::as_str).join(", ");
            let kind = OperationKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == name.trim())
                .ok_or_else(|| format!("`{name}` is not one of {}", known()))?;
            weights[kind as usize] =
                weight.trim().parse::<u32>().ok().filter(|weight| *weight <= 1_000_000).ok_or_else(|| {
                    format!("weight `{weight}` of {kind} is not a whole number from 0 to 1000000")
                })?;
        }
        if weights.iter().all(|weight| *weight == 0) {
            return Err("at least one weight must be above 0".to_owned());
        }
        Ok(Self { weights })
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};

    use super::*;

    #[test]
    fn operations_are_drawn_in_proportion_to_their_weights() {
        let mix: Mix = "place-order=3,risky=1".parse().unwrap();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let draws: Vec<_> = (0..100_000).map(|_| mix.draw(&mut rng)).collect();
        let orders = draws.iter().filter(|kind| **kind == OperationKind::PlaceOrder).count();
        assert!((74_000..76_000).contains(&orders), "{orders} of 100000 were orders, expected 75000");
        assert!(draws.iter().all(|k| matches!(k, OperationKind::PlaceOrder | OperationKind::Risky)));
    }

    #[test]
    fn a_wrong_mix_is_refused_with_the_expected_form() {
        for (text, said) in [
            ("place-orders=1", "place-order, read-order"),
            ("risky", "NAME=WEIGHT"),
            ("risky=-1", "whole number"),
            ("risky=0", "above 0"),
            ("", "above 0"),
        ] {
            let error = text.parse::<Mix>().unwrap_err();
            assert!(error.contains(said), "`{text}` -> {error}");
        }
    }

    #[test]
    fn every_profile_can_be_used() {
        for (name, ..) in PROFILES {
            assert!(Mix::profile(name).is_some(), "{name}");
        }
        assert_eq!(Mix::profile("no-such"), None);
    }
}
