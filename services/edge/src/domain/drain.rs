//! The replica that somebody has taken out of the balancing: it finishes what it has, and gets no new requests until it is
//! put back or its time is over. Unlike an ejection ([`super::outlier`]), nothing that it answers brings it back earlier.
//!
//! Invariant: at most one replica of an upstream is drained, and never the last one that is in use.

use std::time::Duration;

/// The drained replica of one upstream, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Drain {
    /// Which, and until when.
    one: Option<(usize, Duration)>,
}

/// Why a replica is not drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no other replica.
    #[error("it is the only replica")]
    Only,
    /// Another one is drained already.
    #[error("another replica is drained already, and never two are")]
    Second,
    /// All others are ejected.
    #[error("no other replica is in use now: all of them are ejected")]
    Last,
}

impl Drain {
    /// Which replica is drained now, and for how much longer.
    #[must_use]
    pub fn now(&self, now: Duration) -> Option<(usize, Duration)> {
        let (member, until) = self.one?;
        (until > now).then(|| (member, until.saturating_sub(now)))
    }

    /// Whether this replica is drained now.
    #[must_use]
    pub fn is(&self, member: usize, now: Duration) -> bool {
        self.now(now).is_some_and(|(drained, _)| drained == member)
    }

    /// Whether one of `count` replicas may be drained. To drain the drained one again moves its end.
    ///
    /// # Errors
    /// Why not.
    pub fn may(
        &self,
        member: usize,
        count: usize,
        in_use: impl Fn(usize) -> bool,
        now: Duration,
    ) -> Result<(), Refused> {
        if count < 2 {
            return Err(Refused::Only);
        }
        if self.now(now).is_some_and(|(drained, _)| drained != member) {
            return Err(Refused::Second);
        }
        let others = (0..count).any(|other| other != member && in_use(other));
        if others { Ok(()) } else { Err(Refused::Last) }
    }

    /// Drains a replica until then.
    pub fn begin(&mut self, member: usize, until: Duration) {
        self.one = Some((member, until));
    }

    /// Puts a replica back; `false` if it was not drained.
    pub fn end(&mut self, member: usize, now: Duration) -> bool {
        let was = self.is(member, now);
        if was {
            self.one = None;
        }
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_replica_is_drained_until_its_time_is_over_or_it_is_put_back() {
        let mut drain = Drain::default();
        drain.begin(1, SECOND * 5);
        assert_eq!(drain.now(SECOND), Some((1, SECOND * 4)));
        assert_eq!([drain.is(0, SECOND), drain.is(1, SECOND), drain.is(1, SECOND * 5)], [false, true, false]);
        assert!(!drain.end(0, SECOND) && drain.is(1, SECOND), "the other one was not drained");
        assert!(drain.end(1, SECOND) && !drain.is(1, SECOND));
        assert!(!drain.end(1, SECOND), "to put it back twice is no mistake");
    }

    #[test]
    fn never_two_at_once_and_never_the_last_one_that_is_in_use() {
        let mut drain = Drain::default();
        let all = |_: usize| true;
        assert_eq!(drain.may(0, 1, all, SECOND), Err(Refused::Only));
        assert_eq!(drain.may(0, 2, |other| other == 0, SECOND), Err(Refused::Last));
        assert_eq!(drain.may(0, 2, all, SECOND), Ok(()));
        drain.begin(0, SECOND * 5);
        assert_eq!(drain.may(1, 3, all, SECOND), Err(Refused::Second));
        assert_eq!(drain.may(0, 3, all, SECOND), Ok(()), "its end moves");
        assert_eq!(drain.may(1, 3, all, SECOND * 5), Ok(()), "the time of the first one is over");
    }
}
