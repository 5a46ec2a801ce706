//! What an act takes. Each may be repeated: one that failed, or was interrupted, is decided again.

use std::{fs, io::ErrorKind, time::Duration};

use anyhow::{Context as _, Result, bail};
use release::{
    desired::{Act, Setting},
    fleet::{Fleet, Version, shares},
};
use supervisor::{
    Board,
    state::{LabState, Status},
};
use tokio::time::{sleep, timeout};

use super::{Agent, is_ready};
use crate::parts::ports;

/// Prometheus takes a change of its targets within 5 s. An instance that stopped before that would be reported as down.
const FORGET: Duration = Duration::from_secs(6);
/// Longest time for an instance to drain and end.
const ENDS: Duration = Duration::from_secs(20);
/// Longest time for an instance that stays to end, and to be ready as a new version.
const CHANGES: Duration = Duration::from_secs(45);

impl Agent {
    /// Does what the reconciler decided.
    pub(super) async fn perform(&mut self, board: &Board, fleet: &Fleet, act: &Act) -> Result<()> {
        let name = act.setting.service().unwrap_or_default();
        let wanted = fleet.services.get(name).with_context(|| format!("nothing is said about `{name}`"))?;
        match &act.setting {
            Setting::Weight { .. } => {
                let weight = act.to.as_deref().unwrap_or("0");
                let weight = weight.parse::<u32>().with_context(|| format!("`{weight}` is no percent"))?;
                self.weigh(name, weight).await
            }
            Setting::Canary { .. } => {
                self.dismiss(board, name).await?;
                match &wanted.canary {
                    Some(trial) => self.invite(name, &trial.version),
                    None => Ok(()),
                }
            }
            Setting::Version { .. } => self.change(board, name, &wanted.version).await,
            other => bail!("{other} is not set by releases"),
        }
    }

    /// Gives the canary this percent of the requests, and as much to the baseline.
    async fn weigh(&mut self, name: &str, weight: u32) -> Result<()> {
        let crew = self.services.get_mut(name).with_context(|| no_such(name))?;
        crew.shares = (weight > 0).then(|| shares(weight));
        if weight > 0 {
            // Ready by now: a target that does not answer yet would be reported as down.
            self.files.scrape(name, crew.pair().as_ref())?;
        }
        self.files.route(&self.services).await?;
        if let Some(crew) = self.services.get_mut(name) {
            crew.weight = weight;
        }
        Ok(())
    }

    /// Starts a baseline and a canary, without requests; nobody scrapes them yet.
    fn invite(&mut self, name: &str, new: &Version) -> Result<()> {
        let crew = self.services.get_mut(name).with_context(|| no_such(name))?;
        let parts = crew.instances(new, &self.files.data);
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
        crew.canary = Some(new.clone());
        parts.into_iter().for_each(|part| self.roster.start(part));
        Ok(())
    }

    /// Stops baseline and canary, which have no requests any more.
    async fn dismiss(&mut self, board: &Board, name: &str) -> Result<()> {
        let crew = self.services.get_mut(name).with_context(|| no_such(name))?;
        if crew.canary.is_none() {
            return Ok(());
        }
        let guests = crew.guests();
        self.files.scrape(name, None)?;
        sleep(FORGET).await;
        guests.iter().for_each(|guest| self.roster.stop(guest));
        let gone = |state: &LabState| guests.iter().all(|guest| state.part(guest).is_none());
        until(board, ENDS, gone).await.with_context(|| format!("{} do not end", guests.join(" and ")))?;
        if let Some(crew) = self.services.get_mut(name) {
            crew.canary = None;
        }
        Ok(())
    }

    /// Lets all that stay become a version, one after the other. At the end of a release, baseline and canary have all the requests
    /// meanwhile; on the way back from there, the baseline alone.
    async fn change(&mut self, board: &Board, name: &str, version: &Version) -> Result<()> {
        let crew = self.services.get_mut(name).with_context(|| no_such(name))?;
        let [baseline, canary] = crew.guests().map(|guest| is_ready(&board.now(), &guest));
        let forward = crew.canary.as_ref().is_some_and(|canary| canary.name == version.name);
        let meanwhile = match (forward, baseline, canary) {
            (true, true, true) => Some(shares(50)),
            (false, true, _) => Some([0, 100, 0]),
            _ => None,
        };
        if crew.weight > 0 && meanwhile.is_some() {
            crew.shares = meanwhile;
            self.files.route(&self.services).await?;
        }
        let crew = self.services.get_mut(name).with_context(|| no_such(name))?;
        crew.known = false;
        let staying = crew.staying(version);
        for (part, line) in staying {
            let before = board.now().part(&part).and_then(|part| part.process);
            self.roster.become_of(&self.files.lab, board, &part, line)?;
            let changed = |state: &LabState| {
                let now = state.part(&part);
                now.is_some_and(|now| now.status == Status::Ready && now.process != before)
            };
            until(board, CHANGES, changed).await.with_context(|| format!("{part} is not ready again"))?;
        }
        if let Some(crew) = self.services.get_mut(name) {
            crew.version = version.clone();
            crew.known = true;
        }
        Ok(())
    }
}

fn no_such(name: &str) -> String {
    format!("`{name}` cannot be released here")
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
