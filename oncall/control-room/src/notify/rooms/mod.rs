//! Keeps war rooms as their incidents are: opens them, shows topic and summary, brings people in, archives them at the end.
//!
//! A room follows the state of its incident and not the events, so that a room that was out of reach catches up with one
//! call each. Slow: a system outside is called. What people say goes through the outbox.

mod keep;
mod port;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    time::Duration,
};

use incident::Id;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

pub(crate) use self::port::{Thread, WarRoomPort};
use super::message::id_of;
use crate::{Room, error::Result};

/// Shortest time between two visits of a room: Slack takes about one message a second.
const SPACING: Duration = Duration::from_secs(1);
/// Longest time until a room that cannot be reached is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What this process knows about a room.
#[derive(Debug, Default)]
struct Tracked {
    /// When to visit it.
    due: Option<Instant>,
    /// The last visit.
    visited: Option<Instant>,
    /// Visits that failed, since the last one that did not.
    failures: u32,
    topic: String,
    summary: Option<super::slack::blocks::Payload>,
    invited: BTreeSet<String>,
}

/// What follows from a visit.
enum Visited {
    /// Nothing until the incident changes.
    Current,
    /// One more visit soon.
    Unfinished,
    /// No more visits.
    Over,
}

impl Tracked {
    /// The incident has changed.
    fn mark(&mut self, now: Instant) {
        let earliest = self.visited.map_or(now, |visited| visited + SPACING);
        self.due.get_or_insert(earliest.max(now));
    }

    fn failed(&mut self, now: Instant) -> Duration {
        self.failures += 1;
        let pause = SPACING.saturating_mul(2_u32.saturating_pow(self.failures - 1)).min(LONGEST_PAUSE);
        self.due = Some(now + pause);
        pause
    }
}

/// Follows the incidents that are named until shutdown.
pub(super) async fn run(room: Room, mut changed: mpsc::UnboundedReceiver<Id>) {
    let mut rooms: BTreeMap<Id, Tracked> = BTreeMap::new();
    match unfinished(&room).await {
        Ok(ids) => ids.into_iter().for_each(|id| rooms.entry(id).or_default().mark(Instant::now())),
        Err(error) => {
            tracing::error!(%error, "war rooms cannot be read; they are kept once their incidents change")
        }
    }
    loop {
        let next = rooms.values().filter_map(|tracked| tracked.due).min();
        tokio::select! {
            () = room.chassis.shutdown.cancelled() => return,
            id = changed.recv() => match id {
                Some(id) => rooms.entry(id).or_default().mark(Instant::now()),
                None => return,
            },
            () = until(next) => {
                let visits = visit_due(&room, &mut rooms);
                if room.chassis.shutdown.run_until_cancelled(visits).await.is_none() {
                    return;
                }
            }
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}

async fn unfinished(room: &Room) -> Result<Vec<Id>> {
    let found: Vec<i64> = sqlx::query_scalar("SELECT incident FROM war_rooms WHERE state <> 'archived'")
        .fetch_all(room.store.read())
        .await?;
    Ok(found.into_iter().map(id_of).collect())
}

async fn visit_due(room: &Room, rooms: &mut BTreeMap<Id, Tracked>) {
    let now = Instant::now();
    let due: Vec<Id> = rooms
        .iter()
        .filter(|(_, tracked)| tracked.due.is_some_and(|due| due <= now))
        .map(|(id, _)| *id)
        .collect();
    for id in due {
        let Some(tracked) = rooms.get_mut(&id) else { continue };
        tracked.due = None;
        let visited = keep::visit(room, id, tracked).await;
        let now = Instant::now();
        tracked.visited = Some(now);
        match visited {
            Ok(Visited::Over) => {
                rooms.remove(&id);
            }
            Ok(visited) => {
                tracked.failures = 0;
                if matches!(visited, Visited::Unfinished) {
                    tracked.mark(now);
                }
            }
            Err(failure) => {
                let again_in = tracked.failed(now);
                tracing::warn!(%id, why = failure.why(), ?again_in, "a war room cannot be reached");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_room_is_visited_at_most_once_a_second_and_less_often_while_it_cannot_be_reached() {
        let now = Instant::now();
        let mut tracked = Tracked::default();
        tracked.mark(now);
        assert_eq!(tracked.due, Some(now));
        tracked = Tracked { visited: Some(now), ..Tracked::default() };
        tracked.mark(now);
        assert_eq!(tracked.due, Some(now + SPACING));
        let pauses: Vec<u64> = (0..8).map(|_| tracked.failed(now).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        tracked.mark(now);
        assert_eq!(tracked.due, Some(now + LONGEST_PAUSE), "a change does not shorten the pause");
    }
}
