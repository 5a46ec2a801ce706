//! What a release asks and changes in a lab on this machine: the files of the lab's supervisor, and Prometheus.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::Utc;
use gitops::Repository;
use release::{
    Block, Run,
    drive::{PERIOD, Stand, World},
    fleet::{BUILDS, FILE, FOLDER, Fleet, Registered, STANDING, Standing, registered},
    freeze::Budget,
    look::{self, Glance, Matchers, Side},
    measure::Reading,
    run::Change,
};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::{Live, Record, git};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// How often a step is tried.
const ATTEMPTS: usize = 5;

/// The lab that this control room is a part of, for one release.
pub(super) struct Local {
    pub(super) room: Room,
    pub(super) live: Arc<Live>,
}

impl World for Local {
    type Error = Error;

    async fn budgets(&self, run: &Run) -> Vec<Budget> {
        budgets(&self.room, &run.plan().service)
    }

    async fn overtaken(&self, run: &Run) -> Result<Option<String>> {
        let fleet = fleet(&lab(&self.room)?)?;
        Ok(fleet.services.get(&run.plan().service).and_then(|crew| run.overtaken(crew)))
    }

    async fn put(&self, _run: &Run, key: &str, change: &Change, message: &str) -> Result<Option<String>> {
        let mut made = commit(&self.room, &self.live, key, change, message).await;
        for _ in 1..ATTEMPTS {
            if made.is_ok() {
                break;
            }
            sleep(PERIOD).await;
            made = commit(&self.room, &self.live, key, change, message).await;
        }
        made
    }

    async fn standing(&self, run: &Run) -> Result<Stand> {
        stand(&self.room, &run.plan().service, run.state() == "rolling-back")
    }

    async fn look(&self, run: &Run) -> Result<Option<Block>> {
        let service = &run.plan().service;
        let standing = standing(&lab(&self.room)?)?;
        let Some(pair) = standing.pairs.get(service) else { return Ok(None) };
        let now = glance(&self.room, &Matchers::of_pair(service, pair)).await?;
        Ok(self.live.looks.lock().see(now))
    }
}

/// The folder of the lab.
///
/// # Errors
/// When there is no lab on this machine.
pub(super) fn lab(room: &Room) -> Result<PathBuf> {
    room.eyes.tools.lab.as_ref().map(|lab| lab.dir.clone()).ok_or_else(|| Error::NotHere {
        what: "this control room has no lab on its machine, and may not change a cluster".to_owned(),
        next: "start one with `lab up`; on Kubernetes: lab --context NAME release start".to_owned(),
    })
}

/// What is left of the error budgets that a release of a service can hurt, as the last look found.
pub(super) fn budgets(room: &Room, service: &str) -> Vec<Budget> {
    let seen = room.watch.seen();
    let own = room.content.slos().iter().filter(|slo| slo.is_hurt_by(service));
    own.map(|slo| {
        let known = seen.budgets.iter().find(|budget| budget.slo == slo.name);
        Budget { slo: slo.name.clone(), remaining: known.and_then(|budget| budget.remaining) }
    })
    .collect()
}

/// What the supervisor says.
///
/// # Errors
/// When it says nothing.
pub(super) fn standing(lab: &Path) -> Result<Standing> {
    load(&lab.join(FOLDER).join(STANDING))?.ok_or_else(|| Error::NotHere {
        what: "the supervisor of the lab says nothing about its services".to_owned(),
        next: "wait until `lab status` says that the lab is ready".to_owned(),
    })
}

/// What should run.
pub(super) fn fleet(lab: &Path) -> Result<Fleet> {
    Ok(load(&lab.join(FOLDER).join(FILE))?.unwrap_or_default())
}

/// A build that `lab release start` has registered.
pub(super) fn build(lab: &Path, service: &str, version: &str) -> Result<Option<Registered>> {
    load(&lab.join(FOLDER).join(BUILDS).join(registered(service, version)))
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let odd = |why: String| Error::Elsewhere(format!("{}: {why}", path.display()));
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| odd(error.to_string())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(odd(error.to_string())),
    }
}

/// Replaces the file as a whole, for its owner alone.
fn save(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_added_extension("new");
    // Created, not opened, so that the mode of an old file is not kept.
    let _ = fs::remove_file(&draft);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&draft, path)
}

/// Makes a step: a commit, if the lab has a repository, and then the fleet. Both may be done again. On the way back, the fleet
/// is first: users must not keep a bad version because Git fails.
async fn commit(
    room: &Room,
    live: &Live,
    key: &str,
    change: &Change,
    message: &str,
) -> Result<Option<String>> {
    let lab = lab(room)?;
    let (run, record) = (live.run(), &live.record);
    let service = &run.plan().service;
    let back = matches!(change, Change::Revert { .. });
    if back {
        put(room, &lab, change, service, record)?;
    }
    let id = if record.git {
        let repository = Repository::at(lab.join(git::REPOSITORY));
        git::commit(&repository, key, change, message, run.plan()).await?
    } else {
        match change {
            Change::Revert { commits, unsure } if commits.is_empty() && unsure.is_none() => None,
            _ => Some(key.to_owned()),
        }
    };
    if !back {
        put(room, &lab, change, service, record)?;
    }
    Ok(id)
}

/// Writes what should run after a step.
fn put(room: &Room, lab: &Path, change: &Change, service: &str, record: &Record) -> Result<()> {
    let _one = room.releases.0.fleet.lock();
    let now = fleet(lab)?;
    // A lab that was started again runs what was built: there is nothing to take back.
    if matches!(change, Change::Revert { .. }) && !now.services.contains_key(service) {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&now.with(change, service, &record.old, &record.new))?;
    let path = lab.join(FOLDER).join(FILE);
    save(&path, &text).map_err(|error| Error::Elsewhere(format!("{}: {error}", path.display())))
}

/// Whether the newest step is in force.
fn stand(room: &Room, service: &str, back: bool) -> Result<Stand> {
    let lab = lab(room)?;
    let (fleet, standing) = (fleet(&lab)?, standing(&lab)?);
    if !fleet.services.contains_key(service) {
        // A lab begins with what was built.
        let why = "the lab was started again, and runs what was built";
        return Ok(if back { Stand::Settled } else { Stand::Failed(why.to_owned()) });
    }
    Ok(match standing.failed.get(service) {
        Some(why) if !back => Stand::Failed(why.clone()),
        _ if standing.has(&fleet, service) => Stand::Settled,
        _ => Stand::Waits,
    })
}

/// What is counted now.
///
/// # Errors
/// When Prometheus does not answer, or does not know the instances.
async fn glance(room: &Room, matchers: &Matchers) -> Result<Glance> {
    let total = matchers.total();
    let all = room.eyes.prometheus.value(&total);
    let (canary, baseline, all) =
        tokio::join!(reading(room, &matchers.canary), reading(room, &matchers.baseline), all);
    let all = all.map_err(|error| Error::Elsewhere(error.to_string()))?.unwrap_or_default();
    Ok(Glance { canary: canary?, baseline: baseline?, all })
}

async fn reading(room: &Room, side: &Side) -> Result<Reading> {
    let samples = room.eyes.prometheus.query(&side.query()).await;
    let samples = samples.map_err(|error| Error::Elsewhere(error.to_string()))?;
    let series = samples.iter().filter_map(|sample| Some((&sample.metric, sample.value()?)));
    look::reading(series, Utc::now())
        .map_err(|error| Error::Elsewhere(format!("{} in Prometheus: {error}", side.instances)))
}
