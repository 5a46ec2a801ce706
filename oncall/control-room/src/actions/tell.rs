//! Who hears of an action: the incidents that it concerns, and the list of changes.

use incident::{EntryKind, Id, What};
use switchboard::Action;

use super::Done;
use crate::{changes::Change, room::Room};

/// Tells them. The action is done and in the journal: a failure here is only logged.
pub(super) async fn tell(room: &Room, done: &Done, incident: Option<Id>) {
    let service = service(room, done);
    let text = text(done);
    for id in about(room, service.as_deref(), incident) {
        let what = What::Noted {
            kind: EntryKind::Action,
            happened_at: done.at,
            text: text.clone(),
            evidence: Vec::new(),
            sealed: false,
        };
        if let Err(error) = room.desk.act(id, done.by.clone(), what).await {
            tracing::warn!(incident = %id, %error, "an action is not in the timeline");
        }
    }
    let change = Change {
        at: done.at,
        kind: kind(&done.action).to_owned(),
        service,
        text,
        by: done.by.name().to_owned(),
        link: None,
    };
    if let Err(error) = room.changes.record(change).await {
        tracing::warn!(%error, "an action is not in the list of changes");
    }
}

/// The service that it is about, or the store. A target may be one replica of several: incidents name
/// services.
fn service(room: &Room, done: &Done) -> Option<String> {
    let replica = done.results.first().map(|outcome| &outcome.replica);
    let instance = room.eyes.instances.iter().find(|instance| Some(&instance.name) == replica);
    instance.map(|instance| instance.service.as_str()).or(done.action.target()).map(str::to_owned)
}

/// The incidents whose timeline has an action that was done a moment ago.
pub(crate) fn concerned(room: &Room, done: &Done, incident: Option<Id>) -> Vec<Id> {
    about(room, service(room, done).as_deref(), incident)
}

/// The incident that it was done for; without one, the open ones that affect the service. What is about no
/// service, such as a store or the load, may concern all of them.
fn about(room: &Room, service: Option<&str>, incident: Option<Id>) -> Vec<Id> {
    if let Some(id) = incident {
        return vec![id];
    }
    let known = |service: &&str| room.eyes.instances.iter().any(|instance| instance.service == *service);
    let service = service.filter(known);
    let open = room.desk.open_ones().into_iter();
    let affected = open.filter(|one| service.is_none_or(|service| one.services.contains(service)));
    affected.map(|one| one.id).collect()
}

fn kind(action: &Action) -> &'static str {
    match action {
        Action::SetProtection { .. } => "protection",
        Action::Restart { .. } => "restart",
        _ => "other",
    }
}

fn text(done: &Done) -> String {
    let failed: Vec<String> =
        done.failures().map(|outcome| format!("{}: {}", outcome.replica, outcome.text)).collect();
    if failed.is_empty() { done.text.clone() } else { format!("{}; not in {}", done.text, failed.join("; ")) }
}
