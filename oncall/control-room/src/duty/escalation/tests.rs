use chrono::{DateTime, TimeDelta, Utc};
use incident::{Event, Id, Severity, Source, State, What};
use rota::{Rota, escalation::StepId};

use super::{Look, Todo, course::Course, plan::Plan};

const SPEED: u32 = 60;

fn rota() -> Rota {
    rota::read("oncall.yaml", include_str!("../../../../../oncall.yaml")).unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

/// The tables of one incident, and what is done to them.
struct Desk {
    events: Vec<(i64, Event)>,
    plan: Option<Plan>,
    sent: Vec<(StepId, DateTime<Utc>)>,
}

impl Desk {
    fn open(severity: Severity) -> Self {
        let mut desk = Self { events: Vec::new(), plan: None, sent: Vec::new() };
        let (title, services) = ("Orders fail".to_owned(), Vec::new());
        let what =
            What::Opened { id: Id(7), title, description: String::new(), severity, services, previous: None };
        desk.happens(0, Source::ControlRoom, what);
        desk
    }

    fn happens(&mut self, seconds: i64, by: Source, what: What) {
        let seq = 10 * (self.events.len() as i64 + 1);
        self.events.push((seq, Event { at: after(seconds), by, what }));
    }

    fn ada(&mut self, seconds: i64, what: What) {
        self.happens(seconds, Source::Person("ada".to_owned()), what);
    }

    fn look(&self) -> Look {
        let course = Course::of(&self.events).unwrap();
        Look { id: Id(7), course, plan: self.plan.clone(), sent: self.sent.clone() }
    }

    /// Does what is due; returns the steps, and `expired` for an acknowledgement.
    fn tend(&mut self, seconds: i64) -> Vec<String> {
        let mut done = Vec::new();
        loop {
            match self.look().todo(&rota(), SPEED, after(seconds)) {
                Todo::Nothing(_) => return done,
                Todo::Follow(plan) => {
                    // As the store keeps it.
                    let text = serde_json::to_string(&plan).unwrap();
                    self.plan = Some(serde_json::from_str(&text).unwrap());
                }
                Todo::Expire => {
                    self.happens(seconds, Source::ControlRoom, What::AcknowledgementExpired);
                    done.push("expired".to_owned());
                }
                Todo::Step(due) => {
                    self.sent.push((due.step, after(seconds)));
                    done.push(due.step.to_string());
                }
            }
        }
    }

    fn policy(&self) -> &str {
        self.plan.as_ref().and_then(|plan| plan.policy.as_ref()).map_or("none", |policy| &policy.name)
    }
}

fn moved(to: State) -> What {
    What::Moved { to, why: String::new() }
}

fn severity(severity: Severity) -> What {
    What::SeveritySet { severity, why: String::new() }
}

fn escalated(why: &str) -> What {
    What::Escalated { to: vec!["ben".to_owned()], why: why.to_owned() }
}

#[test]
fn what_the_control_room_writes_about_a_step_moves_nothing() {
    let mut desk = Desk::open(Severity::Sev2);
    assert_eq!(desk.tend(0), ["0.0.0"]);
    assert_eq!(desk.tend(15), ["0.0.2"]);
    desk.happens(15, Source::ControlRoom, escalated(super::course::NOBODY));
    assert!(desk.tend(29).is_empty());
    desk.ada(29, escalated("I need help"));
    assert_eq!(desk.tend(29), ["0.0.4"]);
}

#[test]
fn a_severity_that_changes_before_anything_was_sent_takes_its_own_policy() {
    // On Sunday: working hours begin tomorrow.
    let mut desk = Desk::open(Severity::Sev4);
    desk.events[0].1.at = after(-24 * 3600);
    assert!(desk.tend(-24 * 3600).is_empty());
    assert_eq!(desk.policy(), "working-hours");
    desk.ada(-24 * 3600 + 5, severity(Severity::Sev3));
    assert_eq!(desk.tend(-24 * 3600 + 5), ["0.0.0"]);
    assert_eq!(desk.policy(), "minor");
}

#[test]
fn a_page_that_joins_a_ticket_pages() {
    let mut desk = Desk::open(Severity::Sev4);
    assert_eq!(desk.tend(0), ["0.0.1"]);
    desk.ada(5, What::Acknowledged);
    desk.happens(9, Source::ControlRoom, severity(Severity::Sev1));
    assert_eq!(desk.tend(10), ["expired", "1.0.0"]);
    assert_eq!(desk.tend(24), Vec::<String>::new());
    assert_eq!(desk.tend(25), ["1.0.2"], "its waits begin when it became worse");
}

#[test]
fn a_person_at_work_who_says_that_it_is_worse_is_not_paged_for_that() {
    let mut desk = Desk::open(Severity::Sev3);
    assert_eq!(desk.tend(0), ["0.0.0"]);
    desk.ada(5, What::Acknowledged);
    desk.ada(6, severity(Severity::Sev1));
    assert!(desk.tend(100).is_empty());
    // The acknowledgement of the policy that was followed holds for two hours. Then the worse policy begins.
    assert_eq!(desk.tend(5 + 120), ["expired", "1.0.0"]);
    assert_eq!(desk.policy(), "major");
}

#[test]
fn a_reopened_incident_escalates_from_the_beginning_with_new_ids() {
    let mut desk = Desk::open(Severity::Sev2);
    assert_eq!(desk.tend(0), ["0.0.0"]);
    desk.ada(5, What::Acknowledged);
    desk.ada(10, moved(State::Resolved));
    assert!(desk.tend(200).is_empty());
    desk.happens(200, Source::ControlRoom, moved(State::Active));
    assert_eq!(desk.tend(201), ["expired", "1.0.0"]);
    assert_eq!(desk.tend(215), ["1.0.2"]);
}

#[test]
fn a_mitigated_incident_does_not_escalate_until_it_is_active_again() {
    let mut desk = Desk::open(Severity::Sev2);
    assert_eq!(desk.tend(0), ["0.0.0"]);
    desk.ada(5, What::Acknowledged);
    desk.ada(10, moved(State::Mitigated));
    assert!(desk.tend(1000).is_empty());
    desk.ada(1000, moved(State::Active));
    assert!(desk.tend(1029).is_empty(), "ada is still at work");
    assert_eq!(desk.tend(1030), ["expired", "2.0.0"], "and has not been heard of for half an hour");
}

#[test]
fn an_acknowledgement_counts_even_after_the_clock_was_set_back() {
    let mut desk = Desk::open(Severity::Sev2);
    assert_eq!(desk.tend(100), ["0.0.0", "0.0.2", "0.0.4", "0.1.0", "0.1.2", "0.1.4"]);
    desk.ada(-3600, What::Acknowledged);
    assert!(desk.tend(-3600).is_empty());
    assert!(desk.tend(29).is_empty());
}

#[test]
fn without_a_policy_it_waits_for_one() {
    let mut desk = Desk::open(Severity::Sev2);
    let none = Rota { policies: Vec::new(), ..rota() };
    let Todo::Follow(plan) = desk.look().todo(&none, SPEED, after(0)) else {
        panic!("a plan without a policy")
    };
    assert_eq!(plan.policy, None);
    desk.plan = Some(plan);
    assert!(matches!(desk.look().todo(&none, SPEED, after(60)), Todo::Nothing(_)), "said once");
    assert_eq!(desk.tend(60), ["0.0.0"], "the file has one now");
    assert!(desk.tend(74).is_empty(), "and its waits begin now");
}
