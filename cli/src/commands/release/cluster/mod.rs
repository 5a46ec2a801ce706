//! `lab --context … release`: the releases of a lab on Kubernetes. The control room may not change a cluster, so this program drives
//! them, with the rights of the person who runs it.
//!
//! * `begin` -- what is wanted, and whether it may. `journal` -- what happened, in a file. `drive` -- what is next is done.
//! * `tell` -- the terminal and the control room are told.
//! * `world` -- what a release asks and changes, by `helm` (the chart's values) and `edges` (every pod of them).

mod begin;
mod drive;
mod edges;
mod helm;
mod journal;
mod tell;
mod world;

use std::{mem, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use release::{
    Plan, Run,
    fleet::FOLDER,
    run::{How, What},
    view,
};
use serde_json::Value;
use switchboard::Cluster;
use tokio::time::sleep;

use self::{begin::only_a_tag, drive::drive, helm::Helm, journal::Journal, tell::Teller, world::There};
use super::{print, start::Start};
use crate::{
    home::Home,
    installation::Installation,
    parts::edge::BEHIND,
    terminal::{json, out},
};

/// Who acts if nobody says: the control room's word for it.
const SOMEBODY: &str = "somebody";

/// The releases of a lab in a cluster.
pub(super) struct Releases<'a> {
    place: &'a Installation,
    home: Home,
    cluster: Cluster,
    journal: Journal,
    /// Who acts.
    who: String,
}

impl<'a> Releases<'a> {
    /// Those of the lab in the cluster that is named. The context that is current now stays the one of this command.
    ///
    /// # Errors
    /// When kubectl knows no context, or the file of the releases cannot be read.
    pub(super) async fn of(place: &'a Installation, who: Option<String>) -> Result<Self> {
        let mut cluster = Cluster { pod: None, ..place.needed_cluster()? };
        let context = match cluster.context.take() {
            Some(named) => named,
            None => cluster.tell(&["config", "current-context"]).await?,
        };
        cluster.context = Some(context.clone());
        let home = place.home()?;
        let journal = Journal::open(&home.dir.join(FOLDER), &context, &cluster.namespace)?;
        let who = who.map(|who| who.trim().to_owned()).filter(|who| !who.is_empty());
        Ok(Self { place, home, cluster, journal, who: who.unwrap_or_else(|| SOMEBODY.to_owned()) })
    }

    /// Starts a release, or continues the same one if its driver is gone; drives it until it is over.
    ///
    /// # Errors
    /// When it may not begin, or cannot be driven.
    pub(super) async fn start(mut self, start: &Start) -> Result<ExitCode> {
        only_a_tag(start)?;
        let seat =
            self.journal.seat()?.context("another terminal drives a release here: lab release status")?;
        self.journal.refresh()?;
        let there = there(self.place, &self.home, &self.cluster, &start.service).await?;
        let mut teller = Teller::new(self.place, &self.cluster, start.json);
        match self.journal.open_run() {
            Some(run) if (&run.plan().service, &run.plan().new) == (&start.service, &start.version) => {
                if !start.json {
                    out!("{} continues: {}", run.plan().id, run.state());
                }
            }
            Some(run) => {
                let Plan { id, service, new, .. } = run.plan();
                bail!(
                    "{id} of {service} {new} is under way: `lab release abort {id} WHY`, or start the same one again"
                );
            }
            None => {
                // The events of the newest release are at hand: what the room has missed of them is told now or never.
                teller.report(&self.journal).await;
                let plan = self.plan(start, &there, teller.newest().await).await?;
                let (id, old) = (plan.id.clone(), plan.old.clone());
                self.journal.record(&What::Started { plan: Box::new(plan) }.at(Utc::now()))?;
                if !start.json {
                    let (service, new) = (&start.service, &start.version);
                    out!("{id}: {service} {old} -> {new}; to stop it: Ctrl-C, or lab release abort {id} WHY");
                }
            }
        }
        let run = drive(&there, &mut self.journal, teller).await?;
        drop(seat);
        print_run(&run, start.json)?;
        Ok(code(&run))
    }

    /// Prints a release, by default the newest one.
    ///
    /// # Errors
    /// When there is no such release.
    pub(super) fn status(&self, id: Option<&str>, as_json: bool) -> Result<ExitCode> {
        let runs = self.journal.runs();
        let run = match id {
            Some(id) => Some(runs.iter().find(|run| run.plan().id == id).with_context(|| self.unknown(id))?),
            None => runs.last(),
        };
        let Some(run) = run else {
            out!("there has been no release; to start one: lab release start --help");
            return Ok(ExitCode::SUCCESS);
        };
        print_run(run, as_json)?;
        if run.end().is_none() && !as_json && self.journal.seat()?.is_some() {
            let Plan { service, new, .. } = run.plan();
            out!("  nobody drives it: lab release start {service} --version {new} --why … continues");
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Lists releases, the newest first.
    ///
    /// # Errors
    /// When they cannot be printed.
    pub(super) fn list(&self, limit: usize, as_json: bool) -> Result<ExitCode> {
        let newest = self.journal.runs().iter().rev().take(limit);
        let releases = newest.map(shown).collect::<Result<Vec<Value>>>()?;
        if as_json {
            json(&serde_json::json!({ "releases": releases }))?;
            return Ok(ExitCode::SUCCESS);
        }
        if releases.is_empty() {
            out!("there has been no release; to start one: lab release start --help");
        }
        releases.iter().for_each(|release| out!("{}", print::line(release)));
        Ok(ExitCode::SUCCESS)
    }

    /// Stops the release, or continues one that waits. Drives it if no other terminal does, or none does any more.
    /// Returns when it is over; a continued one may also be left to another terminal.
    ///
    /// # Errors
    /// When there is no such release, or it cannot be stopped or continued now.
    pub(super) async fn decide(mut self, id: &str, stop: bool, why: String) -> Result<ExitCode> {
        let run =
            self.journal.open_run().filter(|run| run.plan().id == id).with_context(|| self.unknown(id))?;
        let (service, by) = (run.plan().service.clone(), self.who.clone());
        let what = if stop { What::Aborted { by, why } } else { What::Continued { by, why } };
        self.journal.record(&what.at(Utc::now()))?;
        let mut told = false;
        let run = loop {
            self.journal.refresh()?;
            let mut runs = self.journal.runs().iter();
            let run = runs.find(|run| run.plan().id == id).cloned().context("the release is gone")?;
            if run.end().is_some() {
                break run;
            }
            if let Some(_seat) = self.journal.seat()? {
                let there = there(self.place, &self.home, &self.cluster, &service).await?;
                let teller = Teller::new(self.place, &self.cluster, false);
                break drive(&there, &mut self.journal, teller).await?;
            }
            if !mem::replace(&mut told, true) {
                if stop {
                    out!("another terminal drives {id}, and takes every request back");
                }
                // It may be another person's, who may not tell this where people have tokens of their own.
                Teller::new(self.place, &self.cluster, true).report(&self.journal).await;
            }
            if !stop {
                break run;
            }
            // It reads within a second what was recorded. If it is killed, its seat is free.
            sleep(release::drive::PERIOD).await;
        };
        print_run(&run, false)?;
        Ok(if stop || run.end().is_none() { ExitCode::SUCCESS } else { code(&run) })
    }

    fn unknown(&self, id: &str) -> String {
        let open = self.journal.open_run().map_or_else(|| "none".to_owned(), |run| run.plan().id.clone());
        format!("there is no release {id} to show or to change here; under way: {open}")
    }
}

/// The cluster, for a service that can be released there.
async fn there<'a>(
    place: &'a Installation,
    home: &'a Home,
    cluster: &'a Cluster,
    service: &str,
) -> Result<There<'a>> {
    if !BEHIND.contains(&service) {
        let known = BEHIND.join(" or ");
        bail!("`{service}` cannot be released: expected {known}, because the edge splits their requests");
    }
    let context = cluster.context.as_deref().unwrap_or_default();
    let helm = Helm::of(cluster, context, &home.root, service).await?;
    Ok(There::new(place, home, cluster, helm))
}

/// A release as the control room would show it.
fn shown(run: &Run) -> Result<Value> {
    Ok(serde_json::to_value(view::in_cluster(run, Utc::now()))?)
}

fn print_run(run: &Run, as_json: bool) -> Result<()> {
    let release = shown(run)?;
    if as_json {
        return json(&release);
    }
    print::whole(&release);
    Ok(())
}

/// Whether the version reached everyone.
fn code(run: &Run) -> ExitCode {
    let released = run.end().is_some_and(|end| end.how == How::Released);
    if released { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
