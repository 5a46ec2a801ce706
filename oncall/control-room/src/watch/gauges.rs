//! What is exported and changes without an event: renewed every second, so that a scrape never waits for SQLite.
//! Medians are worked out again when an incident has ended or was told, which takes a moment.

use std::{collections::BTreeMap, time::Duration};

use chrono::Utc;
use incident::{Id, Measures, Severity, State, Viewer, measures::Overview};
use tokio::time::{MissedTickBehavior, interval};

use crate::{error::Result, papers, room::Room};

const PERIOD: Duration = Duration::from_secs(1);
/// Ended incidents that are counted: those that are in memory.
const ENDED: usize = 500;
/// Chooses the samples of the intervals: those of the page Measures.
const SAMPLES: u64 = 1;

/// Renews until the end.
pub(super) async fn run(room: Room) {
    let mut ticks = interval(PERIOD);
    let mut summarized = Vec::new();
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = renew(&room).await {
            tracing::warn!(%error, "metrics of notifications are not renewed");
        }
        summarize(&room, &mut summarized).await;
    }
}

/// Exports the medians of the incidents that ended, if they are not those that were `summarized` last.
async fn summarize(room: &Room, summarized: &mut Vec<(Id, Measures)>) {
    // What everybody may know: the truth counts once it is told.
    let ended = room.desk.measures(Viewer::Trainee);
    if ended == *summarized {
        return;
    }
    let measures: Vec<Measures> = ended.iter().map(|(_, one)| *one).collect();
    // Thousands of samples of hundreds of incidents: not on a thread that answers requests.
    match tokio::task::spawn_blocking(move || Overview::by_start(measures, SAMPLES)).await {
        Ok(overviews) => {
            room.metrics.medians(&overviews);
            *summarized = ended;
        }
        Err(error) => tracing::warn!(%error, "the medians of incidents are not renewed"),
    }
}

async fn renew(room: &Room) -> Result<()> {
    let (metrics, now) = (&room.metrics, Utc::now());
    let mut counts: BTreeMap<(State, Severity), i64> = BTreeMap::new();
    let ended = room.desk.recent(ENDED).into_iter().filter(|incident| !incident.state.is_open());
    for incident in room.desk.open_ones().into_iter().chain(ended) {
        *counts.entry((incident.state, incident.severity)).or_default() += 1;
    }
    metrics.incidents(&counts);
    metrics.watchdog_silent(room.watch.seen().watchdog_silent);
    metrics.action_items(papers::action_items(&room.desk, now).len());
    let on_call = room.duty.now(now).into_iter().flat_map(|duty| {
        let people = duty.primary.map(|primary| primary.person).into_iter().chain(duty.added);
        people.map(move |person| (duty.schedule.clone(), person)).collect::<Vec<_>>()
    });
    metrics.on_call(on_call.collect());
    metrics.failing(room.notify.failing().await?);
    metrics.notified(&delivered(room).await?);
    Ok(())
}

/// Notifications that have come to an end, by channel and outcome, since the file exists.
async fn delivered(room: &Room) -> Result<Vec<(String, String, i64)>> {
    const ENDS: &str = "SELECT channel, state, COUNT(*) FROM deliveries \
                        WHERE state IN ('sent', 'failed', 'unknown') GROUP BY channel, state";
    Ok(sqlx::query_as(ENDS).fetch_all(room.store.read()).await?)
}
