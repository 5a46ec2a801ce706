//! What a drill does by itself: a trigger that is over, and waves of callers that come until a response ends them.

use std::time::Duration;

use drill::{Act, Drill, Phase, Verdict, What, engine::Responder};

use crate::lab::{EXAMPLE, Lab, person, verify};

/// The example, with waves that leave three seconds between them. To let fewer callers in ends them.
fn waves() -> Drill {
    let text = EXAMPLE
        .replace(
            "[{after: 3s, rps: 80, lasts: 4s}]",
            "[{name: crowd, after: 3s, rps: 80, lasts: 7s, every: 10s, times: 150}]",
        )
        .replace(
            "    - {act: {restart: order-worker}, why",
            "    - {act: {load: 40}, ends: [crowd], why: callers go home}\n    - {act: {restart: order-worker}, why",
        )
        .replace("  - {wait: 2s}\n", "  - {act: {load: 40}}\n");
    read(&text)
}

/// The example, with a fault that is over by itself.
fn trigger() -> Drill {
    read(&EXAMPLE.replace("fault: consumer-pause, after: 4s", "fault: consumer-pause, after: 4s, lasts: 5s"))
}

fn read(text: &str) -> Drill {
    drill::read("drills/example.yaml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn paused(lab: &Lab) -> bool {
    lab.active.contains_key(&("order-worker".to_owned(), "consumer-pause".to_owned()))
}

#[test]
fn a_surge_that_comes_again_is_as_many_surges_of_one_name() {
    let surges = waves().load.surges;
    assert_eq!(surges.len(), 150);
    let after: Vec<u64> = surges.iter().take(3).map(|surge| surge.after.as_secs()).collect();
    assert_eq!(after, [3, 13, 23]);
    assert!(
        surges
            .iter()
            .all(|surge| { surge.name == "crowd" && surge.lasting && surge.lasts == Duration::from_secs(7) })
    );
    let once = crate::lab::example().load.surges;
    assert!(once.iter().all(|surge| !surge.lasting), "nothing ends it: {once:?}");
}

#[test]
fn a_verification_does_not_wait_for_every_wave_and_leaves_the_load_as_it_was() {
    let mut lab = Lab::new(waves(), verify(Responder::Solution));
    lab.until(Phase::Observe);
    let begun = lab.now;
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
    assert_eq!(lab.load, 50);
    let took = (lab.now - begun).num_seconds();
    assert!(took < 150, "the last wave would come after 1493 s: {took} s");
}

#[test]
fn waves_come_until_a_response_ends_them_even_after_somebody_called_it_solved() {
    for ends in [false, true] {
        let mut lab = Lab::new(waves(), person());
        lab.until(Phase::Observe);
        lab.ticks(8);
        assert_eq!(lab.load, 80, "the first wave");
        lab.act(Act::Rollback { change: "release-2".to_owned() });
        lab.act(Act::Restart { service: "order-worker".to_owned() });
        if ends {
            lab.act(Act::Load { rps: 40 });
            lab.tick();
            assert_eq!(lab.load, 50, "callers send what they did before");
        }
        lab.event(What::Submitted);
        let outcome = lab.finish();
        let wanted = if ends { Verdict::Passed } else { Verdict::Failed };
        assert_eq!(outcome.verdict, wanted, "{:?}", outcome.failures);
        assert_eq!(lab.load, 50, "whatever came of it");
    }
}

#[test]
fn an_abort_in_the_middle_of_a_wave_puts_the_load_back() {
    let mut lab = Lab::new(waves(), person());
    lab.until(Phase::Observe);
    lab.ticks(5);
    assert_eq!(lab.load, 80);
    lab.event(What::Aborted { why: "enough".to_owned() });
    lab.finish();
    assert_eq!((lab.load, lab.active.len()), (50, 0));
}

#[test]
fn a_trigger_is_over_by_itself_and_does_not_come_back_with_a_restart() {
    let mut lab = Lab::new(trigger(), person());
    lab.until(Phase::Observe);
    lab.ticks(7);
    assert!(paused(&lab), "{:?}", lab.active);
    lab.ticks(6);
    assert!(!paused(&lab), "its five seconds are over: {:?}", lab.active);
    lab.act(Act::Restart { service: "order-worker".to_owned() });
    lab.ticks(5);
    assert!(!paused(&lab));
    // After a crash of the program.
    let replayed = drill::Run::replay(std::sync::Arc::new(trigger()), lab.run.start().clone(), &lab.events);
    assert_eq!(replayed, lab.run);
}

#[test]
fn a_verification_sees_the_end_of_a_trigger_and_passes() {
    let mut lab = Lab::new(trigger(), verify(Responder::Solution));
    lab.until(Phase::Wrong(0));
    assert!(!paused(&lab), "it is part of what is observed");
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
}

#[test]
fn a_wave_that_cannot_be_is_refused_with_its_field() {
    for (wrong, field) in [
        ("{after: 3s, rps: 80, lasts: 4s, every: 10s}", "load.surges[0].every"),
        ("{after: 3s, rps: 80, lasts: 4s, times: 3}", "load.surges[0].times"),
        ("{after: 3s, rps: 80, lasts: 4s, every: 10s, times: 1}", "load.surges[0].times"),
        ("{after: 3s, rps: 80, lasts: 12s, every: 10s, times: 2}", "load.surges[0]"),
        // What ends it would end the fault, too.
        ("{name: consumer-pause, after: 3s, rps: 80, lasts: 4s}", "faults[1].name"),
    ] {
        let text = EXAMPLE.replace("{after: 3s, rps: 80, lasts: 4s}", wrong);
        let problems = drill::read("drills/example.yaml", &text).unwrap_err().to_string();
        assert!(problems.contains(field), "{wrong}: {problems}");
    }
}
