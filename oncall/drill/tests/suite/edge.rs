//! Drills about the edge and about one replica of several: a rule is pushed instead of a fault, and everything that was
//! set in a firewall is taken back.

use drill::{
    Act, Action, Drill, Phase, Verdict, What,
    engine::Responder,
    model::FaultKind,
    names::{Guarded, RuleState},
    world,
};

use crate::{
    example::EXAMPLE,
    lab::{Lab, person, verify},
};

/// The example, with a rule that somebody pushed.
fn pushed() -> Drill {
    let text = EXAMPLE
        .replace("service: order-api, fault: http-error, with: {rate: 0.3}", "service: edge, rule: inline-script")
        .replace("{act: {restart: order-api}, why: the same", "{act: {restart: edge}, why: the same")
        .replace(
            "    - {act: {restart: order-worker}, why",
            "    - {act: {firewall: {service: edge, enabled: false}}, why: nothing is searched any more}\n    \
             - {act: {restart: order-worker}, why",
        );
    read(&text)
}

fn read(text: &str) -> Drill {
    drill::read("drills/example.yaml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_rule_is_pushed_again_to_an_edge_that_restarts_and_is_gone_with_its_change() {
    let drill = pushed();
    let fault = &drill.faults[0];
    assert_eq!((fault.kind, fault.name.as_str()), (FaultKind::Rule, "inline-script"));
    assert_eq!(drill.mitigations.accepted[0].ends, ["inline-script"], "its change takes it back");
    let mut lab = Lab::new(drill, verify(Responder::Solution));
    lab.until(Phase::Wrong(0));
    assert!(lab.rules.contains("inline-script"));
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
    // Pushed, after the restart pushed again; and the other fault.
    assert_eq!((lab.set, lab.rules.len()), (3, 0));
}

#[test]
fn the_kill_switch_helps_and_the_reset_switches_the_firewall_on_again() {
    let mut lab = Lab::new(pushed(), person());
    lab.until(Phase::Observe);
    lab.ticks(10);
    lab.act(Act::Firewall { service: "edge".to_owned(), on: false });
    assert!(lab.killed && lab.rules.contains("inline-script"), "the rule is still there");
    lab.event(What::Aborted { why: "enough".to_owned() });
    let due: Vec<Action> = lab.run.due(lab.now).into_iter().map(|due| due.action).collect();
    let withdraw = Action::WithdrawRule { service: "edge".to_owned(), rule: "inline-script".to_owned() };
    assert!(due.contains(&withdraw) && due.contains(&Action::RestoreFirewall), "{due:?}");
    lab.finish();
    assert!(!lab.killed && lab.rules.is_empty());
}

#[test]
fn a_drained_replica_is_put_back_by_the_reset_as_often_as_it_takes() {
    for mode in [person(), verify(Responder::Solution)] {
        let mut lab = Lab::new(crate::example::example(), mode);
        lab.until(Phase::Observe);
        // A runbook that was killed, and a person who drains once more while the reset runs.
        lab.drained = 3;
        lab.event(What::Aborted { why: "enough".to_owned() });
        let outcome = lab.finish();
        assert_eq!((lab.drained, outcome.verdict), (0, Verdict::Aborted), "{:?}", outcome.failures);
    }
}

#[test]
fn a_run_that_leaves_a_replica_drained_is_not_clean() {
    let mut lab = Lab::new(crate::example::example(), verify(Responder::Solution));
    lab.until(Phase::Recover);
    lab.drained = u32::MAX;
    lab.until(Phase::Reset);
    lab.ticks(61);
    assert_eq!(lab.run.phase(lab.now), Phase::Reset, "it tries on");
    lab.drained = 1;
    let outcome = lab.finish();
    let conditions: Vec<&str> = outcome.failures.iter().map(|one| one.condition.as_str()).collect();
    assert!(conditions.contains(&"no replica is drained"), "{conditions:?}");
    assert_eq!(outcome.verdict, Verdict::Failed);
}

#[test]
fn no_run_begins_beside_a_drained_replica() {
    let mut lab = Lab::new(crate::example::example(), verify(Responder::Nothing));
    lab.drained = 1;
    let outcome = lab.finish();
    assert_eq!((outcome.verdict, lab.set, lab.drained), (Verdict::Invalid, 0, 0));
    assert_eq!(outcome.failures[0].condition, "no replica is drained");
}

#[test]
fn a_fault_in_one_replica_meets_a_restart_of_it_or_of_all_and_of_no_other() {
    let text = EXAMPLE.replace("seed: 7", "seed: 7\nreplicas: {order-worker: 3}");
    let text =
        text.replace("fault: consumer-pause,", "replica: 2, fault: consumer-pause, survives_restart: true,");
    for (restarted, again) in [("order-worker-2", true), ("order-worker", true), ("order-worker-3", false)] {
        let drill = read(&text);
        let target = drill.faults[1].target();
        assert_eq!((drill.replicas["order-worker"], target.as_str()), (3, "order-worker-2"));
        let mut lab = Lab::new(drill, person());
        lab.until(Phase::Observe);
        lab.ticks(8);
        assert!(lab.active.contains_key(&(target, "consumer-pause".to_owned())), "{:?}", lab.active);
        lab.act(Act::Restart { service: restarted.to_owned() });
        let set = lab.run.due(lab.now).iter().any(|due| due.id == "fault[1].1");
        assert_eq!(set, again, "{restarted}");
    }
}

#[test]
fn a_rule_that_every_edge_has_is_pushed_again_after_a_restart_of_one() {
    for (restarted, again) in [("edge-2", true), ("edge", true), ("edge-own", false), ("order-api-2", false)]
    {
        let mut lab = Lab::new(pushed(), person());
        lab.until(Phase::Observe);
        lab.ticks(8);
        lab.act(Act::Restart { service: restarted.to_owned() });
        let pushes = lab.run.due(lab.now).iter().any(|due| matches!(due.action, Action::PushRule { .. }));
        assert_eq!(pushes, again, "{restarted}");
    }
}

#[test]
fn a_protection_is_off_in_one_replica_and_again_after_a_restart_of_it() {
    let text = EXAMPLE.replace("seed: 7", "seed: 7\nreplicas: {order-worker: 2}").replace(
        "{service: order-api, protection: retry-budget}",
        "{service: order-worker, replica: 2, protection: retry-budget}",
    );
    for (restarted, again) in [("order-worker-2", true), ("order-worker", true), ("order-api", false)] {
        let mut lab = Lab::new(read(&text), person());
        lab.until(Phase::Observe);
        lab.ticks(2);
        let off: Vec<&str> = lab.off.iter().map(|(of, _)| of.as_str()).collect();
        assert_eq!(off, ["order-worker-2"], "the other one keeps it");
        lab.act(Act::Restart { service: restarted.to_owned() });
        let weakens = lab.run.due(lab.now).iter().any(|due| due.id == "weaken[0]");
        assert_eq!(weakens, again, "{restarted}");
    }
    let mut lab = Lab::new(read(&text), verify(Responder::Solution));
    let outcome = lab.finish();
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failures);
    assert!(lab.off.is_empty());
}

#[test]
fn a_rule_a_replica_and_an_edge_that_do_not_exist_are_found() {
    let world = crate::repository::world();
    let mut drill = pushed();
    assert_eq!(world::check(&drill, &world), Vec::<String>::new());
    drill.faults[0].fault = "inline-scrip".to_owned();
    drill.replicas.insert("order-ap".to_owned(), 3);
    drill.mitigations.wrong[0].act = Act::Restart { service: "order-worker-2".to_owned() };
    drill.mitigations.wrong[1].act = Act::Firewall { service: "egde".to_owned(), on: false };
    drill.briefing = "Somebody has pushed an inline script.".to_owned();
    let found = world::check(&drill, &world).join("\n");
    for name in ["`inline-scrip`", "`order-ap`", "`egde`", "names the fault inline-script"] {
        assert!(found.contains(name), "{name} in\n{found}");
    }
    assert!(!found.contains("order-worker-2"), "a replica of a service: {found}");
}

#[test]
fn what_is_done_at_the_edge_is_a_sentence() {
    let service = || "edge".to_owned();
    let rule = |to| Act::Rule { service: service(), rule: "scanners".to_owned(), to };
    for (act, text) in [
        (rule(RuleState::Off), "set the rule scanners of edge to off"),
        (rule(RuleState::Restored), "take back what was set for the rule scanners of edge"),
        (Act::Firewall { service: service(), on: false }, "switch the firewall of edge off"),
        (
            Act::Limit { service: service(), rps: Some(20) },
            "limit every client of edge to 20 requests per second",
        ),
        (Act::Limit { service: service(), rps: None }, "end the limit for clients of edge"),
        (Act::Restore, "restore the databases from the newest backup"),
        (Act::Failover, "fail over to the replica of the database"),
        (Act::Refused { what: Guarded::RestoreOfAnother }, "restore another instance from this terminal"),
        (Act::Refused { what: Guarded::StartOldPrimary }, "start the old primary again"),
    ] {
        assert_eq!(act.to_string(), text);
        assert_eq!(serde_json::from_str::<Act>(&serde_json::to_string(&act).unwrap()).unwrap(), act);
    }
}
