//! Which of its upstreams a route sends a request to. Traffic is split by weight; the last upstream is the
//! canary. A header chooses for a request: `always` is the canary, `never` the first upstream, and any other
//! value stays with one side, always the same one, on every instance of the edge. A client that has been
//! moved to the canary stays there while the canary grows.

use super::balance::Wheel;

/// What the canary header of a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish<'a> {
    /// Nothing.
    None,
    /// The canary, even if its weight is 0.
    Always,
    /// The first upstream.
    Never,
    /// The same side each time.
    Sticky(&'a [u8]),
}

impl<'a> Wish<'a> {
    /// Of the value of the header.
    #[must_use]
    pub fn of(value: Option<&'a [u8]>) -> Self {
        match value {
            None | Some([]) => Self::None,
            Some(b"always") => Self::Always,
            Some(b"never") => Self::Never,
            Some(value) => Self::Sticky(value),
        }
    }
}

/// The shares of the upstreams of a route.
#[derive(Debug, Clone)]
pub struct Split {
    weights: Vec<u32>,
    wheel: Wheel,
}

impl Split {
    /// Of upstreams with these weights, of which at least one is above 0.
    #[must_use]
    pub fn new(weights: &[u32]) -> Self {
        Self { weights: weights.to_vec(), wheel: Wheel::new(weights.to_vec()) }
    }

    /// The place of the upstream for a request.
    pub fn choose(&mut self, wish: Wish<'_>) -> usize {
        match wish {
            Wish::Always => self.weights.len().saturating_sub(1),
            Wish::Never => 0,
            Wish::Sticky(value) => self.side_of(value),
            Wish::None => self.wheel.next(|_| true).unwrap_or(0),
        }
    }

    fn side_of(&self, value: &[u8]) -> usize {
        let total: u64 = self.weights.iter().copied().map(u64::from).sum();
        // A point on a line as long as the weights together; those of the canary are the last ones.
        let mut point = scaled(hash(value), total);
        for (place, weight) in self.weights.iter().enumerate() {
            match point.checked_sub(u64::from(*weight)) {
                Some(rest) => point = rest,
                None => return place,
            }
        }
        0
    }
}

/// A number from 0 up to `total`, evenly.
fn scaled(hash: u64, total: u64) -> u64 {
    u64::try_from((u128::from(hash) * u128::from(total)) >> 64).unwrap_or_default()
}

/// FNV-1a with a final mix. Not the hash of the standard library, which may change: all instances, of all
/// versions, have to agree.
fn hash(value: &[u8]) -> u64 {
    let fnv = value.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_canary_of_five_percent_gets_five_of_a_hundred() {
        let mut split = Split::new(&[95, 5]);
        let canary = (0..100).filter(|_| split.choose(Wish::None) == 1).count();
        assert_eq!(canary, 5);
    }

    #[test]
    fn the_header_decides_whatever_the_weights_are() {
        let mut split = Split::new(&[100, 0]);
        assert_eq!(split.choose(Wish::of(Some(b"always"))), 1);
        assert_eq!(Split::new(&[0, 100]).choose(Wish::of(Some(b"never"))), 0);
        assert_eq!(split.choose(Wish::of(Some(b"client-7"))), 0, "the canary has no share");
        assert_eq!((Wish::of(None), Wish::of(Some(b""))), (Wish::None, Wish::None));
    }

    #[test]
    fn clients_are_split_by_weight_too() {
        let mut split = Split::new(&[75, 25]);
        let canary = (0..4000_u32).filter(|client| {
            let name = format!("client-{client}");
            split.choose(Wish::Sticky(name.as_bytes())) == 1
        });
        // 1000 expected; the bounds are more than five standard deviations away.
        assert!((850..=1150).contains(&canary.count()));
    }

    proptest! {
        #[test]
        fn a_client_stays_on_its_side_while_the_canary_grows(
            client in prop::collection::vec(any::<u8>(), 1..30), small in 0_u32..=100, more in 0_u32..=100,
        ) {
            let large = small.max(more);
            let side = |canary: u32| Split::new(&[100 - canary, canary]).choose(Wish::Sticky(&client));
            prop_assert_eq!(side(small), side(small));
            prop_assert!(side(small) == 0 || side(large) == 1, "from {small} to {large}");
        }
    }
}
