//! The map: services in the order of a request's path, how each does now, and who calls whom.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Answer, asked::logged};
use crate::{error::Result, mcp::caller::Caller, room::Room, watch::ServiceSeen};

/// All of it: there is nothing to choose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MapAsked {}

/// Services with rate, errors, latency, lag and instances; calls; error budgets; protections that are off.
///
/// # Errors
/// When the journal fails.
pub(crate) async fn map(room: &Room, caller: &Caller, _asked: MapAsked) -> Result<Answer> {
    logged(room, caller, "service_map", json!({}), async { Ok(drawn(room)) }).await
}

fn drawn(room: &Room) -> Answer {
    let seen = room.watch.seen();
    let calls = room.eyes.calls.iter().map(|call| json!({ "caller": call.caller, "callee": call.callee }));
    Answer::new(json!({
        "at": seen.at,
        "prometheus": seen.prometheus,
        "services": seen.services.iter().map(service).collect::<Vec<Value>>(),
        "calls": calls.collect::<Vec<Value>>(),
        "budgets": seen.budgets,
        "protections_off": seen.protections_off,
        "watchdog_silent": seen.watchdog_silent,
    }))
}

/// Without its curves: query_metrics has them.
fn service(seen: &ServiceSeen) -> Value {
    json!({
        "name": seen.name, "requests_per_second": seen.rate, "failing_share": seen.errors,
        "p95_seconds": seen.p95, "lag": seen.lag, "instances": seen.instances,
    })
}
