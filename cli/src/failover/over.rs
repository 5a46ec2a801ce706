//! A failover of the lab that runs: the supervisor holds the part of the primary between two runs, and meanwhile the
//! hidden `lab backup swap postgres` carries out the steps.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use recovery::failover::{Primary, Replica, Step};
use supervisor::{state::LabState, write_private};
use tokio::time::sleep;

use super::{Failover, build};
use crate::{
    backup::request::{SERVER, asked_for, request},
    home::Home,
    parts::postgres::{Local, REPLICA},
};

/// In the request for the part of the primary: no restored data are waiting, the replica is.
const TO_REPLICA: &str = "to the replica";
/// The same, but no further than its promotion.
pub(super) const PART_WAY: &str = "to the replica, as far as its promotion";
/// How long a primary may take to stop in order. One that hangs is then killed.
const ORDERLY: Duration = Duration::from_secs(5);
/// Longest time for the steps, and for the promoted server to answer.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longest time for a replica to be built.
const BUILT: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(20);

/// Whether what the supervisor is to do with the part of the primary is a failover.
pub(crate) fn asked(home: &Home) -> bool {
    asked_for(home, SERVER).is_some_and(|text| is_failover(&text))
}

fn is_failover(request: &str) -> bool {
    [TO_REPLICA, PART_WAY].contains(&request)
}

/// Carries out the steps; the part of the primary is held by its supervisor.
///
/// # Errors
/// As [`Failover::finish`].
pub(crate) fn carry_out(home: &Home) -> Result<()> {
    let local = Local::of(home)?;
    let failover = Failover::new(&local, Some(home));
    if asked_for(home, SERVER).is_some_and(|text| text == PART_WAY) {
        failover.through(Step::Promote)?;
    }
    // Also what somebody has asked for meanwhile: the supervisor removes the request after this, whatever it says.
    if asked_for(home, SERVER).is_some_and(|text| text == TO_REPLICA) {
        failover.finish()?;
    }
    Ok(())
}

/// Stops the primary, has the steps carried out, and waits until the promoted server answers at the old address. Returns whether
/// the primary, if it ran, stopped in order, and was not killed.
///
/// # Errors
/// When a step fails, or the server does not answer; says how to continue.
pub(crate) async fn take_over(home: &Home, state: &LabState) -> Result<bool> {
    let part = state.part(SERVER).context("this lab has no part postgres")?;
    let local = Local::of(home)?;
    let before = identity(&local);
    if asked_for(home, SERVER).is_some_and(|text| !is_failover(&text)) {
        bail!("a restore is under way, and nothing was changed: wait until it has ended");
    }
    write_private(&request(home, SERVER), TO_REPLICA)?;
    let deadline = Instant::now() + PATIENCE;
    let late = || Instant::now() > deadline;
    let mut in_order = true;
    while asked(home) && !late() {
        in_order &= stop(home).await?;
        sleep(LOOK).await;
    }
    let facts = Failover::new(&local, Some(home)).facts()?;
    if facts.primary != Primary::Usable || facts.replica == Replica::Promoted || identity(&local) == before {
        bail!(
            "the failover stopped half-way, and no server takes writes; the last lines of lab logs --service postgres say \
             why. Run it again to continue{}",
            if matches!(facts.replica, Replica::Promoting | Replica::Promoted) {
                ""
            } else {
                ", or lab failover abort to go back"
            }
        );
    }
    while let Err(reason) = part.probe.ask().await {
        if late() {
            bail!("the promoted server does not answer: {reason}; see lab logs --service postgres");
        }
        sleep(LOOK).await;
    }
    Ok(in_order)
}

/// Stops the primary that runs now, which may be one that its supervisor has just started again; whether it was not killed.
async fn stop(home: &Home) -> Result<bool> {
    let state = home.lab()?;
    let Some(part) = state.part(SERVER) else { return Ok(true) };
    // The request is removed before the promoted server is started: if it is still there, this is not that one.
    if let Some(process) = part.process.filter(|process| process.alive())
        && asked(home)
    {
        // Asked for: not counted as a crash, and not made to wait.
        write_private(&home.dir.restart(SERVER), &serde_json::to_string(&process)?)?;
        let began = Instant::now();
        process.stop(part.stop.signal(), ORDERLY).await;
        return Ok(began.elapsed() < ORDERLY);
    }
    Ok(true)
}

/// Tells the folder of one server's data from that of another, whatever they are called.
fn identity(local: &Local) -> Option<u64> {
    fs::metadata(local.cluster()).ok().map(|folder| folder.ino())
}

/// Waits until the lab has a replica again, built from the new primary.
///
/// # Errors
/// When it does not come up in time.
pub(crate) async fn until_built(home: &Home) -> Result<()> {
    let deadline = Instant::now() + BUILT;
    loop {
        let state = home.lab()?;
        let part =
            state.part(REPLICA).context("this lab has no replica: start it with `lab up --replica`")?;
        let waiting = match part.probe.ask().await {
            Ok(()) if !build::asked(home) => return Ok(()),
            Ok(()) => "it is being built".to_owned(),
            Err(reason) => reason,
        };
        if Instant::now() > deadline {
            bail!("no replica came up: {waiting}; see lab logs --service {REPLICA}");
        }
        sleep(LOOK).await;
    }
}
