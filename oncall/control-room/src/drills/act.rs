//! Does what is due, one after the other, and concludes a run that is over. What was done before a crash and
//! not written down is due again, and is done again: every action can be repeated.

use std::{collections::BTreeSet, time::Duration};

use chrono::Utc;
use drill::{Due, Phase, What};
use tokio::{sync::watch, time::Instant};

use super::{
    conclude,
    live::Entry,
    perform::{perform, wants},
    quiet, restore,
};
use crate::{error::Result, room::Room};

/// Longest sleep: time alone may have ended a phase.
const SECOND: Duration = Duration::from_secs(1);
/// Sleep while no run is in progress.
const IDLE: Duration = Duration::from_secs(3600);
/// A fault of a lost run ends by itself within an hour. A reset that has not come to an end then never will.
const HOPELESS: Duration = Duration::from_secs(65 * 60);
/// Who does it.
const BY: &str = "drill";

/// What the task remembers.
struct Hands {
    room: Room,
    news: watch::Receiver<()>,
    /// Failures that were written down: each once, however often it is tried.
    told: BTreeSet<(i64, String)>,
    /// The run before whose injection everything was cleared away.
    cleared: i64,
    /// The run that resets, and since when this process has tried.
    resets: Option<(i64, Instant)>,
}

/// Acts until the end.
pub(super) async fn run(room: Room) {
    let news = room.drills.0.news.subscribe();
    let mut hands = Hands { room, news, told: BTreeSet::new(), cleared: 0, resets: None };
    if let Some(live) = hands.room.drills.live() {
        tracing::info!(run = live.id, "a drill continues after a restart of the control room");
        // From the injection on, what opens is its own.
        if live.run.injected().is_some() {
            hands.cleared = live.id;
        }
    }
    loop {
        hands.news.mark_unchanged();
        let pause = match hands.turn().await {
            Ok(pause) => pause,
            Err(error) => {
                // It names the control room's own file, and nothing of a drill.
                tracing::warn!(%error, "what a drill did is not written down; trying again");
                SECOND
            }
        };
        tokio::select! {
            // Fails only without a sender, which the room holds.
            _ = hands.news.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Hands {
    /// Does what is due now; how long to wait then, if there is no news.
    async fn turn(&mut self) -> Result<Duration> {
        let Some(live) = self.room.drills.live() else { return self.idle().await };
        if live.is_paused() {
            return Ok(SECOND);
        }
        let (now, phase) = (live.now(), live.phase());
        if phase == Phase::Finished {
            conclude::conclude(&self.room, &live).await?;
            return Ok(Duration::ZERO);
        }
        if phase == Phase::Reset && self.resetting(live.id) >= HOPELESS {
            conclude::give_up(&self.room, &live).await?;
            return Ok(Duration::ZERO);
        }
        if phase == Phase::Observe && self.cleared != live.id {
            quiet::clear_away(&self.room).await?;
            self.cleared = live.id;
        }
        let mut whole = true;
        let due = live.run.due(now);
        for due in &due {
            whole &= self.do_one(live.id, due).await?;
        }
        if !whole {
            // What failed is due again, and so is what depends on it; not at once.
            tokio::time::sleep(SECOND).await;
        }
        if !due.is_empty() {
            return Ok(Duration::ZERO);
        }
        let next = live.run.next(now).map(|next| (next - now).to_std().unwrap_or_default());
        Ok(next.unwrap_or(SECOND).clamp(Duration::from_millis(1), SECOND))
    }

    /// For how long this process has tried to reset.
    fn resetting(&mut self, run: i64) -> Duration {
        let since = match self.resets {
            Some((known, since)) if known == run => since,
            _ => Instant::now(),
        };
        self.resets = Some((run, since));
        since.elapsed()
    }

    /// Does one action, if it is still due. False if it failed.
    async fn do_one(&mut self, run: i64, due: &Due) -> Result<bool> {
        // An abort may have come meanwhile, or an action that ended the cause.
        let Some(live) = self.room.drills.live().filter(|live| live.id == run) else { return Ok(true) };
        if !wants(&self.room, run, &due.id) {
            return Ok(true);
        }
        let action = due.id.clone();
        let what = match perform(&self.room, &live, due).await {
            Ok(()) => What::Done { action },
            // The same while it waited for its turn.
            Err(_) if !wants(&self.room, run, &due.id) => return Ok(true),
            Err(why) => {
                if self.told.contains(&(run, format!("{action}: {why}"))) {
                    return Ok(false);
                }
                tracing::warn!(run, "an action of a drill was not possible; its report says why");
                What::Failed { action, why }
            }
        };
        let done = matches!(what, What::Done { .. });
        let failure = if let What::Failed { action, why } = &what {
            Some((run, format!("{action}: {why}")))
        } else {
            None
        };
        let at = self.room.drills.live().map_or_else(Utc::now, |live| live.now());
        self.room.drills.note(run, vec![Entry::event(at, BY, what)], None).await?;
        // Only now: a failure that could not be written down is told again.
        self.told.extend(failure);
        Ok(done)
    }

    /// Ends everything that a drill can begin, for a run that cannot be read: until that has worked, or until its
    /// faults have ended by themselves.
    async fn put_back(&mut self, run: i64) -> Result<Duration> {
        let hopeless = self.resetting(run) >= HOPELESS;
        if restore::everything(&self.room, run).await.is_err() && !hopeless {
            return Ok(SECOND);
        }
        conclude::lost(&self.room, run).await?;
        Ok(Duration::ZERO)
    }

    /// Between runs: puts back what an unreadable run left, and dismisses the last incidents of a verification when its tail is over.
    async fn idle(&mut self) -> Result<Duration> {
        self.told.clear();
        if let Some(run) = self.room.drills.lost() {
            return self.put_back(run).await;
        }
        let Some(at) = self.room.drills.fades_at() else { return Ok(IDLE) };
        let left = (at - Utc::now()).to_std().unwrap_or_default();
        if left.is_zero() {
            self.room.drills.tidy(&self.room).await?;
            return Ok(Duration::ZERO);
        }
        Ok(left)
    }
}
