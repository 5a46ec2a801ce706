//! What `lab up` does for the desired state that people commit: every second, it makes the lab what the newest commit says.
//!
//! What to do is decided by the pure reconciler of `release`. Set here are settings of the edges (the limit of every client, the
//! firewall, the modes and files of its rules) and flags of services. Versions and canaries follow releases (`fleet`), because a
//! judge has to watch them; weights that somebody has set in their place are taken back. A repository that is not there asks for
//! nothing.
//!
//! `keeping` does it look by look; in a cluster, a terminal lets it (`lab --context … gitops keep`).

mod book;
mod calls;
mod edges;
mod flags;
mod keeping;
mod member;
mod wanted;

use std::{fs, path::PathBuf, time::Duration};

use gitops::Repository;
use release::desired::Health;
use serde::{Deserialize, Serialize};
use supervisor::{
    Board,
    state::{LabState, Phase},
    write_private,
};
use tokio::time::{MissedTickBehavior, interval};

pub(crate) use self::{
    keeping::{Does, Keeping},
    member::Member,
};
use crate::home::Home;

/// The repository, in the lab's folder.
pub(crate) const REPOSITORY: &str = "gitops.git";
/// The newest [`Report`], in the lab's folder.
pub(crate) const REPORT: &str = "gitops.json";
/// Asks for a turn that sets everything that differs, in the lab's folder. Removed once the report is of such a turn.
pub(crate) const REQUEST: &str = "gitops.sync";
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

/// Keeps the lab of this machine as its commits say.
pub(crate) struct Keeper {
    keeping: Keeping,
    report: PathBuf,
    request: PathBuf,
    told: Option<Report>,
}

impl Keeper {
    /// Of a lab that is about to start.
    pub(crate) fn new(home: &Home, token: Option<&String>) -> Self {
        let (report, request) = (home.dir.join(REPORT), home.dir.join(REQUEST));
        // Those of an earlier lab; there may be none.
        let _ = fs::remove_file(&report);
        let _ = fs::remove_file(&request);
        let repository = Repository::at(home.dir.join(REPOSITORY));
        let keeping = Keeping::new(repository, token.map(String::as_str));
        Self { keeping, report, request, told: None }
    }

    /// Never returns: it ends with the lab.
    pub(crate) async fn run(mut self, board: Board) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let state = board.now();
            if state.phase == Phase::Ready && self.keeping.repository().folder().is_dir() {
                self.tick(&state).await;
            }
        }
    }

    async fn tick(&mut self, state: &LabState) {
        let asked = self.request.exists();
        let does = if asked { Does::SetsAll } else { Does::Sets };
        let unread = Vec::from_iter(self.keeping.refresh().await);
        let report = self.keeping.turn(&member::of_lab(state), does, unread).await;
        if self.tell(report) && asked {
            let _ = fs::remove_file(&self.request);
        }
    }

    /// Writes what has changed; returns whether the file says it. If the disk is full, the next look tries again.
    fn tell(&mut self, report: Report) -> bool {
        if self.told.as_ref() == Some(&report) {
            return true;
        }
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        let written = write_private(&self.report, &text).is_ok();
        if written {
            self.told = Some(report);
        }
        written
    }
}
