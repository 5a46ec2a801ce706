//! What a run asks for, in which order, and what it refuses.

use std::collections::BTreeMap;

use runbook::{
    Answer, Call, Event, Mode, Next, Place, Run, Verdict, What, Who, dry,
    run::{Ending, Refused},
};

use crate::support::{Room, ada, at, bad, good, map, started, value};

/// A run in a room, driven until a place is next.
fn until(room: &mut Room, mode: Mode, by: Who, place: Place) -> Run {
    let mut run = Run::start(&started(mode, by)).expect("a run");
    for _ in 0..100 {
        if run.place() == place {
            return run;
        }
        room.turn(&mut run).expect("nobody kills it");
    }
    panic!("{place} is never next")
}

fn apply(run: &mut Run, what: What) -> Result<(), Refused> {
    run.apply(&Event { at: at("2026-11-29T07:00:20Z"), what })
}

#[test]
fn a_run_without_people_does_every_step_and_takes_back_what_it_planned_to() {
    let mut room = Room::new(good);
    let end = room.start(started(Mode::Ask, ada())).unwrap();
    assert_eq!(end.how, Ending::Succeeded, "{}", end.why);
    let done: Vec<&str> = room.world.keys().map(String::as_str).collect();
    assert_eq!(done, ["INC-7/restart", "run-1/mute", "run-1/mute/undo"]);
    assert!(end.left.is_empty() && end.undone.is_empty());
}

#[test]
fn a_verify_that_fails_takes_back_what_can_be_and_names_what_stays() {
    let mut room = Room::new(bad);
    let end = room.start(started(Mode::Ask, ada())).unwrap();
    assert_eq!(end.how, Ending::Failed);
    assert!(end.why.starts_with("good: not so within 30s: expected < 50, found 99"), "{}", end.why);
    assert_eq!(end.undone, ["mute TargetDown of order-worker for 10m"]);
    assert_eq!(end.left, ["restart order-worker: its only replica: the new process is like the old one"]);
    assert_eq!(room.world.get("run-1/mute/undo"), Some(&1));
}

#[test]
fn a_precondition_that_does_not_hold_ends_it_before_anything_is_done() {
    fn calm(_: &Place, _: &Call, _: bool) -> Answer {
        value(0.0)
    }
    let mut room = Room::new(calm);
    let end = room.start(started(Mode::Auto, Who::Automation)).unwrap();
    assert_eq!((end.how, end.why.as_str()), (Ending::Stopped, "it-is-bad: expected > 0, found 0"));
    assert!(room.world.is_empty());
}

#[test]
fn guardrails_that_hold_it_back_make_it_a_recommendation() {
    for verdict in [Verdict::Recommend, Verdict::Deny] {
        let mut room = Room::new(good);
        room.verdict = verdict;
        let end = room.start(started(Mode::Auto, Who::Automation)).unwrap();
        assert_eq!((end.how, end.why.as_str()), (Ending::Recommended, "because"));
        assert!(room.world.is_empty());
    }
}

#[test]
fn guardrails_that_ask_are_asked_again_after_the_approval() {
    let mut room = Room::new(good);
    room.verdict = Verdict::Ask;
    let mut run = until(&mut room, Mode::Auto, Who::Automation, Place::Step(3));
    assert!(matches!(run.next(), Next::Decide { approved: false, undo: false, .. }));
    room.turn(&mut run).unwrap();
    assert!(matches!(run.next(), Next::Approve(_)));
    room.turn(&mut run).unwrap();
    assert!(matches!(run.next(), Next::Decide { approved: true, .. }), "{:?}", run.next());
}

#[test]
fn the_runner_cannot_approve_and_the_second_person_sees_what_will_be_done() {
    let mut room = Room::new(good);
    let mut run = until(&mut room, Mode::Ask, ada(), Place::Step(3));
    let Next::Approve(request) = run.next() else { panic!("{:?}", run.next()) };
    let texts: Vec<String> =
        request.changes.iter().map(|(place, change)| format!("{place}: {}", change.text())).collect();
    assert_eq!(
        texts,
        [
            "step-4: mute TargetDown of order-worker for 10m",
            "undo-4: end the silence of TargetDown of order-worker",
            "step-6: restart order-worker: its only replica",
            "step-9: end the silence of TargetDown of order-worker",
        ]
    );
    let approved = |by: &str, digest: &str| What::Approved { by: by.to_owned(), digest: digest.to_owned() };
    assert_eq!(apply(&mut run, approved("ada", &request.digest)), Err(Refused::SamePerson("ada".to_owned())));
    assert_eq!(apply(&mut run, approved("ben", "of something else")), Err(Refused::Digest));
    let declined = What::Declined { by: "ben".to_owned(), why: "not now".to_owned() };
    apply(&mut run, declined).unwrap();
    assert_eq!(run.end().expect("an end").how, Ending::Declined);
    assert!(matches!(apply(&mut run, approved("ben", &request.digest)), Err(Refused::Ended(_))));
}

#[test]
fn a_person_is_guided_step_by_step_and_everyone_who_helped_cannot_approve() {
    let mut room = Room::new(good);
    let mut run = until(&mut room, Mode::Manual, ada(), Place::Step(0));
    let Next::Confirm(shown) = run.next() else { panic!("{:?}", run.next()) };
    assert_eq!((shown.kind, shown.name.as_str()), ("check", "look"));
    assert_eq!(shown.text, "log lines of order-worker at warn or worse with “slow” in 1m");
    let answered = What::Answered { place: Place::Step(0), answer: value(1.0) };
    let refused = apply(&mut run, answered).unwrap_err().to_string();
    assert_eq!(refused, "an answer cannot happen now: expected that somebody confirms step-1");
    // Cleo takes over for one step.
    let skipped = |place, why: &str| What::Skipped { place, by: "cleo".to_owned(), why: why.to_owned() };
    assert_eq!(apply(&mut run, skipped(Place::Step(0), " ")), Err(Refused::Empty("the reason")));
    apply(&mut run, skipped(Place::Step(0), "seen already")).unwrap();
    while run.place() != Place::Step(4) {
        room.turn(&mut run).unwrap();
    }
    let refused = apply(&mut run, skipped(Place::Step(4), "hurry")).unwrap_err();
    assert!(refused.to_string().contains("a second person has to approve"), "{refused}");
    let Next::Approve(request) = run.next() else { panic!("{:?}", run.next()) };
    let approved = What::Approved { by: "cleo".to_owned(), digest: request.digest };
    assert_eq!(apply(&mut run, approved), Err(Refused::SamePerson("cleo".to_owned())));
    while run.place() != Place::Step(7) {
        room.turn(&mut run).unwrap();
    }
    let refused = apply(&mut run, skipped(Place::Step(7), "it is fine")).unwrap_err();
    assert!(refused.to_string().contains("stop the run instead"), "{refused}");
    let people: Vec<Option<&str>> = run.passed().iter().map(|passed| passed.by.as_deref()).collect();
    assert_eq!(people[..3], [None, Some("cleo"), Some("ada")]);
    assert_eq!(people[5], Some("ben"));
}

#[test]
fn an_act_that_was_left_out_is_not_taken_back() {
    let mut room = Room::new(good);
    let mut run = until(&mut room, Mode::Manual, ada(), Place::Step(3));
    let skipped = What::Skipped { place: Place::Step(3), by: "ada".to_owned(), why: "all know".to_owned() };
    run.apply(&Event { at: at("2026-11-29T07:00:09Z"), what: skipped }).unwrap();
    while run.end().is_none() {
        room.turn(&mut run).unwrap();
    }
    assert_eq!(run.end().expect("an end").how, Ending::Succeeded);
    assert_eq!(room.world.keys().map(String::as_str).collect::<Vec<_>>(), ["INC-7/restart"]);
}

#[test]
fn a_stop_ends_it_at_once_and_says_what_stays() {
    let mut room = Room::new(good);
    let mut run = until(&mut room, Mode::Ask, ada(), Place::Step(6));
    apply(&mut run, What::Stopped { by: ada(), why: "wrong incident".to_owned() }).unwrap();
    let end = run.end().expect("an end");
    assert_eq!((end.how, end.why.as_str()), (Ending::Stopped, "stopped by ada: wrong incident"));
    assert_eq!(end.left.len(), 2, "{:?}", end.left);
    assert!(end.undone.is_empty());
}

#[test]
fn a_failed_act_may_be_half_done_and_is_taken_back() {
    let mut room = Room::new(good);
    let mut run = until(&mut room, Mode::Ask, ada(), Place::Step(3));
    while !matches!(run.next(), Next::Act { begun: Some(_), .. }) {
        room.turn(&mut run).unwrap();
    }
    let failed = What::Done { place: Place::Step(3), ok: false, text: "refused".to_owned() };
    run.apply(&Event { at: at("2026-11-29T07:01:00Z"), what: failed }).unwrap();
    assert_eq!(run.place(), Place::Undo(3));
    while run.end().is_none() {
        room.turn(&mut run).unwrap();
    }
    let end = run.end().expect("an end");
    assert_eq!((end.how, end.why.as_str()), (Ending::Failed, "mute failed: refused"));
    assert_eq!(end.undone.len(), 1);
}

#[test]
fn answers_of_a_wait_that_change_nothing_need_not_be_kept() {
    let mut room = Room::new(good);
    let mut run = until(&mut room, Mode::Ask, ada(), Place::Step(6));
    let Next::Look { until: Some(end), .. } = run.next() else { panic!("{:?}", run.next()) };
    let answered = |seconds: i64, number: f64| Event {
        at: end - chrono::TimeDelta::seconds(30 - seconds),
        what: What::Answered { place: Place::Step(6), answer: value(number) },
    };
    assert!(!run.is_news(&answered(1, 0.0)));
    assert!(run.is_news(&answered(2, 1.0)), "it begins to hold");
    run.apply(&answered(2, 1.0)).unwrap();
    assert!(!run.is_news(&answered(3, 1.0)));
    assert!(run.is_news(&answered(3, 0.0)), "it stops holding");
    run.apply(&answered(3, 0.0)).unwrap();
    run.apply(&answered(4, 1.0)).unwrap();
    assert!(!run.is_news(&answered(5, 1.0)), "it has to hold for two seconds without a break");
    assert!(run.is_news(&answered(6, 1.0)), "it has");
    assert!(run.is_news(&answered(30, 0.0)), "it is too late");
}

#[test]
fn a_start_with_wrong_parameters_says_what_would_be_right() {
    let started = |parameters, labels| {
        let mut event = started(Mode::Auto, Who::Automation);
        if let What::Started { parameters: given, labels: of_alert, .. } = &mut event.what {
            (*given, *of_alert) = (parameters, labels);
        }
        Run::start(&event).map(|run| run.plan().values.clone()).map_err(|refused| refused.to_string())
    };
    let missing = started(BTreeMap::new(), BTreeMap::new()).unwrap_err();
    assert_eq!(missing, "service: missing (service): expected one of order-api, order-worker");
    let wrong = started(map(&[("limit", "500"), ("size", "1")]), map(&[("service", "web\"}")])).unwrap_err();
    let lines: Vec<&str> = wrong.lines().collect();
    assert_eq!(lines.len(), 3, "{wrong}");
    assert_eq!(lines[0], "limit: expected a number from 1 to 99, found `500`");
    assert!(lines[1].starts_with("service: expected one of order-api"), "{wrong}");
    assert!(lines[2].starts_with("size: Every has no such parameter: expected limit, service"), "{wrong}");
    let values = started(map(&[("service", "order-api")]), map(&[("service", "order-worker")])).unwrap();
    assert_eq!(values["service"], "order-api", "what is given counts before the label");
    assert_eq!((values["incident"].as_str(), values["limit"].as_str()), ("INC-7", "50"));
    let manual = Run::start(&crate::support::started(Mode::Manual, Who::Automation));
    assert!(matches!(manual, Err(Refused::Mode(Mode::Manual))));
}

#[test]
fn a_dry_run_shows_every_step_with_live_values_and_changes_nothing() {
    let run = Run::start(&started(Mode::Ask, ada())).unwrap();
    let questions = dry::questions(run.plan());
    assert_eq!(questions.len(), 6);
    let answers: BTreeMap<Place, Answer> =
        questions.iter().map(|(place, call)| (*place, good(place, call, false))).collect();
    let shown = dry::run(run.plan(), &answers, &BTreeMap::new());
    assert!(shown.ready);
    assert_eq!((shown.preconditions.len(), shown.steps.len()), (1, 9));
    assert_eq!(shown.preconditions[0].text, "waiting{job=\"order-worker\"}");
    assert_eq!(shown.preconditions[0].answer.as_deref(), Some("99"));
    let verify = &shown.steps[7];
    assert_eq!((verify.kind, verify.holds), ("verify", Some(false)));
    assert_eq!(verify.expected.as_deref(), Some("< 50 within 30s"));
    assert_eq!(shown.steps[3].undo.as_deref(), Some("end the silence of TargetDown of order-worker"));
    assert!(shown.steps[5].undo.as_deref().is_some_and(|undo| undo.starts_with("cannot be taken back: ")));
    let unknown = dry::run(run.plan(), &BTreeMap::new(), &BTreeMap::new());
    assert!(!unknown.ready, "nothing is known");
    assert_eq!(run.passed(), []);
}
