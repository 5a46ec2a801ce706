//! A trainee never learns the truth before the incident is closed, whichever way they look.

use incident::{
    EntryKind, Incident, Measures, State, Truth, Viewer, What,
    measures::Start,
    postmortem::{Draft, draft},
};

use crate::support::{after, by_ada, by_rule, moved, opening, replay};

const SECRETS: [&str; 3] = ["cache-stampede", "instructor-ivy", "behind the curtain"];

fn events() -> Vec<incident::Event> {
    let truth = Truth {
        fault: "cache-stampede".to_owned(),
        service: "user-service".to_owned(),
        since: after(-30),
        by: "instructor-ivy".to_owned(),
    };
    let note = What::Noted {
        kind: EntryKind::Symptom,
        happened_at: after(-20),
        text: "watched from behind the curtain".to_owned(),
        evidence: vec![],
        sealed: true,
    };
    vec![
        by_rule(0, opening(1, &["order-api"])),
        by_rule(1, What::TruthSealed { truth }),
        by_rule(2, note),
        by_rule(3, What::Paged { person: "ada".to_owned(), channel: "bell".to_owned(), step: None }),
        by_ada(10, What::Acknowledged),
    ]
}

fn everything(incident: &Incident, viewer: Viewer) -> String {
    let page = draft(incident, &Draft { viewer, curve: None, picture: None, now: after(60) });
    let measures = Measures::of(incident, viewer);
    let timeline = incident.timeline_for(viewer);
    format!(
        "{}\n{page}\n{}\n{}\n{:?}",
        serde_json::to_string(incident).expect("JSON"),
        serde_json::to_string(&measures).expect("JSON"),
        serde_json::to_string(&timeline).expect("JSON"),
        incident.truth_for(viewer)
    )
}

#[test]
fn a_trainee_sees_nothing_that_is_sealed_before_the_incident_is_closed() {
    let mut incident = replay(&events());
    for (seconds, to) in [(20, State::Mitigated), (30, State::Resolved)] {
        let seen = everything(&incident, Viewer::Trainee);
        for secret in SECRETS {
            assert!(!seen.contains(secret), "{} shows {secret}: {seen}", incident.state);
        }
        assert_eq!(
            Measures::of(&incident, Viewer::Trainee).start,
            Start::Opening,
            "not even when it was seen"
        );
        incident.apply(&by_ada(seconds, moved(to))).expect("a step");
    }
    assert!(!everything(&incident, Viewer::Trainee).contains("cache-stampede"));
    incident.apply(&by_ada(40, moved(State::Closed))).expect("a step");
    let seen = everything(&incident, Viewer::Trainee);
    for secret in SECRETS {
        assert!(seen.contains(secret), "{secret} comes to light");
    }
    let measures = Measures::of(&incident, Viewer::Trainee);
    assert_eq!((measures.start, measures.detect), (Start::Fault, Some(33.0)));
}

#[test]
fn an_instructor_sees_it_from_the_start() {
    let incident = replay(&events());
    let seen = everything(&incident, Viewer::Instructor);
    assert!(SECRETS.iter().all(|secret| seen.contains(secret)), "{seen}");
    let order: Vec<_> = incident.timeline_for(Viewer::Instructor).iter().map(|entry| entry.at).collect();
    assert!(order.is_sorted());
}

#[test]
fn a_dismissed_incident_keeps_its_secret() {
    let mut incident = replay(&events());
    incident.apply(&by_ada(20, moved(State::Dismissed))).expect("a step");
    let seen = everything(&incident, Viewer::Trainee);
    assert!(
        SECRETS.iter().all(|secret| !seen.contains(secret)),
        "dismissing must not be a way to learn it: {seen}"
    );
}

#[test]
fn events_that_must_not_leave_a_store_say_so() {
    let sealed: Vec<bool> = events().iter().map(incident::Event::is_sealed).collect();
    assert_eq!(sealed, [false, true, true, false, false]);
}
