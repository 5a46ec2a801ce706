//! Looks at every condition of the present phase, about once a second and as soon as a phase begins or its last action
//! is done, all at once; and measures what the run costs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use drill::{Look, Phase, What};
use futures::future::join_all;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

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
    let mut news = room.drills.0.news.subscribe();
    let mut known = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = another(&room, &mut news, &mut known) => {}
        }
        if let Err(error) = look(&room, &mut measured).await {
            tracing::warn!(%error, "what was looked at for a drill is not written down");
        }
    }
}

/// The run, its phase, and whether all of its actions are done.
type State = Option<(i64, Phase, bool)>;

fn state(room: &Room) -> State {
    let live = room.drills.live()?;
    let now = live.now();
    Some((live.id, live.run.phase(now), live.run.due(now).is_empty()))
}

/// Waits until there is something else to look at than before.
async fn another(room: &Room, news: &mut watch::Receiver<()>, known: &mut State) {
    loop {
        // Fails only without a sender, which the room holds.
        _ = news.changed().await;
        let now = state(room);
        if now != *known {
            *known = now;
            return;
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
