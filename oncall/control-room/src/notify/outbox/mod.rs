//! The sender: takes what is due from the outbox, marks it as being sent, sends it, and keeps what came of it.
//!
//! Invariant: a row is `sending` in the file before the call begins. After a crash, systems get it again with the same key;
//! for people it is unknown whether they were reached, and nobody is notified twice.

mod plan;
pub(super) mod rows;
mod send;
mod settle;
mod throttle;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use self::{plan::plan, rows::Row, throttle::Throttle};
use crate::{Room, error::Result};

/// How many messages are on their way at once.
const AT_ONCE: usize = 16;
/// Longest time between two looks: for what became due without news, such as a war room that has opened.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Sends until shutdown; what is on its way then may still end.
pub(super) async fn run(room: Room) {
    let mut news = room.bus.listen();
    let mut throttle = Throttle::new(room.config.speed());
    let begin = begin(&room, &mut throttle);
    if room.chassis.shutdown.run_until_cancelled(begin).await.is_none() {
        return;
    }
    let mut sending = JoinSet::new();
    loop {
        let pause = match turn(&room, &mut throttle, &mut sending).await {
            Ok(next) => pause(next, Utc::now()),
            Err(error) => {
                tracing::error!(%error, "the outbox of notifications cannot be read; trying again");
                LONGEST_PAUSE
            }
        };
        tokio::select! {
            () = room.chassis.shutdown.cancelled() => break,
            // Missed news do not matter: the rows are what counts.
            _ = news.recv() => {}
            Some(ended) = sending.join_next() => note(ended),
            () = tokio::time::sleep(pause) => {}
        }
    }
    // What takes longer is settled at the next start.
    let _ = tokio::time::timeout(LONGEST_PAUSE, async {
        while let Some(ended) = sending.join_next().await {
            note(ended);
        }
    })
    .await;
}

fn note(ended: std::result::Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "sending a notification panicked; what came of it is unknown until the next start");
    }
}

fn pause(next: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    let wait = next.map_or(LONGEST_PAUSE, |next| (next - now).to_std().unwrap_or_default());
    // At least a millisecond, because times are kept in microseconds and timers in milliseconds.
    wait.clamp(Duration::from_millis(1), LONGEST_PAUSE)
}

/// Settles what a crash left behind, and remembers whom the last messages reached.
async fn begin(room: &Room, throttle: &mut Throttle) {
    while let Err(error) = recover(room, throttle).await {
        tracing::error!(%error, "the outbox of notifications cannot be read; trying again");
        tokio::time::sleep(LONGEST_PAUSE).await;
    }
}

async fn recover(room: &Room, throttle: &mut Throttle) -> Result<()> {
    let now = Utc::now();
    let rows = rows::open(&room.store, &room.bus, now).await?;
    settle::interrupted(room, rows.into_iter().filter(|row| row.busy).collect(), now).await?;
    for (group, at) in rows::reached(&room.store, now - throttle.memory()).await? {
        throttle.leaves(group, at);
    }
    Ok(())
}

/// Begins to send what is due; answers when more may be.
async fn turn(
    room: &Room,
    throttle: &mut Throttle,
    sending: &mut JoinSet<()>,
) -> Result<Option<DateTime<Utc>>> {
    let now = Utc::now();
    let rows = rows::open(&room.store, &room.bus, now).await?;
    let plan = plan(rows, now, throttle, AT_ONCE.saturating_sub(sending.len()));
    if plan.batches.is_empty() {
        return Ok(plan.next);
    }
    let mut writing = room.store.begin().await?;
    for row in plan.batches.iter().flatten() {
        rows::claim(&mut writing, row.id).await?;
    }
    writing.commit(&room.bus).await?;
    for mut batch in plan.batches {
        for row in &mut batch {
            row.attempts += 1;
        }
        sending.spawn(carry(room.clone(), batch));
    }
    Ok(plan.next)
}

/// Sends one message and keeps what came of it, however often the file has to be asked.
async fn carry(room: Room, batch: Vec<Row>) {
    let sent = send::send(&room, &batch).await;
    while let Err(error) = settle::settle(&room, &batch, &sent, Utc::now()).await {
        tracing::error!(%error, "what came of a notification cannot be kept; trying again");
        tokio::time::sleep(LONGEST_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn the_sender_looks_again_when_the_next_one_is_due_and_at_least_once_a_second() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(pause(None, now), LONGEST_PAUSE);
        assert_eq!(pause(Some(now + TimeDelta::milliseconds(250)), now), Duration::from_millis(250));
        assert_eq!(pause(Some(now + TimeDelta::hours(1)), now), LONGEST_PAUSE);
        assert_eq!(pause(Some(now - TimeDelta::hours(1)), now), Duration::from_millis(1));
    }
}
