//! The machine, event by event: what it refuses, and what people may do.

use release::{
    Opinion, Plan, Run, Verdict,
    freeze::Budget,
    run::{Ahead, Change, How, Next, Refused, What},
};

use crate::{
    support::after,
    world::{World, even, plan, started, steady},
};

pub(crate) fn run() -> Run {
    Run::start(&started().at(after(0))).expect("a plan that can be done")
}

fn committed(run: &Run, at: i64) -> What {
    match run.next(after(at)) {
        Next::Commit { key, .. } => What::Committed { key, commit: Some(format!("c{at}")) },
        next => panic!("{next:?}"),
    }
}

pub(crate) fn opinion(verdict: Verdict) -> What {
    let opinion = Opinion { verdict, why: "because".to_owned(), signals: Vec::new(), requests: 9, needed: 9 };
    What::Judged { opinion }
}

fn apply(run: &mut Run, at: i64, what: What) {
    run.apply(&what.at(after(at))).expect("an event that fits");
}

/// At the first step, with a canary.
pub(crate) fn watching() -> Run {
    let mut run = run();
    let first = committed(&run, 0);
    apply(&mut run, 1, first);
    apply(&mut run, 2, What::Settled);
    run
}

#[test]
fn a_plan_that_cannot_be_done_is_refused_with_a_sentence() {
    let with = |change: fn(&mut Plan)| {
        let mut plan = plan();
        change(&mut plan);
        plan.check().expect_err("a mistake").to_string()
    };
    for (wrong, expected) in [
        (with(|plan| plan.new = "v1".to_owned()), "already runs v1"),
        (with(|plan| plan.by = " ".to_owned()), "`by` is empty"),
        (with(|plan| plan.steps.clear()), "no steps"),
        (with(|plan| plan.steps = vec![100]), "found 100"),
        (with(|plan| plan.steps = vec![5, 25]), "found 5, 25"),
        (with(|plan| plan.steps = vec![25, 5, 100]), "found 25, 5, 100"),
        (with(|plan| plan.steps = vec![5, 75, 100]), "found 5, 75, 100"),
    ] {
        assert!(wrong.contains(expected), "{expected}: {wrong}");
    }
    assert_eq!(plan().check(), Ok(()));
}

#[test]
fn a_version_that_does_not_start_is_taken_back_before_anybody_meets_it() {
    let mut world = World::new(Box::new(steady(0)));
    world.starts = false;
    let end = world.release().expect("nobody kills it");
    assert_eq!(end.how, How::RolledBack);
    assert!(end.why.contains("v2 was not in force within 60 s"), "{}", end.why);
    assert_eq!(Run::replay(&world.journal).unwrap().exposed().bad, 0);
    let message = &world.repository.last().expect("a revert").message;
    assert!(message.starts_with("Roll order-api back to v1\n\nv2 was not in force"), "{message}");
}

#[test]
fn silence_is_inconclusive_and_nobody_there_means_back() {
    let silent =
        |until, _: u32| release::Block { until, canary: even(0, 0), baseline: even(0, 0), everyone: 0 };
    let mut world = World::new(Box::new(silent));
    let end = world.release().expect("nobody kills it");
    assert_eq!(end.how, How::RolledBack);
    assert!(end.why.contains("inconclusive at 5 %") && end.why.contains("nobody decided"), "{}", end.why);
}

#[test]
fn a_person_may_let_an_inconclusive_step_go_on_by_name() {
    let mut run = watching();
    apply(&mut run, 400, opinion(Verdict::Inconclusive));
    assert!(matches!(run.next(after(401)), Next::Hold { .. }));
    let nameless = What::Continued { by: String::new(), why: "it is night".to_owned() };
    assert_eq!(run.apply(&nameless.at(after(401))), Err(Refused::Empty("by")));
    apply(&mut run, 402, What::Continued { by: "eve".to_owned(), why: "it is night".to_owned() });
    let Next::Commit { change: Change::Canary { weight, .. }, .. } = run.next(after(402)) else {
        panic!("{:?}", run.next(after(402)));
    };
    assert_eq!(weight, 25);
    assert_eq!(run.passed()[0].by, Some(("eve".to_owned(), "it is night".to_owned())));
}

#[test]
fn what_waits_for_a_person_is_watched_and_goes_back_if_it_gets_worse() {
    let mut run = watching();
    apply(&mut run, 400, opinion(Verdict::Inconclusive));
    assert!(run.apply(&opinion(Verdict::Pass).at(after(401))).is_err(), "a person decides");
    for second in 401..420 {
        let (canary, baseline) = (even(50, 100), even(0, 100));
        let block = release::Block { until: after(second), canary, baseline, everyone: 900 };
        apply(&mut run, second, What::Measured { block });
    }
    let Next::Note(what) = run.next(after(420)) else { panic!("{:?}", run.next(after(420))) };
    apply(&mut run, 420, *what);
    let Next::Commit { change: Change::Revert { .. }, message, .. } = run.next(after(420)) else {
        panic!("{:?}", run.next(after(420)));
    };
    assert!(message.contains("worse at 5 %, while it waited: errors"), "{message}");
    assert_eq!(run.passed()[0].opinion.verdict, Verdict::Fail);
}

#[test]
fn a_person_may_stop_it_at_any_time_and_it_ends_where_it_began() {
    let stop = || What::Aborted { by: "eve".to_owned(), why: "the sale begins".to_owned() };
    let mut early = run();
    apply(&mut early, 1, stop());
    let Next::Commit { change, message, .. } = early.next(after(1)) else { panic!("no commit") };
    // The first commit may have been made, or not: its key tells.
    assert_eq!(change, Change::Revert { commits: Vec::new(), unsure: Some("rel-1/step-1".to_owned()) });
    assert!(message.contains("eve stopped it: the sale begins"), "{message}");
    apply(&mut early, 2, What::Committed { key: "rel-1/revert".to_owned(), commit: None });
    apply(&mut early, 3, What::Settled);
    assert_eq!(early.end().map(|end| end.how), Some(How::Aborted));
    assert!(matches!(early.apply(&stop().at(after(4))), Err(Refused::Over(_))));

    let mut late = watching();
    apply(&mut late, 9, stop());
    let Next::Commit { change, .. } = late.next(after(9)) else { panic!("no commit") };
    assert_eq!(change, Change::Revert { commits: vec!["c0".to_owned()], unsure: None });
    assert!(late.apply(&stop().at(after(10))).is_err(), "once is enough");
}

#[test]
fn a_way_back_that_fails_is_said() {
    let mut run = watching();
    apply(&mut run, 9, opinion(Verdict::Fail));
    let mut other = run.clone();
    apply(&mut run, 10, What::Failed { why: "the disk is full".to_owned() });
    let end = run.end().expect("an end");
    assert_eq!(end.how, How::Stuck);
    assert!(end.why.contains("the disk is full") && end.why.contains("because"), "{}", end.why);
    let back = committed(&other, 10);
    apply(&mut other, 10, back);
    assert!(matches!(other.next(after(69)), Next::Settle { .. }));
    let Next::Note(expired) = other.next(after(70)) else { panic!("{:?}", other.next(after(70))) };
    apply(&mut other, 70, *expired);
    assert_eq!(other.end().map(|end| end.how), Some(How::Stuck));
}

fn budget(remaining: Option<f64>) -> [Budget; 1] {
    [Budget { slo: "order-availability".to_owned(), remaining }]
}

/// The first step has passed, and the second one is next.
fn passed() -> Run {
    let mut run = watching();
    apply(&mut run, 20, opinion(Verdict::Pass));
    run
}

#[test]
fn each_further_step_asks_the_budgets_and_a_person_may_let_one_step_through() {
    let (left, spent) = (budget(Some(0.2)), budget(Some(0.0)));
    assert_eq!(run().ahead(&spent, after(1)), Ahead::Open, "the first step was asked about at the start");
    let mut run = passed();
    assert_eq!(run.ahead(&left, after(21)), Ahead::Open);
    let Ahead::Frozen { why } = run.ahead(&spent, after(21)) else { panic!("not frozen") };
    apply(&mut run, 21, What::Frozen { why });
    let Next::Hold { why, until } = run.next(after(22)) else { panic!("{:?}", run.next(after(22))) };
    assert_eq!(why, "releases are frozen: order-availability has 0.0 % of its budget left");
    // Nobody decides: back, with the commit that may have been made before a crash.
    let mut alone = run.clone();
    alone.apply(&What::Expired.at(until)).expect("the time is over");
    let Next::Commit { change, .. } = alone.next(until) else { panic!("no way back") };
    let unsure = Some("rel-1/step-2".to_owned());
    assert_eq!(change, Change::Revert { commits: vec!["c0".to_owned()], unsure });
    assert_eq!(alone.ahead(&spent, until), Ahead::Open, "the way back is never frozen");

    apply(&mut run, 30, What::Continued { by: "eve".to_owned(), why: "it repairs the outage".to_owned() });
    assert_eq!(run.ahead(&spent, after(31)), Ahead::Open, "eve let this step through");
    let again = run.apply(&What::Frozen { why: "spent".to_owned() }.at(after(31)));
    assert!(matches!(again, Err(Refused::Unexpected { .. })), "{again:?}");
    let second = committed(&run, 31);
    apply(&mut run, 31, second);
    apply(&mut run, 32, What::Settled);
    apply(&mut run, 60, opinion(Verdict::Pass));
    assert!(matches!(run.ahead(&spent, after(61)), Ahead::Frozen { .. }), "and no other step");
}

#[test]
fn an_unknown_budget_is_asked_for_again_and_then_freezes_and_an_override_of_the_release_lasts() {
    let (run, unknown) = (passed(), budget(None));
    assert_eq!(run.ahead(&unknown, after(79)), Ahead::Unknown);
    assert!(matches!(run.ahead(&unknown, after(80)), Ahead::Frozen { .. }));
    assert!(matches!(run.ahead(&[], after(80)), Ahead::Frozen { .. }));
    let both = [budget(None), budget(Some(-0.1))].concat();
    assert!(matches!(run.ahead(&both, after(21)), Ahead::Frozen { .. }), "a spent one is known");

    let over = Some(("ada".to_owned(), "it repairs the outage".to_owned()));
    let start = What::Started { plan: Box::new(Plan { over, ..plan() }) };
    let mut run = Run::start(&start.at(after(0))).expect("a plan that can be done");
    let first = committed(&run, 0);
    for (at, what) in [(1, first), (2, What::Settled), (20, opinion(Verdict::Pass))] {
        apply(&mut run, at, what);
    }
    assert_eq!(run.ahead(&budget(Some(0.0)), after(21)), Ahead::Open);
}

/// A release without a judge that decides: nothing but a person ends its step before its longest time.
#[test]
fn by_hand_only_a_person_decides_however_bad_it_looks() {
    let mut plan = plan();
    plan.policy.by_hand = true;
    let patience = i64::try_from(plan.policy.patience.as_secs()).expect("minutes");
    let started = What::Started { plan: Box::new(plan) };
    let mut run = Run::start(&started.at(after(0))).expect("a plan that can be done");
    let first = committed(&run, 0);
    apply(&mut run, 1, first);
    apply(&mut run, 2, What::Settled);
    for second in 3..60 {
        let (canary, baseline) = (even(50, 100), even(0, 100));
        let block = release::Block { until: after(second), canary, baseline, everyone: 900 };
        apply(&mut run, second, What::Measured { block });
    }
    assert_eq!(run.opinion(after(60)).map(|opinion| opinion.verdict), Some(Verdict::Fail), "it says so");
    assert!(matches!(run.next(after(60)), Next::Look { .. }), "{:?}", run.next(after(60)));

    let mut stopped = run.clone();
    apply(&mut stopped, 61, What::Aborted { by: "ada".to_owned(), why: "users complain".to_owned() });
    assert!(matches!(stopped.next(after(61)), Next::Commit { change: Change::Revert { .. }, .. }));

    let over = patience + 2;
    let Next::Note(what) = run.next(after(over)) else { panic!("{:?}", run.next(after(over))) };
    apply(&mut run, over, *what);
    let Next::Hold { why, .. } = run.next(after(over)) else { panic!("{:?}", run.next(after(over))) };
    assert!(why.contains("a person decides at 5 %; the judge says: errors"), "{why}");
    assert!(run.apply(&opinion(Verdict::Fail).at(after(over))).is_err(), "a person decides");
    apply(&mut run, over, What::Continued { by: "eve".to_owned(), why: "it is only a test".to_owned() });
    assert!(matches!(run.next(after(over)), Next::Commit { change: Change::Canary { .. }, .. }));
}
