//! A schedule: layers of rotations, overrides, temporary shifts and a fallback, and who is primary at an instant.
//!
//! Invariant of every schedule that [`crate::read()`] returns: exactly one primary at each instant.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{Rotation, Windows, Zone, windows::WEEK};

/// How many days [`Schedule::shift`] looks in each direction, until it has seen both ends.
const SIGHT: [i64; 3] = [3, 45, 400];

/// A rotation, and when it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Its name within the schedule.
    pub name: String,
    /// Who takes turns.
    pub rotation: Rotation,
    /// When it counts; always, if there are no windows.
    pub only: Option<Windows>,
}

/// What an override does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// One more person is on call, not as primary.
    Add(String),
    /// A person is not on call; the layer below takes over.
    Remove(String),
    /// A person's shifts are taken by another.
    Replace {
        /// Whose shifts.
        person: String,
        /// Who takes them.
        with: String,
    },
}

/// A change for a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Override {
    /// What changes.
    pub change: Change,
    /// From this instant on.
    pub from: DateTime<Utc>,
    /// Until this instant, exclusively.
    pub until: DateTime<Utc>,
}

/// A shift with a fixed begin and end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fixed {
    /// Who is primary.
    pub person: String,
    /// Its begin.
    pub from: DateTime<Utc>,
    /// Its end, exclusively.
    pub until: DateTime<Utc>,
}

/// Why a person is primary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// A layer's turn.
    Layer(String),
    /// A turn of somebody else, taken over.
    Override(String),
    /// A temporary shift.
    Temporary,
    /// No layer covers the instant.
    Fallback,
}

/// Who is primary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Primary {
    /// The person.
    pub person: String,
    /// Why.
    pub reason: Reason,
}

/// A span in which one person is primary for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// Who, and why.
    #[serde(flatten)]
    pub primary: Primary,
    /// Its begin.
    pub from: DateTime<Utc>,
    /// Its end, exclusively.
    pub until: DateTime<Utc>,
}

/// Who is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// Zone of times without an offset.
    pub zone: Zone,
    /// Primary whenever no layer is.
    pub fallback: Option<String>,
    /// From the lowest to the highest: the highest that counts wins.
    pub layers: Vec<Layer>,
    /// In the order of the file.
    pub overrides: Vec<Override>,
    /// Shifts that replace layers and overrides. They do not overlap.
    pub temporary: Vec<Fixed>,
}

impl Override {
    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.until
    }
}

impl Schedule {
    /// Who is primary. Always somebody, in a schedule that was read from a file.
    #[must_use]
    pub fn primary(&self, at: DateTime<Utc>) -> Option<Primary> {
        if let Some(fixed) = self.temporary.iter().find(|fixed| fixed.from <= at && at < fixed.until) {
            return Some(Primary { person: fixed.person.clone(), reason: Reason::Temporary });
        }
        let mut counting =
            self.layers.iter().rev().filter(|layer| layer.only.as_ref().is_none_or(|only| only.contains(at)));
        counting.find_map(|layer| self.of_layer(layer, at)).or_else(|| {
            let fallback = self.fallback.as_ref()?;
            Some(Primary { person: fallback.clone(), reason: Reason::Fallback })
        })
    }

    /// Who is on call in addition, at most once each.
    #[must_use]
    pub fn added(&self, at: DateTime<Utc>) -> Vec<String> {
        let mut people = Vec::new();
        for change in self.overrides.iter().filter(|change| change.holds(at)) {
            match &change.change {
                Change::Add(person) if !people.contains(person) => people.push(person.clone()),
                _ => {}
            }
        }
        people
    }

    /// A layer's person after the overrides; nobody if that person was removed.
    fn of_layer(&self, layer: &Layer, at: DateTime<Utc>) -> Option<Primary> {
        let mut person = layer.rotation.turn(at).person.to_owned();
        let mut reason = Reason::Layer(layer.name.clone());
        for change in self.overrides.iter().filter(|change| change.holds(at)) {
            match &change.change {
                Change::Replace { person: of, with } if *of == person => {
                    person.clone_from(with);
                    reason = Reason::Override(layer.name.clone());
                }
                Change::Remove(removed) if *removed == person => return None,
                _ => {}
            }
        }
        Some(Primary { person, reason })
    }

    /// Instants inside a span at which the primary may change, oldest first.
    fn edges(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut edges = vec![from];
        for layer in &self.layers {
            edges.extend(layer.rotation.handoffs(from, until));
            edges.extend(layer.only.iter().flat_map(|only| only.edges(from, until)));
        }
        let fixed = self.temporary.iter().flat_map(|fixed| [fixed.from, fixed.until]);
        let changed = self.overrides.iter().flat_map(|change| [change.from, change.until]);
        edges.extend(fixed.chain(changed).filter(|at| from < *at && *at < until));
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// The parts of a span and who is primary in each; neighbours differ. No part is missing.
    fn parts(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Vec<(DateTime<Utc>, DateTime<Utc>, Option<Primary>)> {
        let edges = self.edges(from, until);
        let mut parts: Vec<(DateTime<Utc>, DateTime<Utc>, Option<Primary>)> = Vec::new();
        for (at, edge) in edges.iter().enumerate() {
            let end = edges.get(at + 1).copied().unwrap_or(until);
            let primary = self.primary(*edge);
            match parts.last_mut() {
                Some(last) if last.2 == primary => last.1 = end,
                _ => parts.push((*edge, end, primary)),
            }
        }
        parts
    }

    /// The shifts of a span, oldest first, cut at its ends. Empty if the span is.
    #[must_use]
    pub fn shifts(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Shift> {
        if from >= until {
            return Vec::new();
        }
        let parts = self.parts(from, until).into_iter();
        parts.filter_map(|(from, until, primary)| Some(Shift { primary: primary?, from, until })).collect()
    }

    /// The shift at an instant, cut where it is more than 400 days away.
    #[must_use]
    pub fn shift(&self, at: DateTime<Utc>) -> Option<Shift> {
        let mut found = None;
        for days in SIGHT {
            let (from, until) = (at - TimeDelta::days(days), at + TimeDelta::days(days));
            let mut shifts = self.shifts(from, until).into_iter();
            found = shifts.find(|shift| shift.from <= at && at < shift.until);
            if found.as_ref().is_none_or(|shift| shift.from > from && shift.until < until) {
                break;
            }
        }
        found
    }

    /// A span without a primary, inside another one. None in a schedule that was read from a file.
    pub(crate) fn nobody(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let parts = self.parts(from, until);
        parts.into_iter().find_map(|(from, until, primary)| primary.is_none().then_some((from, until)))
    }

    /// Whether the layers alone cover every instant of every week, whatever the clocks do.
    ///
    /// A layer without windows does. So do layers with windows in the same zone that together cover each minute of its
    /// week: hand-offs are the same function of wall time for all of them. Zones change their clocks on different
    /// days, so windows of different zones prove nothing.
    pub(crate) fn covers_every_week(&self) -> bool {
        let Some(windows) = self.layers.iter().map(|layer| layer.only.as_ref()).collect::<Option<Vec<_>>>()
        else {
            return true;
        };
        windows.iter().any(|of| {
            let mut week = [false; WEEK];
            windows.iter().filter(|other| other.zone == of.zone).for_each(|other| other.mark(&mut week));
            week.iter().all(|marked| *marked)
        })
    }
}
