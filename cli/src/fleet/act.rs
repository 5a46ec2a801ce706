//! What an act takes. Each may be repeated: one that failed, or was interrupted, is decided again.

use std::{collections::BTreeMap, fs, io::ErrorKind, time::Duration};

use anyhow::{Context as _, Result, bail};
use parking_lot::{Mutex, MutexGuard};
use release::{
    desired::{Act, Setting},
    fleet::{self, Version, shares},
};
use supervisor::{
    Board, Roster,
    state::{LabState, Status},
};
use tokio::time::{sleep, timeout};

use super::{crew::Crew, files::Files, is_ready};
use crate::parts::ports;

/// Prometheus takes a change of its targets within 5 s. An instance that stopped before that would be reported as down.
const FORGET: Duration = Duration::from_secs(6);
/// Longest time for an instance to drain and end.
const ENDS: Duration = Duration::from_secs(20);
/// Longest time for an instance that stays to end, and to be ready as a new version.
const CHANGES: Duration = Duration::from_secs(45);

/// What acts have in common. The crews are never locked while something is waited for.
pub(super) struct Hands {
    pub(super) files: Files,
    roster: Roster,
    crews: Mutex<BTreeMap<&'static str, Crew>>,
}

impl Hands {
    pub(super) fn new(files: Files, roster: Roster, crews: BTreeMap<&'static str, Crew>) -> Self {
        Self { files, roster, crews: Mutex::new(crews) }
    }

    /// What runs of each service.
    pub(super) fn crews(&self) -> MutexGuard<'_, BTreeMap<&'static str, Crew>> {
        self.crews.lock()
    }

    fn with<T>(&self, name: &str, change: impl FnOnce(&mut Crew) -> T) -> Result<T> {
        let mut crews = self.crews();
        let crew = crews.get_mut(name).with_context(|| format!("`{name}` cannot be released here"))?;
        Ok(change(crew))
    }

    /// Does what the reconciler decided for a service of which this is wanted.
    pub(super) async fn perform(&self, board: &Board, wanted: Option<&fleet::Crew>, act: &Act) -> Result<()> {
        let name = act.setting.service().unwrap_or_default();
        let wanted = wanted.with_context(|| format!("nothing is said about `{name}`"))?;
        match &act.setting {
            Setting::Weight { .. } => {
                let weight = act.to.as_deref().unwrap_or("0");
                let weight = weight.parse::<u32>().with_context(|| format!("`{weight}` is no percent"))?;
                self.weigh(name, weight).await
            }
            Setting::Canary { .. } => {
                self.dismiss(board, name).await?;
                match &wanted.canary {
                    Some(trial) => self.invite(name, &trial.version).await,
                    None => Ok(()),
                }
            }
            Setting::Version { .. } => self.change(board, name, &wanted.version).await,
            other => bail!("{other} is not set by releases"),
        }
    }

    /// Gives the canary this percent of the requests, and as much to the baseline.
    async fn weigh(&self, name: &str, weight: u32) -> Result<()> {
        if weight > 0 {
            // Ready by now: a target that does not answer yet would be reported as down.
            let pair = self.with(name, |crew| crew.pair())?;
            self.files.scrape(name, pair.as_ref())?;
        }
        self.route(name, (weight > 0).then(|| shares(weight))).await?;
        self.with(name, |crew| crew.weight = weight)
    }

    /// Splits the requests to a service on every edge.
    async fn route(&self, name: &str, shares: Option<[u32; 3]>) -> Result<()> {
        self.with(name, |crew| crew.shares = shares)?;
        // Written under the lock: of two services, the later one writes the shares of both.
        self.files.split(&self.crews())?;
        self.files.reload().await
    }

    /// Starts a baseline and a canary, without requests; nobody scrapes them yet.
    async fn invite(&self, name: &str, new: &Version) -> Result<()> {
        let mut parts = self.with(name, |crew| crew.instances(new, &self.files.data))?;
        ports::check(&parts)?;
        for part in &parts {
            // A lab starts clean, and so does an instance.
            let folder = self.files.data.join(&part.name);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
                }
                _ => {}
            }
        }
        // All others keep the code of what runs in the processor's caches. A canary with a program of its own has too few
        // requests for that: its median is half as long again, whatever its version is.
        if let [baseline, canary] = parts.as_mut_slice()
            && baseline.command.program != canary.command.program
        {
            baseline.command.program = self.files.copy(&baseline.command.program, &baseline.name).await?;
        }
        self.with(name, |crew| crew.canary = Some(new.clone()))?;
        parts.into_iter().for_each(|part| self.roster.start(part));
        Ok(())
    }

    /// Stops baseline and canary, which have no requests any more.
    async fn dismiss(&self, board: &Board, name: &str) -> Result<()> {
        let guests = self.with(name, |crew| crew.canary.is_some().then(|| crew.guests()))?;
        let Some(guests) = guests else { return Ok(()) };
        self.files.scrape(name, None)?;
        sleep(FORGET).await;
        guests.iter().for_each(|guest| self.roster.stop(guest));
        let gone = |state: &LabState| guests.iter().all(|guest| state.part(guest).is_none());
        until(board, ENDS, gone).await.with_context(|| format!("{} do not end", guests.join(" and ")))?;
        self.with(name, |crew| crew.canary = None)
    }

    /// Lets all that stay become a version, one after the other. At the end of a release, baseline and canary have all the requests
    /// meanwhile; on the way back from there, the baseline alone.
    async fn change(&self, board: &Board, name: &str, version: &Version) -> Result<()> {
        let meanwhile = self.with(name, |crew| meanwhile(&board.now(), crew, version))?;
        if meanwhile.is_some() {
            self.route(name, meanwhile).await?;
        }
        let staying = self.with(name, |crew| {
            crew.known = false;
            crew.staying(version)
        })?;
        for (part, line) in staying {
            let before = board.now().part(&part).and_then(|part| part.process);
            self.roster.become_of(&self.files.lab, board, &part, line)?;
            let changed = |state: &LabState| {
                let now = state.part(&part);
                now.is_some_and(|now| now.status == Status::Ready && now.process != before)
            };
            until(board, CHANGES, changed).await.with_context(|| format!("{part} is not ready again"))?;
        }
        self.with(name, |crew| {
            crew.version = version.clone();
            crew.known = true;
        })
    }
}

/// Who has the requests while all that stay become a version; nothing: as it is.
fn meanwhile(state: &LabState, crew: &Crew, version: &Version) -> Option<[u32; 3]> {
    let [baseline, canary] = crew.guests().map(|guest| is_ready(state, &guest));
    let forward = crew.canary.as_ref().is_some_and(|canary| canary.name == version.name);
    match (forward, baseline, canary) {
        _ if crew.weight == 0 => None,
        (true, true, true) => Some(shares(50)),
        (false, true, _) => Some([0, 100, 0]),
        _ => None,
    }
}

/// Waits for the lab to be so.
async fn until(board: &Board, longest: Duration, holds: impl Fn(&LabState) -> bool) -> Result<()> {
    let mut states = board.watch();
    let waited = timeout(longest, states.wait_for(|state| holds(state))).await;
    match waited {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) => bail!("the lab has ended"),
        Err(_) => bail!("not within {} s", longest.as_secs()),
    }
}
