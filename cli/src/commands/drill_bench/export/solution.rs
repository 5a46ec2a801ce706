//! The solution of a drill as data, for Harbor's oracle: what to wait for, what to do, what to say.

use drill::{
    Act, Drill,
    model::{Signal, Step},
    names::RuleState,
};
use serde_json::{Value, json};

/// What is waited for, done and said.
pub(super) fn steps(drill: &Drill) -> Value {
    let seen = drill.signals.iter().map(|signal| until(drill, signal));
    let steps: Vec<Value> = seen.chain(drill.solve.iter().map(step)).collect();
    let questions = &drill.questions;
    let mut diagnosis = json!({ "components": questions.components });
    if let Some(mechanism) = &questions.mechanism {
        diagnosis["mechanism"] = json!(mechanism.answer);
    }
    if let Some(change) = &questions.change {
        diagnosis["change"] = json!(change);
    }
    let evidence = drill.path.iter().map(|node| &node.query).take(questions.evidence as usize);
    diagnosis["evidence"] = json!(evidence.collect::<Vec<_>>());
    json!({ "steps": steps, "diagnosis": diagnosis })
}

/// A signal has to be seen first: what is repaired before it is broken is not repaired.
fn until(drill: &Drill, signal: &Signal) -> Value {
    let story = drill.faults.iter().map(|fault| fault.after.as_secs()).max().unwrap_or_default();
    json!({ "until": signal.query, "within": signal.within.as_secs() + story })
}

fn step(step: &Step) -> Value {
    match step {
        Step::Act(act) => json!({ "act": action(act) }),
        Step::Wait(time) => json!({ "wait": time.as_secs() }),
        Step::Until { check, within } => json!({ "until": check.query, "within": within.as_secs() }),
    }
}

/// An act of a drill as the control room takes it.
fn action(act: &Act) -> Value {
    match act {
        Act::Restart { service } => json!({ "action": "restart", "target": service }),
        Act::Rollback { change } => json!({ "action": "rollback", "change": change }),
        Act::Protect { service, protection, on } => {
            json!({ "action": "set_protection", "target": service, "name": protection, "enabled": on })
        }
        Act::EndSessions { database } => json!({
            "action": "end_sessions", "database": database, "state": "idle-in-transaction",
            "older_than": "1s",
        }),
        Act::FlushCache => json!({ "action": "purge_keys", "pattern": "*" }),
        Act::RemoveFiles { service } => json!({ "action": "remove_files", "target": service }),
        Act::Redrive { service } => json!({ "action": "redrive", "target": service }),
        Act::Scale { service, replicas } => {
            json!({ "action": "scale", "target": service, "replicas": replicas })
        }
        Act::Load { rps } => json!({ "action": "set_load", "rps": f64::from(*rps) }),
        Act::Silence { alert } => json!({ "action": "silence", "alert": alert, "ttl": "1h" }),
        Act::Rule { service, rule, to: RuleState::Restored } => {
            json!({ "action": "restore_rule", "target": service, "rule": rule })
        }
        Act::Rule { service, rule, to } => {
            json!({ "action": "set_rule", "target": service, "rule": rule, "mode": to.to_string() })
        }
        Act::Firewall { service, on } => {
            json!({ "action": "switch_firewall", "target": service, "enabled": on })
        }
        Act::Start { part } => json!({ "action": "start_part", "target": part }),
        // `export` refuses a drill that is solved with it: nobody may do it alone.
        Act::Restore => json!({ "action": "restore", "instance": "", "to": "latest" }),
        // The same for these: which lab it is, only the machine knows; and what a guard refuses solves nothing.
        Act::Failover => json!({ "action": "failover", "instance": "", "force": true }),
        Act::Refused { .. } => json!({ "action": "restore", "instance": "", "to": "latest" }),
        Act::Limit { service, rps } => {
            json!({ "action": "limit_clients", "target": service, "rps": rps.map(f64::from) })
        }
    }
}

#[cfg(test)]
mod tests {
    use drill::names::Guarded;
    use switchboard::Action;

    use super::*;

    #[test]
    fn every_act_is_an_action_that_a_responder_may_ask_for() {
        let name = || "order-api".to_owned();
        for act in [
            Act::Restart { service: name() },
            Act::Rollback { change: name() },
            Act::Protect { service: name(), protection: "timeout".to_owned(), on: true },
            Act::EndSessions { database: "orders".to_owned() },
            Act::FlushCache,
            Act::RemoveFiles { service: name() },
            Act::Redrive { service: name() },
            Act::Scale { service: name(), replicas: 2 },
            Act::Load { rps: 20 },
            Act::Silence { alert: "HighLatency".to_owned() },
            Act::Rule { service: name(), rule: "scanners".to_owned(), to: RuleState::Off },
            Act::Rule { service: name(), rule: "scanners".to_owned(), to: RuleState::Restored },
            Act::Firewall { service: name(), on: false },
            Act::Limit { service: name(), rps: Some(20) },
            Act::Start { part: "postgres".to_owned() },
            Act::Restore,
            Act::Failover,
            Act::Refused { what: Guarded::RestoreOfAnother },
        ] {
            let given = action(&act);
            let read: Action =
                serde_json::from_value(given.clone()).unwrap_or_else(|error| panic!("{error}: {given}"));
            assert!(!read.is_sealed() && given["action"] == read.name(), "{given}");
        }
    }

    #[test]
    fn a_solution_waits_until_something_is_broken() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../drills/bitter-letters.yaml");
        let drill =
            drill::read("drills/bitter-letters.yaml", &std::fs::read_to_string(path).unwrap()).unwrap();
        let solution = steps(&drill);
        let list = solution["steps"].as_array().unwrap();
        assert!(
            list[0]["until"].is_string() && list[0]["within"].as_u64().is_some_and(|within| within >= 40)
        );
        assert_eq!(list.last().unwrap()["act"], json!({ "action": "rollback", "change": "order-api-1-9" }));
        assert_eq!(solution["diagnosis"]["components"], json!(["order-api"]));
        assert_eq!(solution["diagnosis"]["evidence"].as_array().unwrap().len(), 2);
    }
}
