//! The time of a run: that of the clock, less its pauses. While an instructor pauses a game day, nothing is
//! due and no deadline comes nearer.

use chrono::{DateTime, TimeDelta, Utc};

/// Longest time that the pauses of a run take together. What is broken stays broken meanwhile, and must not
/// end by itself before the run continues.
pub(super) const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// Begin and end of each pause; the last one may still last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pauses(Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>);

impl Pauses {
    /// A pause begins, unless there is one already.
    pub(super) fn begin(&mut self, at: DateTime<Utc>) {
        if !self.is_on(at) {
            self.end(at);
            self.0.push((at, None));
        }
    }

    /// The pause ends, if there is one.
    pub(super) fn end(&mut self, at: DateTime<Utc>) {
        let ended = self.spans(at).last().map(|(_, until)| *until);
        if let Some((_, until)) = self.0.last_mut()
            && until.is_none()
        {
            *until = ended;
        }
    }

    /// Whether the run is paused. A pause that has used up its time has ended by itself.
    pub(super) fn is_on(&self, at: DateTime<Utc>) -> bool {
        let open = self.0.last().is_some_and(|(_, until)| until.is_none());
        let used: TimeDelta = self.spans(at).iter().map(|(from, until)| *until - *from).sum();
        open && used < LONGEST
    }

    /// The time of the run at a time of the clock.
    pub(super) fn run_time(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        let before = self.spans(wall).into_iter().map(|(from, until)| {
            let until = until.min(wall);
            (until - from).max(TimeDelta::zero())
        });
        wall - before.sum::<TimeDelta>()
    }

    /// The time of the clock at a time of the run, as it looks at `now`.
    pub(super) fn wall(&self, run_time: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut wall = run_time;
        for (from, until) in self.spans(now) {
            if wall > from {
                wall += until - from;
            }
        }
        wall
    }

    /// The pauses with their ends, as far as they are known at `at`.
    fn spans(&self, at: DateTime<Utc>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut left = LONGEST;
        let spans = self.0.iter().map(|(from, until)| {
            let until = until.unwrap_or(at).max(*from).min(*from + left);
            left -= until - *from;
            (*from, until)
        });
        spans.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-03-02T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_time_of_a_run_stands_still_in_a_pause_and_goes_on_after_it() {
        let mut pauses = Pauses::default();
        assert_eq!(pauses.run_time(at(5)), at(5));
        pauses.begin(at(10));
        pauses.begin(at(12));
        assert!(pauses.is_on(at(15)));
        assert_eq!((pauses.run_time(at(9)), pauses.run_time(at(15))), (at(9), at(10)));
        pauses.end(at(30));
        assert!(!pauses.is_on(at(30)));
        assert_eq!(pauses.run_time(at(31)), at(11));
        pauses.begin(at(40));
        pauses.end(at(45));
        assert_eq!(pauses.run_time(at(50)), at(25));
    }

    #[test]
    fn a_deadline_moves_by_the_pauses_before_it() {
        let mut pauses = Pauses::default();
        pauses.begin(at(10));
        pauses.end(at(30));
        assert_eq!(pauses.wall(at(5), at(60)), at(5));
        assert_eq!(pauses.wall(at(11), at(60)), at(31));
        pauses.begin(at(50));
        assert_eq!(pauses.wall(at(100), at(57)), at(127), "as far as it is known");
        assert_eq!(pauses.wall(pauses.run_time(at(33)), at(57)), at(33));
    }

    #[test]
    fn pauses_end_by_themselves_once_their_time_is_used_up() {
        let mut pauses = Pauses::default();
        let all = LONGEST.num_seconds();
        pauses.begin(at(0));
        assert!(pauses.is_on(at(all - 1)) && !pauses.is_on(at(all)));
        assert_eq!(pauses.run_time(at(all + 7)), at(7));
        pauses.begin(at(all + 8));
        assert_eq!(pauses.run_time(at(all + 9)), at(9), "nothing is left for another one");
    }
}
