//! The run that a crash interrupted, from its rows. One that cannot be read any more is put back all the same:
//! what a drill can begin is known without it.

use chrono::TimeDelta;
use drill::What;

use super::{
    library::Library,
    live::{Entry, Live},
    rows,
};
use crate::{
    bus::Bus,
    error::{Error, Result},
    store::Store,
};

/// Who ends a run that is too old.
const BY: &str = "control room";

/// What a crash left.
pub(super) enum Recalled {
    /// No run was in progress.
    Nothing,
    /// This run continues.
    Live(Box<Live>),
    /// The run of this number cannot be read: nobody knows what it began.
    Lost(i64),
}

/// The run in progress, if there is one.
///
/// # Errors
/// When the file fails.
pub(super) async fn recall(store: &Store, bus: &Bus, library: &Library) -> Result<Recalled> {
    let Some(id) = rows::open(store.read()).await? else { return Ok(Recalled::Nothing) };
    match replay(store, library, id).await {
        Ok(live) => Ok(Recalled::Live(Box::new(abandon(store, bus, live).await?))),
        Err(Error::Store(error)) => Err(error.into()),
        // The control room is more than drills: it starts.
        Err(error) => {
            tracing::error!(run = id, %error, "a drill's run cannot be read: everything is put back");
            Ok(Recalled::Lost(id))
        }
    }
}

async fn replay(store: &Store, library: &Library, id: i64) -> Result<Live> {
    let kept = rows::get(store.read(), id).await?;
    let kept = kept.ok_or_else(|| Error::Conflict(format!("the row of run {id} is gone")))?;
    let drill = library.read(&kept.drill, &kept.file)?;
    let mut live = Live::new(kept.id, drill, kept.responder, kept.mystery, kept.start, kept.followed);
    for entry in rows::events(store.read(), kept.id).await? {
        live.take(&entry);
    }
    live.announced = live.phase();
    Ok(live)
}

/// Aborts a run that should have been over long ago: what it saw is too old to prove anything.
async fn abandon(store: &Store, bus: &Bus, mut live: Live) -> Result<Live> {
    let bound = TimeDelta::from_std(live.run.bound()).unwrap_or(TimeDelta::MAX);
    if live.now() - live.run.start().at <= bound {
        return Ok(live);
    }
    let why = "the control room was away for longer than the drill takes".to_owned();
    // Before any deadline that has passed meanwhile, which would say that something else went wrong.
    let entry = Entry::event(live.run.known_at(), BY, What::Aborted { why });
    let mut writing = store.begin().await?;
    rows::add(&mut writing, live.id, &entry).await?;
    writing.commit(bus).await?;
    live.take(&entry);
    Ok(live)
}
