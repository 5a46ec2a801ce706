//! What a drill does by itself: a trigger that is over, waves of callers that come until a response ends them, a part of
//! the lab that stays stopped, and a script that the lab's owner could run.

use std::time::Duration;

use drill::{Act, Action, Drill, Phase, Verdict, What, engine::Responder, model::FaultKind, world};

use crate::{
    example::EXAMPLE,
    lab::{Lab, person, verify},
};

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
    assert!(surges.iter().all(|surge| surge.name.as_deref() == Some("crowd")
        && surge.lasting
        && surge.lasts == Duration::from_secs(7)));
    let once = crate::example::example().load.surges;
    assert!(once.iter().all(|surge| !surge.lasting), "nothing ends it: {once:?}");
}

#[test]
fn what_ends_a_surge_ends_none_without_a_name() {
    let text = EXAMPLE
        .replace(
            "[{after: 3s, rps: 80, lasts: 4s}]",
            "[{name: surge, after: 3s, rps: 80, lasts: 4s}, {after: 20s, rps: 90, lasts: 4s}]",
        )
        .replace(
            "    - {act: {restart: order-worker}, why",
            "    - {act: {load: 40}, ends: [surge], why: callers go home}\n    - {act: {restart: order-worker}, why",
        );
    let drill = read(&text);
    let lasting: Vec<bool> = drill.load.surges.iter().map(|surge| surge.lasting).collect();
    assert_eq!(lasting, [true, false]);
    let mut lab = Lab::new(drill, person());
    lab.until(Phase::Observe);
    lab.ticks(4);
    assert_eq!(lab.load, 80);
    lab.act(Act::Load { rps: 40 });
    lab.ticks(2);
    assert_eq!(lab.load, 50, "the one that the action names is over");
    lab.ticks(16);
    assert_eq!(lab.load, 90, "the other one comes all the same");
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

/// The example, with a part that is stopped.
fn stopped() -> Drill {
    let text =
        EXAMPLE.replace("service: order-worker, fault: consumer-pause", "service: postgres, stopped: true");
    read(
        &text
            .replace(
                "    - {act: {restart: order-worker}, why",
                "    - {act: {start: postgres}, ends: [postgres], why",
            )
            .replace("  - {act: {restart: order-worker}}", "  - {act: {start: postgres}}"),
    )
}

fn gone(lab: &Lab) -> bool {
    lab.active.contains_key(&("postgres".to_owned(), "stopped".to_owned()))
}

#[test]
fn a_part_stays_stopped_until_it_is_started_and_a_restart_of_a_service_does_not_start_it() {
    let drill = stopped();
    let fault = &drill.faults[1];
    assert_eq!(
        (fault.kind, fault.name.as_str(), fault.service.as_str()),
        (FaultKind::Part, "postgres", "postgres")
    );
    let mut lab = Lab::new(drill, verify(Responder::Solution));
    lab.until(Phase::Wrong(0));
    assert!(gone(&lab));
    lab.until(Phase::Solve(1));
    assert!(gone(&lab), "order-api was restarted, and a change was rolled back");
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
    assert!(!gone(&lab));
    let nothing = Lab::new(stopped(), verify(Responder::Nothing)).finish();
    assert_eq!(nothing.verdict, Verdict::Failed);
}

#[test]
fn a_part_that_was_stopped_is_started_after_an_abort_and_after_a_crash_of_the_program() {
    let mut lab = Lab::new(stopped(), person());
    lab.until(Phase::Observe);
    lab.ticks(8);
    assert!(gone(&lab));
    // The program is killed: what is known is what was written down.
    let replayed = drill::Run::replay(std::sync::Arc::new(stopped()), lab.run.start().clone(), &lab.events);
    assert_eq!(replayed, lab.run);
    lab.run = replayed;
    lab.event(What::Aborted { why: "enough".to_owned() });
    let due: Vec<Action> = lab.run.due(lab.now).into_iter().map(|due| due.action).collect();
    assert!(due.contains(&Action::StartPart { part: "postgres".to_owned() }), "{due:?}");
    // It is tried until it works.
    lab.event(What::Failed { action: "reset-fault[1]".to_owned(), why: "not ready".to_owned() });
    assert!(lab.run.due(lab.now).iter().any(|due| due.id == "reset-fault[1]"));
    lab.finish();
    assert!(!gone(&lab));
}

#[test]
fn a_part_has_no_parameters_and_has_to_exist() {
    let text = EXAMPLE.replace(
        "service: order-worker, fault: consumer-pause",
        "service: postgres, stopped: true, with: {rate: 1}",
    );
    let problems = drill::read("drills/example.yaml", &text).unwrap_err().to_string();
    assert!(problems.contains("faults[1].with"), "{problems}");
    let world = crate::repository::world();
    let mut drill = stopped();
    assert_eq!(world::check(&drill, &world), Vec::<String>::new());
    drill.faults[1].service = "prometheus".to_owned();
    drill.mitigations.accepted[1].act = Act::Start { part: "redis".to_owned() };
    let found = world::check(&drill, &world).join("\n");
    assert!(found.contains("`prometheus`") && found.contains("start redis"), "{found}");
}

/// The example, with a script that its change brings.
fn script() -> Drill {
    let script = "service: postgres, sql: users-table, change: release-2, survives_restart: true";
    read(&EXAMPLE.replace("service: order-worker, fault: consumer-pause", script))
}

fn run(lab: &Lab) -> bool {
    lab.active.contains_key(&("postgres".to_owned(), "users-table".to_owned()))
}

#[test]
fn a_script_is_undone_when_its_change_is_rolled_back_and_no_restart_undoes_it() {
    let drill = script();
    let fault = &drill.faults[1];
    assert_eq!((fault.kind, fault.name.as_str()), (FaultKind::Script, "users-table"));
    let mut lab = Lab::new(drill, verify(Responder::Solution));
    lab.until(Phase::Solve(0));
    assert!(run(&lab), "order-api was restarted");
    lab.until(Phase::Solve(2));
    assert!(!run(&lab));
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
    let mut nothing = Lab::new(script(), verify(Responder::Nothing));
    assert_eq!(nothing.finish().verdict, Verdict::Failed);
    assert!(!run(&nothing), "the reset undoes it");
}

#[test]
fn a_script_has_no_parameters_and_has_to_exist() {
    let script = "service: postgres, sql: users-table, with: {rate: 1}";
    let text = EXAMPLE.replace("service: order-worker, fault: consumer-pause", script);
    let problems = drill::read("drills/example.yaml", &text).unwrap_err().to_string();
    assert!(problems.contains("faults[1].with"), "{problems}");
    let world = crate::repository::world();
    let mut drill = self::script();
    assert_eq!(world::check(&drill, &world), Vec::<String>::new());
    drill.faults[1].fault = "orders-table".to_owned();
    let found = world::check(&drill, &world).join("\n");
    assert!(found.contains("faults.sql") && found.contains("`orders-table`"), "{found}");
}

#[test]
fn an_action_that_ends_what_is_not_there_is_told_the_faults_and_the_surges() {
    let text = EXAMPLE.replace("[{after: 3s", "[{name: crowd, after: 3s").replace(
        "    - {act: {restart: order-worker}, why",
        "    - {act: {load: 40}, ends: [crwod], why: callers go home}\n    - {act: {restart: order-worker}, why",
    );
    let problems = drill::read("drills/example.yaml", &text).unwrap_err().to_string();
    let expected = "`crwod` is not in `faults` or the names in `load.surges`: \
                    expected one of http-error, consumer-pause, crowd";
    assert!(problems.contains(expected), "{problems}");
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
