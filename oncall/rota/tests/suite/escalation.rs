//! Escalation: who is notified when, and never twice for one step.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*};
use rota::{
    Due, Escalation, Policy,
    escalation::{Action, Event, Progress, StepId},
};

use crate::support::{at, committed, sound, with_schedule};

const SPEED: u32 = 60;

fn opened() -> DateTime<Utc> {
    at("2026-06-01T12:00:00Z")
}

fn after(seconds: i64) -> DateTime<Utc> {
    opened() + TimeDelta::seconds(seconds)
}

fn policy(steps: &str) -> Policy {
    let text = with_schedule("UTC", "    fallback: ada\n") + "policies:\n  - name: only\n" + steps;
    sound(&text).policies.remove(0)
}

/// The committed policy for the worst incidents: 15 minutes are 15 seconds on the lab's clock.
fn major() -> Escalation {
    let policy = sound(&committed()).policy(1).expect("a policy").clone();
    Escalation::new(policy, opened(), 7, SPEED)
}

/// Ids and seconds after the begin.
fn due(escalation: &Escalation, seconds: i64) -> Vec<(String, i64)> {
    let due = escalation.due(after(seconds)).into_iter();
    due.map(|due| (due.step.to_string(), (due.at - opened()).num_seconds())).collect()
}

fn sent(escalation: &mut Escalation, seconds: i64) {
    for due in escalation.due(after(seconds)) {
        escalation.apply(&Event::Sent { at: after(seconds), step: due.step });
    }
}

fn ids(list: &[(&str, i64)]) -> Vec<(String, i64)> {
    list.iter().map(|(id, seconds)| ((*id).to_owned(), *seconds)).collect()
}

#[test]
fn each_level_is_due_at_its_time_divided_by_the_clock() {
    let mut escalation = major();
    assert_eq!(due(&escalation, 0), ids(&[("0.0.0", 0)]));
    assert_eq!(escalation.next(opened()), Some(after(15)));
    sent(&mut escalation, 0);
    assert!(due(&escalation, 14).is_empty());
    assert_eq!(due(&escalation, 15), ids(&[("0.0.2", 15)]));
    assert_eq!(due(&escalation, 30), ids(&[("0.0.2", 15), ("0.0.4", 30)]));
    // Two repetitions of 60 seconds each, then nobody is left.
    assert_eq!(due(&escalation, 60).last(), ids(&[("0.1.0", 60)]).last());
    assert_eq!(due(&escalation, 100_000).len(), 8, "three levels in three rounds, one of them sent");
    assert_eq!(escalation.progress(after(100_000)), Progress::Exhausted);
    assert_eq!(escalation.next(after(100_000)), None);
}

#[test]
fn an_acknowledgement_stops_it_and_starts_it_again_when_it_expires() {
    let mut escalation = major();
    sent(&mut escalation, 0);
    escalation.apply(&Event::Acknowledged { at: after(10) });
    assert!(due(&escalation, 39).is_empty());
    assert_eq!(escalation.progress(after(39)), Progress::Acknowledged { until: Some(after(40)) });
    assert_eq!(escalation.next(after(11)), Some(after(40)));
    assert_eq!(
        due(&escalation, 40),
        ids(&[("1.0.0", 40)]),
        "half an hour later the first level hears of it again"
    );
    escalation.apply(&Event::Acknowledged { at: after(41) });
    assert!(due(&escalation, 60).is_empty(), "what was not sent before is withdrawn");
    escalation.apply(&Event::Ended { at: after(62) });
    assert!(due(&escalation, 100_000).is_empty());
    assert_eq!(escalation.progress(after(100_000)), Progress::Ended);
}

#[test]
fn the_wait_at_the_end_of_a_round_is_a_timer_like_any_other() {
    let mut escalation = major();
    for seconds in [0, 15, 30] {
        sent(&mut escalation, seconds);
    }
    assert_eq!(escalation.next(after(30)), Some(after(60)), "the second round begins after the last wait");
    assert_eq!(due(&escalation, 60), ids(&[("0.1.0", 60)]));
    for seconds in [60, 75, 90, 120, 135, 150] {
        sent(&mut escalation, seconds);
    }
    assert_eq!(escalation.next(after(150)), Some(after(180)), "the last wait ends, too");
    assert_eq!(escalation.progress(after(179)), Progress::Running);
    assert_eq!(escalation.progress(after(180)), Progress::Exhausted);
    assert_eq!(escalation.next(after(180)), None);
}

#[test]
fn an_expired_acknowledgement_is_known_as_expired_until_the_next_one() {
    let mut escalation = major();
    escalation.apply(&Event::Acknowledged { at: after(10) });
    assert!(!escalation.expired(after(39)));
    assert!(escalation.expired(after(40)));
    escalation.apply(&Event::Acknowledged { at: after(50) });
    assert!(!escalation.expired(after(79)));
}

#[test]
fn an_incident_that_becomes_active_again_has_steps_with_new_ids() {
    let escalation = major().from_generation(3);
    assert_eq!(due(&escalation, 15), ids(&[("3.0.0", 0), ("3.0.2", 15)]));
}

#[test]
fn every_policy_survives_a_store() {
    let steps = "    severities: [SEV-1]\n    repeat: 1\n    ack_expires: 30m\n    steps:\n      \
                 - only_during: {zone: Europe/Berlin, windows: [{days: [mon-fri], from: \"09:00\", until: \"17:00\"}]}\n      \
                 - only_after: {alerts: 3, within: 5m}\n      - notify_round_robin: [ada, ben]\n      \
                 - wait: 1m\n      - notify_schedule: first-line\n      - notify_person: cleo\n";
    let policy = policy(steps);
    let text = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    let unknown = text.replace("Europe/Berlin", "Europe/Berlln");
    assert!(serde_json::from_str::<Policy>(&unknown).unwrap_err().to_string().contains("is not a time zone"));
}

#[test]
fn a_person_can_ask_for_the_next_level_at_once() {
    let mut escalation = major();
    sent(&mut escalation, 0);
    escalation.apply(&Event::Acknowledged { at: after(5) });
    escalation.apply(&Event::Escalated { at: after(6) });
    assert_eq!(due(&escalation, 6), ids(&[("0.0.2", 6)]));
    sent(&mut escalation, 6);
    assert_eq!(
        due(&escalation, 21),
        ids(&[("0.0.4", 21)]),
        "and the clock of the level after it runs from there"
    );
    sent(&mut escalation, 21);
    escalation.apply(&Event::Escalated { at: after(22) });
    assert_eq!(due(&escalation, 22), ids(&[("0.1.0", 22)]), "after the last level the next round begins");
}

#[test]
fn a_gate_waits_for_its_window_at_the_speed_of_people() {
    let steps = "    steps:\n      - only_during: {zone: Europe/Berlin, windows: [{days: [mon-fri], from: \"09:00\", until: \"17:00\"}]}\n      \
                 - notify_person: ada\n";
    let saturday = at("2026-06-06T12:00:00Z");
    let escalation = Escalation::new(policy(steps), saturday, 0, SPEED);
    let monday = at("2026-06-08T07:00:00Z");
    assert!(escalation.due(monday - TimeDelta::seconds(1)).is_empty());
    assert_eq!(escalation.next(saturday), Some(monday));
    assert_eq!(escalation.due(monday)[0].at, monday);
}

#[test]
fn a_threshold_waits_for_enough_alerts_within_its_span() {
    let steps = "    steps:\n      - only_after: {alerts: 3, within: 5m}\n      - notify_person: ada\n";
    let mut escalation = Escalation::new(policy(steps), opened(), 0, SPEED);
    for seconds in [0, 3, 6] {
        escalation.apply(&Event::Alert { at: after(seconds) });
        assert!(due(&escalation, 10).is_empty(), "three within 5 seconds, not within 6");
    }
    assert_eq!(escalation.next(after(10)), None, "only an alert can open the gate");
    escalation.apply(&Event::Alert { at: after(8) });
    assert_eq!(due(&escalation, 9), ids(&[("0.0.1", 8)]));
}

#[test]
fn a_round_robin_takes_turns_between_incidents_and_between_rounds() {
    let steps = "    repeat: 1\n    steps:\n      - notify_round_robin: [ada, ben]\n      - wait: 1m\n";
    let policy = policy(steps);
    let rota = sound(&with_schedule("UTC", "    fallback: ada\n"));
    let whom = |turn| -> Vec<String> {
        let due = Escalation::new(policy.clone(), opened(), turn, SPEED).due(after(10));
        let notified = due.iter().map(|due| match &due.action {
            Action::Notify(target) => rota.whom(target, due.at, due.turn),
            Action::Webhook(name) => panic!("{name}"),
        });
        notified.collect::<Vec<_>>().concat()
    };
    assert_eq!(whom(1), ["ben", "ada"]);
    assert_eq!(whom(2), ["ada", "ben"]);
}

/// What a control room does between crashes.
#[derive(Debug, Clone)]
enum Act {
    /// Time passes, and what is due is sent and recorded.
    Tick(i64),
    /// Time passes, and the process dies after it has looked, before anything is recorded.
    Crash(i64),
    Ack(i64),
    Escalate(i64),
    Alert(i64),
    End(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let pause = 0..40_i64;
    let act = prop_oneof![
        6 => pause.clone().prop_map(Act::Tick),
        4 => pause.clone().prop_map(Act::Crash),
        2 => pause.clone().prop_map(Act::Ack),
        2 => pause.clone().prop_map(Act::Escalate),
        1 => pause.clone().prop_map(Act::Alert),
        1 => pause.prop_map(Act::End),
    ];
    vec(act, 1..30)
}

fn replay(log: &[Event]) -> Escalation {
    let mut escalation = major();
    log.iter().for_each(|event| escalation.apply(event));
    escalation
}

proptest! {
    #[test]
    fn nobody_is_notified_twice_for_one_step_whatever_crashes(acts in acts()) {
        let (mut live, mut log, mut now) = (major(), Vec::<Event>::new(), 0);
        let mut notified: BTreeSet<StepId> = BTreeSet::new();
        for act in acts {
            let mut record = |live: &mut Escalation, event: Event| {
                live.apply(&event);
                log.push(event);
            };
            match act {
                Act::Tick(pause) => {
                    now += pause;
                    for due in live.due(after(now)) {
                        prop_assert!(notified.insert(due.step), "{} is due again", due.step);
                        prop_assert!(due.at <= after(now), "{:?} is due too early", due);
                        record(&mut live, Event::Sent { at: after(now), step: due.step });
                    }
                }
                Act::Crash(pause) => {
                    now += pause;
                    let seen: Vec<Due> = live.due(after(now));
                    live = replay(&log);
                    prop_assert_eq!(&live.due(after(now)), &seen, "a replay knows the same");
                    prop_assert_eq!(live.next(after(now)), replay(&log).next(after(now)));
                }
                Act::Ack(pause) => {
                    now += pause;
                    record(&mut live, Event::Acknowledged { at: after(now) });
                    prop_assert_eq!(live.due(after(now)), Vec::<Due>::new(), "an acknowledgement is silence");
                }
                Act::Escalate(pause) => {
                    now += pause;
                    record(&mut live, Event::Escalated { at: after(now) });
                }
                Act::Alert(pause) => {
                    now += pause;
                    record(&mut live, Event::Alert { at: after(now) });
                }
                Act::End(pause) => {
                    now += pause;
                    record(&mut live, Event::Ended { at: after(now) });
                    prop_assert_eq!(live.due(after(now + 1_000_000)), Vec::<Due>::new());
                }
            }
        }
    }
}

#[test]
fn events_and_ids_survive_a_store() {
    let step = StepId { generation: 1, round: 2, step: 3 };
    let event = Event::Sent { at: opened(), step };
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(text, r#"{"kind":"sent","at":"2026-06-01T12:00:00Z","step":"1.2.3"}"#);
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    assert_eq!("1.2.3".parse::<StepId>(), Ok(step));
    assert!("1.2".parse::<StepId>().is_err());
}
