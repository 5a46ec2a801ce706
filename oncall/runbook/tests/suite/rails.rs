//! What the guardrails say, and why.

use std::collections::{BTreeMap, BTreeSet};

use runbook::{
    Change, Decision, Guardrails, Verb, Verdict, Who,
    guardrails::{Entry, Ledger, Noted, OpenIncident, Proposal, Replicas, Situation, decide},
    reach::{BlastRadius, Unit},
};

use crate::support::{ada, at, map, rails};

fn restart(service: &str) -> Change {
    Change {
        verb: Verb::Restart,
        with: map(&[("service", service)]),
        blast_radius: BlastRadius { most: Some(1), unit: Unit::Replicas },
        key: "run-1/restart".to_owned(),
    }
}

/// Two healthy replicas of everything, at noon.
fn calm() -> Situation {
    let replicas = Replicas { healthy: 2, target_healthy: true };
    let services = ["order-api", "order-worker", "user-service"];
    Situation {
        now: at("2026-11-29T11:00:00Z"),
        speed: 1,
        deploying: BTreeSet::new(),
        incidents: Vec::new(),
        replicas: services.map(|service| (service.to_owned(), replicas)).into(),
    }
}

struct Case {
    rails: Guardrails,
    ledger: Ledger,
    now: Situation,
    change: Change,
    by: Who,
    runbook: &'static str,
    approved: bool,
    undo: bool,
}

impl Case {
    fn new() -> Self {
        Self {
            rails: rails(),
            ledger: Ledger::default(),
            now: calm(),
            change: restart("order-worker"),
            by: Who::Automation,
            runbook: "TargetDown",
            approved: false,
            undo: false,
        }
    }

    fn decide(&self) -> Decision {
        let proposal = Proposal {
            run: "run-1",
            runbook: self.runbook,
            incident: Some("INC-7"),
            services: &["order-worker".to_owned()],
            by: &self.by,
            change: &self.change,
            approved: self.approved,
            undo: self.undo,
        };
        decide(&self.rails, &self.ledger, &self.now, &proposal)
    }

    /// The verdict, and whether one of the reasons has these words.
    fn says(&self, verdict: Verdict, words: &str) {
        let decision = self.decide();
        assert_eq!(decision.verdict, verdict, "{:?}", decision.reasons);
        assert!(decision.reasons.iter().any(|reason| reason.contains(words)), "{:?}", decision.reasons);
    }

    fn note(&mut self, entry: Entry) -> Option<String> {
        self.ledger.note(&self.rails, self.now.speed, &Noted { at: self.now.now, entry })
    }
}

fn acted(run: &str, target: &str) -> Entry {
    Entry::Acted { run: run.to_owned(), target: target.to_owned(), stops: true, undo: false }
}

fn ended(run: &str, failed: bool) -> Entry {
    Entry::Ended { run: run.to_owned(), failed }
}

fn switched(on: bool) -> Entry {
    Entry::Switched { on, by: "ada".to_owned(), why: "maintenance".to_owned() }
}

#[test]
fn what_a_rule_covers_is_allowed_and_what_none_covers_is_recommended() {
    let mut case = Case::new();
    case.says(Verdict::Allow, "rule restart-sick-processes allows it");
    case.runbook = "HighLatency";
    case.says(Verdict::Recommend, "no rule covers restart of order-worker");
    case.by = ada();
    case.says(Verdict::Allow, "no rule covers restart of order-worker");
}

#[test]
fn deny_wins_over_everything_for_people_too() {
    let mut case = Case::new();
    case.change = restart("postgres");
    let replicas = Replicas { healthy: 9, target_healthy: true };
    case.now.replicas.insert("postgres".to_owned(), replicas);
    for by in [Who::Automation, ada()] {
        case.by = by;
        case.says(Verdict::Deny, "rule stores-are-for-people denies it");
    }
    case.undo = true;
    case.says(Verdict::Deny, "rule stores-are-for-people denies it");
}

#[test]
fn every_act_on_the_firewall_waits_for_a_person() {
    let mut case = Case::new();
    case.change = restart("edge");
    for runbook in ["EdgeErrors", "WafRollout"] {
        case.runbook = runbook;
        for verb in [Verb::Protection, Verb::SetRule, Verb::SwitchFirewall] {
            case.change.verb = verb;
            case.says(Verdict::Ask, "rule bound-the-firewall-with-care wants a person");
        }
    }
}

#[test]
fn an_ask_rule_is_met_by_an_approval() {
    let mut case = Case::new();
    case.change.verb = Verb::Redrive;
    case.says(Verdict::Ask, "rule replay-with-care wants a person");
    case.approved = true;
    case.says(Verdict::Allow, "rule replay-with-care wants a person");
}

#[test]
fn a_restore_is_never_automatic_and_never_one_persons_whatever_the_rules_say() {
    let mut case = Case::new();
    case.change.verb = Verb::Restore;
    case.change.with = map(&[("instance", "a/.lab"), ("to", "latest")]);
    for approved in [false, true] {
        case.approved = approved;
        case.says(Verdict::Recommend, "nobody does a restore alone");
    }
    (case.by, case.approved) = (ada(), false);
    case.says(Verdict::Ask, "nobody does a restore alone");
    case.approved = true;
    case.says(Verdict::Allow, "nobody does a restore alone");
}

#[test]
fn a_drain_is_held_to_the_healthy_minimum_as_a_restart_is() {
    let mut case = Case::new();
    case.change = restart("order-api");
    case.change.verb = Verb::Drain;
    case.says(Verdict::Allow, "1 healthy replicas of order-api would be left");
    let replicas = Replicas { healthy: 1, target_healthy: true };
    case.now.replicas.insert("order-api".to_owned(), replicas);
    case.says(Verdict::Recommend, "0 healthy replicas of order-api would be left; the minimum is 1");
    // To put a replica back takes nothing away.
    (case.change.verb, case.undo) = (Verb::Undrain, true);
    assert_eq!(case.decide().verdict, Verdict::Allow);
}

#[test]
fn limits_count_within_their_window_and_on_the_clock_of_the_lab() {
    let mut case = Case::new();
    for run in ["run-8", "run-9"] {
        assert_eq!(case.note(acted(run, "order-worker")), None);
        assert_eq!(case.note(ended(run, false)), None);
    }
    case.says(Verdict::Recommend, "order-worker was changed 2 times within 1h; the limit is 2");
    case.change = restart("order-api");
    case.says(Verdict::Allow, "rule restart-sick-processes");
    case.change = restart("order-worker");
    case.now.now = at("2026-11-29T11:59:59Z");
    case.says(Verdict::Recommend, "the limit is 2");
    case.now.speed = 60;
    case.says(Verdict::Allow, "rule restart-sick-processes");
    case.now.speed = 1;
    case.now.now = at("2026-11-29T12:00:00Z");
    case.says(Verdict::Allow, "rule restart-sick-processes");
}

#[test]
fn the_global_limit_counts_all_targets() {
    let mut case = Case::new();
    for number in 0..6 {
        let run = format!("run-{}", number + 10);
        assert_eq!(case.note(acted(&run, &format!("target-{number}"))), None);
        assert_eq!(case.note(ended(&run, false)), None);
    }
    case.says(Verdict::Recommend, "anything was changed 6 times within 1h; the limit is 6");
    case.undo = true;
    case.says(Verdict::Allow, "healthy replicas");
}

#[test]
fn a_deploy_or_another_incident_of_the_service_holds_automation_back() {
    let mut case = Case::new();
    case.now.deploying.insert("order-worker".to_owned());
    case.says(Verdict::Recommend, "order-worker is being deployed");
    case.by = ada();
    case.says(Verdict::Allow, "order-worker is being deployed");
    let mut case = Case::new();
    let incident = |id: &str, service: &str| OpenIncident {
        id: id.to_owned(),
        services: BTreeSet::from([service.to_owned()]),
    };
    case.now.incidents = vec![incident("INC-7", "order-worker"), incident("INC-8", "user-service")];
    case.says(Verdict::Allow, "rule restart-sick-processes");
    case.now.incidents.push(incident("INC-9", "order-worker"));
    case.says(Verdict::Recommend, "order-worker has another incident: INC-9");
    // For a store, the services of the runbook count.
    case.change.verb = Verb::EndSessions;
    case.runbook = "PostgresLongTransaction";
    case.says(Verdict::Recommend, "order-worker has another incident: INC-9");
}

#[test]
fn never_below_the_healthy_minimum_except_for_a_replica_that_is_sick() {
    let mut case = Case::new();
    case.change = restart("order-api");
    let mut replicas = |healthy, target_healthy| {
        case.now.replicas.insert("order-api".to_owned(), Replicas { healthy, target_healthy });
        (case.decide().verdict, case.decide().reasons)
    };
    assert_eq!(replicas(2, true).0, Verdict::Allow);
    let (verdict, reasons) = replicas(1, true);
    assert_eq!(verdict, Verdict::Recommend);
    assert!(
        reasons[1].contains("0 healthy replicas of order-api would be left; the minimum is 1"),
        "{reasons:?}"
    );
    assert_eq!(replicas(1, false).0, Verdict::Allow, "the other one serves");
    assert_eq!(replicas(0, false).0, Verdict::Allow, "nothing gets worse");
    case.now.replicas = BTreeMap::new();
    case.says(Verdict::Recommend, "how many replicas of order-api are healthy is not known");
    case.by = ada();
    case.says(Verdict::Ask, "is not known");
}

#[test]
fn two_replicas_of_a_service_are_never_stopped_at_once_even_by_people() {
    let mut case = Case::new();
    assert_eq!(case.note(acted("run-8", "order-worker")), None);
    for by in [Who::Automation, ada()] {
        case.by = by;
        case.says(Verdict::Deny, "run run-8 stops a replica of order-worker right now");
    }
    assert_eq!(case.note(Entry::Finished { run: "run-8".to_owned() }), None);
    case.says(Verdict::Allow, "rule restart-sick-processes");
}

#[test]
fn two_runs_that_did_not_help_switch_automation_off_and_page_once() {
    let mut case = Case::new();
    assert_eq!(case.note(ended("run-8", true)), None);
    case.says(Verdict::Allow, "rule restart-sick-processes");
    let page = case.note(ended("run-9", true)).expect("a page");
    assert!(page.starts_with("automation is off: 2 runs within 6h did not help"), "{page}");
    assert_eq!(case.note(ended("run-10", true)), None, "nobody is paged twice");
    case.says(Verdict::Recommend, "automation is off");
    case.now.now = at("2026-11-30T11:00:00Z");
    case.says(Verdict::Recommend, "automation is off");
    case.by = ada();
    case.says(Verdict::Allow, "automation is off");
    case.by = Who::Automation;
    assert_eq!(case.note(switched(true)), None);
    case.says(Verdict::Allow, "rule restart-sick-processes");
}

#[test]
fn the_kill_switch_holds_automation_back_and_its_undo_too() {
    let mut case = Case::new();
    assert_eq!(case.note(switched(false)), None);
    case.says(Verdict::Recommend, "ada switched automation off: maintenance");
    case.undo = true;
    case.says(Verdict::Recommend, "ada switched automation off: maintenance");
    assert_eq!(case.ledger.off(), Some("ada switched automation off: maintenance"));
}

#[test]
fn in_quiet_hours_automation_asks() {
    let mut case = Case::new();
    // 23:30 in Berlin.
    case.now.now = at("2026-11-29T22:30:00Z");
    case.says(Verdict::Ask, "in quiet hours");
    case.approved = true;
    case.says(Verdict::Allow, "in quiet hours");
}
