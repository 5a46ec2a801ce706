//! Which replicas get no requests for a while, judged by the answers to real ones (passive health, outlier
//! ejection): one that cannot be reached, one that fails several times in a row, and one that fails far more
//! often than the others do.
//!
//! Invariant: at least one replica stays. If all of them fail, the fault is not theirs, and to send
//! everything to the last one would only break that one too. So for failing answers at most half of them are
//! out, for unreachable ones all but one.

use std::time::Duration;

/// Requests of the last moments below which no share of failures is computed.
const FEW: u32 = 20;
/// Share of failing requests, in percent, below which nobody is an outlier.
const LEAST_PERCENT: u32 = 20;
/// How many times the share of the others it has to be.
const TIMES_THE_OTHERS: u32 = 3;
/// Half of the time over which shares are computed.
const HALF_WINDOW: Duration = Duration::from_secs(5);
/// Longest time for which a replica is out, in multiples of the first.
const LONGEST: u32 = 6;

/// When a replica is out, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Failures in a row.
    pub after: u32,
    /// Time for which it is out the first time. Each further time is longer by this, up to six times.
    pub time: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { after: 5, time: Duration::from_secs(5) }
    }
}

/// What one request showed of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It works, even if it refused the request.
    Good,
    /// It failed, or was too slow.
    Bad,
    /// There was no connection to it.
    Gone,
}

/// Why a replica is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumCount, strum::VariantArray)]
pub enum Reason {
    /// It could not be reached.
    Unreachable,
    /// It failed several times in a row.
    InARow,
    /// It failed far more often than the others.
    Outlier,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// The label `reason` of the metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::InARow => "in_a_row",
            Self::Outlier => "outlier",
        }
    }
}

/// The replicas of one upstream.
#[derive(Debug, Clone)]
pub struct Outliers {
    rules: Rules,
    members: Vec<Member>,
}

#[derive(Debug, Clone, Default)]
struct Member {
    /// Failures in a row.
    streak: u32,
    /// Out until then; in the past or 0: it takes part.
    until: Duration,
    /// How often it was out since it last worked for a while.
    times: u32,
    /// This half of the window, and the one before.
    halves: [Half; 2],
}

#[derive(Debug, Clone, Copy, Default)]
struct Half {
    number: u64,
    all: u32,
    bad: u32,
}

impl Member {
    fn is_out(&self, now: Duration) -> bool {
        self.until > now
    }

    fn count(&mut self, bad: bool, now: Duration) {
        let number = now.as_secs() / HALF_WINDOW.as_secs();
        if self.halves[0].number != number {
            self.halves = [Half { number, ..Half::default() }, self.halves[0]];
        }
        self.halves[0].all = self.halves[0].all.saturating_add(1);
        self.halves[0].bad = self.halves[0].bad.saturating_add(u32::from(bad));
    }

    /// Requests of the last moments, and how many of them failed.
    fn recent(&self, now: Duration) -> (u32, u32) {
        let number = now.as_secs() / HALF_WINDOW.as_secs();
        let recent = self.halves.iter().filter(|half| half.number + 1 >= number);
        recent.fold((0, 0), |(all, bad), half| (all.saturating_add(half.all), bad.saturating_add(half.bad)))
    }
}

impl Outliers {
    /// `count` replicas that take part.
    #[must_use]
    pub fn new(rules: Rules, count: usize) -> Self {
        Self { rules, members: vec![Member::default(); count] }
    }

    /// Whether a replica gets no requests now.
    #[must_use]
    pub fn is_out(&self, member: usize, now: Duration) -> bool {
        self.members.get(member).is_some_and(|member| member.is_out(now))
    }

    /// How many are out now.
    #[must_use]
    pub fn out(&self, now: Duration) -> usize {
        self.members.iter().filter(|member| member.is_out(now)).count()
    }

    /// Notes what a request showed; the reason, if the replica is out from now on.
    pub fn record(&mut self, member: usize, seen: Seen, now: Duration) -> Option<Reason> {
        let of = self.members.get_mut(member)?;
        of.count(seen != Seen::Good, now);
        if seen == Seen::Good {
            of.streak = 0;
            if now > of.until.saturating_add(self.rules.time * LONGEST) {
                of.times = 0;
            }
            return None;
        }
        of.streak = of.streak.saturating_add(1);
        if of.is_out(now) {
            return None;
        }
        let reason = match seen {
            Seen::Gone => Reason::Unreachable,
            _ if of.streak >= self.rules.after => Reason::InARow,
            _ if self.fails_more_than_others(member, now) => Reason::Outlier,
            _ => return None,
        };
        let most = match (reason, self.members.len()) {
            (_, 0 | 1) => 0,
            (Reason::Unreachable, count) => count - 1,
            (_, count) => count / 2,
        };
        if self.out(now) >= most {
            return None;
        }
        let rules = self.rules;
        let of = self.members.get_mut(member)?;
        of.times = (of.times + 1).min(LONGEST);
        of.until = now.saturating_add(rules.time * of.times);
        // On probation afterwards: one more failure, and it is out again.
        of.streak = rules.after.saturating_sub(1);
        of.halves = [Half::default(); 2];
        Some(reason)
    }

    fn fails_more_than_others(&self, member: usize, now: Duration) -> bool {
        let (all, bad) = self.members[member].recent(now);
        if all < FEW || percent(all, bad) < u64::from(LEAST_PERCENT) {
            return false;
        }
        let others = self.members.iter().enumerate().filter(|(place, _)| *place != member);
        let (others, bad_others) = others.fold((0_u32, 0_u32), |(all, bad), (_, other)| {
            let (more, worse) = other.recent(now);
            (all.saturating_add(more), bad.saturating_add(worse))
        });
        others >= FEW && percent(all, bad) >= u64::from(TIMES_THE_OTHERS) * percent(others, bad_others)
    }
}

fn percent(all: u32, part: u32) -> u64 {
    u64::from(part) * 100 / u64::from(all.max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RULES: Rules = Rules { after: 3, time: Duration::from_secs(10) };

    #[test]
    fn a_replica_that_fails_in_a_row_is_out_for_a_while_and_longer_the_next_time() {
        let mut replicas = Outliers::new(RULES, 3);
        assert_eq!(replicas.record(0, Seen::Bad, SECOND), None);
        assert_eq!(replicas.record(0, Seen::Bad, SECOND), None);
        assert_eq!(replicas.record(0, Seen::Bad, SECOND), Some(Reason::InARow));
        assert!(replicas.is_out(0, SECOND * 10) && !replicas.is_out(0, SECOND * 11));
        assert_eq!(replicas.record(0, Seen::Bad, SECOND * 12), Some(Reason::InARow), "on probation");
        assert!(replicas.is_out(0, SECOND * 31) && !replicas.is_out(0, SECOND * 32), "twice as long");
    }

    #[test]
    fn a_success_in_between_forgives() {
        let mut replicas = Outliers::new(RULES, 2);
        for _ in 0..10 {
            assert_eq!(replicas.record(1, Seen::Bad, SECOND), None);
            assert_eq!(replicas.record(1, Seen::Bad, SECOND), None);
            assert_eq!(replicas.record(1, Seen::Good, SECOND), None);
            // The other one is no better.
            replicas.record(0, Seen::Bad, SECOND);
            replicas.record(0, Seen::Good, SECOND);
        }
    }

    #[test]
    fn one_sick_of_three_is_found_although_it_never_fails_in_a_row() {
        let mut replicas = Outliers::new(RULES, 3);
        let mut found = None;
        for request in 0..90_u32 {
            let member = (request % 3) as usize;
            let sick = member == 2 && request % 9 == 2;
            let seen = if sick { Seen::Bad } else { Seen::Good };
            found = found.or(replicas.record(member, seen, SECOND).map(|reason| (member, reason)));
        }
        assert_eq!(found, Some((2, Reason::Outlier)));
    }

    #[test]
    fn if_all_fail_half_of_them_stay_and_if_all_are_gone_one_does() {
        let mut failing = Outliers::new(RULES, 4);
        let mut gone = failing.clone();
        for member in (0..4).cycle().take(40) {
            failing.record(member, Seen::Bad, SECOND);
            gone.record(member, Seen::Gone, SECOND);
        }
        assert_eq!((failing.out(SECOND), gone.out(SECOND)), (2, 3));
        assert_eq!(Outliers::new(RULES, 1).record(0, Seen::Gone, SECOND), None, "the only one stays");
    }

    proptest! {
        #[test]
        fn never_are_all_replicas_out(
            count in 1_usize..6, after in 1_u32..6,
            requests in prop::collection::vec((0_usize..6, 0_u8..4, 0_u64..3_000), 1..500),
        ) {
            let mut replicas = Outliers::new(Rules { after, time: SECOND * 5 }, count);
            let mut now = SECOND;
            for (member, seen, pause) in requests {
                now += Duration::from_millis(pause);
                let seen = [Seen::Good, Seen::Bad, Seen::Bad, Seen::Gone][usize::from(seen)];
                let reason = replicas.record(member, seen, now);
                prop_assert!(reason.is_none() || replicas.is_out(member, now));
                prop_assert!(replicas.out(now) < count, "all {count} are out");
            }
        }
    }
}
