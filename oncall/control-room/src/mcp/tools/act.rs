//! Actions: what a responder may do to the system, each with a dry run. Faults are for instructors and never
//! here.

use std::time::Duration;

use incident::Id;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard::Action;
use tokio::{sync::oneshot, time::timeout};
use utoipa::ToSchema;

use super::{Answer, asked::logged};
use crate::{
    error::{Error, Result},
    mcp::caller::Caller,
    room::Room,
};

/// How long a caller waits: less than a request may take. An action continues without its caller.
const PATIENCE: Duration = Duration::from_secs(15);

/// An action that responders may ask for.
struct Allowed {
    name: &'static str,
    /// What it does, and what it takes.
    what: &'static str,
    /// A whole action, as JSON.
    example: &'static str,
}

/// The list. Whatever is not in it is refused.
const ALLOWED: &[Allowed] = &[
    Allowed {
        name: "restart",
        what: "Stops a service or one instance in order and starts it again; several one after the other.",
        example: r#"{"action":"restart","target":"order-api"}"#,
    },
    Allowed {
        name: "drain",
        what: "The edge sends one replica no new requests for `ttl`, at most 1h; never two replicas of a service.",
        example: r#"{"action":"drain","target":"order-api-2","ttl":"10m"}"#,
    },
    Allowed {
        name: "undrain",
        what: "The edge sends a drained replica requests again; without `target` every one that is drained.",
        example: r#"{"action":"undrain","target":"order-api-2"}"#,
    },
    Allowed {
        name: "rollback",
        what: "Takes a change back: a release that is under way, such as REL-7, or one whose name is in brackets at the end of its text in list_changes.",
        example: r#"{"action":"rollback","change":"order-api-1-9"}"#,
    },
    Allowed {
        name: "set_protection",
        what: "Switches a protection on or off; `ttl` limits how long it stays off.",
        example: r#"{"action":"set_protection","target":"order-api","name":"timeout","enabled":true}"#,
    },
    Allowed {
        name: "scale",
        what: "Sets the number of replicas of a service.",
        example: r#"{"action":"scale","target":"order-worker","replicas":2}"#,
    },
    Allowed {
        name: "end_sessions",
        what: "Ends sessions of a database that have been idle, idle-in-transaction or active for long.",
        example: r#"{"action":"end_sessions","database":"orders","state":"idle","older_than":"10s"}"#,
    },
    Allowed {
        name: "purge_keys",
        what: "Removes keys of Redis by a pattern; `*` empties the cache.",
        example: r#"{"action":"purge_keys","pattern":"*"}"#,
    },
    Allowed {
        name: "remove_files",
        what: "Removes what a bug left in a service's data folder; never the service's own data.",
        example: r#"{"action":"remove_files","target":"order-worker"}"#,
    },
    Allowed {
        name: "redrive",
        what: "Puts the dead letters of a service back on their topic; `most` limits how many.",
        example: r#"{"action":"redrive","target":"order-worker","most":100}"#,
    },
    Allowed {
        name: "set_load",
        what: "Lets in at most this many requests per second.",
        example: r#"{"action":"set_load","rps":20.0}"#,
    },
    Allowed {
        name: "set_rule",
        what: "Switches a rule of the edge's firewall off, or to simulate or enforce; its searches end.",
        example: r#"{"action":"set_rule","target":"edge","rule":"scanners","mode":"off"}"#,
    },
    Allowed {
        name: "restore_rule",
        what: "Takes back what was set for a rule of the firewall; without `rule` all, and the kill switch.",
        example: r#"{"action":"restore_rule","target":"edge","rule":"scanners"}"#,
    },
    Allowed {
        name: "switch_firewall",
        what: "The kill switch of the firewall: off, every request passes unchecked.",
        example: r#"{"action":"switch_firewall","target":"edge","enabled":false}"#,
    },
    Allowed {
        name: "limit_clients",
        what: "Limits every client at the edge; without `rps` this limit ends.",
        example: r#"{"action":"limit_clients","target":"edge","rps":20.0}"#,
    },
    Allowed {
        name: "start_part",
        what: "Starts a part of the lab that does not run: alertmanager, order-worker, postgres or user-service.",
        example: r#"{"action":"start_part","target":"postgres"}"#,
    },
    Allowed {
        name: "failover",
        what: "Fences the primary of PostgreSQL and promotes its replica. `instance` is the name of this lab: a dry run with \
               another one says it. `force` accepts the loss of what the replica has not received.",
        example: r#"{"action":"failover","instance":"sre-lab/.lab","force":false}"#,
    },
    Allowed {
        name: "silence",
        what: "Silences an alert for a time. It still fires, and nobody is told.",
        example: r#"{"action":"silence","alert":"HighLatency","ttl":"10m"}"#,
    },
    Allowed {
        name: "expire_silence",
        what: "Ends the silences of an alert.",
        example: r#"{"action":"expire_silence","alert":"HighLatency"}"#,
    },
];

/// An action to do.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActAsked {
    /// What to do: an object with `action` and its fields, such as {"action": "restart", "target":
    /// "order-api"}; list_actions has all.
    #[schema(value_type = Object)]
    action: Action,
    /// The incident in whose timeline it is written, such as INC-7; absent: all open ones that it concerns.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    incident: Option<Id>,
    /// Only say what would happen, in each replica. Try this first.
    #[serde(default)]
    dry_run: bool,
}

/// The actions that `act` takes, and what they may be about.
///
/// # Errors
/// When the journal fails.
pub(crate) async fn list_actions(room: &Room, caller: &Caller) -> Result<Answer> {
    logged(room, caller, "list_actions", json!({}), async { listed(room) }).await
}

fn listed(room: &Room) -> Result<Answer> {
    let action = |one: &Allowed| -> serde_json::Result<Value> {
        let example: Value = serde_json::from_str(one.example)?;
        Ok(json!({ "action": one.name, "what": one.what, "example": example }))
    };
    let actions: serde_json::Result<Vec<Value>> = ALLOWED.iter().map(action).collect();
    let targets =
        room.eyes.instances.iter().map(|one| json!({ "service": one.service, "instance": one.name }));
    Ok(Answer::new(json!({
        "actions": actions?,
        "targets": targets.collect::<Vec<Value>>(),
        "databases": room.eyes.tools.databases.keys().collect::<Vec<&String>>(),
    })))
}

/// Does an action, or says what it would do in each replica.
///
/// # Errors
/// When responders may not ask for it, there is no such target, or nothing did it.
pub(crate) async fn act(room: &Room, caller: &Caller, asked: ActAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    logged(room, caller, "act", arguments, done(room, caller, asked)).await
}

async fn done(room: &Room, caller: &Caller, asked: ActAsked) -> Result<Answer> {
    let ActAsked { action, incident, dry_run } = asked;
    check(&action)?;
    let (tell, told) = oneshot::channel();
    let (doing, visitor, text) = (room.clone(), caller.visitor.clone(), action.text());
    room.chassis.spawn(async move {
        let done = doing.actions.run(&doing, &visitor, action, incident, dry_run).await;
        // Fails only if the caller did not wait.
        let _ = tell.send(done);
    });
    match timeout(PATIENCE, told).await {
        Ok(Ok(done)) => {
            let done = done?;
            Ok(Answer::new(json!({ "done": done, "dry_run": dry_run })))
        }
        Ok(Err(_)) => Err(Error::Elsewhere("the control room stops; ask again when it is back".to_owned())),
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            let note = format!(
                "it takes longer than {seconds} s and continues; list_changes has it once it is done"
            );
            Ok(Answer::new(json!({ "pending": text, "dry_run": dry_run })).noting(Some(note)))
        }
    }
}

/// Refuses what is not for responders.
fn check(action: &Action) -> Result<()> {
    if ALLOWED.iter().any(|one| one.name == action.name()) && !action.is_sealed() {
        return Ok(());
    }
    let names: Vec<&str> = ALLOWED.iter().map(|one| one.name).collect();
    let expected = format!("`{}` is not for responders; expected one of {}", action.name(), names.join(", "));
    Err(Error::field("action", expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_the_list_is_one_and_is_allowed() {
        for one in ALLOWED {
            let action: Action = serde_json::from_str(one.example).unwrap();
            assert_eq!(action.name(), one.name);
            check(&action).unwrap();
        }
    }

    #[test]
    fn faults_are_refused_even_to_look_at() {
        for sealed in [
            r#"{"action":"end_faults"}"#,
            r#"{"action":"end_fault","target":"order-api","fault":"x"}"#,
            r#"{"action":"set_fault","target":"order-api","fault":"x"}"#,
            r#"{"action":"push_rule","target":"edge","rule":"x","file":"id: x"}"#,
            r#"{"action":"stop_part","target":"postgres","ttl":"10m"}"#,
            // Nor what nobody does alone.
            r#"{"action":"restore","instance":"a/.lab","to":"latest"}"#,
        ] {
            let action: Action = serde_json::from_str(sealed).unwrap();
            let refused = check(&action).unwrap_err().to_string();
            assert!(refused.contains("not for responders; expected one of restart"), "{refused}");
        }
    }
}
