//! Protections that can be switched off at run time, so that a drill can show the same fault with and without one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// A protection by its wire name (kebab-case).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumCount, strum::VariantArray)]
pub enum Protection {
    /// `circuit-breaker`: stops calling a peer that keeps failing.
    CircuitBreaker,
    /// `retry-budget`: bounds retries to a share of the calls; without it every failed call is retried to the limit.
    RetryBudget,
    /// `hedged-reads`: asks a peer once more while an answer is late, and takes whichever comes first.
    HedgedReads,
    /// `bulkhead`: bounds the calls to one peer that run at once.
    Bulkhead,
    /// `timeout`: deadlines on requests in and calls out.
    Timeout,
    /// `load-shedding`: refuses requests over the limit at once instead of queueing them.
    LoadShedding,
    /// `single-flight`: concurrent cache misses on one key read the origin once.
    SingleFlight,
    /// `ttl-jitter`: spreads the expiry of cache entries.
    TtlJitter,
    /// `stale-on-error`: serves an expired entry while the origin fails.
    StaleOnError,
    /// `regex-guard`: ends a search for a pattern at its budget of steps.
    RegexGuard,
}

impl Protection {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// The name in URLs and in `PROTECTIONS_OFF`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CircuitBreaker => "circuit-breaker",
            Self::RetryBudget => "retry-budget",
            Self::HedgedReads => "hedged-reads",
            Self::Bulkhead => "bulkhead",
            Self::Timeout => "timeout",
            Self::LoadShedding => "load-shedding",
            Self::SingleFlight => "single-flight",
            Self::TtlJitter => "ttl-jitter",
            Self::StaleOnError => "stale-on-error",
            Self::RegexGuard => "regex-guard",
        }
    }

    /// What it does, in one line.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::CircuitBreaker => "stops calling a peer that keeps failing",
            Self::RetryBudget => "bounds retries to a share of the calls",
            Self::HedgedReads => "asks once more while an answer is late, and takes whichever comes first",
            Self::Bulkhead => "bounds the calls to one peer that run at once",
            Self::Timeout => "deadlines on requests in and calls out",
            Self::LoadShedding => "refuses requests over the limit at once instead of queueing them",
            Self::SingleFlight => "concurrent cache misses of one key read the origin once",
            Self::TtlJitter => "spreads the expiry of cache entries",
            Self::StaleOnError => "serves an expired entry while the origin fails",
            Self::RegexGuard => "ends a search for a pattern at its budget of steps",
        }
    }

    const fn index(self) -> usize {
        self as usize
    }
}

impl std::str::FromStr for Protection {
    type Err = UnknownProtection;

    fn from_str(name: &str) -> Result<Self, UnknownProtection> {
        Self::ALL
            .into_iter()
            .find(|protection| protection.name() == name)
            .ok_or_else(|| UnknownProtection { name: name.chars().take(60).collect() })
    }
}

/// No protection has this name; the text lists the valid ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown protection `{name}`; there are: {}", Protection::ALL.map(Protection::name).join(", "))]
pub struct UnknownProtection {
    /// The name in the request.
    pub name: String,
}

/// In force.
const ON: u64 = 0;
/// Off until it is switched on.
const OFF: u64 = u64::MAX;

/// The switches of one process, all on by default. Cheap to clone; reading one that is on is an atomic load.
#[derive(Clone)]
pub struct Protections {
    inner: Arc<Switches>,
}

struct Switches {
    /// [`ON`], [`OFF`], or off until this many milliseconds after `born`.
    states: [AtomicU64; Protection::ALL.len()],
    born: Instant,
}

impl Default for Protections {
    fn default() -> Self {
        let states = std::array::from_fn(|_| AtomicU64::new(ON));
        Self { inner: Arc::new(Switches { states, born: Instant::now() }) }
    }
}

impl Protections {
    /// All on but those named in `off` (`PROTECTIONS_OFF`).
    ///
    /// # Errors
    /// If a name is not that of a protection.
    pub fn new(off: &[String]) -> Result<Self, UnknownProtection> {
        let switches = Self::default();
        switches.switch_off(off)?;
        Ok(switches)
    }

    /// Switches the named ones off until they are switched on again.
    ///
    /// # Errors
    /// If a name is not that of a protection.
    pub fn switch_off(&self, names: &[String]) -> Result<(), UnknownProtection> {
        names.iter().filter(|name| !name.is_empty()).try_for_each(|name| {
            self.set(name.trim().parse()?, false);
            Ok(())
        })
    }

    /// Whether `protection` is in force.
    #[must_use]
    #[inline]
    pub fn on(&self, protection: Protection) -> bool {
        match self.state(protection) {
            ON => true,
            OFF => false,
            until => self.now() >= until,
        }
    }

    /// Switches one on or off.
    pub fn set(&self, protection: Protection, on: bool) {
        self.store(protection, if on { ON } else { OFF });
    }

    /// Switches one off for `time`; then it is on again.
    pub fn off_for(&self, protection: Protection, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(OFF);
        self.store(protection, self.now().saturating_add(millis).max(1));
    }

    /// Time until it switches back on by itself; `None` when it is on, or off indefinitely.
    #[must_use]
    pub fn off_left(&self, protection: Protection) -> Option<Duration> {
        match self.state(protection) {
            ON | OFF => None,
            until => until.checked_sub(self.now()).filter(|left| *left > 0).map(Duration::from_millis),
        }
    }

    fn state(&self, protection: Protection) -> u64 {
        self.inner.states[protection.index()].load(Ordering::Relaxed)
    }

    fn store(&self, protection: Protection, state: u64) {
        self.inner.states[protection.index()].store(state, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.inner.born.elapsed().as_millis()).unwrap_or(OFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_protection_is_on_until_switched_off_and_again_after_its_time() {
        let switches = Protections::default();
        let other = switches.clone();
        assert!(Protection::ALL.into_iter().all(|one| switches.on(one)));

        switches.set(Protection::Timeout, false);
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert!(!other.on(Protection::Timeout) && other.on(Protection::Bulkhead));
        switches.set(Protection::Timeout, true);
        assert!(other.on(Protection::Timeout));

        switches.off_for(Protection::Timeout, Duration::from_secs(5));
        assert_eq!(switches.off_left(Protection::Timeout), Some(Duration::from_secs(5)));
        tokio::time::advance(Duration::from_millis(4_999)).await;
        assert!(!switches.on(Protection::Timeout));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(switches.on(Protection::Timeout));
        assert_eq!(switches.off_left(Protection::Timeout), None);
    }

    #[test]
    fn every_name_parses_and_an_unknown_one_lists_them_all() {
        for protection in Protection::ALL {
            assert_eq!(protection.name().parse(), Ok(protection));
        }
        let error = "belt".parse::<Protection>().expect_err("unknown").to_string();
        assert!(
            error.starts_with("unknown protection `belt`; there are: circuit-breaker, retry-budget"),
            "{error}"
        );
        assert!(Protections::new(&["timeout".to_owned(), "belt".to_owned()]).is_err());
        assert!(!Protections::new(&["timeout".to_owned()]).unwrap().on(Protection::Timeout));
    }
}
