//! Looks at every condition of the present phase, about once a second, all at once; and measures what the run
//! costs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use drill::{Look, Phase, What};
use futures::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    ask, budget,
    live::{Entry, Happened, Live, Seen},
};
use crate::{error::Result, room::Room};

/// As often as Prometheus has news.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two measurements of the budget.
const MEASURE: TimeDelta = TimeDelta::seconds(10);
/// Who looks.
const BY: &str = "prometheus";

/// Looks until the end.
pub(super) async fn run(room: Room) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut measured = Measured::default();
    loop {
        ticks.tick().await;
        if let Err(error) = look(&room, &mut measured).await {
            tracing::warn!(%error, "what was looked at for a drill is not written down");
        }
    }
}

/// When the budget was measured last, and in which run.
#[derive(Debug, Default)]
struct Measured {
    run: i64,
    at: Option<DateTime<Utc>>,
    /// Once more when it is over.
    last: bool,
}

async fn look(room: &Room, measured: &mut Measured) -> Result<()> {
    let Some(live) = room.drills.live().filter(|live| !live.is_paused()) else { return Ok(()) };
    // When it was asked, and not when it was answered: an answer may be older than what was done meanwhile.
    let at = live.now();
    let looks = live.run.looks(at);
    let mut entries = Vec::new();
    if !looks.is_empty() {
        let seen = join_all(looks.iter().map(|look| seen(room, &live, look))).await;
        entries.push(Entry { at, by: BY.to_owned(), what: Happened::Looks(seen) });
    }
    if let Some(share) = cost(room, &live, measured).await {
        entries.push(Entry::event(live.now(), BY, What::Burned { share }));
    }
    if entries.is_empty() { Ok(()) } else { room.drills.note(live.id, entries, None).await }
}

async fn seen(room: &Room, live: &Live, look: &Look) -> Seen {
    let (holds, seen) = ask::answer(room, live, &look.ask).await;
    Seen { look: look.id.clone(), holds, seen }
}

/// What was burned by now, if it is time to measure and that has changed.
async fn cost(room: &Room, live: &Live, measured: &mut Measured) -> Option<f64> {
    let injected = live.run.injected()?;
    let (now, phase) = (Utc::now(), live.phase());
    if measured.run != live.id {
        *measured = Measured { run: live.id, ..Measured::default() };
    }
    let due = match phase {
        Phase::Reset => !measured.last,
        Phase::Finished => false,
        _ => measured.at.is_none_or(|at| now - at >= MEASURE),
    };
    if !due {
        return None;
    }
    measured.at = Some(now);
    measured.last = phase == Phase::Reset;
    // What does not answer is asked again.
    let share = budget::burned(room, live.wall(injected)).await.ok()??;
    (live.run.record().burned != Some(share)).then_some(share)
}
