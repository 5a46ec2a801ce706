//! The life cycle: what may follow what, and what stays true whatever happens.

use incident::{
    EntryKind, Event, Hypothesis, Id, Impact, Incident, Link, Refused, Role, Severity, State, Task, Verdict,
    What, alerts::Alert,
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::support::{after, alert, by_ada, by_rule, cleared, fired, moved, opening, replay};

#[test]
fn an_incident_goes_from_triage_to_closed() {
    let mut incident = replay(&[by_rule(0, opening(3, &["order-api"]))]);
    assert_eq!((incident.state, incident.id), (State::Triage, Id(3)));
    incident.apply(&by_ada(10, What::Acknowledged)).unwrap();
    assert_eq!(incident.state, State::Active, "the person who acknowledges works on it");
    for (seconds, to) in [(20, State::Mitigated), (30, State::Resolved), (40, State::Closed)] {
        incident.apply(&by_ada(seconds, moved(to))).unwrap();
    }
    assert_eq!(incident.times.acknowledged, Some(after(10)));
    assert_eq!(incident.times.mitigated, Some(after(20)));
    assert_eq!(incident.times.resolved, Some(after(30)));
    assert_eq!(incident.times.ended, Some(after(40)));
    assert_eq!(incident.timeline.iter().filter(|entry| entry.kind == EntryKind::State).count(), 4);
}

#[test]
fn an_opening_that_is_older_than_descriptions_is_read_and_one_without_is_written_as_before() {
    let mut written = serde_json::to_value(opening(3, &["order-api"])).unwrap();
    assert_eq!(written.get("description"), None);
    let old: What = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(replay(&[by_rule(0, old)]).description, "");
    written["description"] = "since noon".into();
    let new: What = serde_json::from_value(written).unwrap();
    assert_eq!(serde_json::to_value(&new).unwrap()["description"], "since noon");
    assert_eq!(replay(&[by_rule(0, new)]).description, "since noon");
}

#[test]
fn a_step_that_the_life_cycle_lacks_is_refused_with_the_steps_that_it_has() {
    let mut incident = replay(&[by_rule(0, opening(3, &[]))]);
    let before = incident.clone();
    let refused = incident.apply(&by_ada(1, moved(State::Closed))).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "INC-3 is triage and cannot become closed; it can become active, resolved or dismissed"
    );
    assert_eq!(incident, before, "what is refused changes nothing");
    incident.apply(&by_ada(2, moved(State::Dismissed))).unwrap();
    let refused = incident.apply(&by_ada(3, What::Acknowledged)).unwrap_err();
    let text = "INC-3 is dismissed: somebody can acknowledge only while an incident is open; open a new one that names it";
    assert_eq!(refused.to_string(), text);
    let early = replay(&[by_rule(5, opening(1, &[]))]).apply(&by_ada(4, moved(State::Active))).unwrap_err();
    assert!(matches!(early, Refused::Early { .. }), "{early}");
}

#[test]
fn an_incident_resolves_by_itself_once_all_alerts_are_clear_for_the_hold_time() {
    let (one, other) = (alert("a", Some("order-api"), 0), alert("b", Some("edge"), 5));
    let mut incident =
        replay(&[by_rule(0, opening(1, &[])), by_rule(0, fired(&one)), by_rule(5, fired(&other))]);
    assert_eq!(incident.resolves_at(60), None);
    incident.apply(&by_rule(20, cleared(&one, 20))).unwrap();
    assert_eq!(incident.resolves_at(60), None, "one of two still fires");
    incident.apply(&by_rule(30, cleared(&other, 30))).unwrap();
    assert_eq!(incident.resolves_at(60), Some(after(35)), "five minutes on a clock 60 times as fast");
    assert_eq!(incident.resolves_at(1), Some(after(330)));
    let again = alert("a", Some("order-api"), 32);
    incident.apply(&by_rule(32, fired(&again))).unwrap();
    assert_eq!(incident.resolves_at(60), None, "it is back before the time was up");
    incident.apply(&by_rule(40, cleared(&again, 40))).unwrap();
    incident.apply(&by_rule(45, moved(State::Resolved))).unwrap();
    assert_eq!(incident.resolves_at(60), None);
    assert_eq!(incident.times.mitigated, Some(after(45)), "nobody mitigated it before");
    assert_eq!(incident.services.iter().map(String::as_str).collect::<Vec<_>>(), ["edge", "order-api"]);
}

#[test]
fn a_ticket_about_a_spent_budget_does_not_keep_an_outage_open_but_an_incident_of_its_own() {
    let budget = |fingerprint| Alert {
        severity: Severity::Sev4,
        labels: [("slo".to_owned(), "order-availability".to_owned())].into(),
        ..alert(fingerprint, Some("order-api"), 10)
    };
    let (page, ticket) = (alert("a", Some("order-api"), 0), budget("b"));
    let opened = by_rule(0, opening(1, &[]));
    let mut outage = replay(&[opened.clone(), by_rule(0, fired(&page)), by_rule(10, fired(&ticket))]);
    assert_eq!(outage.resolves_at(60), None, "users are affected");
    outage.apply(&by_rule(30, cleared(&page, 30))).unwrap();
    assert_eq!(outage.resolves_at(60), Some(after(35)), "the budget is spent for hours");
    outage.apply(&by_rule(35, moved(State::Resolved))).unwrap();
    outage.apply(&by_rule(600, cleared(&ticket, 600))).unwrap();
    assert_eq!(
        (outage.state, outage.alerts.iter().all(|one| one.ended_at.is_some())),
        (State::Resolved, true)
    );

    let mut other = replay(&[opened, by_rule(10, fired(&ticket))]);
    assert_eq!(other.resolves_at(60), None, "it is what the incident is about");
    other.apply(&by_rule(600, cleared(&ticket, 600))).unwrap();
    assert_eq!(other.resolves_at(60), Some(after(605)));

    let disk = Alert { severity: Severity::Sev4, ..alert("c", Some("order-api"), 10) };
    let full = replay(&[
        by_rule(0, opening(1, &[])),
        by_rule(0, fired(&page)),
        by_rule(10, fired(&disk)),
        by_rule(30, cleared(&page, 30)),
    ]);
    assert_eq!(full.resolves_at(60), None, "any other ticket is something to do");
}

#[test]
fn a_resolved_incident_can_become_active_again_and_a_closed_one_cannot() {
    let mut incident = replay(&[by_rule(0, opening(1, &[])), by_rule(1, moved(State::Resolved))]);
    incident.apply(&by_rule(2, moved(State::Active))).unwrap();
    assert_eq!((incident.reopened, incident.times.resolved), (1, None));
    incident.apply(&by_rule(3, moved(State::Resolved))).unwrap();
    incident.apply(&by_rule(4, moved(State::Closed))).unwrap();
    assert!(incident.apply(&by_rule(5, moved(State::Active))).is_err());
    let late = alert("a", None, 6);
    let refused = incident.apply(&by_rule(6, fired(&late))).unwrap_err();
    assert!(refused.to_string().contains("open a new one that names it"), "{refused}");
    // What is learned afterwards belongs to it.
    let text = "write a test".to_owned();
    let task = Task { id: 1, text, owner: None, due: None, follow_up: true, done_at: None };
    incident.apply(&by_ada(7, What::TaskAdded { task })).unwrap();
    assert_eq!(incident.action_items().map(|task| task.id).collect::<Vec<_>>(), [1]);
    incident.apply(&by_ada(8, What::TaskDone { id: 1 })).unwrap();
    assert_eq!(incident.action_items().count(), 0);
    let twice = incident.apply(&by_ada(9, What::TaskDone { id: 1 })).unwrap_err();
    assert_eq!(twice.to_string(), "INC-1: task 1 is done already");
}

#[test]
fn the_person_who_acknowledges_a_major_incident_commands_it_unless_somebody_does() {
    let mut incident = replay(&[by_rule(0, opening(1, &[]))]);
    let acknowledged = by_ada(1, What::Acknowledged);
    incident.apply(&acknowledged).unwrap();
    let command = What::Assigned { role: Role::Commander, person: "ada".to_owned() };
    assert_eq!(incident.implied(&acknowledged), Some(command.clone()));
    assert_eq!(incident.implied(&by_rule(1, What::Acknowledged)), None, "a program commands nobody");
    assert_eq!(incident.implied(&by_ada(1, moved(State::Mitigated))), None);
    let lower = What::SeveritySet { severity: Severity::Sev3, why: String::new() };
    let mut minor = incident.clone();
    minor.apply(&by_ada(2, lower)).unwrap();
    assert_eq!(minor.implied(&acknowledged), None);
    incident.apply(&by_rule(2, command)).unwrap();
    assert_eq!(incident.implied(&acknowledged), None);
}

#[test]
fn a_major_incident_is_at_least_sev_2() {
    let mut incident = replay(&[by_rule(0, opening(1, &[]))]);
    incident.apply(&by_ada(1, What::SeveritySet { severity: Severity::Sev4, why: String::new() })).unwrap();
    incident.apply(&by_ada(2, What::DeclaredMajor { why: "checkout is down".to_owned() })).unwrap();
    assert_eq!((incident.severity, incident.major), (Severity::Sev2, true));
    incident.apply(&by_ada(3, What::SeveritySet { severity: Severity::Sev3, why: String::new() })).unwrap();
    assert!(!incident.major);
}

#[test]
fn a_hypothesis_is_stated_tested_and_decided_once() {
    let mut incident = replay(&[by_rule(0, opening(1, &[]))]);
    let text = "it is a DDoS".to_owned();
    incident.apply(&by_ada(1, What::HypothesisStated { id: 1, text })).unwrap();
    let tested = What::HypothesisTested {
        id: 1,
        supports: false,
        text: "traffic is normal".to_owned(),
        evidence: None,
    };
    incident.apply(&by_ada(2, tested.clone())).unwrap();
    incident
        .apply(&by_ada(3, What::HypothesisRuledOut { id: 1, why: "same request rate".to_owned() }))
        .unwrap();
    let Hypothesis { findings, verdict, .. } = &incident.hypotheses[0];
    assert!(findings.len() == 1 && !findings[0].supports);
    assert_eq!(*verdict, Verdict::RuledOut { why: "same request rate".to_owned() });
    assert_eq!(
        incident.apply(&by_ada(4, tested)).unwrap_err().to_string(),
        "INC-1: hypothesis 1 is decided already"
    );
}

fn any_what() -> impl Strategy<Value = What> {
    let words = select(vec!["", "slow", "it is the cache"]);
    let alerts =
        || (select(vec!["a", "b"]), 0..3_i64).prop_map(|(name, start)| alert(name, Some("order-api"), start));
    let severity = || select(Severity::ALL.to_vec());
    prop_oneof![
        8 => select(State::ALL.to_vec()).prop_map(moved),
        2 => Just(What::Acknowledged),
        1 => Just(What::AcknowledgementExpired),
        1 => Just(opening(9, &["edge"])),
        1 => words.clone().prop_map(|text| What::Renamed { title: text.to_owned() }),
        1 => severity().prop_map(|severity| What::SeveritySet { severity, why: String::new() }),
        1 => Just(What::DeclaredMajor { why: String::new() }),
        1 => select(Role::ALL.to_vec()).prop_map(|role| What::Assigned { role, person: "ada".to_owned() }),
        1 => select(Role::ALL.to_vec()).prop_map(|role| What::Relieved { role }),
        4 => alerts().prop_map(|alert| fired(&alert)),
        4 => (alerts(), 0..90_i64).prop_map(|(alert, seconds)| cleared(&alert, seconds)),
        1 => Just(What::Paged { person: "ada".to_owned(), channel: "bell".to_owned(), step: None }),
        1 => Just(What::Escalated { to: vec!["ben".to_owned()], why: String::new() }),
        1 => words.clone().prop_map(|text| What::Updated { text: text.to_owned() }),
        1 => (words, 0..90_i64, any::<bool>()).prop_map(|(text, seconds, sealed)| What::Noted {
            kind: EntryKind::Symptom, happened_at: after(seconds), text: text.to_owned(), evidence: vec![], sealed,
        }),
        1 => (1..3_u32).prop_map(|id| What::HypothesisStated { id, text: "a bug".to_owned() }),
        1 => (1..3_u32).prop_map(|id| What::HypothesisConfirmed { id, why: String::new() }),
        1 => (1..3_u32).prop_map(|id| What::TaskDone { id }),
        1 => Just(What::Linked { link: Link { title: "graph".to_owned(), url: "/".to_owned() } }),
        1 => Just(What::ImpactMeasured { impact: Impact { users: Some(3), ..Impact::default() } }),
        1 => Just(What::Recovered { what: "availability".to_owned(), since: after(50) }),
    ]
}

fn holds(incident: &Incident) -> Result<(), TestCaseError> {
    let times = &incident.times;
    prop_assert_eq!(times.resolved.is_some(), matches!(incident.state, State::Resolved | State::Closed));
    prop_assert_eq!(times.ended.is_some(), incident.state.is_final());
    prop_assert!(times.mitigated.is_none_or(|mitigated| mitigated >= incident.opened_at));
    if let (Some(mitigated), Some(resolved)) = (times.mitigated, times.resolved) {
        prop_assert!(mitigated <= resolved);
    }
    if let (Some(resolved), Some(ended)) = (times.resolved, times.ended) {
        prop_assert!(resolved <= ended);
    }
    prop_assert!(!incident.major || incident.severity.is_major());
    prop_assert!(incident.timeline.is_sorted_by_key(|entry| entry.at), "{:?}", incident.timeline);
    prop_assert!(incident.timeline.iter().all(|entry| !entry.sealed));
    let firing = incident.alerts.iter().any(|member| member.ended_at.is_none());
    prop_assert!(!firing || incident.resolves_at(60).is_none());
    Ok(())
}

proptest! {
    #[test]
    fn any_sequence_of_events_keeps_the_life_cycle_valid(whats in vec((any_what(), 0..5_i64), 1..60)) {
        let mut kept = vec![by_rule(0, opening(1, &["order-api"]))];
        let mut incident = replay(&kept);
        let mut now = 0;
        for (what, pause) in whats {
            now += pause;
            let event = by_ada(now, what);
            let before = incident.clone();
            match incident.apply(&event) {
                Ok(()) => {
                    let (from, to) = (before.state, incident.state);
                    prop_assert!(from == to || from.may_become().contains(&to), "{from} became {to} by {event:?}");
                    kept.push(event);
                }
                Err(refused) => {
                    prop_assert_eq!(&incident, &before, "{} changed it", refused);
                    prop_assert!(!refused.to_string().is_empty());
                }
            }
            holds(&incident)?;
        }
        // A store that keeps what was taken gets the same incident back, also through JSON.
        let stored: Vec<String> = kept.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let events: Vec<Event> = stored.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        prop_assert_eq!(&events, &kept);
        prop_assert_eq!(replay(&events), incident);
    }
}
