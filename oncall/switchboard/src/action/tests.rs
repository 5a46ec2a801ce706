//! Every action: its words, its undo, what is sealed, and where it is not possible.

use std::collections::BTreeSet;

use serde_json::{from_value, json};

use super::*;
use crate::{Error, Instance, Place, Tools};

fn place() -> Place {
    let instances = ["order-api", "order-api-2"].map(|name| Instance {
        service: "order-api".to_owned(),
        name: name.to_owned(),
        // Nobody listens there without being root.
        admin: "http://127.0.0.1:1".to_owned(),
    });
    Place::Here(instances.to_vec())
}

fn action(value: serde_json::Value) -> Action {
    from_value(value).unwrap()
}

/// An action as JSON, what it did in words, and whom it is about.
type Case = (serde_json::Value, &'static str, Option<&'static str>);

fn all() -> Vec<Case> {
    [of_services(), of_others(), of_edge()].concat()
}

fn of_services() -> Vec<Case> {
    let orders = Some("order-api");
    vec![
        (
            json!({
                "action": "set_fault", "target": "order-api", "fault": "http-error",
                "parameters": { "rate": "0.2" },
            }),
            "switched the fault http-error on in order-api: rate 0.2",
            orders,
        ),
        (
            json!({ "action": "end_fault", "target": "order-api", "fault": "http-error" }),
            "ended the fault http-error in order-api",
            orders,
        ),
        (json!({ "action": "end_faults" }), "ended all faults", None),
        (
            json!({
                "action": "set_protection", "target": "order-api", "name": "timeout", "enabled": false,
                "ttl": "5m",
            }),
            "switched the protection timeout off in order-api for 5m",
            orders,
        ),
        (
            json!({ "action": "restart", "target": "order-api-2" }),
            "restarted order-api-2",
            Some("order-api-2"),
        ),
        (
            json!({ "action": "drain", "target": "order-api-2", "ttl": "10m" }),
            "drained order-api-2 for at most 10m",
            Some("order-api-2"),
        ),
        (
            json!({ "action": "undrain", "target": "order-api-2" }),
            "put order-api-2 back into the balancing",
            Some("order-api-2"),
        ),
        (json!({ "action": "undrain" }), "put every drained replica back into the balancing", None),
        (
            json!({ "action": "scale", "target": "order-api", "replicas": 3 }),
            "set order-api to 3 replicas",
            orders,
        ),
        (
            json!({ "action": "remove_files", "target": "order-api" }),
            "removed what order-api had left in its data folder",
            orders,
        ),
        (
            json!({ "action": "redrive", "target": "order-worker", "most": 7 }),
            "put dead letters of order-worker back on their topic, at most 7",
            Some("order-worker"),
        ),
    ]
}

fn of_others() -> Vec<Case> {
    vec![
        (
            json!({
                "action": "end_sessions", "database": "orders", "state": "idle-in-transaction",
                "older_than": "10s", "application": "psql", "most": 20,
            }),
            "ended sessions of the database orders from psql that were idle in transaction for more than \
             10s, at most 20",
            Some("postgres"),
        ),
        (
            json!({ "action": "restore", "instance": "a/.lab", "to": "latest" }),
            "restored the databases of a/.lab to latest",
            Some("postgres"),
        ),
        (
            json!({ "action": "failover", "instance": "a/.lab", "force": true }),
            "failed a/.lab over to the replica of PostgreSQL",
            Some("postgres"),
        ),
        (json!({ "action": "purge_keys", "pattern": "*" }), "emptied the cache", Some("redis")),
        (
            json!({ "action": "purge_keys", "pattern": "users:*", "ttl_over": "15m", "most": 5 }),
            "removed keys of Redis that match users:* and would stay for more than 15m, at most 5",
            Some("redis"),
        ),
        (json!({ "action": "set_load", "rps": 50 }), "set the load to 50 requests per second", Some("load")),
        (
            json!({ "action": "silence", "alert": "HighLatency", "service": "order-api", "ttl": "10m" }),
            "silenced HighLatency of order-api for 10m",
            Some("order-api"),
        ),
        (
            json!({ "action": "expire_silence", "alert": "HighLatency" }),
            "ended the silence of HighLatency",
            None,
        ),
        (
            json!({ "action": "stop_part", "target": "postgres", "ttl": "10m" }),
            "stopped postgres for 10m",
            Some("postgres"),
        ),
        (json!({ "action": "start_part", "target": "postgres" }), "started postgres", Some("postgres")),
        (json!({ "action": "rollback", "change": "order-api-1-8" }), "rolled order-api-1-8 back", None),
    ]
}

fn of_edge() -> Vec<Case> {
    let edge = Some("edge");
    vec![
        (
            json!({
                "action": "push_rule", "target": "edge", "rule": "inline-script", "file": "id: inline-script",
                "canary": "10s",
            }),
            "pushed the rule inline-script to edge, one edge first for 10s",
            edge,
        ),
        (
            json!({ "action": "set_rule", "target": "edge", "rule": "scanners", "mode": "off" }),
            "set the rule scanners of edge to off",
            edge,
        ),
        (
            json!({ "action": "restore_rule", "target": "edge-2", "rule": "scanners" }),
            "took back what was set for the rule scanners of edge-2",
            Some("edge-2"),
        ),
        (
            json!({ "action": "switch_firewall", "target": "edge", "enabled": false }),
            "switched the firewall of edge off",
            edge,
        ),
        (
            json!({ "action": "limit_clients", "target": "edge", "rps": 20.5 }),
            "limited every client of edge to 20.5 requests per second",
            edge,
        ),
    ]
}

#[test]
fn every_action_is_read_as_it_is_written_and_says_what_it_did() {
    let mut names = BTreeSet::new();
    for (value, text, target) in all() {
        let action = action(value.clone());
        assert_eq!((action.text().as_str(), action.target()), (text, target));
        assert_eq!(value["action"], action.name());
        assert_eq!(from_value::<Action>(serde_json::to_value(&action).unwrap()).unwrap(), action);
        let mut more = value;
        more["typo"] = json!(1);
        let refused = from_value::<Action>(more).unwrap_err().to_string();
        assert!(refused.contains("typo"), "{refused}");
        names.insert(action.name());
    }
    assert_eq!(names.len(), 25, "one of them is missing: {names:?}");
}

#[test]
fn only_what_breaks_something_is_sealed() {
    for (value, text, _) in all() {
        let breaks = text.contains("fault") || text.starts_with("pushed") || text.starts_with("stopped");
        assert_eq!(action(value).is_sealed(), breaks, "{text}");
    }
}

#[test]
fn only_a_restore_needs_two_people() {
    for (value, text, _) in all() {
        assert_eq!(action(value).needs_approval(), text.starts_with("restored the databases"), "{text}");
    }
}

#[test]
fn an_undo_takes_back_what_was_switched_and_nothing_else_has_one() {
    for (value, text, _) in all() {
        let expected = match value["action"].as_str().unwrap() {
            "set_fault" => "ended the fault http-error in order-api",
            "set_protection" => "switched the protection timeout on in order-api",
            "silence" => "ended the silence of HighLatency of order-api",
            "push_rule" => "took back what was set for the rule inline-script of edge",
            "switch_firewall" => "switched the firewall of edge on",
            "limit_clients" => "ended the limit for clients of edge",
            "stop_part" => "started postgres",
            "drain" => "put order-api-2 back into the balancing",
            _ => "",
        };
        let undo = action(value).undo();
        assert_eq!(undo.map(|undo| undo.text()).unwrap_or_default(), expected, "{text}");
    }
}

#[tokio::test]
async fn what_is_not_possible_here_says_what_to_do_instead() {
    let (place, tools) = (place(), Tools::default());
    for (value, text, _) in all() {
        let action = action(value);
        let switches = ["set_fault", "end_fault", "end_faults", "set_protection"];
        let of_edge = of_edge().iter().any(|(value, _, _)| value["action"] == action.name());
        // Every edge can be asked for all that it has drained, wherever it is.
        let all_drained = action == Action::Undrain { target: None };
        if of_edge || all_drained || switches.contains(&action.name()) {
            continue;
        }
        let refused = action.run(&place, &tools, None).await.unwrap_err();
        assert!(matches!(refused, Error::NotHere { .. }), "{text}: {refused:?}");
        let said = refused.to_string();
        assert!(said.contains("; ") && said.len() > 30, "{text}: {said}");
        assert_eq!(action.undo_from_now(&place, &tools).await, action.undo(), "{text}");
    }
    let rollback = action(json!({ "action": "rollback", "change": "a" }));
    let dry = rollback.describe(&place, &tools, None).await.unwrap();
    assert_eq!(dry, [Outcome::good("a", "would be taken back")]);
}

#[tokio::test]
async fn a_wrong_value_names_its_field_before_anything_is_called() {
    for (value, field) in [
        (
            json!({ "action": "end_sessions", "database": "x", "state": "idle", "older_than": "soon" }),
            "older_than: ",
        ),
        (json!({ "action": "purge_keys", "pattern": "" }), "pattern: "),
        (json!({ "action": "purge_keys", "pattern": "*", "ttl_over": "1" }), "ttl_over: "),
        (json!({ "action": "set_load", "rps": -1 }), "rps: "),
        (json!({ "action": "scale", "target": "order-api", "replicas": 0 }), "replicas: "),
        (json!({ "action": "limit_clients", "target": "order-api", "rps": 0 }), "rps: "),
        (
            json!({
                "action": "push_rule", "target": "order-api", "rule": "x", "file": "id: x", "canary": "soon",
            }),
            "canary: ",
        ),
        (json!({ "action": "stop_part", "target": "postgres", "ttl": "soon" }), "ttl: "),
        (json!({ "action": "stop_part", "target": "postgres", "ttl": "2h" }), "ttl: "),
        (json!({ "action": "drain", "target": "order-api-2", "ttl": "soon" }), "ttl: "),
        (json!({ "action": "drain", "target": "order-api-2", "ttl": "2h" }), "ttl: "),
        (json!({ "action": "silence", "alert": "", "ttl": "5m" }), "alert: "),
        (json!({ "action": "silence", "alert": "X", "ttl": "48h" }), "ttl: "),
    ] {
        let said = action(value).run(&place(), &Tools::default(), None).await.unwrap_err().to_string();
        assert!(said.starts_with(field), "{said}");
    }
}

#[tokio::test]
async fn a_replica_that_does_not_answer_is_named_and_the_others_are_not_held_up() {
    let (place, tools) = (place(), Tools::default());
    let outcomes = Action::EndFaults { target: None }.run(&place, &tools, None).await.unwrap();
    let names: Vec<_> = outcomes.iter().map(|outcome| (&*outcome.replica, outcome.ok)).collect();
    assert_eq!(names, [("order-api", false), ("order-api-2", false)]);
    assert!(outcomes[0].text.contains("http://127.0.0.1:1/faults"), "{}", outcomes[0].text);
    let nowhere = Action::EndFaults { target: Some("web".to_owned()) }.run(&place, &tools, None).await;
    assert!(nowhere.unwrap_err().to_string().contains("order-api, order-api-2"));
}

#[tokio::test]
async fn only_what_must_not_be_done_twice_leaves_a_mark() {
    for (value, text, _) in all() {
        let action = action(value);
        let mark = action.mark(&place(), &Tools::default(), None).await;
        if ["restart", "scale", "restore", "failover"].contains(&action.name()) {
            assert!(matches!(mark, Err(Error::NotHere { .. })), "{mark:?}");
        } else {
            assert_eq!(mark.unwrap(), None, "{text}");
        }
    }
}
