//! Does what a run wants done, through the one port for actions. Directly, and not as a person: what a drill
//! does is in the run's own events, sealed, and in no list that a trainee reads.

use std::{collections::BTreeMap, time::Duration};

use drill::{Act, Action, Due, names::RuleState};
use switchboard::{Action as Switch, RuleMode, SessionState};

use super::{
    forget::forget,
    live::Live,
    pauses, restore, rules, scripts, story,
    switch::{INSIST, LONGEST, SECOND, end, insist, protect, switch, switch_if},
};
use crate::{actions::token, room::Room};

/// Longest time that an action may take; to forget restarts Prometheus.
const PATIENCE: Duration = Duration::from_secs(90);
const FORGET: Duration = Duration::from_secs(240);
/// A session that holds a transaction and has done nothing for this long does nothing.
const IDLE: &str = "2s";
/// The moment to which a restore goes back: the end of the archive.
const LATEST: &str = "latest";
/// How long a silence lasts that nobody ends.
const SILENCE: &str = "1h";

/// Does an action.
///
/// # Errors
/// Why not, in a sentence. The truth may be in it.
pub(super) async fn perform(room: &Room, live: &Live, due: &Due) -> Result<(), String> {
    let patience = if due.action == Action::ForgetHistory { FORGET } else { PATIENCE };
    match tokio::time::timeout(patience, act(room, live, due)).await {
        Ok(done) => done,
        Err(_) => Err(format!("it took longer than {} s", patience.as_secs())),
    }
}

async fn act(room: &Room, live: &Live, due: &Due) -> Result<(), String> {
    match &due.action {
        Action::ForgetHistory => forget(room, live).await,
        Action::SetLoad { rps, .. } => switch(room, &Switch::SetLoad { rps: f64::from(*rps) }).await,
        Action::SwitchProtection { service, protection, on: true } => {
            end(room, &protect(service, protection, true)).await
        }
        Action::SwitchProtection { service, protection, on: false } => {
            insist(room, &protect(service, protection, false)).await
        }
        Action::RecordChange { name, change, service, text } => {
            let change = (name.as_str(), *change, service.as_str(), text.as_str());
            said(story::change(room, change, live.wall(due.at)).await)
        }
        Action::Say { text, .. } => said(story::say(room, text, live.wall(due.at)).await),
        Action::SetFault { service, fault, parameters, seed, ttl } => {
            let plan = plan(room, service, fault, parameters, (*seed, *ttl)).await?;
            insist(room, &plan).await
        }
        Action::EndFault { service, fault } => {
            let end = Switch::EndFault { target: service.clone(), fault: fault.clone() };
            self::end(room, &end).await
        }
        Action::PushRule { service, rule, way } => rules::push(room, service, rule, *way).await,
        Action::WithdrawRule { service, rule } => {
            let back = Switch::RestoreRule { target: service.clone(), rule: Some(rule.clone()) };
            end(room, &back).await
        }
        Action::StopPart { part, ttl } => {
            insist(room, &Switch::StopPart { target: part.clone(), ttl: outlasts(*ttl) }).await
        }
        Action::StartPart { part } => end(room, &Switch::StartPart { target: part.clone() }).await,
        Action::RunScript { script } => scripts::run(room, script).await,
        Action::UndoScript { script } => scripts::undo(room, script).await,
        Action::RestoreFirewall => restore::firewall(room).await,
        Action::Undrain => restore::drained(room).await,
        Action::Act { act: Act::Restore } => {
            switch(room, &Switch::Restore { instance: instance(room)?, to: LATEST.to_owned() }).await
        }
        Action::Act { act: Act::Failover } => {
            switch(room, &Switch::Failover { instance: instance(room)?, force: true }).await
        }
        Action::Act { act: Act::Refused { what } } => scripts::refused(room, *what).await,
        Action::Act { act } => match switch_of(act) {
            Some(action) => switch_if(room, &action, || wants(room, live.id, &due.id)).await,
            // What takes a change back is that the run knows of it. Everybody reads the list of changes, and this
            // would be the solution: it is in the run's own events.
            None => Ok(()),
        },
        Action::EndSilences => restore::silences(room, live).await,
        Action::RestoreProtections => restore::protections(room).await,
        Action::RestoreReplicas { service, replicas } => restore::replicas(room, service, *replicas).await,
    }
}

/// The name of the lab, for what asks for it.
fn instance(room: &Room) -> Result<String, String> {
    let lab =
        room.eyes.tools.lab.as_ref().ok_or("only the data of a lab on this machine are changed here")?;
    Ok(lab.instance())
}

/// The action that does what a responder would; none for a rollback, which is the drill's own, for what needs the name of the
/// lab, and for what a guard refuses.
pub(super) fn switch_of(act: &Act) -> Option<Switch> {
    Some(match act.clone() {
        Act::Rollback { .. } | Act::Restore | Act::Failover | Act::Refused { .. } => return None,
        Act::Restart { service } => Switch::Restart { target: service },
        Act::Protect { service, protection, on } => protect(&service, &protection, on),
        Act::EndSessions { database } => Switch::EndSessions {
            database,
            state: SessionState::IdleInTransaction,
            older_than: IDLE.to_owned(),
            application: None,
            most: None,
        },
        Act::FlushCache => Switch::PurgeKeys { pattern: "*".to_owned(), ttl_over: None, most: None },
        Act::RemoveFiles { service } => Switch::RemoveFiles { target: service },
        Act::Redrive { service } => Switch::Redrive { target: service, most: None },
        Act::Scale { service, replicas } => Switch::Scale { target: service, replicas },
        Act::Load { rps } => Switch::SetLoad { rps: f64::from(rps) },
        Act::Silence { alert } => Switch::Silence { alert, service: None, ttl: SILENCE.to_owned() },
        Act::Rule { service, rule, to } => set(service, rule, to),
        Act::Firewall { service, on } => Switch::SwitchFirewall { target: service, enabled: on },
        Act::Start { part } => Switch::StartPart { target: part },
        Act::Limit { service, rps } => {
            Switch::LimitClients { target: service, rps: rps.map(f64::from), burst: None }
        }
    })
}

fn set(target: String, rule: String, to: RuleState) -> Switch {
    let mode = match to {
        RuleState::Restored => return Switch::RestoreRule { target, rule: Some(rule) },
        RuleState::Off => RuleMode::Off,
        RuleState::Simulate => RuleMode::Simulate,
        RuleState::Enforce => RuleMode::Enforce,
    };
    Switch::SetRule { target, rule, mode }
}

/// When something ends by itself, should the run be lost: after the run and its pauses.
fn outlasts(ttl: Duration) -> String {
    let pause = pauses::LONGEST.to_std().unwrap_or_default();
    format!("{}s", (ttl + pause).min(LONGEST).as_secs())
}

/// The fault with everything that the run decides. It outlasts the run and its pauses, and nothing else.
async fn plan(
    room: &Room,
    service: &str,
    fault: &str,
    parameters: &BTreeMap<String, String>,
    (seed, ttl): (u64, Duration),
) -> Result<Switch, String> {
    let mut parameters = parameters.clone();
    parameters.insert("ttl".to_owned(), outlasts(ttl));
    if takes_seed(room, service, fault).await? {
        parameters.insert("seed".to_owned(), seed.to_string());
    }
    Ok(Switch::SetFault { target: service.to_owned(), fault: fault.to_owned(), parameters })
}

/// Whether a fault takes a seed: those that hit units of work do.
async fn takes_seed(room: &Room, service: &str, fault: &str) -> Result<bool, String> {
    let text = |error: switchboard::Error| error.to_string();
    let replicas = room.eyes.place.replicas(Some(service), token(room)).await.map_err(text)?;
    let first = replicas.first().ok_or_else(|| format!("{service} has no replica"))?;
    let mut tries = 1;
    let points = loop {
        match first.faults().await {
            Ok(points) => break points,
            Err(_) if tries < INSIST => tries += 1,
            Err(error) => return Err(error.to_string()),
        }
        tokio::time::sleep(SECOND).await;
    };
    let point = points.iter().find(|point| point.name == fault);
    let point = point.ok_or_else(|| format!("{service} has no fault {fault}"))?;
    Ok(point.parameters.iter().any(|parameter| parameter.name == "seed"))
}

/// Whether a run still wants an action done: it may have been aborted, or the cause has ended.
pub(super) fn wants(room: &Room, run: i64, action: &str) -> bool {
    let live = room.drills.live().filter(|live| live.id == run && !live.is_paused());
    live.is_some_and(|live| live.run.due(live.now()).iter().any(|due| due.id == action))
}

fn said(result: crate::error::Result<()>) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_a_responder_can_do_is_an_action_or_the_drills_own() {
        let restart = Act::Restart { service: "order-api".to_owned() };
        assert_eq!(switch_of(&restart), Some(Switch::Restart { target: "order-api".to_owned() }));
        assert_eq!(switch_of(&Act::Rollback { change: "x".to_owned() }), None);
        let flush = Switch::PurgeKeys { pattern: "*".to_owned(), ttl_over: None, most: None };
        assert_eq!(switch_of(&Act::FlushCache), Some(flush));
        assert_eq!(switch_of(&Act::Load { rps: 20 }), Some(Switch::SetLoad { rps: 20.0 }));
        let (edge, rule) = (|| "edge".to_owned(), || "inline-script".to_owned());
        let act = |to| Act::Rule { service: edge(), rule: rule(), to };
        let off = Switch::SetRule { target: edge(), rule: rule(), mode: RuleMode::Off };
        assert_eq!(switch_of(&act(RuleState::Off)), Some(off));
        let back = Switch::RestoreRule { target: edge(), rule: Some(rule()) };
        assert_eq!(switch_of(&act(RuleState::Restored)), Some(back));
        let kill = Switch::SwitchFirewall { target: edge(), enabled: false };
        assert_eq!(switch_of(&Act::Firewall { service: edge(), on: false }), Some(kill));
    }
}
