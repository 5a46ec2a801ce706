//! What a run does first after a start of the control room. Nobody knows how long it was away, so what was decided before may not
//! hold any more.

use std::sync::{Arc, atomic::Ordering};

use runbook::{Next, What, Who};

use super::{Live, Runbooks, decide};
use crate::{error::Result, room::Room};

/// Stops a run of automation that is off now, and asks the guardrails again about an act that was allowed and has not begun. Does
/// nothing with a run that this process began, or has looked at.
///
/// # Errors
/// When the file fails: then it is tried again.
pub(super) async fn look(room: &Room, live: &Arc<Live>) -> Result<()> {
    if !live.stale.load(Ordering::SeqCst) {
        return Ok(());
    }
    let run = live.run();
    let off = room.runbooks.why_off().filter(|_| *run.by() == Who::Automation && run.end().is_none());
    if let Some(why) = off {
        let stop = What::Stopped { by: Who::Automation, why };
        room.runbooks.record(room, live, |_, _| Some(stop)).await?;
    } else if let Some(Next::Decide { place, change, approved, undo }) = run.undecided() {
        decide::record(room, live, place, &change, approved, undo).await?;
    }
    live.stale.store(false, Ordering::SeqCst);
    Ok(())
}

impl Runbooks {
    /// Why automation is off, if it is.
    fn why_off(&self) -> Option<String> {
        self.0.state.read().ledger.off().map(str::to_owned)
    }
}
