//! Does what a run wants done, through the one port for actions. Directly, and not as a person: what a drill
//! does is in the run's own events, sealed, and in no list that a trainee reads.

use std::{collections::BTreeMap, time::Duration};

use drill::{Act, Action, Due, names::RuleState};
use switchboard::{Action as Switch, Outcome, RuleMode, SessionState};

use super::{forget::forget, live::Live, pauses, restore, rules, scripts, story};
use crate::{actions::token, room::Room};

/// Longest time that an action may take; to forget restarts Prometheus.
const PATIENCE: Duration = Duration::from_secs(90);
const FORGET: Duration = Duration::from_secs(240);
/// How often to try to break something, a second apart.
const INSIST: u32 = 10;
const SECOND: Duration = Duration::from_secs(1);
/// No plan of a fault, and no protection that is off, may last longer.
const LONGEST: Duration = Duration::from_secs(3600);
/// A session that holds a transaction and has done nothing for this long does nothing.
const IDLE: &str = "2s";
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

/// The action that does what a responder would; none for a rollback, which is the drill's own.
pub(super) fn switch_of(act: &Act) -> Option<Switch> {
    Some(match act.clone() {
        Act::Rollback { .. } => return None,
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

/// A protection that is off is on again by itself, should the run be lost.
pub(super) fn protect(service: &str, protection: &str, on: bool) -> Switch {
    let ttl = (!on).then(|| humantime::format_duration(LONGEST).to_string());
    Switch::SetProtection { target: service.to_owned(), name: protection.to_owned(), enabled: on, ttl }
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

/// Does it in every replica; it is done only if it is done in all.
pub(super) async fn switch(room: &Room, action: &Switch) -> Result<(), String> {
    switch_if(room, action, || true).await
}

/// The same, if it is still wanted when its turn has come: what others restart may take minutes.
async fn switch_if(room: &Room, action: &Switch, wanted: impl Fn() -> bool) -> Result<(), String> {
    // Never two replicas at once: runbooks and people restart things too.
    let takes_away = matches!(action, Switch::Restart { .. } | Switch::Scale { .. });
    let _turn = if takes_away { Some(room.actions.turn().await) } else { None };
    if !wanted() {
        return Err("not wanted any more".to_owned());
    }
    match action.run(&room.eyes.place, &room.eyes.tools, token(room)).await {
        Ok(outcomes) => judge(&outcomes),
        Err(error) => Err(error.to_string()),
    }
}

/// The same for what breaks something. A process that was restarted a moment ago does not answer yet.
pub(super) async fn insist(room: &Room, action: &Switch) -> Result<(), String> {
    let mut tries = 1;
    loop {
        match switch(room, action).await {
            Err(_) if tries < INSIST => tries += 1,
            result => return result,
        }
        tokio::time::sleep(SECOND).await;
    }
}

/// Ends something. A service that is not known any more has nothing to end.
pub(super) async fn end(room: &Room, action: &Switch) -> Result<(), String> {
    match action.run(&room.eyes.place, &room.eyes.tools, token(room)).await {
        Err(switchboard::Error::NoService(..)) => Ok(()),
        Ok(outcomes) => judge(&outcomes),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn judge(outcomes: &[Outcome]) -> Result<(), String> {
    if outcomes.is_empty() {
        return Err("nothing is known here that it could be done in: see INSTANCES".to_owned());
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.ok);
    let failed: Vec<String> =
        failed.map(|outcome| format!("{}: {}", outcome.replica, outcome.text)).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

fn said(result: crate::error::Result<()>) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::atomic::{AtomicBool, Ordering},
    };

    use clap::Parser as _;
    use futures::poll;

    use super::*;
    use crate::{SERVICE, assemble, config::RoomConfig};

    #[tokio::test]
    async fn a_restart_that_nobody_wants_any_more_is_not_done_when_its_turn_comes() {
        let config = RoomConfig::parse_from(["control-room", "--instances=order-api=http://127.0.0.1:1"]);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let room = assemble(&config, chassis).await.unwrap();
        let turn = room.actions.turn().await;
        let (wanted, action) = (AtomicBool::new(true), Switch::Restart { target: "order-api".to_owned() });
        let mut restart = pin!(switch_if(&room, &action, || wanted.load(Ordering::SeqCst)));
        assert!(poll!(&mut restart).is_pending(), "somebody else restarts something");
        wanted.store(false, Ordering::SeqCst);
        drop(turn);
        assert_eq!(restart.await, Err("not wanted any more".to_owned()));
    }

    fn outcome(ok: bool) -> Outcome {
        Outcome { replica: "order-api".to_owned(), ok, text: "connection refused".to_owned() }
    }

    #[test]
    fn an_action_is_done_only_if_every_replica_has_done_it() {
        assert_eq!(judge(&[outcome(true)]), Ok(()));
        let refused = judge(&[outcome(true), outcome(false)]).unwrap_err();
        assert_eq!(refused, "order-api: connection refused");
        assert!(judge(&[]).is_err());
    }

    #[test]
    fn a_protection_that_a_drill_switches_off_is_on_again_within_an_hour() {
        let Switch::SetProtection { enabled, ttl, .. } = protect("order-api", "timeout", false) else {
            panic!("another action")
        };
        assert_eq!((enabled, ttl.as_deref()), (false, Some("1h")));
    }

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
