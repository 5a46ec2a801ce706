//! Warnings about rules that cost too much. Each names its rule, at most once per minute: under load there would
//! otherwise be one for every request. How often it happens is in the metrics.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Time between two warnings about the same rule.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a rule is remembered after its last warning: rules come and go at run time.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// The warnings of one edge. They outlive every change of its rules.
#[derive(Default)]
pub(super) struct Warnings {
    overruns: Windows,
    endless: Windows,
}

impl Warnings {
    /// A search of this rule was stopped at its cost, or at the budget of its request.
    pub(super) fn overrun(&self, rule: &str) {
        if let Some(held_back) = self.overruns.admit(rule, Instant::now()) {
            tracing::warn!(rule, held_back, "a firewall rule costs too much: its search was stopped");
        }
    }

    /// A search of this rule runs for longer than a request waits.
    pub(super) fn endless(&self, rule: &str) {
        if self.endless.admit(rule, Instant::now()).is_some() {
            tracing::warn!(rule, "a firewall rule is stuck: no request waits for its search any more");
        }
    }
}

/// When each rule had its last warning, and how many were held back since.
#[derive(Default)]
struct Windows(Mutex<BTreeMap<String, (Instant, u64)>>);

impl Windows {
    /// Whether a warning about this rule may be written now, and how many were held back before it.
    fn admit(&self, rule: &str, now: Instant) -> Option<u64> {
        let mut windows = self.0.lock();
        let mut held_back = 0;
        if let Some((since, held)) = windows.get_mut(rule) {
            if now.duration_since(*since) < PAUSE {
                *held += 1;
                return None;
            }
            held_back = *held;
        }
        windows.retain(|_, (since, _)| now.duration_since(*since) < REMEMBERED);
        windows.insert(rule.to_owned(), (now, 0));
        Some(held_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_one_warning_per_minute_and_the_next_says_how_many_were_held_back() {
        let (windows, start) = (Windows::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(windows.admit("greedy", at(0)), Some(0));
        assert_eq!(windows.admit("greedy", at(1)), None);
        assert_eq!(windows.admit("greedy", at(59)), None);
        assert_eq!(windows.admit("other", at(59)), Some(0), "another rule has its own minute");
        assert_eq!(windows.admit("greedy", at(60)), Some(2));
        assert_eq!(windows.admit("greedy", at(61)), None);
    }

    #[test]
    fn rules_that_are_gone_are_forgotten() {
        let (windows, start) = (Windows::default(), Instant::now());
        for number in 0..10 {
            windows.admit(&format!("rule-{number}"), start);
        }
        windows.admit("last", start + REMEMBERED);
        assert_eq!(windows.0.lock().len(), 1);
    }
}
