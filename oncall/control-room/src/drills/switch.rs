//! The switchboard, as a drill uses it: broken again if at first it does not answer, and well if what is ended is gone.

use std::time::Duration;

use switchboard::{Action as Switch, Outcome};

use crate::{actions::token, room::Room};

/// How often to try to break something, a second apart.
pub(super) const INSIST: u32 = 10;
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// No plan of a fault, and no protection that is off, may last longer.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// A protection that is off is on again by itself, should the run be lost.
pub(super) fn protect(service: &str, protection: &str, on: bool) -> Switch {
    let ttl = (!on).then(|| humantime::format_duration(LONGEST).to_string());
    Switch::SetProtection { target: service.to_owned(), name: protection.to_owned(), enabled: on, ttl }
}

/// Does it in every replica; it is done only if it is done in all.
pub(super) async fn switch(room: &Room, action: &Switch) -> Result<(), String> {
    switch_if(room, action, || true).await
}

/// The same, if it is still wanted when its turn has come: what others restart may take minutes.
pub(super) async fn switch_if(room: &Room, action: &Switch, wanted: impl Fn() -> bool) -> Result<(), String> {
    // Never two replicas at once: runbooks and people restart things too.
    let takes_away = matches!(
        action,
        Switch::Restart { .. } | Switch::Scale { .. } | Switch::Restore { .. } | Switch::Failover { .. }
    );
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
}
