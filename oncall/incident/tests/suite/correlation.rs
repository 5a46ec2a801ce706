//! Which incident an alert joins.

use chrono::{DateTime, Utc};
use incident::{
    Event, Id, Incident, Severity, State,
    alerts::Alert,
    correlate::{Correlator, Graph, Verdict},
};

use crate::support::{after, alert, by_ada, by_rule, cleared, fired, moved, opening, replay};

/// 15 minutes are 15 seconds.
const SPEED: u32 = 60;

fn graph() -> Graph {
    Graph::new([("edge", "order-api"), ("order-api", "user-service"), ("order-api", "order-worker")])
}

fn decide(alert: &Alert, incidents: &[Incident], now: DateTime<Utc>) -> Verdict {
    Correlator::new(graph(), SPEED).decide(alert, incidents, now)
}

fn incident(number: u64, alert: &Alert, more: &[Event]) -> Incident {
    let mut events = vec![by_rule(0, opening(number, &[])), by_rule(0, fired(alert))];
    events.extend_from_slice(more);
    replay(&events)
}

const NEW: Verdict = Verdict::Open { previous: None };

#[test]
fn alerts_of_neighbours_within_15_minutes_of_the_clock_are_one_incident() {
    let open = [incident(1, &alert("a", Some("order-api"), 0), &[])];
    for service in ["edge", "user-service", "order-worker", "order-api"] {
        assert_eq!(
            decide(&alert("b", Some(service), 14), &open, after(14)),
            Verdict::Join(Id(1)),
            "{service}"
        );
    }
    assert_eq!(decide(&alert("b", Some("edge"), 16), &open, after(16)), NEW, "too late for a neighbour");
    let slower = alert("b", Some("order-api"), 600);
    assert_eq!(decide(&slower, &open, after(600)), Verdict::Join(Id(1)), "the same service still burns");
    assert_eq!(decide(&alert("b", Some("load"), 1), &open, after(1)), NEW, "not a neighbour");
    let open = [incident(1, &alert("a", Some("edge"), 0), &[])];
    assert_eq!(decide(&alert("b", Some("user-service"), 1), &open, after(1)), NEW, "a neighbour's neighbour");
}

/// The page of a longer window fires when that of the shorter one has cleared: the budget burnt once.
#[test]
fn a_slower_page_joins_what_people_already_mitigated() {
    let fast = alert("fast", Some("order-api"), 0);
    let mitigated = [by_rule(20, cleared(&fast, 20)), by_ada(21, moved(State::Mitigated))];
    let events = [by_ada(1, moved(State::Active))].into_iter().chain(mitigated).collect::<Vec<_>>();
    let open = [incident(1, &fast, &events)];
    let slow = alert("slow", Some("order-api"), 60);
    assert_eq!(decide(&slow, &open, after(60)), Verdict::Join(Id(1)));
    assert_eq!(
        decide(&alert("slow", Some("user-service"), 60), &open, after(60)),
        NEW,
        "a neighbour is late"
    );
}

#[test]
fn the_closest_and_then_the_most_recent_incident_wins() {
    let one = incident(1, &alert("a", Some("order-api"), 0), &[]);
    let other = incident(
        2,
        &alert("b", Some("user-service"), 0),
        &[by_rule(5, fired(&alert("c", Some("user-service"), 5)))],
    );
    let all = [one, other];
    assert_eq!(decide(&alert("d", Some("user-service"), 6), &all, after(6)), Verdict::Join(Id(2)));
    assert_eq!(
        decide(&alert("d", Some("order-api"), 6), &all, after(6)),
        Verdict::Join(Id(1)),
        "closer, though older"
    );
    assert_eq!(
        decide(&alert("a", Some("user-service"), 6), &all, after(6)),
        Verdict::Join(Id(1)),
        "its very alert"
    );
}

/// What a control room does with each alert: decides, opens or joins, and resolves when the hold time is over.
#[test]
fn a_flapping_alert_opens_one_incident_and_not_ten() {
    let mut all: Vec<Incident> = Vec::new();
    for round in 0..10 {
        let (up, down) = (round * 12, round * 12 + 4);
        let flapping = alert("a", Some("order-api"), up);
        match decide(&flapping, &all, after(up)) {
            Verdict::Open { .. } => all.push(replay(&[by_rule(up, opening(1 + all.len() as u64, &[]))])),
            Verdict::Reopen(_) => {
                all[0].apply(&by_rule(up, moved(State::Active))).expect("it becomes active again")
            }
            Verdict::Join(_) => {}
        }
        all[0].apply(&by_rule(up, fired(&flapping))).expect("an alert");
        all[0].apply(&by_rule(down, cleared(&flapping, down))).expect("its end");
        // Clear for the hold time of 5 s before the next one comes.
        let end = all[0].resolves_at(SPEED).expect("a time");
        all[0].apply(&Event { at: end, ..by_rule(0, moved(State::Resolved)) }).expect("resolved");
    }
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].reopened, all[0].alerts.len()), (9, 10));
}

#[test]
fn what_fires_long_after_resolving_is_a_new_incident() {
    let first = alert("a", Some("order-api"), 0);
    let over = [by_rule(5, cleared(&first, 5)), by_rule(10, moved(State::Resolved))];
    let resolved = [incident(1, &first, &over)];
    let again = |seconds| alert("a", Some("order-api"), seconds);
    assert_eq!(decide(&again(25), &resolved, after(25)), Verdict::Reopen(Id(1)));
    assert_eq!(decide(&again(26), &resolved, after(26)), NEW);
    assert_eq!(
        decide(&alert("b", Some("edge"), 12), &resolved, after(12)),
        NEW,
        "a neighbour is another story"
    );
}

#[test]
fn a_page_after_closing_opens_a_new_incident_that_names_the_newest_old_one() {
    let first = alert("a", Some("order-api"), 0);
    let over = |at| {
        [by_rule(5, cleared(&first, 5)), by_ada(at, moved(State::Resolved)), by_ada(at, moved(State::Closed))]
    };
    let mut later = incident(2, &first, &[]);
    later.apply(&by_rule(3, moved(State::Dismissed))).expect("a step");
    let closed = [incident(1, &first, &over(10)), later];
    let again = alert("a", Some("order-api"), 12);
    assert_eq!(decide(&again, &closed, after(12)), Verdict::Open { previous: Some(Id(2)) });
    assert_eq!(decide(&again, &closed[..1], after(12)), Verdict::Open { previous: Some(Id(1)) });
    assert_eq!(decide(&alert("b", Some("order-api"), 12), &closed, after(12)), NEW, "another alert");
}

#[test]
fn alerts_without_a_service_join_those_of_the_same_name() {
    let open = [incident(1, &alert("a", None, 0), &[])];
    let mut twin = alert("b", None, 3);
    assert_eq!(decide(&twin, &open, after(3)), NEW);
    twin.name = "Alerta".to_owned();
    assert_eq!(decide(&twin, &open, after(3)), Verdict::Join(Id(1)));
}

#[test]
fn a_ticket_does_not_wake_people_for_what_was_resolved() {
    let page = alert("page", Some("order-api"), 0);
    let over = [by_rule(20, cleared(&page, 20)), by_rule(25, moved(State::Resolved))];
    let resolved = [incident(1, &page, &over)];
    let again = alert("page-again", Some("order-api"), 30);
    assert_eq!(decide(&again, &resolved, after(30)), Verdict::Reopen(Id(1)));
    let ticket = Alert { severity: Severity::Sev4, ..again };
    assert_eq!(decide(&ticket, &resolved, after(30)), NEW);
}
