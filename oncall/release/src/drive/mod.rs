//! What moves a release by one event: does what is next, and says what happened. The caller records that, waits, and asks again.
//!
//! A [`World`] is what a release asks and changes. It may be asked anything again: a driver that was killed does not know what it
//! had done.

use std::{fmt::Display, time::Duration};

use chrono::{DateTime, Utc};

use crate::{
    Block, Run,
    freeze::Budget,
    run::{Ahead, Change, Next, What},
};

/// Between two looks: no scrape is more frequent.
pub const PERIOD: Duration = Duration::from_secs(1);
/// Between two questions whether a step is in force.
pub const SOON: Duration = Duration::from_millis(200);

/// Whether what the newest step asks for is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// It is.
    Settled,
    /// Not yet.
    Waits,
    /// It never will be.
    Failed(String),
}

/// What a release asks and changes: a lab on one machine, a cluster.
pub trait World: Sync {
    /// Why something could not be asked or done.
    type Error: Display + Send;

    /// What is left of the error budgets of the service.
    fn budgets(&self, run: &Run) -> impl Future<Output = Vec<Budget>> + Send;

    /// Why the service is not as the release has left it, if it is not.
    fn overtaken(&self, run: &Run) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    /// Makes a step, unless it was made before a crash; its id, or none if there was nothing to take back.
    fn put(
        &self,
        run: &Run,
        key: &str,
        change: &Change,
        message: &str,
    ) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    /// Whether the newest step is in force, and what it needs still runs.
    fn standing(&self, run: &Run) -> impl Future<Output = Result<Stand, Self::Error>> + Send;

    /// What happened since the last look; nothing if there was none, or if nobody sent a request.
    fn look(&self, run: &Run) -> impl Future<Output = Result<Option<Block>, Self::Error>> + Send;
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// Record this. After a measurement, wait for [`PERIOD`].
    Record(Box<What>),
    /// Nothing to record: ask again after this time.
    Wait(Duration),
    /// The release is over.
    Over,
}

/// Does what is next at `now`.
///
/// # Errors
/// When something cannot be asked: nothing has happened then, and the caller tries again.
pub async fn turn<W: World>(world: &W, run: &Run, now: DateTime<Utc>) -> Result<Turn, W::Error> {
    let what = match run.next(now) {
        Next::Ended(_) => return Ok(Turn::Over),
        Next::Commit { key, change, message } => match before(world, run, &change, now).await? {
            Before::Go(Ahead::Open) => match world.put(run, &key, &change, &message).await {
                Ok(commit) => What::Committed { key, commit },
                Err(error) => What::Failed { why: error.to_string() },
            },
            Before::Go(Ahead::Unknown) => return Ok(Turn::Wait(PERIOD)),
            Before::Go(Ahead::Frozen { why }) => What::Frozen { why },
            Before::Failed(why) => What::Failed { why },
        },
        Next::Settle { .. } => match stand(world, run).await? {
            Stand::Settled => What::Settled,
            Stand::Failed(why) => What::Failed { why },
            Stand::Waits => return Ok(Turn::Wait(SOON)),
        },
        Next::Look { .. } | Next::Hold { .. } => {
            if let Stand::Failed(why) = stand(world, run).await? {
                What::Failed { why }
            } else {
                match world.look(run).await? {
                    Some(block) => What::Measured { block },
                    None => return Ok(Turn::Wait(PERIOD)),
                }
            }
        }
        Next::Note(what) => *what,
    };
    Ok(Turn::Record(Box::new(what)))
}

/// What is known before a commit.
enum Before {
    /// What the error budgets say.
    Go(Ahead),
    /// It must not be made: the canary has gone since it passed, or somebody else has changed the service.
    Failed(String),
}

async fn before<W: World>(
    world: &W,
    run: &Run,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<Before, W::Error> {
    let back = matches!(change, Change::Revert { .. });
    // An error is for the commit to tell.
    if let Some(why) = world.overtaken(run).await.ok().flatten() {
        let why = if back { "what came after it is not taken back".to_owned() } else { why };
        return Ok(Before::Failed(why));
    }
    if !run.passed().is_empty()
        && !back
        && let Stand::Failed(why) = stand(world, run).await?
    {
        return Ok(Before::Failed(why));
    }
    Ok(Before::Go(run.ahead(&world.budgets(run).await, now)))
}

async fn stand<W: World>(world: &W, run: &Run) -> Result<Stand, W::Error> {
    match world.overtaken(run).await? {
        Some(why) if run.state() != "rolling-back" => Ok(Stand::Failed(why)),
        _ => world.standing(run).await,
    }
}

#[cfg(test)]
mod tests;
