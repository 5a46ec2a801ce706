//! Which incident an alert belongs to: neighbours in the call graph within 15 minutes of the lab's clock are one
//! incident, a flapping alert stays in its own, and a page after closing opens a new incident that names the old one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Id, Incident, State, alerts::Alert};

/// How long after the last alert of an incident a neighbour's alert joins it, on the production clock.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Which service calls which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    neighbours: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// From pairs of caller and callee; a service that uses a store or a topic calls it.
    pub fn new<S: Into<String>>(calls: impl IntoIterator<Item = (S, S)>) -> Self {
        let mut neighbours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (caller, callee) in calls {
            let (caller, callee) = (caller.into(), callee.into());
            neighbours.entry(caller.clone()).or_default().insert(callee.clone());
            neighbours.entry(callee).or_default().insert(caller);
        }
        Self { neighbours }
    }

    /// Whether one calls the other, in either direction, or they are the same.
    #[must_use]
    pub fn near(&self, one: &str, other: &str) -> bool {
        one == other || self.neighbours.get(one).is_some_and(|near| near.contains(other))
    }
}

/// Where an alert belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// To this open incident.
    Join(Id),
    /// To this resolved incident, which becomes active again.
    Reopen(Id),
    /// To a new one.
    Open {
        /// The closed or dismissed incident about the same alert, if there is one.
        previous: Option<Id>,
    },
}

/// How an alert is related to an incident; the closest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// An alert of the same name, when neither names a service.
    SameName,
    /// A service that calls, or is called by, an affected one.
    Neighbour,
    /// An affected service.
    SameService,
    /// The same alert, firing again.
    SameAlert,
}

/// The rules, for one call graph.
#[derive(Debug, Clone)]
pub struct Correlator {
    graph: Graph,
    window: TimeDelta,
}

impl Correlator {
    /// `speed` is the lab clock's divisor, 1 in production.
    #[must_use]
    pub fn new(graph: Graph, speed: u32) -> Self {
        Self { graph, window: WINDOW / i32::try_from(speed.max(1)).unwrap_or(i32::MAX) }
    }

    /// Where an alert belongs that fires at `now`, given all incidents that may matter: the open ones, those resolved
    /// within the window, and the newest ended one about each alert.
    pub fn decide<'i>(
        &self,
        alert: &Alert,
        incidents: impl IntoIterator<Item = &'i Incident>,
        now: DateTime<Utc>,
    ) -> Verdict {
        let mut best: Option<(Relation, DateTime<Utc>, Verdict)> = None;
        let mut previous: Option<(DateTime<Utc>, Id)> = None;
        for incident in incidents {
            let (id, last) = (incident.id, incident.last_alert_at());
            if incident.state.is_final() {
                if same_alert(alert, incident) && previous.is_none_or(|known| (last, id) > known) {
                    previous = Some((last, id));
                }
                continue;
            }
            let Some(relation) = self.relation(alert, incident) else { continue };
            if !self.joins(alert, relation, incident, now) {
                continue;
            }
            let verdict =
                if incident.state == State::Resolved { Verdict::Reopen(id) } else { Verdict::Join(id) };
            // Of two that are as close, the one that is more recent.
            if best.is_none_or(|(closest, at, _)| (relation, last) > (closest, at)) {
                best = Some((relation, last, verdict));
            }
        }
        best.map_or(Verdict::Open { previous: previous.map(|(_, id)| id) }, |(.., verdict)| verdict)
    }

    fn relation(&self, alert: &Alert, incident: &Incident) -> Option<Relation> {
        if same_alert(alert, incident) {
            return Some(Relation::SameAlert);
        }
        let Some(service) = &alert.service else {
            let same = |name: &str| incident.services.is_empty() && name == alert.name;
            return incident
                .alerts
                .iter()
                .any(|member| same(&member.alert.name))
                .then_some(Relation::SameName);
        };
        if incident.services.contains(service) {
            return Some(Relation::SameService);
        }
        let near = incident.services.iter().any(|affected| self.graph.near(affected, service));
        near.then_some(Relation::Neighbour)
    }

    /// Whether an alert with this relation is still in time.
    fn joins(&self, alert: &Alert, relation: Relation, incident: &Incident, now: DateTime<Utc>) -> bool {
        let within = |since: DateTime<Utc>| now - since <= self.window;
        if incident.state == State::Resolved {
            // Flapping: what comes back soon after was not over. A neighbour's alert is another story, and a ticket, such as that of
            // a budget that is spent now, wakes nobody for what is over.
            let as_bad = alert.severity <= incident.severity;
            return as_bad && relation >= Relation::SameService && within(incident.changed_at);
        }
        match relation {
            // A slower alert about the same service belongs to what people already work on, even if the fast one has cleared.
            Relation::SameAlert | Relation::SameService => true,
            _ => within(incident.last_alert_at()),
        }
    }
}

/// Whether an incident is about this very alert.
fn same_alert(alert: &Alert, incident: &Incident) -> bool {
    incident.alerts.iter().any(|member| member.alert.key.fingerprint == alert.key.fingerprint)
}
