//! No sequence of alerts makes automation exceed its guardrails: any events, in any order, with any answers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*, sample::select};
use runbook::{
    Change, Guardrails, Verb, Verdict, Who,
    guardrails::{Entry, Ledger, Noted, OpenIncident, Proposal, Replicas, Situation, decide},
    reach::{BlastRadius, Unit},
};

use crate::support::{at, map, rails};

const SERVICES: &[&str] = &["order-api", "order-worker", "user-service", "postgres"];
const RUNBOOKS: &[&str] = &["TargetDown", "ConsumerLagGrowing", "HighMemoryUsage", "HighLatency"];

/// What happens next.
#[derive(Debug, Clone)]
enum Next {
    Alert {
        service: &'static str,
        runbook: &'static str,
        healthy: u32,
        sick: bool,
    },
    /// One of the runs that are under way ends.
    End {
        which: usize,
        helped: bool,
    },
    Deploy {
        service: &'static str,
        begins: bool,
    },
    Incident {
        service: &'static str,
        begins: bool,
    },
    Switch {
        on: bool,
    },
    Wait {
        minutes: i64,
    },
}

fn next() -> impl Strategy<Value = Next> {
    let service = || select(SERVICES);
    prop_oneof![
        10 => (service(), select(RUNBOOKS), 0..4_u32, any::<bool>())
            .prop_map(|(service, runbook, healthy, sick)| Next::Alert { service, runbook, healthy, sick }),
        6 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(which, helped)| Next::End { which, helped }),
        1 => (service(), any::<bool>()).prop_map(|(service, begins)| Next::Deploy { service, begins }),
        1 => (service(), any::<bool>()).prop_map(|(service, begins)| Next::Incident { service, begins }),
        1 => any::<bool>().prop_map(|on| Next::Switch { on }),
        3 => (0..40_i64).prop_map(|minutes| Next::Wait { minutes }),
    ]
}

/// What automation did, checked against the file with simple arithmetic and not with the ledger.
struct World {
    rails: Guardrails,
    ledger: Ledger,
    now: Situation,
    /// Acts that were allowed.
    acts: Vec<(DateTime<Utc>, String)>,
    under_way: BTreeMap<String, String>,
    failures: Vec<DateTime<Utc>>,
    off: bool,
    runs: u32,
}

impl World {
    fn new() -> Self {
        let now = Situation {
            now: at("2026-11-29T06:00:00Z"),
            speed: 1,
            deploying: BTreeSet::new(),
            incidents: Vec::new(),
            replicas: BTreeMap::new(),
        };
        let (acts, under_way, failures) = (Vec::new(), BTreeMap::new(), Vec::new());
        let (rails, ledger) = (rails(), Ledger::default());
        Self { rails, ledger, now, acts, under_way, failures, off: false, runs: 0 }
    }

    fn note(&mut self, entry: Entry) -> Option<String> {
        self.ledger.note(&self.rails, 1, &Noted { at: self.now.now, entry })
    }

    fn alert(&mut self, service: &str, runbook: &str, healthy: u32, sick: bool) {
        self.runs += 1;
        let run = format!("run-{}", self.runs);
        let target_healthy = !sick && healthy > 0;
        self.now.replicas.insert(service.to_owned(), Replicas { healthy, target_healthy });
        let change = Change {
            verb: Verb::Restart,
            with: map(&[("service", service)]),
            blast_radius: BlastRadius { most: Some(1), unit: Unit::Replicas },
            key: format!("{run}/restart"),
        };
        let services = [service.to_owned()];
        let proposal = Proposal {
            run: &run,
            runbook,
            incident: Some("INC-0"),
            services: &services,
            by: &Who::Automation,
            change: &change,
            approved: false,
            undo: false,
        };
        let decision = decide(&self.rails, &self.ledger, &self.now, &proposal);
        assert!(!decision.reasons.is_empty());
        if decision.verdict != Verdict::Allow {
            return;
        }
        self.holds(service, runbook, healthy, target_healthy);
        self.acts.push((self.now.now, service.to_owned()));
        self.under_way.insert(run.clone(), service.to_owned());
        let entry = Entry::Acted { run, target: service.to_owned(), stops: true, undo: false };
        assert_eq!(self.note(entry), None);
    }

    /// Everything that the file promises about an act that was allowed.
    fn holds(&self, service: &str, runbook: &str, healthy: u32, target_healthy: bool) {
        assert!(!self.off, "automation is off");
        assert_ne!(service, "postgres");
        assert_ne!(runbook, "HighLatency", "no rule covers it");
        assert!(!self.now.deploying.contains(service));
        assert!(self.now.incidents.iter().all(|incident| !incident.services.contains(service)));
        assert!(self.under_way.values().all(|other| other != service), "two at once");
        let left = healthy - u32::from(target_healthy);
        assert!(!target_healthy || service == "order-worker" || left >= 1, "{left} are left of {service}");
        let recent = self.acts.iter().filter(|(when, _)| self.now.now - *when < TimeDelta::hours(1));
        let recent: Vec<&str> = recent.map(|(_, target)| target.as_str()).collect();
        assert!(recent.len() < 6, "{recent:?}");
        assert!(recent.iter().filter(|target| **target == service).count() < 2, "{recent:?}");
    }

    fn end(&mut self, which: usize, helped: bool) {
        let Some(run) = self.under_way.keys().nth(which % self.under_way.len().max(1)).cloned() else {
            return;
        };
        self.under_way.remove(&run);
        let now = self.now.now;
        let page = self.note(Entry::Ended { run, failed: !helped });
        if !helped {
            self.failures.retain(|before| now - *before < TimeDelta::hours(6));
            self.failures.push(now);
        }
        let trips = !helped && !self.off && self.failures.len() >= 2;
        assert_eq!(page.is_some(), trips, "a person is paged exactly when the breaker opens");
        self.off |= trips;
    }

    fn apply(&mut self, next: &Next) {
        match *next {
            Next::Alert { service, runbook, healthy, sick } => self.alert(service, runbook, healthy, sick),
            Next::End { which, helped } => self.end(which, helped),
            Next::Deploy { service, begins: true } => {
                self.now.deploying.insert(service.to_owned());
            }
            Next::Deploy { service, .. } => {
                self.now.deploying.remove(service);
            }
            Next::Incident { service, begins: true } => {
                let services = BTreeSet::from([service.to_owned()]);
                self.now.incidents.push(OpenIncident { id: "INC-1".to_owned(), services });
            }
            Next::Incident { service, .. } => {
                self.now.incidents.retain(|incident| !incident.services.contains(service));
            }
            Next::Switch { on } => {
                let entry = Entry::Switched { on, by: "ada".to_owned(), why: "to see".to_owned() };
                assert_eq!(self.note(entry), None);
                self.off = !on;
                if on {
                    self.failures.clear();
                }
            }
            Next::Wait { minutes } => self.now.now += TimeDelta::minutes(minutes),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_sequence_of_alerts_exceeds_the_guardrails(events in vec(next(), 1..200)) {
        let mut world = World::new();
        for event in &events {
            world.apply(event);
        }
    }
}

#[test]
fn a_storm_of_five_hundred_alerts_is_three_restarts_and_the_rest_advice() {
    let mut world = World::new();
    for number in 0..500 {
        world.alert(SERVICES[number % 3], "TargetDown", 3, false);
        world.now.now += TimeDelta::milliseconds(20);
    }
    // One for each service, because none of the restarts is over.
    assert_eq!(world.acts.len(), 3);
    while !world.under_way.is_empty() {
        world.end(0, true);
    }
    for number in 0..500 {
        world.alert(SERVICES[number % 3], "TargetDown", 3, false);
        world.end(0, true);
    }
    assert_eq!(world.acts.len(), 6, "the limits of the hour are reached");
}

#[test]
fn the_generator_makes_sequences_in_which_automation_acts_and_in_which_it_is_held_back() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

    let (mut runner, mut acted, mut off) = (TestRunner::deterministic(), 0, 0);
    for _ in 0..100 {
        let events = vec(next(), 50..200).new_tree(&mut runner).unwrap().current();
        let mut world = World::new();
        events.iter().for_each(|event| world.apply(event));
        acted += usize::from(world.acts.len() > 2);
        off += usize::from(world.failures.len() > 1);
    }
    assert!(acted > 20 && off > 5, "{acted} acted, {off} were switched off");
}
