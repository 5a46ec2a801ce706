//! Faults, for instructors, and everything else that changes the system, for everybody.

use axum::{
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_http::{Json, Problem};
use incident::Id;
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard::Action;
use utoipa::ToSchema;

use super::{
    incidents::Answer,
    openapi::{Changes, Reads},
    problems::FORBIDDEN,
};
use crate::{
    access::{Instructor, Visitor},
    room::Room,
};

/// Active faults. For instructors.
#[utoipa::path(get, path = "/api/v1/faults", operation_id = "faults", responses(Reads))]
pub(crate) async fn faults(Shared(room): Shared<Room>, _instructor: Instructor) -> Answer {
    let seen = room.watch.seen();
    let faults: Vec<Value> = seen
        .faults
        .iter()
        .map(|one| {
            json!({
                "instance": one.instance, "service": one.service, "fault": one.fault, "rate": one.rate,
                "expires_at": one.expires_at,
            })
        })
        .collect();
    Ok(Json(json!({ "faults": faults })))
}

/// A change of the system.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAction {
    /// What to do, such as {"action": "restart", "target": "order-api"}. For everybody: set_protection (target, name,
    /// enabled, ttl), restart (target), drain (target: one replica, ttl), undrain (target; without it all that are
    /// drained), scale (target, replicas), end_sessions (database, state idle, idle-in-transaction or active,
    /// older_than, application, most), purge_keys (pattern, ttl_over, most), remove_files (target),
    /// redrive (target, most), set_load (rps), silence (alert, service, ttl), expire_silence (alert, service),
    /// rollback (change), start_part (target alertmanager, order-worker, postgres or user-service), failover (instance:
    /// the name of this lab, force), and for the edge
    /// set_rule (target, rule, mode enforce, simulate or off), restore_rule (target, rule),
    /// switch_firewall (target, enabled), limit_clients (target, rps, burst). For instructors: stop_part (target, ttl),
    /// push_rule (target, rule, file, canary), set_fault (target, fault, parameters), end_fault (target, fault),
    /// end_faults (target).
    #[schema(value_type = Object)]
    action: Action,
    /// The incident in whose timeline it is written; absent: all open ones that it concerns.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    incident: Option<Id>,
    /// Only say what would happen. `dry` means the same.
    #[serde(default, alias = "dry")]
    dry_run: bool,
}

/// Does an action, or says what it would do, in each replica or store.
#[utoipa::path(post, path = "/api/v1/actions", operation_id = "act", request_body = NewAction, responses(Changes))]
pub(crate) async fn act(
    Shared(room): Shared<Room>,
    visitor: Visitor,
    Json(asked): Json<NewAction>,
) -> Result<Response, Problem> {
    let NewAction { action, incident, dry_run } = asked;
    if action.is_sealed() && !visitor.is_instructor() {
        return Err(Problem::new(
            &FORBIDDEN,
            "Only instructors may set or end faults, push rules, and stop parts.",
        ));
    }
    let done = room.actions.run(&room, &visitor, action, incident, dry_run).await?;
    Ok(Json(json!({ "done": done, "dry_run": dry_run })).into_response())
}
