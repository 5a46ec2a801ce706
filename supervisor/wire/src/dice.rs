//! Chances that can be repeated: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).

/// The golden ratio in 64 bits, the step of the generator.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The dice of one direction of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Of the connection with this number.
    pub(crate) const fn of(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(STEP))
    }

    /// For the other direction.
    pub(crate) fn other(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0, and below 1.
    pub(crate) fn roll(&mut self) -> f64 {
        // As many bits as the mantissa has.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rolls_are_even_and_repeat_with_their_seed() {
        let (mut one, mut same, mut other) = (Dice::of(7, 1), Dice::of(7, 1), Dice::of(7, 2));
        let rolls: Vec<f64> = (0..10_000).map(|_| one.roll()).collect();
        assert!(rolls.iter().all(|roll| (0.0..1.0).contains(roll)));
        let mean = rolls.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert_eq!(rolls.first().copied(), Some(same.roll()));
        assert_ne!(rolls.first().copied(), Some(other.roll()));
    }
}
