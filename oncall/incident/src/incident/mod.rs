//! An incident: what its events add up to.

mod apply;
mod refused;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
pub use refused::Refused;
use serde::Serialize;

use crate::{
    Entry, EntryKind, Event, Hypothesis, Id, Impact, Link, Role, Severity, Source, State, Task, Truth,
    Viewer, What, alerts::Alert,
};

/// How long all alerts have to be clear before an incident resolves by itself, on the production clock. Longer than
/// Prometheus and Alertmanager take to notice that an alert is back.
pub const HOLD: TimeDelta = TimeDelta::minutes(5);

/// An alert of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The alert.
    pub alert: Alert,
    /// When it joined.
    pub joined_at: DateTime<Utc>,
    /// When it ended; none while it fires.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Who works on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// When things happened for the first time; they stay when an incident becomes active again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// The first symptom that was noted.
    pub symptom: Option<DateTime<Utc>>,
    /// The first alert that fired.
    pub fired: Option<DateTime<Utc>>,
    /// The first page to a person.
    pub paged: Option<DateTime<Utc>>,
    /// The first acknowledgement by a person.
    pub acknowledged: Option<DateTime<Utc>>,
    /// The last time that it was mitigated.
    pub mitigated: Option<DateTime<Utc>>,
    /// Since when the indicator is good again.
    pub recovered: Option<DateTime<Utc>>,
    /// The last time that it was resolved.
    pub resolved: Option<DateTime<Utc>>,
    /// When it was closed or dismissed.
    pub ended: Option<DateTime<Utc>>,
}

/// An incident. What it serializes to is fit for a trainee.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incident {
    /// Its number.
    pub id: Id,
    /// What people see.
    pub title: String,
    /// What was known when it opened; empty if nobody said more than the title.
    pub description: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: State,
    /// Whether a response team was assembled.
    pub major: bool,
    /// The closed incident about the same alert.
    pub previous: Option<Id>,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When its state last changed.
    pub changed_at: DateTime<Utc>,
    /// When anything last happened.
    pub updated_at: DateTime<Utc>,
    /// Who works on it; nobody, if the acknowledgement expired.
    pub acknowledged: Option<Acknowledgement>,
    /// Who has which role.
    pub roles: BTreeMap<Role, String>,
    /// Affected services.
    pub services: BTreeSet<String>,
    /// Its alerts, in the order in which they joined.
    pub alerts: Vec<Member>,
    /// What there is to do.
    pub tasks: Vec<Task>,
    /// What there is to read.
    pub links: Vec<Link>,
    /// What it might be.
    pub hypotheses: Vec<Hypothesis>,
    /// What it cost.
    pub impact: Impact,
    /// When things happened for the first time.
    pub times: Times,
    /// How often it escalated.
    pub escalations: u32,
    /// How often it became active again after it was resolved.
    pub reopened: u32,
    /// Entries that everybody may see, in the order in which things happened.
    pub timeline: Vec<Entry>,
    /// What really happened, once the incident is closed.
    pub truth: Option<Truth>,
    /// The same, before.
    #[serde(skip)]
    sealed_truth: Option<Truth>,
    /// Entries for instructors, before.
    #[serde(skip)]
    sealed: Vec<Entry>,
}

impl Incident {
    /// The incident that begins with an event.
    ///
    /// # Errors
    /// When it is not an opening.
    pub fn open(event: &Event) -> Result<Self, Refused> {
        let What::Opened { id, title, description, severity, services, previous } = &event.what else {
            return Err(Refused::NotOpened);
        };
        let mut incident = Self {
            id: *id,
            title: title.clone(),
            description: description.clone(),
            severity: *severity,
            state: State::Triage,
            major: false,
            previous: *previous,
            opened_at: event.at,
            changed_at: event.at,
            updated_at: event.at,
            acknowledged: None,
            roles: BTreeMap::new(),
            services: services.iter().cloned().collect(),
            alerts: Vec::new(),
            tasks: Vec::new(),
            links: Vec::new(),
            hypotheses: Vec::new(),
            impact: Impact::default(),
            times: Times::default(),
            escalations: 0,
            reopened: 0,
            timeline: Vec::new(),
            truth: None,
            sealed_truth: None,
            sealed: Vec::new(),
        };
        incident.write(event);
        Ok(incident)
    }

    /// The incident that these events add up to.
    ///
    /// # Errors
    /// The first event that is refused: a store that applies before it keeps has none.
    pub fn replay<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<Self, Refused> {
        let mut events = events.into_iter();
        let mut incident = Self::open(events.next().ok_or(Refused::NotOpened)?)?;
        for event in events {
            incident.apply(event)?;
        }
        Ok(incident)
    }

    /// What somebody may read, in the order in which things happened.
    #[must_use]
    pub fn timeline_for(&self, viewer: Viewer) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.timeline.iter().collect();
        if viewer == Viewer::Instructor {
            entries.extend(&self.sealed);
            entries.sort_by_key(|entry| entry.at);
        }
        entries
    }

    /// What really happened, if somebody may know.
    #[must_use]
    pub fn truth_for(&self, viewer: Viewer) -> Option<&Truth> {
        match viewer {
            Viewer::Trainee => self.truth.as_ref(),
            Viewer::Instructor => self.truth.as_ref().or(self.sealed_truth.as_ref()),
        }
    }

    /// Whether everybody may know what really happened: it is closed, or somebody has told it before.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.truth.is_some() || self.timeline.iter().any(|entry| entry.kind == EntryKind::Truth)
    }

    /// What follows from an event that it has taken: the person who acknowledges a major incident commands it, unless
    /// somebody does already.
    #[must_use]
    pub fn implied(&self, event: &Event) -> Option<What> {
        let is_major = self.major || self.severity.is_major();
        match (&event.what, &event.by) {
            (What::Acknowledged, Source::Person(person))
                if is_major && !self.roles.contains_key(&Role::Commander) =>
            {
                Some(What::Assigned { role: Role::Commander, person: person.clone() })
            }
            _ => None,
        }
    }

    /// What is still to do so that it does not happen again; nothing if it was dismissed.
    pub fn action_items(&self) -> impl Iterator<Item = &Task> {
        let counts = self.state != State::Dismissed;
        self.tasks.iter().filter(move |task| counts && task.follow_up && task.done_at.is_none())
    }

    /// Since when none of its alerts fires; none while one does, or if it has no alerts. A ticket about a budget counts only if there
    /// is nothing else: an outage is over long before its budget is back.
    #[must_use]
    pub fn clear_since(&self) -> Option<DateTime<Utc>> {
        let only_budgets = self.alerts.iter().all(|member| member.alert.is_of_budget());
        let counts = self.alerts.iter().filter(|member| only_budgets || !member.alert.is_of_budget());
        let ends: Option<Vec<DateTime<Utc>>> = counts.map(|member| member.ended_at).collect();
        ends?.into_iter().max()
    }

    /// When it resolves by itself, unless an alert fires before; `speed` is the lab clock's divisor. None if it is not
    /// open or an alert fires.
    #[must_use]
    pub fn resolves_at(&self, speed: u32) -> Option<DateTime<Utc>> {
        let hold = HOLD / i32::try_from(speed.max(1)).unwrap_or(i32::MAX);
        // Never before its last change: a person who has just made it active again is right.
        self.clear_since().filter(|_| self.state.is_open()).map(|since| since.max(self.changed_at) + hold)
    }

    /// The last time that one of its alerts began to fire, or that it opened.
    #[must_use]
    pub fn last_alert_at(&self) -> DateTime<Utc> {
        self.alerts.iter().map(|member| member.joined_at).max().unwrap_or(self.opened_at)
    }

    /// Adds an entry where it belongs.
    fn write(&mut self, event: &Event) {
        let Some(mut entry) = event.entry() else { return };
        if let What::AlertCleared { key, .. } = &event.what
            && let Some(member) = self.alerts.iter().find(|member| member.alert.key == *key)
        {
            entry.text = format!("{} cleared", member.alert.name);
        }
        let entries = if entry.sealed { &mut self.sealed } else { &mut self.timeline };
        let place = entries.partition_point(|other| other.at <= entry.at);
        entries.insert(place, entry);
    }
}
