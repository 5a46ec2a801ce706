//! A person's run: acknowledge, hints, answers, actions, abort, the time box, and the score.

use chrono::TimeDelta;
use drill::{
    Act, Ask, Phase, Scorecard, Verdict, What,
    engine::{Answers, Outcome, Responder},
    names::Criterion,
};

use crate::{
    example::example,
    lab::{Lab, person, verify},
};

fn rollback() -> Act {
    Act::Rollback { change: "release-2".to_owned() }
}

fn restart(service: &str) -> Act {
    Act::Restart { service: service.to_owned() }
}

fn right(lab: &Lab) -> Answers {
    Answers {
        components: vec!["order-api".to_owned()],
        mechanism: Some("bad-release".to_owned()),
        change: Some("release-2".to_owned()),
        onset: Some(lab.run.start().at + TimeDelta::seconds(10)),
        evidence: vec!["sum(rate(http_requests_total{service=\"order-api\"}[1m]))".to_owned()],
    }
}

/// A person who is paged and acknowledges.
fn paged() -> Lab {
    let mut lab = Lab::new(example(), person());
    lab.until(Phase::Observe);
    lab.ticks(10);
    lab.event(What::Acknowledged);
    lab
}

/// The right actions, and the end.
fn repair(lab: &mut Lab) -> Outcome {
    lab.act(rollback());
    lab.ticks(2);
    lab.act(restart("order-worker"));
    lab.event(What::Updated { text: "rolled back, watching".to_owned() });
    lab.ticks(10);
    lab.event(What::Submitted);
    lab.finish()
}

fn score(outcome: &Outcome) -> Scorecard {
    Scorecard::of(&example(), outcome).expect("a person's run has a score")
}

fn share(card: &Scorecard, criterion: Criterion) -> Option<f64> {
    card.lines.iter().find(|line| line.criterion == criterion).and_then(|line| line.share)
}

#[test]
fn a_quick_and_right_response_has_nearly_all_points() {
    let mut lab = paged();
    let answers = right(&lab);
    lab.event(What::Answered { answers });
    lab.event(What::Burned { share: 0.02 });
    let outcome = repair(&mut lab);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
    let card = score(&outcome);
    assert!(card.total >= 95, "{card:#?}");
    assert!(card.deductions.is_empty());
    assert!(lab.active.is_empty() && lab.off.is_empty());
}

#[test]
fn hints_wrong_and_harmful_actions_cost_points() {
    let mut lab = paged();
    assert_eq!(lab.run.hints(), Vec::<&str>::new());
    for _ in 0..3 {
        lab.event(What::Hint);
    }
    assert_eq!(lab.run.hints(), ["Look at errors.", "Look at changes."], "there are only two");
    lab.act(Act::FlushCache);
    lab.act(Act::Silence { alert: "OrderAvailabilityBudgetBurn".to_owned() });
    let answers = right(&lab);
    lab.event(What::Answered { answers });
    let card = score(&repair(&mut lab));
    let points: Vec<u32> = card.deductions.iter().map(|deduction| deduction.points).collect();
    assert_eq!(points, [5, 10, 5, 20]);
    assert!(card.deductions[3].why.contains("nobody is told"), "{card:#?}");
    assert!(card.total <= 60, "{card:#?}");
}

#[test]
fn naming_everything_or_proving_nothing_is_worth_less_and_missing_the_cause_nothing() {
    let located = |components: &[&str], evidence: &str| {
        let mut lab = paged();
        let mut answers = right(&lab);
        answers.components = components.iter().map(|name| (*name).to_owned()).collect();
        answers.evidence = vec![evidence.to_owned()];
        lab.event(What::Answered { answers });
        share(&score(&repair(&mut lab)), Criterion::Localise)
    };
    assert_eq!(located(&["order-api"], "rate(http_requests_total[1m])"), Some(1.0));
    assert_eq!(located(&["order-api", "user-service"], "rate(http_requests_total[1m])"), Some(0.5));
    assert_eq!(located(&["order-api"], "process_cpu_usage_percent"), Some(0.5), "right, and perhaps a guess");
    assert_eq!(located(&["user-service"], "rate(http_requests_total[1m])"), Some(0.0));
}

#[test]
fn without_an_answer_and_an_update_those_criteria_are_zero() {
    let mut lab = paged();
    lab.act(rollback());
    lab.act(restart("order-worker"));
    lab.ticks(5);
    lab.event(What::Submitted);
    let outcome = lab.finish();
    let card = score(&outcome);
    for criterion in [Criterion::Localise, Criterion::Explain, Criterion::Communicate] {
        assert_eq!(share(&card, criterion), Some(0.0), "{criterion}");
    }
    assert_eq!(share(&card, Criterion::Budget), None, "nobody measured it");
}

#[test]
fn to_declare_it_over_while_it_is_not_is_a_failure_that_names_what_is_missing() {
    let mut lab = paged();
    lab.event(What::Submitted);
    let outcome = lab.finish();
    assert_eq!((outcome.verdict, outcome.mitigated, outcome.recovered), (Verdict::Failed, None, None));
    assert!(outcome.failures.iter().any(|failure| failure.condition == "orders are answered"), "{outcome:?}");
    assert_eq!(share(&score(&outcome), Criterion::Mitigate), Some(0.0));
    assert!(lab.active.is_empty() && lab.off.is_empty());
}

#[test]
fn the_time_box_ends_a_run_that_did_not_help_and_lets_one_that_did_recover() {
    let mut lab = paged();
    let ends = lab.run.time_box_ends().expect("a time box");
    assert_eq!(lab.run.next(ends - TimeDelta::seconds(1)), Some(ends));
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::TimedOut);
    assert!(lab.active.is_empty() && lab.off.is_empty());

    let mut lab = paged();
    lab.act(rollback());
    lab.act(restart("order-worker"));
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
    assert_eq!(outcome.record.submitted, None);
}

#[test]
fn an_abort_in_any_second_leads_to_a_clean_system() {
    for second in 1..60 {
        let mut lab = Lab::new(example(), person());
        lab.ticks(second);
        let why = "enough".to_owned();
        lab.event(What::Aborted { why });
        let outcome = lab.finish();
        assert_eq!(outcome.verdict, Verdict::Aborted, "second {second}");
        assert!(
            lab.active.is_empty() && lab.off.is_empty(),
            "second {second}: {:?} {:?}",
            lab.active,
            lab.off
        );
        assert_eq!(lab.load, 50, "second {second}");
    }
}

#[test]
fn a_switch_that_the_run_was_not_told_of_is_on_again_after_the_reset() {
    let mut lab = paged();
    // Somebody used the admin port of the service.
    lab.off.insert(("user-service".to_owned(), "timeout".to_owned()));
    lab.event(What::Aborted { why: "enough".to_owned() });
    lab.finish();
    assert!(lab.off.is_empty(), "{:?}", lab.off);
}

#[test]
fn a_service_has_as_many_replicas_after_the_reset_as_before() {
    let mut lab = paged();
    lab.act(Act::Scale { service: "order-worker".to_owned(), replicas: 6 });
    assert_eq!(lab.replicas["order-worker"], 6);
    repair(&mut lab);
    assert_eq!(lab.replicas["order-worker"], 2);
}

#[test]
fn what_comes_while_the_reset_runs_is_ended_once_more() {
    let mut lab = paged();
    lab.event(What::Aborted { why: "enough".to_owned() });
    lab.tick();
    assert_eq!(lab.run.phase(lab.now), Phase::Reset);
    assert!(lab.active.is_empty() && lab.off.is_empty(), "the reset has done everything");
    // A request that was under way arrives, and so does that of a person.
    lab.active.insert(("order-api".to_owned(), "http-error".to_owned()), lab.now);
    lab.off.insert(("order-api".to_owned(), "retry-budget".to_owned()));
    let outcome = lab.finish();
    assert!(lab.active.is_empty() && lab.off.is_empty(), "{:?} {:?}", lab.active, lab.off);
    assert_eq!(outcome.verdict, Verdict::Aborted);
}

#[test]
fn what_was_seen_before_the_reset_did_its_part_does_not_repeat_it() {
    let mut lab = paged();
    lab.event(What::Aborted { why: "enough".to_owned() });
    let asked = lab.now;
    lab.tick();
    let late = What::Looked { look: "no-fault".to_owned(), holds: false, seen: "http-error".to_owned() };
    lab.run.apply(&drill::Event { at: asked, by: "lab".to_owned(), what: late });
    assert_eq!(lab.run.due(lab.now), Vec::new());
}

#[test]
fn the_condition_to_abort_stops_the_run() {
    let mut lab = paged();
    lab.event(What::Looked { look: "abort[0]".to_owned(), holds: true, seen: "1".to_owned() });
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Aborted);
    assert_eq!(outcome.failures[0].condition, "the database is lost");
}

#[test]
fn what_a_responder_says_before_and_after_counts_for_nothing() {
    let mut lab = Lab::new(example(), person());
    lab.event(What::Acknowledged);
    lab.event(What::Submitted);
    assert_eq!(lab.run.phase(lab.now), Phase::Baseline);
    let outcome = lab.finish();
    assert_eq!((outcome.verdict, outcome.record.acknowledged), (Verdict::TimedOut, None));
    lab.event(What::Hint);
    lab.event(What::Aborted { why: "too late".to_owned() });
    assert_eq!(lab.run.outcome(), Some(outcome));
}

#[test]
fn a_person_waits_for_every_alert_and_a_verification_for_none_that_only_looks_back() {
    let fades = |lab: &Lab| {
        let looks = lab.run.looks(lab.now);
        let fading = looks.iter().find_map(|look| match look.ask {
            Ask::NoAlert { fading, .. } => Some(fading),
            _ => None,
        });
        (lab.run.phase(lab.now), fading)
    };
    let mut lab = paged();
    lab.event(What::Submitted);
    assert_eq!(fades(&lab), (Phase::Recover, Some(false)));
    let mut lab = Lab::new(example(), verify(Responder::Nothing));
    lab.ticks(2);
    assert_eq!(fades(&lab), (Phase::Baseline, Some(false)), "there was no outage that it could look back at");
    lab.until(Phase::Recover);
    assert_eq!(fades(&lab), (Phase::Recover, Some(true)));
}
