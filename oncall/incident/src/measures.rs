//! How long an incident took to be noticed, taken over, mitigated and over. Every measure says from when it counts,
//! because numbers with different beginnings cannot be compared.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::{Incident, Viewer, statistics::Summary};

/// What the clock started at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The fault itself: known in a lab, once the incident is closed, and never in production.
    Fault,
    /// The first symptom that was noted.
    Symptom,
    /// The first alert.
    Alert,
    /// The opening, by hand.
    Opening,
}

impl Start {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Fault, Self::Symptom, Self::Alert, Self::Opening];

    /// As it is serialized.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Symptom => "symptom",
            Self::Alert => "alert",
            Self::Opening => "opening",
        }
    }

    /// For people.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Fault => "the fault began",
            Self::Symptom => "the first symptom was seen",
            Self::Alert => "the first alert fired",
            Self::Opening => "the incident was opened",
        }
    }
}

/// The measures of one incident, in seconds. What has not happened is missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measures {
    /// What `detect`, `mitigate` and `recover` count from.
    pub start: Start,
    /// When that was.
    pub started_at: DateTime<Utc>,
    /// Until the first page; only from the fault or a symptom, because an alert does not detect itself.
    pub detect: Option<f64>,
    /// From the first page (or the opening, if nobody was paged) until a person acknowledged.
    pub acknowledge: Option<f64>,
    /// Until users were no longer affected.
    pub mitigate: Option<f64>,
    /// Until the indicator was good again; if nobody measured that, until the incident was resolved.
    pub recover: Option<f64>,
    /// The largest share of an error budget that it spent.
    pub budget: Option<f64>,
}

impl Measures {
    /// The measures, as far as somebody may know them.
    #[must_use]
    pub fn of(incident: &Incident, viewer: Viewer) -> Self {
        let times = &incident.times;
        let known = [
            (Start::Fault, incident.truth_for(viewer).map(|truth| truth.since)),
            (Start::Symptom, times.symptom),
            (Start::Alert, times.fired),
        ];
        let known = known.into_iter().find_map(|(start, at)| Some((start, at?)));
        let (start, started_at) = known.unwrap_or((Start::Opening, incident.opened_at));
        let since = |from: DateTime<Utc>, until: Option<DateTime<Utc>>| {
            until.map(|until| (until - from).max(TimeDelta::zero()).as_seconds_f64())
        };
        let budgets = incident.impact.budgets.iter().map(|(_, share)| *share);
        Self {
            start,
            started_at,
            detect: since(started_at, times.paged).filter(|_| matches!(start, Start::Fault | Start::Symptom)),
            acknowledge: since(times.paged.unwrap_or(incident.opened_at), times.acknowledged),
            mitigate: since(started_at, times.mitigated),
            recover: since(started_at, times.recovered.or(times.resolved)),
            budget: budgets.max_by(f64::total_cmp),
        }
    }
}

/// The measures of many incidents.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Overview {
    /// Mean time to detect, if it were a mean.
    pub mttd: Option<Summary>,
    /// To acknowledge.
    pub mtta: Option<Summary>,
    /// To mitigate.
    pub mttm: Option<Summary>,
    /// To recover.
    pub mttr: Option<Summary>,
    /// Share of an error budget per incident.
    pub budget: Option<Summary>,
}

impl Overview {
    /// Summarizes incidents whose clock started at the same thing; pass those of one [`Start`]. The same seed gives the
    /// same intervals.
    #[must_use]
    pub fn of(measures: &[Measures], seed: u64) -> Self {
        let summary = |of: fn(&Measures) -> Option<f64>| Summary::of(measures.iter().filter_map(of), seed);
        Self {
            mttd: summary(|one| one.detect),
            mtta: summary(|one| one.acknowledge),
            mttm: summary(|one| one.mitigate),
            mttr: summary(|one| one.recover),
            budget: summary(|one| one.budget),
        }
    }

    /// Summarizes incidents by what their clock started at. The same seed gives the same intervals.
    #[must_use]
    pub fn by_start(measures: impl IntoIterator<Item = Measures>, seed: u64) -> BTreeMap<Start, Self> {
        let mut groups: BTreeMap<Start, Vec<Measures>> = BTreeMap::new();
        for one in measures {
            groups.entry(one.start).or_default().push(one);
        }
        groups.into_iter().map(|(start, group)| (start, Self::of(&group, seed))).collect()
    }
}
