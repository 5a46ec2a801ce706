//! What changed in the system: most incidents begin with a change.

use chrono::{TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer,
    asked::logged,
    bounds::{first, limit, since},
};
use crate::{error::Result, mcp::caller::Caller, room::Room};

/// Changes of an answer, usually and at most.
const CHANGES: (usize, usize) = (30, 100);
/// How far back, if the caller does not say.
const USUAL: TimeDelta = TimeDelta::hours(1);

/// Which changes.
#[derive(Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesAsked {
    /// Only of this service.
    service: Option<String>,
    /// From here on: an instant (RFC 3339) or how long ago, such as 30m; 1h, if absent; at most 6h.
    since: Option<String>,
    /// The newest ones, 1 to 100; 30, if absent.
    limit: Option<usize>,
}

/// Releases, flags, configuration, restarts, protections, what people did: newest first.
///
/// # Errors
/// When a value is wrong.
pub(crate) async fn changes(room: &Room, caller: &Caller, asked: ChangesAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    logged(room, caller, "list_changes", arguments, async { listed(room, &asked) }).await
}

fn listed(room: &Room, asked: &ChangesAsked) -> Result<Answer> {
    let most = limit(asked.limit, CHANGES.0, CHANGES.1)?;
    let from = since(asked.since.as_deref(), USUAL, Utc::now())?;
    let mut changes = room.changes.since(from);
    changes.retain(|change| asked.service.is_none() || change.service == asked.service);
    let rows: serde_json::Result<Vec<Value>> = changes.iter().map(serde_json::to_value).collect();
    let (changes, note) = first(rows?, most, "name a `service`, shorten the time, or set `limit`");
    Ok(Answer::new(json!({ "since": from, "changes": changes })).noting(note))
}
