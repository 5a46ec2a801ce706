//! Runbooks that run: their runs, automation behind its guardrails, the audit log and the ledger of toil.
//! Composes the pure `runbook`.
//!
//! * `library`, `denials` -- the files, and rules that deny beside them. `view`, `show` -- what people see of a run. `people`, `begin` -- what they do.
//!   `live` -- runs that are not over. `lost` -- those that cannot be read any more. `resume` -- what others do first after a start.
//! * `drive`, `act`, `decide` -- what is next is done, one event at a time. [`world`] -- what is asked and
//!   changed.
//! * `record`, `rows`, `audit`, `story` -- an event is one transaction: the run, the ledger, the audit log,
//!   the timeline.
//! * `auto`, `follow`, `switch` -- what begins by itself, and what stops it. `toil` -- what all of it costs
//!   people.
//!
//! A run is the result of its events. Memory has what is committed and nothing else, so a run continues after
//! SIGKILL where it was: an act is recorded before and after it is done, and what was seen before it tells
//! whether it was done.

mod act;
pub(crate) mod audit;
mod auto;
mod begin;
mod decide;
mod denials;
mod drive;
pub mod dry;
mod follow;
mod library;
mod live;
mod lost;
pub mod metrics;
mod people;
mod record;
mod resume;
mod rows;
mod show;
mod story;
mod switch;
mod toil;
pub mod view;
pub mod world;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use incident::Id;
use parking_lot::{Mutex, RwLock};
use runbook::{Run, Runbook};

pub use self::{
    denials::{Denial, DenialFields},
    drive::tend,
    world::World,
};
use self::{
    library::Library,
    live::{Held, Live},
    switch::State,
    view::{RunbookRunView, RunbookView},
    world::System,
};
use crate::{
    bus::Bus,
    content::Content,
    duty::Duty,
    error::{Error, Result},
    room::Room,
    store::Store,
};

/// Runs, and automation. Cheap to clone.
#[derive(Clone)]
pub struct Runbooks(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Bus,
    library: Library,
    /// How much faster than in production limits and quiet times pass.
    speed: u32,
    world: RwLock<Arc<dyn World>>,
    /// Runs that are not over, by number.
    live: Mutex<BTreeMap<i64, Arc<Live>>>,
    state: RwLock<State>,
    /// When the guardrails last kept automation from a runbook of an incident.
    told: Mutex<BTreeMap<(Id, String), DateTime<Utc>>>,
    /// Whether runs continue in the background.
    started: AtomicBool,
    /// Who was on call, for the report of toil.
    duty: OnceLock<Duty>,
}

/// The name of a run.
fn name(number: i64) -> String {
    format!("RUN-{number}")
}

/// The number of a run: of `RUN-7`, `run-7` and `7`.
fn number(name: &str) -> Option<i64> {
    let prefix = name.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("RUN-"));
    let digits = prefix.map_or(name, |_| &name[4..]);
    let sound = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| sound && *number > 0)
}

/// Continues what was under way, and follows alerts.
pub fn start(room: &Room) {
    let inner = &room.runbooks.0;
    // Set only once.
    let _ = inner.duty.set(room.duty.clone());
    inner.started.store(true, Ordering::SeqCst);
    let live: Vec<Arc<Live>> = inner.live.lock().values().cloned().collect();
    for run in live {
        drive::spawn(room, run);
    }
    // Listens before it looks at what fires, so that nothing falls between.
    let news = room.bus.listen();
    drive::background(room, follow::run(room.clone(), news));
}

impl Runbooks {
    /// Reads guardrails, what was done, and the runs that are not over. `speed` is the lab clock's divisor.
    ///
    /// # Errors
    /// When the guardrails are wrong, or the file fails or has what cannot be read.
    pub async fn open(store: &Store, bus: &Bus, content: &Content, speed: u32) -> anyhow::Result<Self> {
        let library = Library::open(content)?;
        library.set_denials(denials::load(store).await?);
        let live = lost::open(store, bus).await?;
        let mut reader = store.read().acquire().await?;
        let noted = rows::ledger(&mut reader).await.context("what automation did cannot be read")?;
        drop(reader);
        let state = State::replay(&library.rails(), speed, &noted);
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            bus: bus.clone(),
            library,
            speed,
            world: RwLock::new(Arc::new(System::default())),
            live: Mutex::new(live),
            state: RwLock::new(state),
            told: Mutex::default(),
            started: AtomicBool::new(false),
            duty: OnceLock::new(),
        })))
    }

    /// Asks and changes something else from now on: for tests.
    pub fn stand_in(&self, world: Arc<dyn World>) {
        *self.0.world.write() = world;
    }

    fn world(&self) -> Arc<dyn World> {
        Arc::clone(&self.0.world.read())
    }

    /// All runbooks that can run, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Runbook>> {
        self.0.library.all()
    }

    /// A runbook.
    ///
    /// # Errors
    /// When no runbook has this name, or its file is wrong.
    pub fn get(&self, name: &str) -> Result<Arc<Runbook>> {
        Ok(self.0.library.get(name)?.runbook)
    }

    /// A runbook as people see it.
    ///
    /// # Errors
    /// As [`Runbooks::get`].
    pub fn outline(&self, name: &str) -> Result<RunbookView> {
        Ok(show::runbook(self.get(name)?.as_ref()))
    }

    /// Runs, the newest first, without those that cannot be read any more.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunbookRunView>> {
        let mut reader = self.0.store.read().acquire().await?;
        let numbers = rows::newest(&mut reader, limit).await?;
        // It may be the only one.
        drop(reader);
        let mut runs = Vec::with_capacity(numbers.len());
        for number in numbers {
            match self.replayed(number).await {
                Ok(run) => runs.push(show::run(&run)),
                Err(Error::Store(error)) => return Err(error.into()),
                Err(error) => tracing::warn!(run = name(number), %error, "a run is left out"),
            }
        }
        Ok(runs)
    }

    /// A run.
    ///
    /// # Errors
    /// When no run has this id, or the file fails.
    pub async fn run(&self, id: &str) -> Result<RunbookRunView> {
        let number = number(id).ok_or_else(|| no_run(id))?;
        Ok(show::run(&self.replayed(number).await?))
    }

    async fn replayed(&self, number: i64) -> Result<Run> {
        let live = self.0.live.lock().get(&number).map(|live| live.run());
        if let Some(run) = live {
            return Ok(run);
        }
        let mut reader = self.0.store.read().acquire().await?;
        let events = rows::events(&mut reader, number).await?;
        if events.is_empty() {
            return Err(no_run(&name(number)));
        }
        Ok(Run::replay(&events)?)
    }

    /// A run that is not over.
    async fn live(&self, id: &str) -> Result<Arc<Live>> {
        let number = number(id).ok_or_else(|| no_run(id))?;
        let live = self.0.live.lock().get(&number).cloned();
        if let Some(live) = live {
            return Ok(live);
        }
        let run = self.replayed(number).await?;
        let why = run.end().map_or_else(|| "its events cannot be read".to_owned(), |end| end.why.clone());
        Err(runbook::run::Refused::Ended(why).into())
    }

    /// Runs that are not over.
    fn under_way(&self) -> Vec<Arc<Live>> {
        self.0.live.lock().values().cloned().collect()
    }
}

fn no_run(name: &str) -> Error {
    let known = "those of GET /api/v1/runbook-runs".to_owned();
    Error::NoSuch { what: "run", name: name.to_owned(), known }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_with_or_without_its_prefix() {
        for text in ["RUN-7", "run-7", "7"] {
            assert_eq!(number(text), Some(7), "{text}");
        }
        for text in ["", "RUN-", "RUN-0", "7a", "+7", "INC-7", "ÄUN-7", "99999999999999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(name(7), "RUN-7");
    }
}
