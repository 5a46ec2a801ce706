//! What the journal of an incident means for its escalation. Pure.

use chrono::{DateTime, Utc};
use incident::{Event, Severity, Source, State, What};
use rota::escalation::Event as Moving;

/// Why the control room asks the next level; so this escalation is the effect of a step, not the cause of one.
pub(super) const NOBODY: &str = "nobody acknowledged";

/// What the events of an incident add up to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    /// When it last became active: opened, or active again.
    pub(super) begin: Begin,
    /// Where it is in its life.
    pub(super) state: State,
    /// How bad it is.
    pub(super) severity: Severity,
    /// Whether it last became worse by rule and not because a person said so.
    pub(super) raised_by_rule: bool,
    /// The acknowledgement that holds.
    pub(super) acknowledged: Option<i64>,
    /// Number of the last event in the journal.
    pub(super) last: i64,
    /// What moves the escalation, with the numbers of the journal, in order.
    pub(super) events: Vec<(i64, Moving)>,
}

/// A moment at which an escalation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begin {
    /// Number of the event in the journal.
    pub(super) seq: i64,
    /// When.
    pub(super) at: DateTime<Utc>,
    /// Somebody works on it already: the escalation begins acknowledged.
    pub(super) held: bool,
}

impl Course {
    /// Adds up the events with their numbers, in order. None if they do not begin with an opening.
    pub(super) fn of(events: &[(i64, Event)]) -> Option<Self> {
        let (seq, first) = events.first()?;
        let What::Opened { severity, .. } = &first.what else { return None };
        let mut course = Self {
            begin: Begin { seq: *seq, at: first.at, held: false },
            state: State::Triage,
            severity: *severity,
            raised_by_rule: false,
            acknowledged: None,
            last: *seq,
            events: Vec::new(),
        };
        for (seq, event) in &events[1..] {
            course.take(*seq, event);
        }
        Some(course)
    }

    /// Whether people are paged in this state. Users of a mitigated incident are not affected any more.
    pub(super) const fn pages(&self) -> bool {
        matches!(self.state, State::Triage | State::Active)
    }

    fn take(&mut self, seq: i64, event: &Event) {
        let at = event.at;
        self.last = seq;
        match &event.what {
            What::SeveritySet { severity, .. } => self.set_severity(*severity, &event.by),
            // A major incident is at least SEV-2.
            What::DeclaredMajor { .. } => self.set_severity(self.severity.min(Severity::Sev2), &event.by),
            What::Moved { to, .. } => self.go(*to, seq, at),
            What::Acknowledged => {
                self.acknowledged = Some(seq);
                if self.state == State::Triage {
                    self.state = State::Active;
                }
                self.events.push((seq, Moving::Acknowledged { at }));
            }
            What::AcknowledgementExpired => self.acknowledged = None,
            What::Escalated { why, .. } if event.by != Source::ControlRoom || why != NOBODY => {
                self.events.push((seq, Moving::Escalated { at }));
            }
            _ => {}
        }
    }

    fn set_severity(&mut self, severity: Severity, by: &Source) {
        if severity < self.severity {
            self.raised_by_rule = matches!(by, Source::ControlRoom | Source::System(_));
        }
        self.severity = severity;
    }

    fn go(&mut self, to: State, seq: i64, at: DateTime<Utc>) {
        match (self.state, to) {
            // After a resolution nobody is at work any more; after a mitigation somebody is.
            (State::Resolved, State::Active) => self.begin = Begin { seq, at, held: false },
            (State::Mitigated, State::Active) => {
                self.begin = Begin { seq, at, held: self.acknowledged.is_some() };
            }
            (_, State::Triage | State::Active) => {}
            _ => self.events.push((seq, Moving::Ended { at })),
        }
        self.state = to;
    }
}
