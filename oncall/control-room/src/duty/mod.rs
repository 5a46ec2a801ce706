//! Who is on call by `oncall.yaml`, what the API declared beside it and the overrides of the page, and who is notified
//! next. Composes the pure `rota`.
//!
//! * `views` -- questions: who is on call, shifts, calendars.
//! * `file`, `declared`, `overrides` -- where the answers come from. The last good version of the file stays in force.
//! * `escalation`, `timers` -- each step of an escalation in one transaction, at its time, whatever crashes.
//!
//! Who was notified follows from the journal and the tables alone; nothing in memory is needed after a restart.

mod declared;
mod escalation;
mod file;
mod overrides;
#[cfg(test)]
mod tests;
mod timers;
mod views;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use rota::Rota;
use serde_json::json;

use self::declared::Declared;
pub use self::{
    declared::{Owner, Part, Written},
    escalation::{Next, Progress, tend},
    overrides::OverrideRow,
    views::OnCall,
};
use crate::{
    Room,
    bus::{Bus, Kind},
    error::Result,
    store::Store,
};

/// What is in force now.
#[derive(Debug, Clone)]
pub struct RotaState {
    /// People, schedules with the overrides of the page, policies.
    pub rota: Arc<Rota>,
    /// Where it was read from; absent: nobody is on call.
    pub file: Option<PathBuf>,
    /// When the file was last read as something new, or one that had to wait came into force.
    pub read_at: DateTime<Utc>,
    /// What is wrong with the newest version of the file, which is then not in force, and with overrides.
    pub problems: Vec<String>,
}

/// Who is on call. Cheap to clone.
#[derive(Clone)]
pub struct Duty(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Bus,
    file: Option<PathBuf>,
    /// How much faster than in production waits pass.
    speed: u32,
    held: RwLock<Held>,
}

/// What the answers are made from, and the answers.
struct Held {
    /// The file as it was last seen, right or wrong, or why it could not be read.
    seen: std::result::Result<String, String>,
    /// The last good version.
    good: String,
    /// What it says, with what the API declared.
    base: Rota,
    /// What is wrong with the newest one.
    problems: Vec<String>,
    /// What the API declared, schedules first.
    declared: Vec<Declared>,
    /// Overrides of the page.
    rows: Vec<OverrideRow>,
    /// That a file came into force which had to wait, until that is written down.
    unsaid: Option<String>,
    state: Arc<RotaState>,
}

/// Starts to watch the file and to send what is due.
pub fn start(room: &Room) {
    room.chassis.spawn(file::watch(room.clone()));
    // Listens before it looks at what is open, so that nothing falls between.
    let notices = room.bus.listen();
    room.chassis.spawn(timers::run(room.clone(), notices));
}

impl Duty {
    /// Reads the file, what was declared and the overrides. `speed` is the lab clock's divisor.
    ///
    /// # Errors
    /// When the file is wrong, with every place, or the store fails. What was declared and does not fit with the file any
    /// more is a problem, and no error: the API that can withdraw it has to start.
    pub async fn open(store: &Store, bus: &Bus, file: Option<&Path>, speed: u32) -> anyhow::Result<Self> {
        let now = Utc::now();
        let (text, base) = match file {
            Some(path) => file::first(path)?,
            None => (String::new(), file::nobody()),
        };
        let declared = declared::load(store).await?;
        let rows = overrides::load(store, now).await?;
        let state = RotaState {
            rota: Arc::new(base.clone()),
            file: file.map(Path::to_owned),
            read_at: now,
            problems: Vec::new(),
        };
        let (good, state) = (text.clone(), Arc::new(state));
        let (problems, unsaid) = (Vec::new(), None);
        let mut held = Held { seen: Ok(text), good, base, problems, declared, rows, unsaid, state };
        if let Some(path) = file {
            held.settle(path);
        }
        held.rebuild(now);
        let inner = Inner {
            store: store.clone(),
            bus: bus.clone(),
            file: file.map(Path::to_owned),
            speed,
            held: RwLock::new(held),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// What is in force, with the overrides of the page.
    #[must_use]
    pub fn rota(&self) -> Arc<RotaState> {
        Arc::clone(&self.0.held.read().state)
    }

    /// Reads the file again. Returns what to write down if it is not the one that was last seen, or has come into force
    /// since.
    pub(crate) fn reread(&self, now: DateTime<Utc>) -> Option<String> {
        let path = self.0.file.as_deref()?;
        let seen = file::text(path);
        let mut held = self.0.held.write();
        // If it has changed, too, the next look sees that.
        if held.unsaid.is_some() || held.seen == seen {
            return held.unsaid.take();
        }
        held.seen = seen;
        held.settle(path);
        let count = match held.problems.len() {
            1 => "1 problem".to_owned(),
            count => format!("{count} problems"),
        };
        let path = path.display();
        let said = match held.problems.first() {
            None => format!("{path} has changed and is in force"),
            Some(first) => {
                format!("{path} has {count}, so the last good version stays in force; the first one: {first}")
            }
        };
        held.rebuild(now);
        Some(said)
    }

    /// Writes down that who is on call has changed.
    async fn tell(&self, by: &str, text: &str) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        writing.journal(Utc::now(), Kind::Rota, None, false, &json!({ "text": text, "by": by })).await?;
        writing.commit(&self.0.bus).await?;
        Ok(())
    }

    /// Changes the overrides in memory.
    fn change(&self, change: impl FnOnce(&mut Vec<OverrideRow>)) {
        let mut held = self.0.held.write();
        change(&mut held.rows);
        let read_at = held.state.read_at;
        held.rebuild(read_at);
    }
}

impl Held {
    /// Puts the newest version of the file into force if it is right, together with what the API declared; otherwise the
    /// last good one stays.
    fn settle(&mut self, path: &Path) {
        let newest = self.seen.as_ref().map_err(|why| vec![why.clone()]).and_then(|text| {
            let read = file::parse(path, text, &self.declared);
            let read = read.map_err(|problems| file::sentences(path, &problems));
            read.map(|rota| (text.clone(), rota))
        });
        match newest {
            Ok((text, rota)) => {
                self.good = text;
                self.base = rota;
                self.problems.clear();
            }
            Err(problems) => {
                self.problems = problems;
                if let Some(rota) = file::fitting(path, &self.good, &self.declared) {
                    self.base = rota;
                }
            }
        }
    }

    /// Whether the newest version of the file is not in force.
    fn waits(&self) -> bool {
        self.seen.as_ref().is_ok_and(|text| *text != self.good)
    }

    /// Applies the overrides to the last good version.
    fn rebuild(&mut self, read_at: DateTime<Utc>) {
        let mut rota = self.base.clone();
        let mut problems = self.problems.clone();
        problems.extend(overrides::apply(&mut rota, &self.rows));
        let file = self.state.file.clone();
        self.state = Arc::new(RotaState { rota: Arc::new(rota), file, read_at, problems });
    }
}
