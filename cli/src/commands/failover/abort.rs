//! `lab failover abort`: the fence of a failover that did not promote is taken back.

use std::process::ExitCode;

use anyhow::{Result, bail};
use supervisor::{
    lock::{self, Taken},
    sweep,
};

use crate::{
    backup::request,
    failover::{Failover, over},
    home::Home,
    parts::postgres::Local,
    terminal::say,
};

/// Takes the fence back, unless the replica was promoted.
///
/// # Errors
/// When nothing is fenced, a failover is under way, or the replica takes writes or may soon.
pub(super) async fn abort(home: &Home) -> Result<ExitCode> {
    if over::asked(home) && request::running(home).is_some() {
        bail!("a failover is under way: wait until it has ended or failed");
    }
    let local = Local::of(home)?;
    match lock::take_or_make(&home.dir)? {
        // In a running lab the supervisor starts the primary again by itself.
        Some(Taken::By(_)) => Failover::new(&local, Some(home)).abort()?,
        Some(Taken::Ours(_lock)) => {
            sweep(&home.dir).await?;
            Failover::new(&local, None).abort()?;
        }
        None => bail!("{} has gone", home.dir.display()),
    }
    say("the fence is removed: the old primary is the primary again");
    Ok(ExitCode::SUCCESS)
}
