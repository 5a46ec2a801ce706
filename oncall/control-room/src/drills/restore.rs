//! Puts back what a run does not know by itself: protections that anybody switched off, what was set in the
//! firewall, drained replicas, the number of replicas, and silences.

use std::collections::{BTreeMap, BTreeSet};

use drill::{Act, model::Step};
use switchboard::Action as Switch;

use super::{
    ask::{self, EDGE},
    live::Live,
    rows, scripts,
    switch::{end, protect, switch},
};
use crate::room::Room;

/// Actions that are looked through for silences.
const RECENT: usize = 500;

/// Ends everything that a drill can begin, for a run that cannot be read. The load stays as it is: the next
/// drill sets its own.
pub(super) async fn everything(room: &Room, run: i64) -> Result<(), String> {
    let mut failed = Vec::new();
    failed.extend(end(room, &Switch::EndFaults { target: None }).await.err());
    failed.extend(protections(room).await.err());
    failed.extend(firewall(room).await.err());
    failed.extend(drained(room).await.err());
    for target in room.eyes.tools.lab.iter().flat_map(switchboard::Lab::stopped) {
        failed.extend(end(room, &Switch::StartPart { target }).await.err());
    }
    for script in room.eyes.tools.lab.iter().flat_map(switchboard::Lab::scripts) {
        failed.extend(scripts::undo(room, script.name).await.err());
    }
    // What can be read of it.
    let kept = rows::get(room.store.read(), run).await.ok().flatten();
    for (service, count) in kept.map(|kept| kept.start.replicas).unwrap_or_default() {
        failed.extend(replicas(room, &service, count).await.err());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// Switches on every protection that is off in any replica. What does not answer is an error, and keeps
/// nothing else from being put back.
pub(super) async fn protections(room: &Room) -> Result<(), String> {
    let (mut off, mut failed) = (BTreeSet::new(), Vec::new());
    for replica in ask::replicas(room).await.map_err(|error| error.to_string())? {
        match replica.protections().await {
            Ok(all) => {
                let missing = all.into_iter().filter(|one| !one.enabled);
                off.extend(missing.map(|one| (replica.service.clone(), one.name)));
            }
            Err(error) => failed.push(format!("{replica}: {error}")),
        }
    }
    for (service, name) in off {
        failed.extend(end(room, &protect(&service, &name, true)).await.err());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// Takes back what was set in the firewall of every edge, and the limit of its clients.
pub(super) async fn firewall(room: &Room) -> Result<(), String> {
    let target = || EDGE.to_owned();
    let rules = Switch::RestoreRule { target: target(), rule: None };
    let limit = Switch::LimitClients { target: target(), rps: None, burst: None };
    let mut failed = Vec::new();
    for action in [rules, limit] {
        failed.extend(end(room, &action).await.err());
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// Puts back whatever anybody has drained. A runbook that was about to do so finds nothing to do.
pub(super) async fn drained(room: &Room) -> Result<(), String> {
    end(room, &Switch::Undrain { target: None }).await
}

/// How many replicas each service has; nothing of those for which that cannot be changed here.
pub(super) async fn counted(room: &Room, services: &[String]) -> BTreeMap<String, u32> {
    let mut counted = BTreeMap::new();
    for service in services {
        // What would take any other number back.
        let other = Switch::Scale { target: service.clone(), replicas: 1 };
        let now = other.undo_from_now(&room.eyes.place, &room.eyes.tools).await;
        if let Some(Switch::Scale { replicas, .. }) = now
            && replicas > 0
        {
            counted.insert(service.clone(), replicas);
        }
    }
    counted
}

/// Lets a service have this number of replicas again.
pub(super) async fn replicas(room: &Room, service: &str, replicas: u32) -> Result<(), String> {
    let scale = Switch::Scale { target: service.to_owned(), replicas };
    let now = scale.undo_from_now(&room.eyes.place, &room.eyes.tools).await;
    // Nobody waits for the turn of those who restart things if nothing has to change.
    if now.as_ref() == Some(&scale) { Ok(()) } else { switch(room, &scale).await }
}

/// Ends the silences that people or the drill set during the run.
pub(super) async fn silences(room: &Room, live: &Live) -> Result<(), String> {
    let since = live.run.start().at;
    let recent = room.actions.recent(RECENT).await.map_err(|error| error.to_string())?;
    let recent = recent.into_iter().filter(|done| done.at >= since && !done.dry);
    let mut silences: Vec<(String, Option<String>)> = recent
        .filter_map(|done| match done.action {
            Switch::Silence { alert, service, .. } => Some((alert, service)),
            _ => None,
        })
        .collect();
    let steps = live.drill.solve.iter().filter_map(|step| match step {
        Step::Act(act) => Some(act),
        _ => None,
    });
    // What a verification does by itself is in no list of actions; wrong ones are done, too.
    let wrong = live.drill.mitigations.wrong.iter().filter(|wrong| wrong.proof.is_some());
    let acts = steps.chain(wrong.map(|wrong| &wrong.act)).filter_map(|act| match act {
        Act::Silence { alert } => Some((alert.clone(), None)),
        _ => None,
    });
    silences.extend(acts);
    silences.sort_unstable();
    silences.dedup();
    for (alert, service) in silences {
        // It is well if it has ended.
        switch(room, &Switch::ExpireSilence { alert, service }).await?;
    }
    Ok(())
}
