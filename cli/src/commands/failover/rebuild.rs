//! `lab failover rebuild`: the replica is copied from the primary again.

use std::process::ExitCode;

use anyhow::{Result, bail};
use recovery::failover::{Primary, Replica, Stuck};

use super::running;
use crate::{
    failover::{Failover, build, over},
    home::Home,
    parts::postgres::{Local, REPLICA},
    terminal::say,
};

/// Copies the primary, and waits until the replica follows it.
///
/// # Errors
/// When there is no replica, it takes writes or may soon, a failover is under way, or the copy does not come up.
pub(super) async fn rebuild(home: &Home) -> Result<ExitCode> {
    let state = running(home)?;
    if over::asked(home) {
        bail!("a failover is under way: wait until it has ended or failed");
    }
    let local = Local::of(home)?;
    let facts = Failover::new(&local, Some(home)).facts()?;
    if facts.replica == Replica::Promoted && facts.primary != Primary::Usable {
        return Err(Stuck::Promoted.into());
    }
    if facts.replica == Replica::Promoting {
        return Err(Stuck::Promoting.into());
    }
    if state.part(REPLICA).is_none() || !build::anew(home)? {
        return Err(Stuck::NoReplica.into());
    }
    over::until_built(home).await?;
    say("the replica was copied from the primary, and follows it");
    Ok(ExitCode::SUCCESS)
}
