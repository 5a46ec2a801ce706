//! What moves a run: does what is next, again and again, until the run waits for a person or is over. One
//! task for each run.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use runbook::{Call, Event, Next, Place, What};
use tokio::time::sleep;

use super::{
    Live,
    act::{self, Turn},
    decide, resume,
};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// Between two looks of a wait, and after a failure of the file. On the production clock scrapes are rarer.
const PERIOD: Duration = Duration::from_secs(1);
const PERIOD_OF_PRODUCTION: Duration = Duration::from_secs(5);

/// Runs a task until shutdown, and then drops it: what it has begun is found out by the next start.
pub(super) fn background(room: &Room, task: impl Future<Output = ()> + Send + 'static) {
    let stop = room.chassis.shutdown.clone();
    room.chassis.spawn(async move {
        stop.run_until_cancelled_owned(task).await;
    });
}

/// Moves a run in the background until it is over.
pub(super) fn spawn(room: &Room, live: Arc<Live>) {
    background(room, drive(room.clone(), live));
}

async fn drive(room: Room, live: Arc<Live>) {
    loop {
        match go(&room, &live).await {
            Ok(true) => return,
            Ok(false) => live.wake.notified().await,
            Err(error) => {
                tracing::warn!(run = live.run().id(), %error, "a run could not continue: again in a second");
                sleep(PERIOD).await;
            }
        }
    }
}

/// Does what is next in a run until it waits for a person or is over.
///
/// # Errors
/// When there is no such run, or the file fails. What was done before stays done.
pub async fn tend(room: &Room, id: &str) -> Result<()> {
    match room.runbooks.live(id).await {
        Ok(live) => go(room, &live).await.map(|_| ()),
        Err(Error::Runbook(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the run is over; otherwise it waits for a person.
async fn go(room: &Room, live: &Arc<Live>) -> Result<bool> {
    resume::look(room, live).await?;
    loop {
        let next = live.run().next();
        match turn(room, live, &next).await {
            Ok(Turn::Again) => {}
            Ok(Turn::Later(pause)) => tokio::select! {
                () = sleep(pause) => {}
                () = live.wake.notified() => {}
            },
            Ok(Turn::Person) => return Ok(false),
            Ok(Turn::Over) => return Ok(true),
            // Somebody was quicker: something else is next.
            Err(Error::Runbook(_)) if live.run().next() != next => {}
            Err(error) => return Err(error),
        }
    }
}

async fn turn(room: &Room, live: &Arc<Live>, next: &Next) -> Result<Turn> {
    match next {
        Next::Ended(_) => Ok(Turn::Over),
        Next::Confirm(_) | Next::Approve(_) => Ok(Turn::Person),
        Next::Look { place, call, until } => look(room, live, *place, call, *until).await,
        Next::Decide { place, change, approved, undo } => {
            decide::record(room, live, *place, change, *approved, *undo).await?;
            Ok(Turn::Again)
        }
        Next::Act { place, change, begun } => act::turn(room, live, *place, change, begun.as_ref()).await,
    }
}

async fn look(
    room: &Room,
    live: &Arc<Live>,
    place: Place,
    call: &Call,
    until: Option<DateTime<Utc>>,
) -> Result<Turn> {
    let answer = room.runbooks.world().ask(room, call).await;
    let event = Event { at: Utc::now(), what: What::Answered { place, answer } };
    // A wait of minutes would be hundreds of transactions.
    if !live.run().is_news(&event) {
        return Ok(Turn::Later(pause(room.runbooks.0.speed, until, event.at)));
    }
    room.runbooks.record(room, live, |_, _| Some(event.what)).await?;
    Ok(Turn::Again)
}

/// Until the next look of a wait: the last one is at its end.
fn pause(speed: u32, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Duration {
    let period = if speed > 1 { PERIOD } else { PERIOD_OF_PRODUCTION };
    until.map_or(period, |until| (until - now).to_std().unwrap_or_default().min(period))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn the_last_look_of_a_wait_is_at_its_end() {
        let now = Utc::now();
        assert_eq!(pause(60, None, now), PERIOD);
        assert_eq!(pause(1, Some(now + TimeDelta::seconds(60)), now), PERIOD_OF_PRODUCTION);
        assert_eq!(pause(60, Some(now + TimeDelta::milliseconds(300)), now), Duration::from_millis(300));
        assert_eq!(pause(60, Some(now - TimeDelta::seconds(1)), now), Duration::ZERO);
    }
}
