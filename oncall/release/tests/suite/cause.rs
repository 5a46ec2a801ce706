//! Which release an incident came from.

use chrono::TimeDelta;
use incident::{Event, Id, Incident, Severity, Source, State, Truth, What};
use release::{
    cause::{Trouble, WITHIN},
    dora::{Caused, Delivery, figures},
    run::How,
};

use crate::support::after;

/// When the incident opens, in seconds: an hour and more after the first instant.
const OPENED: i64 = 5000;

fn delivery(number: i64, service: &str, ended: i64, how: How) -> Delivery {
    let met = Some(after(ended - 60));
    Delivery {
        release: format!("REL-{number}"),
        service: service.to_owned(),
        written: after(ended - 600),
        met,
        ended: after(ended),
        how,
        exposed: 0.05,
    }
}

fn released(number: i64, service: &str, ended: i64) -> Delivery {
    delivery(number, service, ended, How::Released)
}

/// An incident of order-api, and what happens to it, a second apart.
fn incident(happens: impl IntoIterator<Item = What>) -> Incident {
    let opened = What::Opened {
        id: Id(1),
        title: "Orders fail".to_owned(),
        description: String::new(),
        severity: Severity::Sev3,
        services: vec!["order-api".to_owned()],
        previous: None,
    };
    let what = std::iter::once(opened).chain(happens);
    let by = || Source::Person("ada".to_owned());
    let events: Vec<Event> =
        (OPENED..).zip(what).map(|(second, what)| Event { at: after(second), by: by(), what }).collect();
    Incident::replay(&events).expect("events that fit")
}

fn moved(to: State) -> What {
    What::Moved { to, why: "seen".to_owned() }
}

fn stated(id: u32, text: &str) -> What {
    What::HypothesisStated { id, text: text.to_owned() }
}

fn confirmed(id: u32) -> What {
    What::HypothesisConfirmed { id, why: "seen".to_owned() }
}

fn ruled_out(id: u32) -> What {
    What::HypothesisRuledOut { id, why: "seen".to_owned() }
}

fn caused(incident: &Incident, deliveries: &[Delivery]) -> Option<String> {
    Trouble::of(incident)?.caused(deliveries, 1).map(|caused| caused.release)
}

#[test]
fn the_last_release_of_an_affected_service_within_the_hour_is_the_cause() {
    let hour = WITHIN.num_seconds();
    let all = [
        released(1, "order-api", OPENED - hour),
        released(2, "order-api", OPENED - 600),
        released(3, "user-service", OPENED - 60),
        delivery(4, "order-api", OPENED - 30, How::Aborted),
        released(5, "order-api", OPENED + 1),
    ];
    let incident = incident([]);
    assert_eq!(caused(&incident, &all).as_deref(), Some("REL-2"));
    assert_eq!(caused(&incident, &all[..1]).as_deref(), Some("REL-1"), "an hour is close enough");
    assert_eq!(caused(&incident, &[released(1, "order-api", OPENED - hour - 1)]), None);
    assert_eq!(caused(&incident, &all[2..]), None);
}

#[test]
fn an_hour_is_a_minute_on_the_labs_clock() {
    let trouble = Trouble::of(&incident([])).unwrap();
    let found = |before: i64| trouble.caused(&[released(1, "order-api", OPENED - before)], 60).is_some();
    assert!(found(60) && !found(61));
}

#[test]
fn what_people_have_confirmed_or_ruled_out_counts_more_than_the_time() {
    let all = [released(7, "user-service", 0), released(8, "order-api", OPENED - 60)];
    let is_seven = [stated(1, "It is rel-7, or the cache"), confirmed(1)];
    assert_eq!(caused(&incident(is_seven), &all).as_deref(), Some("REL-7"));
    let not_eight = [stated(1, "(REL-8)"), ruled_out(1)];
    assert_eq!(caused(&incident(not_eight), &all), None);
    let open = [stated(1, "REL-7"), stated(2, "REL-, PREL-8, REL-8a"), ruled_out(2)];
    assert_eq!(caused(&incident(open), &all).as_deref(), Some("REL-8"), "nothing is decided about either");
}

#[test]
fn a_fault_that_somebody_set_explains_an_incident_once_everybody_may_know() {
    let all = [released(8, "order-api", OPENED - 60)];
    let (fault, service, by) = ("http-error".to_owned(), "order-api".to_owned(), "ada".to_owned());
    let truth = Truth { fault, service, since: after(OPENED - 1), by };
    let happens = vec![What::TruthSealed { truth }, moved(State::Resolved), moved(State::Closed)];
    let sealed = incident(happens[..2].to_vec());
    assert_eq!(caused(&sealed, &all).as_deref(), Some("REL-8"), "the figures give nothing away");
    assert_eq!(caused(&incident(happens), &all), None);
}

#[test]
fn an_incident_makes_its_release_a_failed_change_until_it_is_dismissed() {
    let all = [released(7, "order-api", OPENED - 60), released(8, "user-service", OPENED - 60)];
    let figures = |incident: &Incident| {
        let caused: Vec<Caused> =
            Trouble::of(incident).and_then(|one| one.caused(&all, 1)).into_iter().collect();
        figures(&all, &caused, (after(0), after(OPENED) + TimeDelta::days(1)), 7)
    };
    let lasts = figures(&incident([moved(State::Active)]));
    let failures = lasts.failures.unwrap();
    assert_eq!((failures.some, failures.all, lasts.lasting, lasts.restore), (1, 2, 1, None));
    let over = figures(&incident([moved(State::Active), moved(State::Mitigated)]));
    assert_eq!((over.failures.unwrap().some, over.lasting, over.restore.unwrap().median), (1, 0, 2.0));
    let none = figures(&incident([moved(State::Dismissed)]));
    assert_eq!((none.failures.unwrap().some, none.restore), (0, None));
}
