//! Releases: a new version reaches everyone step by step, or goes back by itself. Composes the pure `release`.
//!
//! * `begin` -- what people do: start, continue, stop. `view` -- what they see.
//! * `told` -- those that a terminal drives in a cluster, where this room only watches.
//! * `drive` -- what is next is done, one event at a time. `world`, `git` -- the lab's supervisor, Prometheus, commits.
//! * `record`, `rows` -- an event is one transaction. `figures`, `metrics` -- the four figures of delivery.
//!
//! A release is the result of its events. Memory has what is committed and nothing else, so a release continues after SIGKILL
//! where it was: what is next is asked again, and each step may be repeated.

mod begin;
mod drive;
mod figures;
mod git;
pub mod metrics;
mod record;
mod rows;
mod told;
pub mod view;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use release::{Run, curves::Curves, fleet::Version, look::Looks, run::Event};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use self::view::ReleaseView;
use crate::{
    bus::Bus,
    error::{Error, Result},
    room::Room,
    store::Store,
};
pub use begin::NewRelease;

/// Seconds per point of a curve.
const STRETCH: i64 = 10;

/// All releases. Cheap to clone.
#[derive(Clone)]
pub struct Releases(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Bus,
    /// Those that are not over, by number.
    live: Mutex<BTreeMap<i64, Arc<Live>>>,
    /// One step at a time changes the fleet.
    fleet: Mutex<()>,
    /// Whether releases continue in the background.
    started: AtomicBool,
}

/// What runs as old and new version of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version that ran before.
    pub old: Version,
    /// The version that is released.
    pub new: Version,
    /// When its change was written.
    pub written: DateTime<Utc>,
    /// Whether its steps are commits of the lab's repository.
    pub git: bool,
    /// Whether a terminal drives it, and tells this room.
    #[serde(default)]
    pub told: bool,
}

/// A release that is not over.
struct Live {
    number: i64,
    record: Record,
    held: Mutex<Held>,
    /// What canary and baseline had counted at the last look.
    looks: Mutex<Looks>,
    /// A person has done something to it.
    wake: Notify,
}

/// A release as it is committed.
#[derive(Clone)]
struct Held {
    run: Run,
    /// How many events it has.
    events: i64,
}

impl Live {
    fn new(number: i64, record: Record, run: Run, events: i64) -> Arc<Self> {
        let (held, looks) = (Mutex::new(Held { run, events }), Mutex::default());
        Arc::new(Self { number, record, held, looks, wake: Notify::new() })
    }

    /// The release as it is now.
    fn run(&self) -> Run {
        self.held.lock().run.clone()
    }

    fn held(&self) -> Held {
        self.held.lock().clone()
    }
}

/// The name of a release.
fn name(number: i64) -> String {
    format!("REL-{number}")
}

/// The number of a release: of `REL-7`, `rel-7` and `7`.
fn number(name: &str) -> Option<i64> {
    let prefix = name.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("REL-"));
    let digits = prefix.map_or(name, |_| &name[4..]);
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| sound && *number > 0)
}

/// Whether a change is named as a release is: `REL-7`.
pub(crate) fn is_release(change: &str) -> bool {
    let prefix = change.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("REL-"));
    prefix && number(change).is_some()
}

/// Continues what was under way.
pub fn start(room: &Room) {
    let inner = &room.releases.0;
    inner.started.store(true, Ordering::SeqCst);
    let live: Vec<Arc<Live>> = inner.live.lock().values().cloned().collect();
    room.metrics.releases.open(live.len());
    for release in live.into_iter().filter(|release| !release.record.told) {
        drive::spawn(room, release);
    }
    drive::background(room, figures::export(room.clone()));
}

impl Releases {
    /// Reads the releases that are not over. One that cannot be read is ended: it must not keep the others from theirs.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn open(store: &Store, bus: &Bus) -> Result<Self> {
        let mut reader = store.read().acquire().await?;
        let (mut live, mut lost) = (BTreeMap::new(), Vec::new());
        for number in rows::open(&mut reader).await? {
            match read(&mut reader, number).await {
                Ok((record, run, events)) => {
                    live.insert(number, Live::new(number, record, run, record::count(&events)));
                }
                Err(Error::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(release = name(number), %error, "a release cannot be read and is ended");
                    lost.push(number);
                }
            }
        }
        // Before anything is written: in memory there is only one connection.
        drop(reader);
        for number in lost {
            let mut writing = store.begin().await?;
            rows::end(&mut writing, number, Utc::now(), None).await?;
            writing.commit(bus).await?;
        }
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            bus: bus.clone(),
            live: Mutex::new(live),
            fleet: Mutex::default(),
            started: AtomicBool::new(false),
        })))
    }

    /// Services of the releases that are not over.
    #[must_use]
    pub(crate) fn services_under_way(&self) -> BTreeSet<String> {
        let live: Vec<Arc<Live>> = self.0.live.lock().values().cloned().collect();
        let open = live.iter().map(|release| release.run()).filter(|run| run.end().is_none());
        open.map(|run| run.plan().service.clone()).collect()
    }

    /// Releases, the newest first, without those that cannot be read.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn list(&self, limit: usize) -> Result<Vec<ReleaseView>> {
        let mut reader = self.0.store.read().acquire().await?;
        let numbers = rows::newest(&mut reader, limit).await?;
        drop(reader);
        let mut releases = Vec::with_capacity(numbers.len());
        for number in numbers {
            match self.replayed(number).await {
                Ok((record, run)) => releases.push(view::release(&record, &run, Utc::now())),
                Err(Error::Store(error)) => return Err(error.into()),
                Err(error) => tracing::warn!(release = name(number), %error, "a release is left out"),
            }
        }
        Ok(releases)
    }

    /// A release.
    ///
    /// # Errors
    /// When no release has this id, or the file fails.
    pub async fn show(&self, id: &str) -> Result<ReleaseView> {
        let number = number(id).ok_or_else(|| no_release(id))?;
        let (record, run) = self.replayed(number).await?;
        Ok(view::release(&record, &run, Utc::now()))
    }

    /// What canary and baseline of a release did.
    ///
    /// # Errors
    /// As [`Releases::show`].
    pub async fn curves(&self, id: &str) -> Result<Curves> {
        let number = number(id).ok_or_else(|| no_release(id))?;
        let mut reader = self.0.store.read().acquire().await?;
        let (_, run, events) = read(&mut reader, number).await?;
        Ok(release::curves::curves(&events, run.plan().policy.objective, STRETCH))
    }

    /// A release from its events, which memory may have already.
    async fn replayed(&self, number: i64) -> Result<(Record, Run)> {
        let live = self.0.live.lock().get(&number).cloned();
        if let Some(live) = live {
            return Ok((live.record.clone(), live.run()));
        }
        let mut reader = self.0.store.read().acquire().await?;
        let (record, run, _) = read(&mut reader, number).await?;
        Ok((record, run))
    }

    /// A release that is not over.
    async fn live(&self, id: &str) -> Result<Arc<Live>> {
        let number = number(id).ok_or_else(|| no_release(id))?;
        let live = self.0.live.lock().get(&number).cloned();
        if let Some(live) = live {
            return Ok(live);
        }
        let (_, run) = self.replayed(number).await?;
        let why = run.end().map_or_else(|| "its events cannot be read".to_owned(), |end| end.why.clone());
        Err(release::run::Refused::Over(why).into())
    }
}

async fn read(reader: &mut sqlx::SqliteConnection, number: i64) -> Result<(Record, Run, Vec<Event>)> {
    let record = rows::record(reader, number).await?.ok_or_else(|| no_release(&name(number)))?;
    let events = rows::events(reader, number).await?;
    Ok((record, Run::replay(&events)?, events))
}

fn no_release(name: &str) -> Error {
    let known = "those of GET /api/v1/releases".to_owned();
    Error::NoSuch { what: "release", name: name.to_owned(), known }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_with_or_without_its_prefix() {
        for text in ["REL-7", "rel-7", "7"] {
            assert_eq!(number(text), Some(7), "{text}");
        }
        for text in ["", "REL-", "REL-0", "7a", "RUN-7", "ÄEL-7", "99999999999999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
        let changes = ["REL-7", "rel-7", "7", "REL-", "release-2", "order-api-1-9"];
        assert_eq!(changes.map(is_release), [true, true, false, false, false, false]);
        assert_eq!(name(7), "REL-7");
    }
}
