//! What a release asks and changes: the files of the lab's supervisor, and Prometheus.

use std::{
    collections::BTreeSet,
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use chrono::Utc;
use gitops::Repository;
use release::{
    Block, Run,
    fleet::{BUILDS, FILE, FOLDER, Fleet, Pair, Registered, STANDING, Standing, registered},
    freeze::Budget,
    measure::{Reading, SERIES, block},
    run::Change,
};
use serde::de::DeserializeOwned;

use super::{Live, Record, git};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// Endpoints that fail by design.
const WITHOUT: [&str; 1] = ["/risky"];

/// What canary, baseline, and all instances of the service had counted at a moment.
pub(super) struct Glance {
    canary: Reading,
    baseline: Reading,
    all: f64,
}

/// Whether what the newest step asks for is in force.
pub(super) enum Stand {
    /// It is.
    Settled,
    /// Not yet.
    Waits,
    /// It never will be.
    Failed(String),
}

/// The folder of the lab.
///
/// # Errors
/// When there is no lab on this machine.
pub(super) fn lab(room: &Room) -> Result<PathBuf> {
    room.eyes.tools.lab.as_ref().map(|lab| lab.dir.clone()).ok_or_else(|| Error::NotHere {
        what: "releases run in local mode, and this control room has no lab on its machine".to_owned(),
        next: "start one with `lab up`; on Kubernetes, use Argo Rollouts or Flagger".to_owned(),
    })
}

/// What is left of the error budgets of a service, as the last look found.
pub(super) fn budgets(room: &Room, service: &str) -> Vec<Budget> {
    let seen = room.watch.seen();
    let own = room.content.slos().iter().filter(|slo| slo.service == service);
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
pub(super) async fn commit(
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

/// Why the service is not as the release has left it, if it is not.
///
/// # Errors
/// When there is no lab on this machine, or its file cannot be read.
pub(super) fn overtaken(room: &Room, run: &Run) -> Result<Option<String>> {
    let fleet = fleet(&lab(room)?)?;
    Ok(fleet.services.get(&run.plan().service).and_then(|crew| run.overtaken(crew)))
}

/// Whether the newest step is in force.
pub(super) fn stand(room: &Room, service: &str, back: bool) -> Result<Stand> {
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

/// What happened since the last look; nothing if there was none, or if nobody sent a request.
///
/// # Errors
/// When Prometheus does not answer, or does not know the instances.
pub(super) async fn look(room: &Room, live: &Live) -> Result<Option<Block>> {
    let service = live.run().plan().service.clone();
    let standing = standing(&lab(room)?)?;
    let Some(pair) = standing.pairs.get(&service) else { return Ok(None) };
    let now = glance(room, &service, pair).await?;
    let mut before = live.before.lock();
    let block = before.as_ref().map(|last| between(last, &now));
    match block {
        // Too little to tell: the next look sees more.
        Some(Some(block)) if block.canary.requests.all + block.baseline.requests.all == 0 => Ok(None),
        Some(block) => {
            *before = Some(now);
            Ok(block)
        }
        None => {
            *before = Some(now);
            Ok(None)
        }
    }
}

fn between(before: &Glance, now: &Glance) -> Option<Block> {
    let block = block((&before.canary, &now.canary), (&before.baseline, &now.baseline), 0)?;
    // Instances come and go: a sum that shrinks says nothing.
    let all = (now.all - before.all).max(0.0) as u64;
    Some(Block { everyone: all.max(block.everyone), ..block })
}

async fn glance(room: &Room, service: &str, pair: &Pair) -> Result<Glance> {
    let total = format!("sum(http_requests_total{{service=\"{service}\"}})");
    let all = room.eyes.prometheus.value(&total);
    let (canary, baseline, all) =
        tokio::join!(reading(room, &pair.canary), reading(room, &pair.baseline), all);
    let all = all.map_err(|error| Error::Elsewhere(error.to_string()))?.unwrap_or_default();
    Ok(Glance { canary: canary?, baseline: baseline?, all })
}

async fn reading(room: &Room, instance: &str) -> Result<Reading> {
    let query = format!("{{instance=\"{instance}\",__name__=~\"{}\"}}", SERIES.join("|"));
    let samples = room.eyes.prometheus.query(&query).await;
    let samples = samples.map_err(|error| Error::Elsewhere(error.to_string()))?;
    let series = samples.iter().filter_map(|sample| Some((&sample.metric, sample.value()?)));
    let without: BTreeSet<String> = WITHOUT.iter().map(|&endpoint| endpoint.to_owned()).collect();
    Reading::of(series, Utc::now(), &without)
        .map_err(|error| Error::Elsewhere(format!("{instance} in Prometheus: {error}")))
}
