//! Desired state in a cluster. This terminal compares every pod with the newest commit, over its admin port, and sets what differs
//! at once: a kubelet would take a minute to bring a changed file. It uses the rights of the person who runs it, as releases do.
//!
//! What is set here ends with its pod. The chart brings the same for good (`lab gitops values`); once its files have arrived, what
//! they say is no longer set beside them.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
use chrono::Utc;
use clap::Args;
use gitops::Repository;
use release::desired::Health;
use switchboard::{Cluster, Forward};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::status;
use crate::{
    desired::{Does, Keeping, Member, Report},
    installation::Installation,
    signals::{self, Hangup},
    terminal::{out, say},
};

/// Between two looks: each asks kubectl for the pods.
const EVERY: Duration = Duration::from_secs(2);

/// Keeps the pods of a cluster as the newest commit says, until Ctrl-C. What somebody changes by hand on an edge (rules, the kill
/// switch, the limit, weights) or at a protection that a commit sets is seen within seconds, and set back, or left with `drift: keep`.
/// Changes last until their pods end: commit `lab gitops values` for the chart as well.
#[derive(Debug, Args)]
pub(super) struct Keep {}

/// The pods of a lab in a cluster, and what should be in force there.
pub(super) struct There {
    cluster: Cluster,
    /// The open ways to the pods, by their names, and when each pod was started.
    ways: BTreeMap<String, (Option<String>, Forward)>,
    keeping: Keeping,
}

impl There {
    /// Those of the cluster that is named. The context that is current now stays the one of this command.
    ///
    /// # Errors
    /// When no cluster is named, or kubectl knows no context.
    pub(super) async fn of(place: &Installation, repository: Repository) -> Result<Self> {
        let mut cluster = Cluster { pod: None, ..place.needed_cluster()? };
        if cluster.context.is_none() {
            cluster.context = Some(cluster.tell(&["config", "current-context"]).await?);
        }
        Ok(Self { cluster, ways: BTreeMap::new(), keeping: Keeping::new(repository, place.token()) })
    }

    /// Prints how the pods are. Changes nothing.
    ///
    /// # Errors
    /// When the pods cannot be listed.
    pub(super) async fn status(mut self, as_json: bool) -> Result<ExitCode> {
        let report = self.turn(Does::Tells).await?;
        status::show(&report, as_json)
    }

    /// Sets what differs until nothing does, or the time is over; even what would stay, since somebody asks for it.
    ///
    /// # Errors
    /// When the pods cannot be listed.
    pub(super) async fn sync(mut self, longest: Duration) -> Result<ExitCode> {
        let begun = Instant::now();
        loop {
            let report = self.turn(Does::SetsAll).await?;
            if report.health == Health::Synced || begun.elapsed() >= longest {
                return status::show(&report, false);
            }
            sleep(EVERY).await;
        }
    }

    /// Sets what differs again and again, and prints each change, until somebody stops it.
    pub(super) async fn keep(mut self) -> ExitCode {
        let stop = CancellationToken::new();
        let words = "\nnobody keeps the pods any more; what was set stays until they end";
        let listening =
            tokio::spawn(signals::listen(stop.clone(), CancellationToken::new(), Hangup::Ends, words));
        let mut told = None;
        while !stop.is_cancelled() {
            // A turn is not cut off: half of the edges would have what the other half has not.
            match self.turn(Does::Sets).await {
                Ok(report) => {
                    let now = Utc::now().format("%H:%M:%S");
                    self.keeping.tried().iter().for_each(|tried| out!("{now} set: {tried}"));
                    if told.as_ref() != Some(&report) {
                        out!("{now} {}", status::head(&report));
                        report.open.iter().for_each(|open| out!("{now}   {open}"));
                    }
                    told = Some(report);
                }
                Err(error) => say(format_args!("lab: nothing is known of the pods: {error:#}")),
            }
            stop.run_until_cancelled(sleep(EVERY)).await;
        }
        listening.abort();
        ExitCode::SUCCESS
    }

    async fn turn(&mut self, does: Does) -> Result<Report> {
        let unread = self.keeping.refresh().await;
        let services = self.keeping.services();
        let (members, silent) = self.members(&services).await?;
        let broken = unread.into_iter().chain(silent).collect();
        Ok(self.keeping.turn(&members, does, broken).await)
    }

    /// The pods of these services that can be reached; and those that cannot, a sentence each.
    async fn members(&mut self, services: &BTreeSet<String>) -> Result<(Vec<Member>, Vec<String>)> {
        let pods = self.cluster.pods(None).await?;
        let mut before = mem::take(&mut self.ways);
        let (mut members, mut silent) = (Vec::new(), Vec::new());
        for pod in pods.into_iter().filter(|pod| services.contains(&pod.service)) {
            let known = before.remove(&pod.name).filter(|(started, _)| *started == pod.started);
            let mut open = known.map(|(_, way)| way);
            if open.as_mut().is_some_and(Forward::is_closed) {
                open = None;
            }
            let opened = match open {
                Some(way) => Ok(way),
                None => self.cluster.pod(&pod).await,
            };
            let way = match opened {
                Ok(way) => way,
                Err(error) => {
                    silent.push(format!("{} cannot be reached, and is set once it can: {error}", pod.name));
                    continue;
                }
            };
            members.push(Member {
                name: pod.name.clone(),
                service: pod.service,
                admin: way.url.clone(),
                process: pod.started.clone(),
                ready: pod.ready,
            });
            self.ways.insert(pod.name, (pod.started, way));
        }
        Ok((members, silent))
    }
}
