//! Verification: the solution passes, and everything else says what is wrong.

use std::sync::Arc;

use chrono::TimeDelta;
use drill::{
    Act, Action, Phase, Run, Verdict, What,
    engine::{Failure, Responder},
};

use crate::{
    example::example,
    lab::{Lab, start, verify},
};

fn solution() -> Lab {
    Lab::new(example(), verify(Responder::Solution))
}

fn texts(failures: &[Failure]) -> Vec<String> {
    failures
        .iter()
        .map(|failure| format!("{}: {}: {}", failure.phase, failure.condition, failure.seen))
        .collect()
}

#[test]
fn the_solution_passes_and_leaves_nothing_behind() {
    let mut lab = solution();
    let outcome = lab.finish();
    assert_eq!((outcome.verdict, texts(&outcome.failures)), (Verdict::Passed, Vec::new()));
    assert_eq!(
        lab.phases,
        [
            Phase::Baseline,
            Phase::Observe,
            Phase::Wrong(0),
            Phase::Solve(0),
            Phase::Solve(1),
            Phase::Solve(2),
            Phase::Recover,
            Phase::Reset,
            Phase::Finished
        ]
    );
    assert!(lab.active.is_empty() && lab.off.is_empty() && lab.load == 50, "{:?} {:?}", lab.active, lab.off);
    assert!(outcome.signals.iter().chain(&outcome.path).all(|one| one.seen.is_some_and(|s| s <= one.within)));
    assert!(outcome.affected < outcome.mitigated && outcome.mitigated <= outcome.recovered, "{outcome:?}");
}

#[test]
fn a_responder_that_does_nothing_fails_at_the_recovery() {
    let outcome = Lab::new(example(), verify(Responder::Nothing)).finish();
    assert_eq!(outcome.verdict, Verdict::Failed);
    assert!(
        outcome.failures.iter().all(|failure| failure.phase == Phase::Recover),
        "{:?}",
        texts(&outcome.failures)
    );
}

#[test]
fn restarting_everything_fails_where_the_cause_survives_it() {
    let mut lab = Lab::new(example(), verify(Responder::RestartAll));
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Failed, "{:?}", texts(&outcome.failures));
    assert!(lab.active.is_empty() && lab.off.is_empty());

    let mut drill = example();
    drill.faults[0].survives_restart = false;
    let outcome = Lab::new(drill, verify(Responder::RestartAll)).finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", texts(&outcome.failures));
}

#[test]
fn a_signal_that_does_not_show_is_named_with_its_query() {
    let mut lab = solution();
    lab.blind = true;
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Failed);
    let missing = outcome.failures.iter().find(|failure| failure.condition == "errors").expect("the signal");
    assert_eq!(missing.query, "errors > 0");
    assert_eq!(
        (missing.expected.as_str(), missing.seen.as_str()),
        ("within 10 s of the injection", "nothing")
    );
    assert!(lab.active.is_empty());
}

#[test]
fn a_page_that_does_not_come_is_missed() {
    let mut lab = solution();
    lab.silent = true;
    let outcome = lab.finish();
    let missing = texts(&outcome.failures);
    assert_eq!(missing, ["observe: OrderAvailabilityBudgetBurn of order-api pages: pages: none"]);
}

#[test]
fn a_page_that_nobody_expected_and_a_forbidden_ticket_are_failures() {
    for (alert, page) in [("NoTraffic", true), ("DeadLetters", false)] {
        let mut lab = solution();
        lab.until(Phase::Observe);
        lab.notify(alert, page);
        let outcome = lab.finish();
        assert_eq!(outcome.verdict, Verdict::Failed);
        assert!(texts(&outcome.failures)[0].contains(alert), "{:?}", texts(&outcome.failures));
    }
    let mut lab = solution();
    lab.until(Phase::Observe);
    lab.notify("OrderLatencyBudgetBurn", true);
    lab.notify("HighErrorRate", false);
    assert_eq!(lab.finish().verdict, Verdict::Passed, "allowed pages and other tickets are no failures");
}

#[test]
fn a_wrong_action_that_helps_is_a_failure_of_the_drill() {
    let mut lab = solution();
    lab.heals = true;
    lab.until(Phase::Wrong(0));
    // The other fault would keep the signal.
    lab.active.retain(|(service, _), _| service == "order-api");
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Failed);
    assert!(
        texts(&outcome.failures)[0].contains("“restart order-api” does not help"),
        "{:?}",
        texts(&outcome.failures)
    );
}

#[test]
fn an_unhealthy_baseline_is_named_and_nothing_is_injected() {
    let mut lab = solution();
    lab.sick = true;
    let outcome = lab.finish();
    assert_eq!((outcome.verdict, lab.set, outcome.injected), (Verdict::Invalid, 0, None));
    assert_eq!(
        texts(&outcome.failures),
        ["baseline: no alert fires but ProcessRestarted, ScrapesFailing: nothing"]
    );
}

#[test]
fn what_a_phase_waits_for_is_known_with_what_was_seen() {
    let mut lab = solution();
    let all = lab.run.waiting(lab.now);
    assert!(all.iter().all(|one| one.seen == "nobody looked") && all.len() > 5, "{all:?}");
    lab.sick = true;
    lab.ticks(3);
    let waiting = lab.run.waiting(lab.now);
    let names: Vec<&str> = waiting.iter().map(|one| one.look.name.as_str()).collect();
    assert_eq!(
        (names, waiting[0].holds),
        (vec!["no alert fires but ProcessRestarted, ScrapesFailing"], true)
    );
    lab.sick = false;
    lab.until(Phase::Observe);
    assert_eq!(lab.run.waiting(lab.now), Vec::new(), "it ends by time, or by what is seen");
    assert!(lab.run.injected().is_none() && lab.run.has_done("set-load") && !lab.run.has_done("fault[0]"));
}

#[test]
fn an_action_that_cannot_be_done_ends_the_run_and_a_reset_is_tried_until_it_works() {
    let mut lab = solution();
    lab.until(Phase::Observe);
    // Due at once: a verification begins with its first fault.
    let id = "fault[0]".to_owned();
    lab.now += TimeDelta::seconds(1);
    lab.event(What::Failed { action: id, why: "connection refused".to_owned() });
    assert_eq!(lab.run.phase(lab.now), Phase::Reset);
    for due in lab.run.due(lab.now) {
        lab.event(What::Failed { action: due.id, why: "connection refused".to_owned() });
    }
    assert!(!lab.run.due(lab.now).is_empty(), "it is due again");
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Invalid);
    assert!(texts(&outcome.failures)[0].contains("connection refused"), "{:?}", texts(&outcome.failures));
}

#[test]
fn a_cause_that_survives_a_restart_is_set_again_and_so_is_a_weakness() {
    let mut lab = solution();
    lab.until(Phase::Wrong(0));
    let before = lab.set;
    lab.ticks(3);
    assert_eq!(lab.set, before + 1, "the fault of order-api");
    assert!(lab.off.contains(&("order-api".to_owned(), "retry-budget".to_owned())));
}

#[test]
fn an_effect_before_its_cause_is_a_failure() {
    let mut lab = solution();
    lab.until(Phase::Observe);
    for second in 0..20 {
        lab.now += TimeDelta::seconds(1);
        for due in lab.run.due(lab.now) {
            lab.event(What::Done { action: due.id });
        }
        if second == 5 {
            lab.notify("OrderAvailabilityBudgetBurn", true);
        }
        for look in lab.run.looks(lab.now) {
            // The cause is seen five seconds after its effect.
            let holds = match look.id.as_str() {
                "signal[0]" | "path[1]" => second >= 4,
                "path[0]" => second >= 9,
                _ => false,
            };
            lab.event(What::Looked { look: look.id, holds, seen: "1".to_owned() });
        }
    }
    let outcome = lab.finish();
    let seen = texts(&outcome.failures);
    assert!(seen.contains(&"observe: cause deviates before effect: 5.0 s after it".to_owned()), "{seen:?}");
}

#[test]
fn a_run_that_crashes_after_any_event_goes_on_where_it_was() {
    let mut lab = solution();
    lab.finish();
    let drill = Arc::new(example());
    let mut run = Run::new(Arc::clone(&drill), start(verify(Responder::Solution)));
    for (index, event) in lab.events.iter().enumerate() {
        run.apply(event);
        if index % 7 == 0 {
            let replayed =
                Run::replay(Arc::clone(&drill), start(verify(Responder::Solution)), &lab.events[..=index]);
            assert_eq!(replayed, run, "after event {index}");
        }
    }
    assert_eq!(run.outcome(), lab.run.outcome());
}

#[test]
fn what_was_done_and_not_recorded_is_due_again() {
    let mut lab = solution();
    lab.until(Phase::Observe);
    lab.now += TimeDelta::seconds(3);
    let first = lab.run.due(lab.now);
    assert!(first.iter().any(|due| matches!(due.action, Action::SetFault { .. })), "{first:?}");
    assert_eq!(lab.run.due(lab.now), first, "asking changes nothing");
    let later = lab.now + TimeDelta::seconds(1);
    assert!(first.iter().all(|due| lab.run.due(later).contains(due)));
}

#[test]
fn every_plan_of_a_fault_outlives_the_run_and_nothing_else() {
    let mut lab = solution();
    lab.until(Phase::Observe);
    lab.now += TimeDelta::seconds(3);
    let due = lab.run.due(lab.now);
    let ttl = due.iter().find_map(|due| match &due.action {
        Action::SetFault { ttl, .. } => Some(ttl.as_secs()),
        _ => None,
    });
    assert!(ttl.is_some_and(|ttl| (120..=3600).contains(&ttl)), "{ttl:?}");
}

#[test]
fn a_drill_without_faults_passes_if_nobody_does_anything() {
    let text = crate::repository::file("drills/rush-hour.yaml");
    let drill = drill::read("drills/rush-hour.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    for responder in [Responder::Solution, Responder::Nothing] {
        let mut lab = Lab::new(drill.clone(), verify(responder));
        let outcome = lab.finish();
        assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", texts(&outcome.failures));
        assert_eq!(lab.load, drill.load.rps);
    }
    let mut lab = Lab::new(drill, verify(Responder::Nothing));
    lab.until(Phase::Observe);
    lab.notify("OrderLatencyBudgetBurn", true);
    assert_eq!(lab.finish().verdict, Verdict::Failed, "a page is a failure there");
}

#[test]
fn a_drill_is_not_proven_if_somebody_else_acts_meanwhile() {
    let mut lab = Lab::new(example(), verify(Responder::Nothing));
    lab.until(Phase::Observe);
    lab.ticks(2);
    lab.act(Act::Rollback { change: "release-2".to_owned() });
    let outcome = lab.finish();
    let seen = "observe: nobody else changes the system: roll back release-2";
    assert_eq!((outcome.verdict, texts(&outcome.failures)), (Verdict::Invalid, vec![seen.to_owned()]));
    assert!(lab.active.is_empty() && lab.off.is_empty());
}
