//! What `lab up` does for the desired state that people commit: every second, it makes the edges what the newest commit says.
//!
//! What to do is decided by the pure reconciler of `release`. Only settings of the edges are set here: the limit of every client,
//! the firewall, the modes and files of its rules. Versions and canaries follow releases (`fleet`), because a judge has to watch
//! them; flags of services are only kept. A repository that is not there asks for nothing.

mod edges;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Result, anyhow};
use chrono::Utc;
use gitops::Repository;
use observe::Peer;
use release::desired::{
    Applied, Cause, Decision, Drift, Failure, Health, Input, Open, Seen, Setting, Settings, read, reconcile,
};
use serde::{Deserialize, Serialize};
use supervisor::{Board, Part, state::Phase, write_private};
use tokio::time::{MissedTickBehavior, interval};

use self::edges::Edges;
use crate::{home::Home, parts::edge::EDGE};

/// The repository, in the lab's folder.
pub(crate) const REPOSITORY: &str = "gitops.git";
/// The newest [`Report`], in the lab's folder.
pub(crate) const REPORT: &str = "gitops.json";
/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

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

/// What the newest commit wants of the edges.
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
    wanted: Option<Wanted>,
    applied: Applied,
    failures: BTreeMap<Setting, Failure>,
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
            Some(Peer::at(admin).token(token.cloned()))
        };
        Self {
            repository: Repository::at(home.dir.join(REPOSITORY)),
            report,
            edges: Edges::new(parts.iter().filter_map(edge).collect()),
            wanted: None,
            applied: Applied::default(),
            failures: BTreeMap::new(),
            told: None,
        }
    }

    /// Never returns: it ends with the lab.
    pub(crate) async fn run(mut self, board: Board) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if board.now().phase == Phase::Ready && self.repository.folder().is_dir() {
                self.tick().await;
            }
        }
    }

    async fn tick(&mut self) {
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
        let live = self.edges.look(&self.known(&wanted)).await;
        let acts = self.decide(&wanted, &live).acts;
        if !acts.is_empty() {
            self.perform(acts).await;
        }
        let live = self.edges.look(&self.known(&wanted)).await;
        let decision = self.decide(&wanted, &live);
        if decision.settled {
            self.applied = Applied { commit: wanted.commit.clone(), settings: wanted.settings.clone() };
        }
        let health = if unread.is_some() { Health::Degraded } else { decision.health };
        let open = unread.into_iter().chain(decision.open.iter().map(sentence)).collect();
        self.tell(Report { commit: Some(wanted.commit), health, open });
    }

    /// Reads the newest commit, if it is another one.
    async fn read(&mut self) -> Result<()> {
        let commit = self.repository.head().await?;
        if self.wanted.as_ref().is_some_and(|wanted| wanted.commit == commit) {
            return Ok(());
        }
        let tree = self.repository.tree(&commit).await?;
        let desired = read(&tree).map_err(|problems| anyhow!("{problems}"))?;
        let settings = desired.settings().into_iter().filter(|(setting, _)| Edges::have(setting)).collect();
        self.wanted = Some(Wanted { commit, settings, drift: desired.drift });
        Ok(())
    }

    /// What is decided, and what was and has to be taken back.
    fn known(&self, wanted: &Wanted) -> BTreeSet<Setting> {
        wanted.settings.keys().chain(self.applied.settings.keys()).cloned().collect()
    }

    fn decide(&self, wanted: &Wanted, live: &BTreeMap<Setting, Seen>) -> Decision {
        reconcile(&Input {
            desired: &wanted.settings,
            drift: wanted.drift,
            applied: Some(&self.applied),
            live,
            ready: &BTreeSet::new(),
            failures: &self.failures,
            now: Utc::now(),
        })
    }

    /// Rules first: the mode of one that is not there yet cannot be set.
    async fn perform(&mut self, mut acts: Vec<release::desired::Act>) {
        acts.sort_by_key(|act| !matches!(act.setting, Setting::Rule { .. }));
        for act in acts {
            match self.edges.perform(&act).await {
                Ok(()) => {
                    self.failures.remove(&act.setting);
                    match act.to {
                        Some(value) => drop(self.applied.settings.insert(act.setting, value)),
                        None => drop(self.applied.settings.remove(&act.setting)),
                    }
                }
                Err(error) => {
                    let times = self.failures.get(&act.setting).map_or(0, |failure| failure.times);
                    let failure =
                        Failure { at: Utc::now(), times: times.saturating_add(1), why: format!("{error:#}") };
                    self.failures.insert(act.setting, failure);
                }
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
