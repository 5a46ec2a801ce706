//! The ledger of toil and its report.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use runbook::{
    Answer, Event, Mode, Next, Run, What, Who,
    toil::{Class, Entry, Report, Span, of_run, report},
};

use crate::support::{Room, ada, at, good, started};

/// Work of some minutes that begins some hours after the span.
fn work(task: &str, person: Option<&str>, class: Class, hours: i64, minutes: i64) -> Entry {
    let from = at("2026-11-02T08:00:00Z") + TimeDelta::hours(hours);
    Entry {
        from,
        until: from + TimeDelta::minutes(minutes),
        person: person.map(str::to_owned),
        task: task.to_owned(),
        alert: Some(task.to_owned()),
        class,
    }
}

fn reported(entries: &[Entry]) -> Report {
    let span = Span { from: at("2026-11-02T08:00:00Z"), until: at("2026-11-16T08:00:00Z") };
    let costs = BTreeMap::from([("DeadLetters".to_owned(), Duration::from_secs(3600))]);
    report(entries, span, Duration::from_secs(10 * 3600), &costs)
}

#[test]
fn minutes_are_counted_by_class_and_task_and_against_the_cap() {
    let (ada, ben) = (Some("ada"), Some("ben"));
    let entries = [
        work("DeadLetters", ada, Class::Reactive, 1, 20),
        work("DeadLetters", ada, Class::Remediation, 2, 10),
        work("DeadLetters", ben, Class::Remediation, 60, 30),
        work("TargetDown", ben, Class::Remediation, 200, 15),
        work("TargetDown", None, Class::Remediation, 201, 500),
        work("write runbooks", ada, Class::Project, 30, 600),
        work("DeadLetters", ada, Class::Reactive, 24 * 14, 99),
    ];
    let report = reported(&entries);
    let minutes: Vec<(Class, f64)> = report.minutes.clone().into_iter().collect();
    let expected = [
        (Class::Reactive, 20.0),
        (Class::Remediation, 55.0),
        (Class::Project, 600.0),
        (Class::Overhead, 0.0),
    ];
    assert_eq!(minutes, expected);
    assert_eq!(report.share, Some(75.0 / 600.0));
    assert!(!report.over_cap);
    let tasks: Vec<(&str, f64, usize, f64, usize)> = report
        .tasks
        .iter()
        .map(|task| (task.name.as_str(), task.minutes, task.times, task.median, task.automated))
        .collect();
    assert_eq!(tasks, [("DeadLetters", 60.0, 2, 30.0, 0), ("TargetDown", 15.0, 1, 15.0, 1)]);
    let alerts: Vec<(&str, f64, usize, usize)> =
        report.alerts.iter().map(|one| (one.name.as_str(), one.minutes, one.times, one.automated)).collect();
    assert_eq!(alerts, [("DeadLetters", 60.0, 2, 0), ("TargetDown", 15.0, 1, 1)]);
    assert_eq!(report.weeks.iter().map(|week| week.minutes).collect::<Vec<_>>(), [60.0, 15.0]);
}

#[test]
fn what_repeats_is_ranked_by_how_soon_automating_it_pays() {
    let mut entries = Vec::new();
    for day in 0..10 {
        entries.push(work("RedisEvicting", Some("ada"), Class::Remediation, day * 24, 12));
        entries.push(work("DeadLetters", Some("ben"), Class::Remediation, day * 24 + 3, 6));
    }
    entries.push(work("TargetDown", Some("ada"), Class::Remediation, 5, 240));
    let report = reported(&entries);
    let candidates: Vec<(&str, f64, f64, f64)> = report
        .candidates
        .iter()
        .map(|one| (one.name.as_str(), one.minutes_a_week, one.cost, one.pays_after_weeks))
        .collect();
    // An hour was estimated for one of them; the other costs a day. What happened once is no pattern.
    assert_eq!(candidates, [("DeadLetters", 30.0, 60.0, 2.0), ("RedisEvicting", 60.0, 480.0, 8.0)]);
    assert!(report.over_cap, "{:?}", report.share);
}

#[test]
fn of_two_tasks_that_take_as_long_the_cheaper_one_pays_first() {
    let mut entries = Vec::new();
    for day in 0..10 {
        entries.push(work("RedisEvicting", Some("ada"), Class::Remediation, day * 24, 6));
        entries.push(work("DeadLetters", Some("ada"), Class::Remediation, day * 24 + 3, 6));
    }
    let report = reported(&entries);
    let names: Vec<&str> = report.candidates.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["DeadLetters", "RedisEvicting"], "an hour against a day");
    let minutes: Vec<f64> = report.candidates.iter().map(|one| one.minutes_a_week).collect();
    assert_eq!(minutes, [30.0, 30.0]);
}

#[test]
fn a_task_that_was_automated_is_compared_before_and_after() {
    let entries = [
        work("TargetDown", Some("ada"), Class::Remediation, 10, 30),
        work("TargetDown", Some("ada"), Class::Remediation, 100, 30),
        work("TargetDown", None, Class::Remediation, 168, 1),
        work("TargetDown", Some("ben"), Class::Reactive, 200, 6),
    ];
    let report = reported(&entries);
    let automated = &report.automated[0];
    assert_eq!((automated.name.as_str(), automated.since), ("TargetDown", at("2026-11-09T08:00:00Z")));
    assert_eq!((automated.before, automated.after), (Some(60.0), Some(6.0)));
}

#[test]
fn minutes_of_an_alert_are_those_of_all_its_tasks() {
    let mut by_hand = work("restarted order-worker", Some("ada"), Class::Remediation, 2, 5);
    by_hand.alert = Some("TargetDown".to_owned());
    let mut planned = work("patching", Some("ada"), Class::Project, 4, 60);
    planned.alert = None;
    let looked = work("TargetDown", Some("ada"), Class::Reactive, 1, 20);
    let report = reported(&[looked, by_hand, planned]);
    assert_eq!(report.tasks.len(), 2);
    assert_eq!((report.alerts.len(), report.alerts[0].minutes, report.alerts[0].times), (1, 25.0, 1));
}

#[test]
fn what_was_automated_before_the_span_is_compared_with_what_was_before_that() {
    let entries = [
        work("TargetDown", Some("ada"), Class::Remediation, -200, 30),
        work("TargetDown", None, Class::Remediation, -100, 1),
        work("TargetDown", Some("ben"), Class::Reactive, 50, 4),
        work("TargetDown", Some("ben"), Class::Reactive, 150, 2),
        work("DeadLetters", None, Class::Remediation, -50, 1),
    ];
    let report = reported(&entries);
    assert_eq!(report.automated.len(), 1, "nothing is said of what the span does not have");
    let automated = &report.automated[0];
    assert_eq!((automated.before, automated.after), (Some(50.4), Some(3.0)), "{automated:?}");
    assert_eq!(report.candidates[0].minutes_a_week, 3.0, "what is left: {:?}", report.candidates);
}

#[test]
fn two_incidents_at_once_are_not_twice_the_work() {
    let entries = [
        work("TargetDown", Some("ada"), Class::Reactive, 1, 60),
        work("HighLatency", Some("ada"), Class::Reactive, 1, 60),
        work("HighLatency", Some("ben"), Class::Reactive, 1, 60),
    ];
    let report = reported(&entries);
    assert_eq!((report.minutes[&Class::Reactive], report.share), (120.0, Some(0.2)));
    assert_eq!(report.tasks.iter().map(|task| task.times).sum::<usize>(), 2, "each is an occasion");
}

#[test]
fn nothing_is_reported_as_nothing() {
    let span = Span { from: at("2026-11-02T08:00:00Z"), until: at("2026-11-02T08:00:00Z") };
    let report = report(&[], span, Duration::ZERO, &BTreeMap::new());
    assert_eq!((report.share, report.over_cap), (None, false));
    assert!(report.tasks.is_empty() && report.candidates.is_empty() && report.weeks.is_empty());
    assert_eq!(report.minutes.len(), 4);
}

/// The classes of a procedure's steps.
fn planned(head: &str, incident: Option<&str>) -> Vec<Class> {
    let mut event = started(Mode::Manual, ada());
    let What::Started { text, incident: of, .. } = &mut event.what else { panic!("a start") };
    *text = text.replacen("title:", &format!("{head}title:"), 1);
    *of = incident.map(str::to_owned);
    let mut room = Room::new(good);
    room.start(event).expect("nobody kills it");
    of_run(&Run::replay(&room.journal).expect("a journal of a run")).iter().map(|entry| entry.class).collect()
}

#[test]
fn a_procedure_that_nothing_made_necessary_is_planned_work_of_its_class() {
    assert_eq!(planned("", None), vec![Class::Project; 9]);
    assert_eq!(planned("class: overhead\n", None), vec![Class::Overhead; 9]);
    assert!(!Class::Project.is_toil() && !Class::Overhead.is_toil());
    // In an incident it is what any work there is, and so is what an alert starts.
    for head in ["", "class: overhead\n"] {
        assert!(planned(head, Some("INC-7")).iter().all(|class| class.is_toil()), "{head}");
    }
    assert!(planned("alert: Every\n", None).iter().all(|class| class.is_toil()));
}

#[test]
fn manual_steps_are_timed_by_person_and_an_automated_run_is_nobodys() {
    let run = |mode, by| {
        let mut room = Room::new(good);
        room.start(started(mode, by)).expect("nobody kills it");
        of_run(&Run::replay(&room.journal).expect("a journal of a run"))
    };
    let manual = run(Mode::Manual, ada());
    assert_eq!(manual.len(), 9, "one entry for each step");
    let of = |class: Class| manual.iter().filter(|entry| entry.class == class).count();
    assert_eq!((of(Class::Reactive), of(Class::Remediation)), (6, 3));
    assert_eq!(manual[8].person.as_deref(), Some("ben"), "who approved");
    assert!(manual.iter().all(|entry| entry.task == "Every" && entry.minutes() > 0.0));
    let auto = run(Mode::Auto, Who::Automation);
    let told: Vec<(Option<&str>, Class)> =
        auto.iter().map(|entry| (entry.person.as_deref(), entry.class)).collect();
    assert_eq!(told, [(None, Class::Remediation), (Some("ben"), Class::Reactive)], "who approved it");
}

/// Three days after the runs of these tests begin.
fn after_the_weekend(run: &Run, what: What) -> Event {
    Event { at: run.started() + TimeDelta::days(3), what }
}

#[test]
fn a_step_that_somebody_left_open_is_not_work_of_days() {
    let mut room = Room::new(good);
    let mut run = Run::start(&started(Mode::Manual, ada())).expect("a run");
    room.turn(&mut run).expect("nobody kills it");
    let (place, by) = (run.place(), "ada".to_owned());
    let confirmed = after_the_weekend(&run, What::Confirmed { place, by, branch: None });
    run.apply(&confirmed).expect("it waits for that");
    let answer = Answer::Lines { count: 1, newest: None };
    let answered = Event { at: confirmed.at + TimeDelta::minutes(1), what: What::Answered { place, answer } };
    run.apply(&answered).expect("it asks");
    let minutes: Vec<f64> = of_run(&run).iter().map(Entry::minutes).collect();
    assert_eq!(minutes, [11.0], "ten minutes to read it, and one until its answer");
}

#[test]
fn waiting_for_a_second_person_is_nobodys_work() {
    let mut room = Room::new(good);
    let mut run = Run::start(&started(Mode::Ask, ada())).expect("a run");
    while !matches!(run.next(), Next::Approve(_)) {
        room.turn(&mut run).expect("nobody kills it");
    }
    let Next::Approve(request) = run.next() else { panic!("{:?}", run.next()) };
    let approved = What::Approved { by: "ben".to_owned(), digest: request.digest };
    let approved = after_the_weekend(&run, approved);
    run.apply(&approved).expect("it waits for that");
    let stopped = What::Stopped { by: ada(), why: "it is enough".to_owned() };
    run.apply(&Event { at: approved.at, what: stopped }).expect("at any time");
    let work = of_run(&run);
    let of = |person: &str| -> f64 {
        work.iter().filter(|entry| entry.person.as_deref() == Some(person)).map(Entry::minutes).sum()
    };
    assert!(of("ada") < 1.0 && (of("ben") - 10.0).abs() < f64::EPSILON, "{work:?}");
}
