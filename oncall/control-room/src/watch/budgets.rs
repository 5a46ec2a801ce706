//! What is left of the budgets of declared objectives: their periods, counted by query. That reads every sample of a period, so it is
//! done seldom, one at a time, and nothing waits for it.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use slo::live::Measured;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::objectives::{counts, lasting};
use crate::room::Room;

/// How often a period is counted, on both clocks.
const EVERY: Duration = Duration::from_secs(60);
/// How often somebody tries to, while nothing is known of it.
const AGAIN: Duration = Duration::from_secs(5);

/// When each declaration, by name and time, was last asked for.
type Asked = BTreeMap<(String, DateTime<Utc>), Instant>;

/// Counts until the end.
pub(super) async fn run(room: Room) {
    let mut asked = Asked::new();
    let mut ticks = interval(lasting(room.config.clock.evaluation()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        once(&room, &mut asked).await;
    }
}

async fn once(room: &Room, asked: &mut Asked) {
    let declared = room.objectives.all();
    asked.retain(|(name, at), _| declared.iter().any(|one| one.name == *name && one.at == *at));
    for one in &declared {
        let Some(live) = one.live(&room.content, room.config.clock) else { continue };
        let every = if room.objectives.measured(&one.name).known.is_some() { EVERY } else { AGAIN };
        let key = (one.name.clone(), one.at);
        if asked.get(&key).is_some_and(|last| last.elapsed() < every) {
            continue;
        }
        asked.insert(key, Instant::now());
        let (period, mut found) = (live.period(), Measured::default());
        // As long as the client waits, not as long as a page does: a month of many series takes seconds.
        match room.eyes.prometheus.query(&live.query(&[period])).await {
            Ok(samples) => live.read(&[period], counts(&samples), &mut found),
            Err(error) => tracing::debug!(%error, objective = one.name, "its period is not measured"),
        }
        room.objectives.keep(one, |known| {
            known.over.remove(&period);
            known.over.extend(found.over);
            known.known = found.known;
        });
    }
}
