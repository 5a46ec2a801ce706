//! What `lab up` does for the desired state that people commit: every second, it makes the lab what the newest commit says.
//!
//! What to do is decided by the pure reconciler of `release`. Set here are settings of the edges (the limit of every client, the
//! firewall, the modes and files of its rules) and flags of services. Versions and canaries follow releases (`fleet`), because a
//! judge has to watch them. A repository that is not there asks for nothing.

mod book;
mod calls;
mod edges;
mod flags;

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use gitops::Repository;
use observe::Peer;
use release::desired::{Act, Cause, Drift, Health, Open, Setting, Settings, read};
use serde::{Deserialize, Serialize};
use supervisor::{
    Board, Part,
    state::{LabState, Phase},
    write_private,
};
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::{
    book::Book,
    edges::{Edges, Look, Running},
    flags::Flags,
};
use crate::{home::Home, parts::edge::EDGE};

/// The repository, in the lab's folder.
pub(crate) const REPOSITORY: &str = "gitops.git";
/// The newest [`Report`], in the lab's folder.
pub(crate) const REPORT: &str = "gitops.json";
/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the name of the newest commit: Git reads one small file, unless the disk hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the running lab is what the newest commit says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The commit; none while none can be read.
    pub(crate) commit: Option<String>,
    /// In one word.
    pub(crate) health: Health,
    /// What is not as it should be, a sentence each.
    pub(crate) open: Vec<String>,
}

/// What the newest commit wants, of what is set here.
#[derive(Debug, Clone)]
struct Wanted {
    commit: String,
    settings: Settings,
    drift: Drift,
}

/// Keeps one lab as its commits say.
pub(crate) struct Keeper {
    repository: Repository,
    report: PathBuf,
    edges: Edges,
    flags: Flags,
    wanted: Option<Wanted>,
    book: Book,
    told: Option<Report>,
}

impl Keeper {
    /// Of a lab with these parts, which is about to start.
    pub(crate) fn new(home: &Home, token: Option<&String>, parts: &[Part]) -> Self {
        let report = home.dir.join(REPORT);
        // That of an earlier lab; there may be none.
        let _ = fs::remove_file(&report);
        let edge = |part: &Part| {
            let admin = part.admin.as_ref().filter(|_| part.service() == EDGE)?;
            Some((part.name.clone(), Peer::at(admin).token(token.cloned())))
        };
        Self {
            repository: Repository::at(home.dir.join(REPOSITORY)),
            report,
            edges: Edges::new(parts.iter().filter_map(edge).collect()),
            flags: Flags::new(token.cloned()),
            wanted: None,
            book: Book::default(),
            told: None,
        }
    }

    /// Never returns: it ends with the lab.
    pub(crate) async fn run(mut self, board: Board) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let state = board.now();
            if state.phase == Phase::Ready && self.repository.folder().is_dir() {
                self.tick(&state).await;
            }
        }
    }

    async fn tick(&mut self, state: &LabState) {
        // A state that cannot be read leaves the one before in force.
        let unread =
            self.read().await.err().map(|error| format!("the newest commit cannot be read: {error:#}"));
        let Some(wanted) = self.wanted.clone() else {
            return self.tell(Report {
                commit: None,
                health: Health::Degraded,
                open: Vec::from_iter(unread),
            });
        };
        let look = self.look(&wanted, state).await;
        let acts = self.book.decide(&wanted, &look.seen).acts;
        if !acts.is_empty() {
            self.perform(acts, &wanted.settings).await;
        }
        let look = self.look(&wanted, state).await;
        let decision = self.book.decide(&wanted, &look.seen);
        if decision.settled {
            self.book.settled(&wanted);
        }
        let broken: Vec<String> = unread.into_iter().chain(look.silent).collect();
        let health = if broken.is_empty() { decision.health } else { Health::Degraded };
        let open = broken.into_iter().chain(decision.open.iter().map(sentence)).collect();
        self.tell(Report { commit: Some(wanted.commit), health, open });
    }

    /// Looks at the edges and at the services with flags, and remembers what one of them has lost.
    async fn look(&mut self, wanted: &Wanted, state: &LabState) -> Look {
        let (flags, others): (BTreeSet<Setting>, BTreeSet<Setting>) =
            self.book.known(wanted).into_iter().partition(Flags::have);
        let mut look = self.edges.look(others, &running(state)).await;
        let Look { seen, silent, lost } = self.flags.look(flags, state).await;
        look.seen.extend(seen);
        look.silent.extend(silent);
        look.lost.extend(lost);
        self.book.lost(std::mem::take(&mut look.lost));
        look
    }

    /// Reads the newest commit, if it is another one.
    async fn read(&mut self) -> Result<()> {
        let head = timeout(PATIENCE, self.repository.head()).await;
        let commit = head.context("git did not answer in time")??;
        if self.wanted.as_ref().is_some_and(|wanted| wanted.commit == commit) {
            return Ok(());
        }
        let tree = self.repository.tree(&commit).await?;
        let desired = read(&tree).map_err(|problems| anyhow!("{problems}"))?;
        let here = |setting: &Setting| Edges::have(setting) || Flags::have(setting);
        let settings = desired.settings().into_iter().filter(|(setting, _)| here(setting)).collect();
        self.wanted = Some(Wanted { commit, settings, drift: desired.drift });
        self.book.renew();
        Ok(())
    }

    /// Rules first: the mode of one that is not there yet cannot be set.
    async fn perform(&mut self, mut acts: Vec<Act>, wanted: &Settings) {
        acts.sort_by_key(|act| !matches!(act.setting, Setting::Rule { .. }));
        for act in acts {
            let done = if Flags::have(&act.setting) {
                self.flags.perform(&act).await
            } else {
                self.edges.perform(&act, wanted).await
            };
            match done {
                Ok(()) => self.book.done(act),
                Err(error) => self.book.failed(act, format!("{error:#}")),
            }
        }
    }

    /// Writes what has changed. If the disk is full, the next look tries again.
    fn tell(&mut self, report: Report) {
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        if self.told.as_ref() != Some(&report) && write_private(&self.report, &text).is_ok() {
            self.told = Some(report);
        }
    }
}

/// The edges' processes.
fn running(state: &LabState) -> Running {
    let edges = state.parts.iter().filter(|part| part.service() == EDGE);
    edges.filter_map(|part| Some((part.name.clone(), part.process?))).collect()
}

/// What is not as it should be; of files only that they are.
fn sentence(open: &Open) -> String {
    let shown = |value: Option<&String>, none: &str| match value {
        Some(text) if text.contains('\n') => "a file".to_owned(),
        Some(text) => text.clone(),
        None => none.to_owned(),
    };
    let why = match &open.cause {
        Cause::Change | Cause::Waits => String::new(),
        Cause::Healed => "; it was changed by hand, and is set back".to_owned(),
        Cause::Kept => "; it was changed by hand, and stays".to_owned(),
        Cause::Unknown { why } => format!("; {why}"),
        Cause::Failing { why, .. } => format!("; it failed, and is tried again: {why}"),
    };
    let (found, wanted) = (shown(open.found.as_ref(), "not set"), shown(open.wanted.as_ref(), "not set"));
    format!("{} is {found} and should be {wanted}{why}", open.setting)
}
