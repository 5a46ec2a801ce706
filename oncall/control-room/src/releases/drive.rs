//! What moves a release: does what is next, again and again, until it is over. One task for each release.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use release::run::{Ahead, Change, Next, What};
use tokio::time::sleep;

use super::{
    Live, name,
    world::{self, Stand},
};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// Between two looks: no scrape is more frequent.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two questions whether a step is in force.
const SOON: Duration = Duration::from_millis(200);
/// How often a commit is tried.
const ATTEMPTS: usize = 5;

/// Runs a task until shutdown, and then drops it: what it has begun is found out by the next start.
pub(super) fn background(room: &Room, task: impl Future<Output = ()> + Send + 'static) {
    let stop = room.chassis.shutdown.clone();
    room.chassis.spawn(async move {
        stop.run_until_cancelled_owned(task).await;
    });
}

/// Moves a release in the background until it is over.
pub(super) fn spawn(room: &Room, live: Arc<Live>) {
    background(room, drive(room.clone(), live));
}

async fn drive(room: Room, live: Arc<Live>) {
    loop {
        let next = live.run().next(Utc::now());
        match turn(&room, &live, next).await {
            Ok(Some(pause)) => tokio::select! {
                () = sleep(pause) => {}
                () = live.wake.notified() => {}
            },
            Ok(None) => return,
            // A person was quicker: something else is next.
            Err(Error::Release(error)) => {
                tracing::info!(release = name(live.number), %error, "somebody else decided");
                sleep(SOON).await;
            }
            Err(error) => {
                tracing::warn!(release = name(live.number), %error, "a release waits: again in a second");
                sleep(PERIOD).await;
            }
        }
    }
}

/// Does what is next; how long to wait then, or nothing if the release is over.
async fn turn(room: &Room, live: &Arc<Live>, next: Next) -> Result<Option<Duration>> {
    let what = match next {
        Next::Ended(_) => return Ok(None),
        Next::Commit { key, change, message } => match before(room, live, &change)? {
            Before::Go(Ahead::Open) => commit(room, live, key, &change, &message).await,
            Before::Go(Ahead::Unknown) => return Ok(Some(PERIOD)),
            Before::Go(Ahead::Frozen { why }) => What::Frozen { why },
            Before::Failed(why) => What::Failed { why },
        },
        Next::Settle { .. } => match stand(room, live)? {
            Stand::Settled => What::Settled,
            Stand::Failed(why) => What::Failed { why },
            Stand::Waits => return Ok(Some(SOON)),
        },
        Next::Look { .. } | Next::Hold { .. } => {
            if let Stand::Failed(why) = stand(room, live)? {
                What::Failed { why }
            } else {
                match world::look(room, live).await? {
                    Some(block) => What::Measured { block },
                    None => return Ok(Some(PERIOD)),
                }
            }
        }
        Next::Note(what) => *what,
    };
    let pause = if matches!(what, What::Measured { .. }) { PERIOD } else { Duration::ZERO };
    room.releases.record(room, live, what).await?;
    Ok(Some(pause))
}

/// What is known before a commit.
enum Before {
    /// What the error budgets say.
    Go(Ahead),
    /// It must not be made: the canary has gone since it passed, or somebody else has changed the service.
    Failed(String),
}

fn before(room: &Room, live: &Live, change: &Change) -> Result<Before> {
    let run = live.run();
    // An error is for the commit to tell.
    if let Some(why) = world::overtaken(room, &run).ok().flatten() {
        let back = matches!(change, Change::Revert { .. });
        let why = if back { "what came after it is not taken back".to_owned() } else { why };
        return Ok(Before::Failed(why));
    }
    let further = !run.passed().is_empty() && !matches!(change, Change::Revert { .. });
    if further && let Stand::Failed(why) = stand(room, live)? {
        return Ok(Before::Failed(why));
    }
    Ok(Before::Go(run.ahead(&world::budgets(room, &run.plan().service), Utc::now())))
}

fn stand(room: &Room, live: &Live) -> Result<Stand> {
    let run = live.run();
    let back = run.state() == "rolling-back";
    match world::overtaken(room, &run)? {
        Some(why) if !back => Ok(Stand::Failed(why)),
        _ => world::stand(room, &run.plan().service, back),
    }
}

/// A commit, or why it cannot be made.
async fn commit(room: &Room, live: &Arc<Live>, key: String, change: &Change, message: &str) -> What {
    let mut why = String::new();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            sleep(PERIOD).await;
        }
        match world::commit(room, live, &key, change, message).await {
            Ok(commit) => return What::Committed { key, commit },
            Err(error) => why = error.to_string(),
        }
    }
    What::Failed { why }
}
