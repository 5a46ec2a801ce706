//! A failover that somebody left half-way, for drills: the primary is fenced, the replica is promoted, and neither has the
//! address that clients use. Nobody can order, and the old primary is started again and again, because its supervisor knows
//! nothing of a new one; only the fence keeps it from taking writes.

use anyhow::{Context as _, Result, bail};
use recovery::failover::{Facts, Primary, Replica, Stuck, admit};
use supervisor::{state::LabState, write_private};

use super::{Failover, over, watch};
use crate::{
    backup::request::{SERVER, asked_for, request},
    home::Home,
    parts::postgres::{Local, REPLICA},
};

/// Begins a failover and leaves it: the supervisor carries it out as far as the promotion, once the primary has stopped in
/// order. It is well if that was done. Nothing is lost: a primary that stops in order sends all of its log first.
///
/// # Errors
/// When there is no replica that follows closely, or something else is under way.
pub(crate) fn begin(home: &Home, state: &LabState) -> Result<()> {
    let local = Local::of(home)?;
    let facts = Failover::new(&local, Some(home)).facts()?;
    if over::asked(home) || is_half(facts) {
        return Ok(());
    }
    if asked_for(home, SERVER).is_some() {
        bail!("a restore is under way, and nothing was changed: wait until it has ended");
    }
    let part = state.part(SERVER).context("this lab has no part postgres")?;
    if state.part(REPLICA).is_none() {
        return Err(Stuck::NoReplica.into());
    }
    admit(facts, watch::last(home).map(|look| look.aged(chrono::Utc::now())), false)?;
    let process = part.process.filter(|process| process.alive());
    let process = process.context("the primary does not run: `lab failover` is for that")?;
    write_private(&request(home, SERVER), over::PART_WAY)?;
    // Asked for: not counted as a crash, and not made to wait.
    write_private(&home.dir.restart(SERVER), &serde_json::to_string(&process)?)?;
    process.signal(part.stop.signal());
    Ok(())
}

/// Ends what was left half-way. After the promotion there is one way only, and before it the fence goes away. It is well if
/// nothing was left.
///
/// # Errors
/// When a step fails; the next call continues.
pub(crate) async fn settle(home: &Home) -> Result<()> {
    let local = Local::of(home)?;
    let failover = Failover::new(&local, Some(home));
    let facts = failover.facts()?;
    if over::asked(home) || is_half(facts) {
        over::take_over(home, &home.lab()?).await?;
        return Ok(());
    }
    if facts.primary == Primary::Fenced { failover.abort() } else { Ok(()) }
}

/// Whether the replica has the data, and not yet the address.
fn is_half(facts: Facts) -> bool {
    facts.primary != Primary::Usable && matches!(facts.replica, Replica::Promoting | Replica::Promoted)
}
