//! A dead man's switch: an alert that always fires proves that monitoring works. When it falls silent, nobody would be
//! paged for anything, so that is what to page about.

use chrono::{DateTime, TimeDelta, Utc};

use crate::alerts::Alert;

/// Name of the alert that always fires.
pub const NAME: &str = "Watchdog";

/// Whether an alert is the heartbeat and no alert.
#[must_use]
pub fn is_heartbeat(alert: &Alert) -> bool {
    alert.name == NAME
}

/// What a watchdog says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Monitoring has been silent for too long; said once.
    Silent {
        /// The last heartbeat, or when waiting for the first one began.
        since: DateTime<Utc>,
    },
    /// It is back; said once.
    Back {
        /// How long it was silent.
        after: TimeDelta,
    },
}

/// Waits for heartbeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchdog {
    last: DateTime<Utc>,
    patience: TimeDelta,
    /// More time for the first heartbeat.
    grace: TimeDelta,
    silent: bool,
}

impl Watchdog {
    /// Begins to wait. `patience` is real time: at least three times the interval in which the heartbeat is repeated.
    #[must_use]
    pub const fn new(now: DateTime<Utc>, patience: TimeDelta) -> Self {
        Self { last: now, patience, grace: TimeDelta::zero(), silent: false }
    }

    /// With more time for the first heartbeat, if `grace` is more: monitoring may be starting too.
    #[must_use]
    pub fn starting(self, grace: TimeDelta) -> Self {
        Self { grace, ..self }
    }

    /// Takes a heartbeat. One that is older than the last is ignored.
    pub fn beat(&mut self, at: DateTime<Utc>) -> Option<Word> {
        if at <= self.last {
            return None;
        }
        let after = at - self.last;
        self.last = at;
        self.grace = TimeDelta::zero();
        std::mem::take(&mut self.silent).then_some(Word::Back { after })
    }

    /// Looks whether it has been silent for too long.
    pub fn look(&mut self, now: DateTime<Utc>) -> Option<Word> {
        if self.silent || now < self.alarm_at() {
            return None;
        }
        self.silent = true;
        Some(Word::Silent { since: self.last })
    }

    /// When it will have been silent for too long.
    #[must_use]
    pub fn alarm_at(&self) -> DateTime<Utc> {
        self.last + self.patience.max(self.grace)
    }

    /// Whether monitoring is silent.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_return_are_each_said_once() {
        let start: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let mut watchdog = Watchdog::new(start, TimeDelta::seconds(30));
        assert_eq!(watchdog.look(at(29)), None);
        assert_eq!(watchdog.beat(at(10)), None);
        assert_eq!(watchdog.look(at(39)), None, "the heartbeat counts from when it came");
        assert_eq!(watchdog.look(at(40)), Some(Word::Silent { since: at(10) }));
        assert_eq!(watchdog.look(at(41)), None);
        assert!(watchdog.is_silent());
        assert_eq!(watchdog.beat(at(5)), None, "an old heartbeat that arrives late proves nothing");
        assert_eq!(watchdog.beat(at(70)), Some(Word::Back { after: TimeDelta::seconds(60) }));
        assert_eq!(watchdog.beat(at(71)), None);
        assert_eq!(watchdog.look(at(101)), Some(Word::Silent { since: at(71) }));
    }

    #[test]
    fn only_the_first_heartbeat_has_the_grace_of_a_start() {
        let start: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let patience = TimeDelta::seconds(30);
        let starting = Watchdog::new(start, patience).starting(TimeDelta::minutes(10));
        let mut mute = starting.clone();
        assert_eq!(mute.look(at(599)), None);
        assert_eq!(mute.look(at(600)), Some(Word::Silent { since: start }));
        let mut heard = starting;
        assert_eq!(heard.beat(at(300)), None);
        assert_eq!(heard.look(at(330)), Some(Word::Silent { since: at(300) }));
        let short = Watchdog::new(start, patience).starting(TimeDelta::seconds(1));
        assert_eq!(short.alarm_at(), at(30), "a grace takes no time away");
    }

    #[test]
    fn a_monitoring_that_never_speaks_is_silent_too() {
        let start: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
        let mut watchdog = Watchdog::new(start, TimeDelta::seconds(30));
        assert_eq!(watchdog.look(start + TimeDelta::seconds(30)), Some(Word::Silent { since: start }));
    }
}
