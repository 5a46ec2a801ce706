//! One proof: asked for, followed, and stopped when a person at the terminal wants it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::ValueEnum;
use drill::Drill;
use observe::Error;
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    laps::laps,
    proof::{self, Proof},
};
use crate::{
    commands::drill::{
        client::{BACK, Desk, LOOK, Order},
        live::{Live, until_clean},
        view::Run,
    },
    signals::{self, Hangup},
    terminal::say,
};

/// What the control room says of a drill that needs what is not here.
pub(crate) const NEVER: &str = "cannot run here";

/// The phase in which everything is put back.
const RESET: &str = "reset";
/// A reset that takes longer is given up. It takes seconds, and the run has failed if it takes more than a minute. By itself, the
/// control room gives up only when the longest fault has ended by itself: after 65 minutes.
const HANGS: Duration = Duration::from_secs(180);

/// Who responds in a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Responder {
    /// The drill's own solution, after its wrong actions.
    Solution,
    /// Nobody.
    Nothing,
    /// A restart of every service.
    RestartAll,
}

impl Responder {
    /// The word of the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Solution => "solution",
            Self::Nothing => "nothing",
            Self::RestartAll => "restart-all",
        }
    }
}

/// What the person at the terminal asked for.
#[derive(Clone, Default)]
pub(crate) struct Wishes {
    /// First Ctrl-C: abort what is on, and begin nothing more.
    pub(crate) enough: CancellationToken,
    /// Second Ctrl-C: leave the reset to the control room.
    pub(crate) now: CancellationToken,
}

impl Wishes {
    /// Listens to Ctrl-C.
    pub(crate) fn listen() -> Self {
        let wishes = Self::default();
        let words = "aborting the run, and waiting until it has been reset (Ctrl-C again to leave that to \
                     the control room)";
        tokio::spawn(signals::listen(wishes.enough.clone(), wishes.now.clone(), Hangup::Ends, words));
        wishes
    }
}

/// What is asked of the control room.
pub(crate) fn order(drill: &Drill, responder: Responder, seed: Option<u64>) -> Order {
    Order {
        drill: Some(drill.id.clone()),
        verify: Some(responder.as_str().to_owned()),
        seed,
        ..Order::default()
    }
}

/// Begins a run, or says why the control room refuses it. Waits for a control room that does not answer, or is being started
/// again.
///
/// # Errors
/// When the control room cannot be reached for longer than its restart takes, or does not let this person prove drills.
pub(crate) async fn begin(
    desk: &Desk,
    order: &Order,
    wishes: &Wishes,
) -> Result<std::result::Result<Run, String>> {
    let (asked, mut unanswered) = (Instant::now(), false);
    loop {
        let error = match desk.begin(order).await {
            Ok(run) => return Ok(Ok(run)),
            Err(error) => error,
        };
        match error.downcast_ref::<Error>() {
            Some(Error::Unreachable { .. }) if asked.elapsed() < BACK && !wishes.enough.is_cancelled() => {
                unanswered = true;
                let _ = wishes.enough.run_until_cancelled(sleep(LOOK)).await;
            }
            Some(Error::Refused { status: 401 | 403, .. }) | None => return Err(error),
            Some(Error::Refused { said, .. }) => {
                // Only the answer may have been lost: then it is this run that is in progress.
                let own = if unanswered { own(desk, order).await } else { Ok(None) };
                match own {
                    // It went away again.
                    Err(_) if asked.elapsed() < BACK && !wishes.enough.is_cancelled() => {
                        let _ = wishes.enough.run_until_cancelled(sleep(LOOK)).await;
                    }
                    own => return Ok(own?.ok_or_else(|| said.clone())),
                }
            }
            Some(_) => return Err(error),
        }
    }
}

/// The run in progress, if it is the one that was asked for, and not an earlier one that is being put back.
async fn own(desk: &Desk, order: &Order) -> Result<Option<Run>> {
    let run = desk.current().await?;
    let same = |run: &Run| run.drill == order.drill && run.verify == order.verify;
    Ok(run.filter(|run| same(run) && run.phase != RESET))
}

/// The run when the system is clean again, or when its reset was given up; `look` is called at each look until then.
///
/// # Errors
/// When the person does not want to wait for that, the control room is gone for too long, or a look fails.
pub(crate) async fn finished(
    desk: &Desk,
    run: Run,
    place: &str,
    mut live: Live,
    wishes: &Wishes,
    mut look: impl AsyncFnMut(&Run) -> Result<()>,
) -> Result<Run> {
    let (id, mut reset) = (run.id, Reset::default());
    let looks = async |run: &Run| -> Result<()> {
        if reset.hangs(&run.phase, Instant::now()) {
            give_up(desk, run.id).await;
        }
        look(run).await
    };
    let clean = until_clean(desk, run, &mut live, place, &wishes.enough, looks);
    let run = wishes.now.run_until_cancelled(clean).await;
    live.end();
    match run {
        Some(run) => run,
        None => {
            say(format_args!("run {id} is still being reset: see `lab drill status`"));
            bail!("left before the system was clean")
        }
    }
}

/// Since when a run puts everything back.
#[derive(Debug, Default)]
struct Reset {
    since: Option<Instant>,
}

impl Reset {
    /// Whether it does not come to an end; `phase` is where the run is now.
    fn hangs(&mut self, phase: &str, now: Instant) -> bool {
        phase == RESET && now - *self.since.get_or_insert(now) >= HANGS
    }
}

/// Gives up a run whose reset does not come to an end. If that is not possible now, it is at the next look.
async fn give_up(desk: &Desk, id: i64) {
    let why = json!({ "why": "its reset does not come to an end" });
    if desk.tell(id, "abort", &why).await.is_ok() {
        say(format_args!("run {id} is given up: its reset does not come to an end; see `lab status`"));
    }
}

/// What came of a run.
pub(crate) fn proven(drill: &Drill, run: &Run, seed: Option<u64>, begun: Instant) -> Proof {
    Proof {
        drill: drill.id.clone(),
        verdict: run.verdict().to_owned(),
        run: Some(run.id),
        seed: seed.unwrap_or(drill.seed),
        seconds: begun.elapsed().as_secs_f64(),
        pages: proof::pages(drill, run.truth()),
        sightings: proof::sightings(run.truth()),
        laps: laps(run.truth()),
        measures: BTreeMap::new(),
        failures: run.failures.clone(),
        refused: None,
        beside: None,
    }
}

/// A drill that could not begin.
pub(crate) fn unbegun(drill: &Drill, why: String, begun: Instant) -> Proof {
    Proof {
        drill: drill.id.clone(),
        verdict: "refused".to_owned(),
        run: None,
        seed: drill.seed,
        seconds: begun.elapsed().as_secs_f64(),
        pages: Vec::new(),
        sightings: Vec::new(),
        laps: Vec::new(),
        measures: BTreeMap::new(),
        failures: Vec::new(),
        refused: Some(why),
        beside: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_hangs_after_three_minutes_and_no_other_phase_does() {
        let (mut reset, begun) = (Reset::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        assert!(!reset.hangs("recover", begun) && !reset.hangs("recover", after(900)));
        assert!(!reset.hangs(RESET, after(900)) && !reset.hangs(RESET, after(1079)));
        assert!(reset.hangs(RESET, after(1080)));
    }
}
