//! How many requests may be repeated: a share of those that came, and a few per second, so that a quiet edge
//! can repeat at all. Without a bound, an upstream that fails because of too much traffic gets a multiple of
//! it.

use std::time::Duration;

/// Thousandths of a retry.
const ONE: u64 = 1000;

/// What a budget grows by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Retries for 100 requests.
    pub percent: u32,
    /// Retries per second without any request.
    pub per_second: u32,
    /// Retries that are saved up at most.
    pub most: u32,
}

impl Default for Growth {
    /// A fifth of the requests, as the clients of the services have it.
    fn default() -> Self {
        Self { percent: 20, per_second: 3, most: 100 }
    }
}

/// The budget of one upstream.
#[derive(Debug, Clone)]
pub struct Budget {
    growth: Growth,
    /// What is left, in thousandths.
    left: u64,
    /// Until when the time has been added.
    counted: Duration,
}

impl Budget {
    /// With what three seconds bring.
    #[must_use]
    pub fn new(growth: Growth, now: Duration) -> Self {
        let left = u64::from(growth.per_second) * 3 * ONE;
        Self { growth, left: left.min(u64::from(growth.most) * ONE), counted: now }
    }

    /// A request came.
    pub fn deposit(&mut self) {
        self.add(u64::from(self.growth.percent) * ONE / 100);
    }

    /// Takes one retry, if it is there.
    pub fn withdraw(&mut self, now: Duration) -> bool {
        let millis = now.saturating_sub(self.counted).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        // Whole milliseconds only: the rest counts the next time.
        self.counted = self.counted.saturating_add(Duration::from_millis(millis));
        self.add(millis.saturating_mul(u64::from(self.growth.per_second)));
        match self.left.checked_sub(ONE) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    fn add(&mut self, thousandths: u64) {
        self.left = self.left.saturating_add(thousandths).min(u64::from(self.growth.most) * ONE);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fifth_of_the_requests_may_be_repeated() {
        let growth = Growth { percent: 20, per_second: 0, most: 100 };
        let mut budget = Budget::new(growth, Duration::ZERO);
        let mut repeated = 0;
        for _ in 0..100 {
            budget.deposit();
            repeated += u32::from(budget.withdraw(Duration::ZERO));
        }
        assert_eq!(repeated, 20);
    }

    #[test]
    fn a_quiet_edge_has_a_few_and_saves_no_more_than_its_bound() {
        let growth = Growth { percent: 20, per_second: 2, most: 5 };
        let mut budget = Budget::new(growth, Duration::ZERO);
        let day = Duration::from_secs(86_400);
        let taken = (0..20).filter(|_| budget.withdraw(day)).count();
        assert_eq!(taken, 5);
        assert!(!budget.withdraw(day + Duration::from_millis(499)));
        assert!(budget.withdraw(day + Duration::from_millis(500)), "half a second brings one");
    }

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded(
            percent in 0_u32..100, per_second in 0_u32..10, most in 0_u32..50,
            steps in prop::collection::vec((0_u64..300, any::<bool>(), any::<bool>()), 1..400),
        ) {
            let mut budget = Budget::new(Growth { percent, per_second, most }, Duration::ZERO);
            let (mut now, mut came, mut repeated) = (Duration::ZERO, 0_u32, 0_u32);
            for (pause, request, retry) in steps {
                now += Duration::from_millis(pause);
                if request {
                    came += 1;
                    budget.deposit();
                }
                if retry {
                    repeated += u32::from(budget.withdraw(now));
                }
                // In thousandths, as floats would round a whole retry down.
                let millis = now.as_millis() as u64 + 3000;
                let allowed = u64::from(came * percent) * ONE / 100 + u64::from(per_second) * millis;
                prop_assert!(u64::from(repeated) * ONE <= allowed, "{repeated} of {allowed} thousandths");
            }
        }
    }
}
