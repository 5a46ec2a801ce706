//! What really happened, sealed in the incidents that it explains: once for each fault, at the time at which it was set.
//! Nobody but an instructor reads it before the incident is closed.

use chrono::{DateTime, TimeDelta, Utc};
use incident::{EntryKind, Incident, Source, Truth, Viewer, What, correlate::Graph};

use super::FaultSeen;
use crate::{error::Result, room::Room};

/// How long a fault that has ended may still explain a new incident: longer than the slowest alert of the lab waits.
const MEMORY: TimeDelta = TimeDelta::minutes(2);
/// Replicas of a service get a fault one after the other.
const TOGETHER: TimeDelta = TimeDelta::seconds(2);

/// Faults of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Truths(Vec<Known>);

#[derive(Debug, Clone, PartialEq)]
struct Known {
    truth: Truth,
    last_seen: DateTime<Utc>,
}

impl Truths {
    /// Remembers the active faults, and seals them in the open incidents.
    pub(super) async fn seal(&mut self, room: &Room, faults: &[FaultSeen], now: DateTime<Utc>) -> Result<()> {
        self.see(faults, now);
        // To close an incident opens what is sealed in it. What a drill has broken is told when the drill is over, and what a
        // verification has broken is told to nobody.
        if self.0.is_empty() || room.drills.is_sealed() || room.drills.is_rehearsing() {
            return Ok(());
        }
        let graph = room.config.graph();
        for incident in room.desk.open_ones() {
            for truth in self.about(&incident, &graph) {
                room.desk.act(incident.id, Source::ControlRoom, What::TruthSealed { truth }).await?;
            }
        }
        Ok(())
    }

    fn see(&mut self, faults: &[FaultSeen], now: DateTime<Utc>) {
        for fault in faults {
            let since = fault.since.unwrap_or(now);
            let same = |known: &&mut Known| {
                known.truth.fault == fault.fault
                    && known.truth.service == fault.service
                    // A fault that does not say since when it is active is known by its name.
                    && (fault.since.is_none() || (known.truth.since - since).abs() <= TOGETHER)
            };
            if let Some(known) = self.0.iter_mut().find(same) {
                known.last_seen = now;
                continue;
            }
            let (name, service) = (fault.fault.clone(), fault.service.clone());
            let truth = Truth { fault: name, service, since, by: "an instructor".to_owned() };
            self.0.push(Known { truth, last_seen: now });
        }
        self.0.retain(|known| now - known.last_seen <= MEMORY);
    }

    /// What explains an incident and is not sealed in it yet.
    fn about(&self, incident: &Incident, graph: &Graph) -> Vec<Truth> {
        let near =
            |truth: &Truth| incident.services.iter().any(|service| graph.near(service, &truth.service));
        let sealed: Vec<_> = incident
            .timeline_for(Viewer::Instructor)
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::Truth)
            .collect();
        let told = |truth: &Truth| {
            let words = format!("the fault {} on {}", truth.fault, truth.service);
            sealed
                .iter()
                .any(|entry| entry.text.ends_with(&words) && (entry.at - truth.since).abs() <= TOGETHER)
        };
        let truths = self.0.iter().map(|known| &known.truth);
        truths.filter(|truth| near(truth) && !told(truth)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use incident::{Event, Id, Severity};

    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    fn fault(service: &str, since: DateTime<Utc>) -> FaultSeen {
        FaultSeen {
            instance: service.to_owned(),
            service: service.to_owned(),
            fault: "http-error".to_owned(),
            rate: 0.5.into(),
            since: Some(since),
            expires_at: None,
        }
    }

    fn incident(service: &str) -> Incident {
        let what = What::Opened {
            id: Id(1),
            title: "Orders fail".to_owned(),
            description: String::new(),
            severity: Severity::Sev2,
            services: vec![service.to_owned()],
            previous: None,
        };
        Incident::open(&Event { at: start(), by: Source::ControlRoom, what }).unwrap()
    }

    #[test]
    fn a_fault_is_sealed_once_in_incidents_of_its_service_and_of_neighbours() {
        let graph = Graph::new([("order-api", "user-service"), ("user-service", "redis")]);
        let mut truths = Truths::default();
        let second = start() + TimeDelta::milliseconds(300);
        truths.see(&[fault("user-service", start()), fault("user-service", second)], start());
        assert_eq!(truths.0.len(), 1, "two replicas have one fault");
        let mut near = incident("order-api");
        let about = truths.about(&near, &graph);
        assert_eq!((about.len(), about[0].since), (1, start()));
        assert!(truths.about(&incident("order-worker"), &graph).is_empty(), "it is no neighbour");
        let what = What::TruthSealed { truth: about[0].clone() };
        near.apply(&Event { at: start(), by: Source::ControlRoom, what }).unwrap();
        assert!(truths.about(&near, &graph).is_empty(), "it is sealed already");
        truths.see(&[fault("user-service", start() + TimeDelta::seconds(60))], start());
        assert_eq!(truths.about(&near, &graph).len(), 1, "the same fault, set again, is another one");
    }

    #[test]
    fn a_fault_that_has_just_ended_explains_an_incident_that_opens_now() {
        let mut truths = Truths::default();
        truths.see(&[fault("order-api", start())], start());
        truths.see(&[], start() + MEMORY);
        assert_eq!(truths.about(&incident("order-api"), &Graph::default()).len(), 1);
        truths.see(&[], start() + MEMORY + TimeDelta::seconds(1));
        assert!(truths.about(&incident("order-api"), &Graph::default()).is_empty());
    }
}
