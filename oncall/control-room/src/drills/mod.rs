//! Drills: what `oncall/drill` decides, done. A run is the result of its events; each is a row before it
//! changes anything, so a control room that is killed continues where it was, and every fault is ended.
//!
//! * `library`, `choose` -- the files, and which drill next. `begin`, `tell` -- what people ask for.
//!   `follows` -- what the verification before has proven. `left` -- what the run of an agent leaves.
//! * `live`, `pauses`, `rows`, `record`, `recall` -- a run in memory and in the file, and the ways between.
//! * `act`, `perform`, `forget`, `restore`, `rules`, `scripts`, `story` -- what is due, one after the other. `look`, `ask`,
//!   `invariants`, `budget` -- what is looked at.
//! * `follow`, `acts` -- pages, acknowledgements and actions of people, from the journal.
//! * `switch` -- the switchboard, as a drill uses it.
//! * `conclude`, `quiet`, `curve` -- the end of a run, and incidents that are only a rehearsal.
//! * [`view`], `show`, `report` -- what a viewer may see. Nothing of the truth reaches a trainee while a run
//!   is in progress: not here, not in the journal's open rows, not in the log, not in metrics.

mod act;
mod acts;
mod ask;
mod begin;
mod budget;
mod choose;
mod conclude;
mod curve;
mod done;
mod fading;
mod follow;
mod follows;
mod forget;
mod invariants;
mod left;
mod library;
mod live;
mod look;
mod needs;
mod pauses;
mod perform;
mod quiet;
mod recall;
mod record;
mod report;
mod restore;
mod rows;
mod rules;
mod scripts;
mod show;
mod story;
mod switch;
mod tell;
#[cfg(test)]
mod tests;
pub mod view;

use std::sync::Arc;

use anyhow::Context as _;
use drill::{Drill, Mode, names::Difficulty};
use incident::Incident;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

pub use report::Format;
pub use view::{BriefView, DrillView, RunView};

use self::{library::Library, live::Live, quiet::Quiet, recall::Recalled, rows::Kept};
use crate::{
    access::Visitor,
    bus::Bus,
    content::Content,
    error::{Error, Result},
    room::Room,
    store::Store,
};

/// Runs of which a crash may have left alerts: a long row of verifications.
const BEFORE: usize = 50;

/// The drills and the run in progress. Cheap to clone.
#[derive(Clone)]
pub struct Drills(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Bus,
    library: Library,
    /// The run in progress.
    live: RwLock<Option<Arc<Live>>>,
    /// The run that cannot be read, until everything is put back.
    lost: Mutex<Option<i64>>,
    /// Since when alerts are those of a verification.
    quiet: Mutex<Option<Quiet>>,
    /// The run for which the journal is followed, and up to which row. One follows at a time.
    followed: tokio::sync::Mutex<(i64, i64)>,
    /// Something has changed.
    news: watch::Sender<()>,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Name of the drill; none: a mystery.
    pub drill: Option<String>,
    /// Who responds.
    pub mode: Mode,
    /// Decides what the faults hit; for instructors also which drill a mystery is. Absent: the drill's own, and any.
    pub seed: Option<u64>,
    /// How hard a mystery is; absent: as the drill that is suggested.
    pub difficulty: Option<Difficulty>,
    /// The action item that is switched on in a verification; absent: none of them.
    pub variant: Option<String>,
}

/// Starts to do what is due, to look, and to follow the journal; takes up a run that a crash interrupted.
pub fn start(room: &Room) {
    background(room, act::run(room.clone()));
    background(room, look::run(room.clone()));
    background(room, follow::run(room.clone()));
}

/// Runs a task until shutdown, and then drops it: what it did not finish is due again at the next start.
fn background(room: &Room, task: impl Future<Output = ()> + Send + 'static) {
    let stop = room.chassis.shutdown.clone();
    room.chassis.spawn(async move {
        stop.run_until_cancelled_owned(task).await;
    });
}

impl Drills {
    /// Reads the run that a crash interrupted, if there is one.
    ///
    /// # Errors
    /// When the file fails or has a run that cannot be read.
    pub async fn open(store: &Store, bus: &Bus, content: &Content) -> anyhow::Result<Self> {
        let library = Library::new(content);
        let recalled =
            recall::recall(store, bus, &library).await.context("the run of a drill cannot be read")?;
        let (live, lost) = match recalled {
            Recalled::Nothing => (None, None),
            Recalled::Live(live) => (Some(*live), None),
            Recalled::Lost(run) => (None, Some(run)),
        };
        let before = rows::ended(store.read(), None, BEFORE).await?;
        let quiet = Quiet::recalled(live.as_ref(), &before);
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            bus: bus.clone(),
            library,
            live: RwLock::new(live.map(Arc::new)),
            lost: Mutex::new(lost),
            quiet: Mutex::new(quiet),
            followed: tokio::sync::Mutex::default(),
            news: watch::Sender::new(()),
        })))
    }

    /// Every drill whose file is right, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Drill>> {
        self.0.library.all()
    }

    /// A drill.
    ///
    /// # Errors
    /// [`Error::NoSuch`], or what is wrong with its file.
    pub fn get(&self, id: &str) -> Result<Arc<Drill>> {
        Ok(self.0.library.find(id)?.0)
    }

    /// Every drill, how the viewer did in it before, and which one to do next.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn list(&self, by: &Visitor) -> Result<Vec<DrillView>> {
        let past = rows::history(self.0.store.read(), &by.name).await?;
        let drills = self.all();
        let suggested = choose::suggested(&drills, &past);
        let view = |drill: &Arc<Drill>| {
            let tally = choose::tally(&past, &drill.id);
            DrillView {
                brief: show::brief(drill),
                runs: tally.runs,
                best: tally.best,
                last_verdict: tally.last,
                suggested: suggested.as_ref() == Some(&drill.id),
            }
        };
        Ok(drills.iter().map(view).collect())
    }

    /// The run in progress.
    ///
    /// # Errors
    /// None: it is kept in memory.
    pub async fn current(&self, by: &Visitor) -> Result<Option<RunView>> {
        Ok(self.live().map(|live| show::live(&live, live.now(), by.is_instructor())))
    }

    /// The newest runs of a drill, or of all, newest first. For trainees, a mystery in progress is of no
    /// known drill.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn runs(&self, by: &Visitor, drill: Option<&str>, limit: usize) -> Result<Vec<RunView>> {
        let live = self.live().filter(|live| {
            let known = by.is_instructor() || !live.mystery;
            drill.is_none_or(|wanted| known && live.drill.id == wanted)
        });
        let mut runs: Vec<RunView> =
            live.iter().map(|live| show::live(live, live.now(), by.is_instructor())).take(limit).collect();
        let left = limit - runs.len();
        let ended = rows::ended(self.0.store.read(), drill, left).await?;
        runs.extend(ended.iter().map(|kept| self.show(kept, by)));
        Ok(runs)
    }

    /// A run.
    ///
    /// # Errors
    /// [`Error::NoSuch`], or when the file fails.
    pub async fn run(&self, by: &Visitor, id: i64) -> Result<RunView> {
        if let Some(live) = self.live().filter(|live| live.id == id) {
            return Ok(show::live(&live, live.now(), by.is_instructor()));
        }
        Ok(self.show(&self.kept(id).await?, by))
    }

    /// The run in progress, as it is now.
    fn live(&self) -> Option<Arc<Live>> {
        self.0.live.read().clone()
    }

    /// The run that cannot be read, and that is being put back.
    fn lost(&self) -> Option<i64> {
        *self.0.lost.lock()
    }

    /// A run that is over.
    async fn kept(&self, id: i64) -> Result<Kept> {
        let pool = self.0.store.read();
        if let Some(kept) = rows::get(pool, id).await? {
            return Ok(kept);
        }
        let known = match rows::last(pool).await? {
            0 => "none yet".to_owned(),
            last => format!("1 to {last}"),
        };
        Err(Error::NoSuch { what: "run", name: id.to_string(), known })
    }

    fn show(&self, kept: &Kept, by: &Visitor) -> RunView {
        let drill = self.0.library.read(&kept.drill, &kept.file).ok();
        show::kept(kept, drill.as_deref(), self.is_unsealed(kept, by))
    }

    /// Whether a viewer may know what was wrong in a run that is over. What others saw in it helps nobody who
    /// is in a drill.
    fn is_unsealed(&self, kept: &Kept, by: &Visitor) -> bool {
        let verified = live::verifies(&kept.start.mode).is_some();
        by.is_instructor() || !(verified || self.is_sealed())
    }

    /// Whether a person's or an agent's run is in progress, whose truth nobody may learn before its end.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.live().is_some_and(|live| live.verifies().is_none())
    }

    /// Whether a verification is in progress: any other change of the system makes its result worthless.
    #[must_use]
    pub fn is_proving(&self) -> bool {
        self.live().is_some_and(|live| live.verifies().is_some())
    }

    /// Whether a viewer may not even read what was wrong in runs that are over: it may be wrong again.
    #[must_use]
    pub fn hides_truth(&self, by: &Visitor) -> bool {
        self.is_sealed() && !by.is_instructor()
    }

    /// Refuses the postmortem of an incident of which everybody knows what was wrong, as long as a viewer may not
    /// read that.
    ///
    /// # Errors
    /// [`Error::ForInstructors`].
    pub fn may_read(&self, by: &Visitor, incident: &Incident) -> Result<()> {
        if !(self.hides_truth(by) && incident.is_told()) {
            return Ok(());
        }
        let id = incident.id;
        Err(Error::ForInstructors(format!(
            "the postmortem of {id} says what was wrong, and somebody is in a drill: read it afterwards"
        )))
    }

    /// Tells the tasks that something has changed.
    fn wake(&self) {
        self.0.news.send_replace(());
    }
}
