//! What answers are made of: an incident as JSON, with what its viewer may know and nothing else; lists; any view.

use axum::response::{IntoResponse as _, Response};
use chassis_http::{Json, Problem};
use incident::{Entry, EntryKind, Incident, Measures, Viewer};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    access::Visitor,
    error::{Error, Result},
    room::Room,
};

/// A view as JSON, or why not.
pub(crate) type Answer = std::result::Result<Response, Problem>;

/// The view as JSON, with 200.
pub(crate) fn shown(view: impl Serialize) -> Answer {
    Ok(Json(view).into_response())
}

/// The incident with its timeline, its measures and, for those who may know it, the truth. `hidden`: nobody else may know
/// even that of an incident that is over.
pub(crate) fn incident(incident: &Incident, viewer: Viewer, hidden: bool) -> Result<Value> {
    // What an incident serializes to is fit for a trainee; an instructor sees more.
    let mut value = serde_json::to_value(incident)?;
    value["timeline"] = serde_json::to_value(timeline(incident, viewer, hidden))?;
    value["truth"] = serde_json::to_value(incident.truth_for(viewer).filter(|_| !hidden))?;
    value["measures"] = serde_json::to_value(Measures::of(incident, viewer))?;
    Ok(value)
}

/// The same with what belongs to it: escalation, war room, deliveries.
pub(crate) async fn whole(room: &Room, found: &Incident, visitor: &Visitor) -> Result<Value> {
    let mut value = incident(found, visitor.role, room.drills.hides_truth(visitor))?;
    value["escalation"] = match room.duty.progress(room, found.id).await? {
        Some(progress) => json!({
            "policy": progress.policy,
            "state": progress.state,
            "next": progress.next,
            "next_who": progress.next_who,
            "sent": progress.sent.iter().map(|(step, at)| json!({ "step": step, "at": at })).collect::<Vec<_>>(),
        }),
        None => Value::Null,
    };
    value["war_room"] = match room.notify.war_room(found.id).await? {
        Some(war) => json!({ "kind": war.kind, "channel": war.channel, "url": war.url, "state": war.state }),
        None => Value::Null,
    };
    let deliveries = room.notify.deliveries(found.id).await?;
    let deliveries = deliveries.into_iter().map(|row| {
        json!({
            "id": row.id, "person": row.person, "channel": row.channel, "state": row.state, "attempts": row.attempts,
            "created_at": row.created_at, "done_at": row.done_at, "error": row.error,
        })
    });
    value["deliveries"] = deliveries.collect();
    Ok(value)
}

/// What is written of it, oldest first.
pub(crate) fn timeline(incident: &Incident, viewer: Viewer, hidden: bool) -> Vec<&Entry> {
    let mut entries = incident.timeline_for(viewer);
    entries.retain(|entry| !hidden || entry.kind != EntryKind::Truth);
    entries
}

/// The incident in a list.
pub(crate) fn summary(incident: &Incident) -> Value {
    let firing = incident.alerts.iter().filter(|member| member.ended_at.is_none()).count();
    json!({
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "major": incident.major,
        "previous": incident.previous,
        "opened_at": incident.opened_at,
        "changed_at": incident.changed_at,
        "updated_at": incident.updated_at,
        "acknowledged": incident.acknowledged,
        "roles": incident.roles,
        "services": incident.services,
        "alerts_firing": firing,
        "escalations": incident.escalations,
    })
}

/// Any list as JSON.
pub(crate) fn list(name: &str, items: &[impl Serialize]) -> Result<Value> {
    let items = serde_json::to_value(items).map_err(Error::Row)?;
    Ok(json!({ name: items }))
}
