//! What moves a release: does what is next, again and again, until it is over. One task for each release.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use release::{
    drive::{PERIOD, SOON, Turn, turn},
    run::What,
};
use tokio::time::sleep;

use super::{Live, name, world::Local};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// Runs a task until shutdown, and then drops it: what it has begun is found out by the next start.
pub(super) fn background(room: &Room, task: impl Future<Output = ()> + Send + 'static) {
    let stop = room.chassis.shutdown.clone();
    room.chassis.spawn(async move {
        stop.run_until_cancelled_owned(task).await;
    });
}

/// Moves a release in the background until it is over.
pub(super) fn spawn(room: &Room, live: Arc<Live>) {
    background(room, drive(Local { room: room.clone(), live }));
}

async fn drive(world: Local) {
    let live = &world.live;
    loop {
        match step(&world).await {
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
async fn step(world: &Local) -> Result<Option<Duration>> {
    let what = match turn(world, &world.live.run(), Utc::now()).await? {
        Turn::Record(what) => *what,
        Turn::Wait(pause) => return Ok(Some(pause)),
        Turn::Over => return Ok(None),
    };
    let pause = if matches!(what, What::Measured { .. }) { PERIOD } else { Duration::ZERO };
    world.room.releases.record(&world.room, &world.live, what).await?;
    Ok(Some(pause))
}
