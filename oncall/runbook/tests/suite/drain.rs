//! What lasts until it is taken back, and what nobody does alone: a drained replica, and a restore.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use runbook::{
    Event, Mode, Next, Place, Run, What, Who,
    run::{Ending, Refused},
};

use crate::support::{Room, ada, at, bad, good, map};

/// A replica is drained, restarted, and put back.
const DRAIN: &str = r#"
title: Restart a replica that serves nobody meanwhile
services: [order-api]
parameters:
  instance: {what: replica, type: word}
preconditions:
  - {name: it-is-bad, what: Something waits., promql: waiting, is: "> 0"}
steps:
  - name: drain
    what: It gets no new requests.
    act:
      verb: drain
      with: {service: order-api, instance: "${instance}", ttl: 10m}
      blast_radius: 1 replica
      idempotency_key: ${run}/drain
      undo: {verb: undrain, with: {service: order-api, instance: "${instance}"}}
  - name: mute
    what: Others need not know.
    act:
      verb: silence
      with: {alert: TargetDown, ttl: 10m}
      blast_radius: 1 alert
      idempotency_key: ${run}/mute
      undo: {nothing: it ends by itself}
  - name: restart
    what: Start it again.
    act:
      verb: restart
      with: {service: order-api, instance: "${instance}"}
      blast_radius: 1 replica
      idempotency_key: ${run}/restart
      undo: {nothing: the new process is like the old one}
  - name: good
    what: Nothing waits.
    verify: {promql: waiting, is: "< 50", within: 30s}
  - name: undrain
    what: It gets requests again.
    undo: drain
"#;

/// The databases go back.
const RESTORE: &str = r#"
title: Take the databases back
services: [order-api]
parameters:
  instance: {what: the lab whose data is replaced, type: word}
preconditions:
  - {name: it-is-bad, what: Something waits., promql: waiting, is: "> 0"}
steps:
  - name: restore
    what: Replace the data.
    act:
      verb: restore
      with: {instance: "${instance}", to: latest}
      blast_radius: all databases
      idempotency_key: ${run}/restore
      undo: {nothing: the data that was replaced stays beside the new one}
  - name: good
    what: Nothing waits.
    verify: {promql: waiting, is: "< 50", within: 30s}
"#;

fn start(text: &str, mode: Mode, by: Who) -> Event {
    Event {
        at: at("2026-11-29T07:00:00Z"),
        what: What::Started {
            run: "run-1".to_owned(),
            file: "runbooks/it.yaml".to_owned(),
            text: text.to_owned(),
            mode,
            by,
            incident: Some("INC-7".to_owned()),
            parameters: map(&[("instance", "127.0.0.1:9131")]),
            labels: BTreeMap::new(),
        },
    }
}

/// Which run keeps a second replica from being stopped, at each step of the plan.
fn missing(room: &mut Room) -> Vec<(Place, bool)> {
    let mut run = Run::start(&start(DRAIN, Mode::Ask, ada())).expect("a run");
    let mut seen = Vec::new();
    for _ in 0..100 {
        if matches!(run.next(), Next::Ended(_)) {
            return seen;
        }
        let place = run.place();
        room.turn(&mut run).expect("nobody kills it");
        if run.place() != place || run.end().is_some() {
            seen.push((place, room.ledger.stopping("order-api", "run-2") == Some("run-1")));
        }
    }
    panic!("it does not end: {:?}", run.next())
}

#[test]
fn a_drained_replica_is_missing_until_it_is_put_back_whatever_is_done_meanwhile() {
    let mut room = Room::new(good);
    let seen = missing(&mut room);
    let expected = [
        (Place::Precondition(0), false),
        (Place::Step(0), true),
        (Place::Step(1), true),
        (Place::Step(2), true),
        (Place::Step(3), true),
        (Place::Step(4), false),
    ];
    assert_eq!(seen, expected);
    // The drain itself is no change that lasts: only the restart counts for the limit.
    let acts = room.ledger.acts(Some("order-api"), TimeDelta::hours(1), at("2026-11-29T07:30:00Z"));
    assert_eq!((acts, room.world["run-1/drain/undo"]), (1, 1));
}

#[test]
fn a_run_that_fails_puts_its_drained_replica_back() {
    let mut room = Room::new(bad);
    let seen = missing(&mut room);
    assert_eq!(seen.last(), Some(&(Place::Undo(0), false)), "{seen:?}");
    assert_eq!(room.world.get("run-1/drain/undo"), Some(&1));
}

#[test]
fn a_restore_never_runs_in_mode_auto() {
    for by in [ada(), Who::Automation] {
        let refused = Run::start(&start(RESTORE, Mode::Auto, by)).expect_err("nobody approves there");
        assert_eq!(refused, Refused::NeverAuto("restore".to_owned()));
    }
}

#[test]
fn a_restore_waits_for_a_second_person_even_step_by_step() {
    let mut room = Room::new(good);
    let mut run = Run::start(&start(RESTORE, Mode::Manual, ada())).expect("a run");
    while !matches!(run.next(), Next::Approve(_)) {
        assert!(!matches!(run.next(), Next::Decide { .. } | Next::Act { .. }), "{:?}", run.next());
        room.turn(&mut run).expect("nobody kills it");
    }
    let Next::Approve(request) = run.next() else { panic!("{:?}", run.next()) };
    assert!(request.why.contains("nobody does a restore alone"), "{}", request.why);
    let text =
        "restore all databases of 127.0.0.1:9131 to latest: what was written after that moment is lost";
    assert_eq!(request.changes[0].1.text(), text, "the second person sees it");
    let approved = |by: &str| Event {
        at: at("2026-11-29T07:01:00Z"),
        what: What::Approved { by: by.to_owned(), digest: request.digest.clone() },
    };
    assert_eq!(run.apply(&approved("ada")), Err(Refused::SamePerson("ada".to_owned())));
    assert!(room.world.is_empty());
    run.apply(&approved("ben")).expect("a second person");
    for _ in 0..20 {
        if run.end().is_none() {
            room.turn(&mut run).expect("nobody kills it");
        }
    }
    assert_eq!(room.world.get("run-1/restore"), Some(&1));
}

#[test]
fn a_restore_that_does_not_help_is_not_taken_back() {
    let mut room = Room::new(bad);
    let mut run = Run::start(&start(RESTORE, Mode::Ask, ada())).expect("a run");
    for _ in 0..100 {
        if run.end().is_none() {
            room.turn(&mut run).expect("nobody kills it");
        }
    }
    let end = run.end().expect("it is over");
    assert_eq!((end.how, room.world.len()), (Ending::Failed, 1));
    assert!(end.left[0].ends_with("the data that was replaced stays beside the new one"), "{:?}", end.left);
}
