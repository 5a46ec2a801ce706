//! `lab failover drill`: a lab of its own under load loses its primary, and goes over to the replica; what it cost is measured
//! by the callers, who know every order that was accepted.

mod report;

use std::{
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use clap::Args;
use recovery::{Accepted, Loss};
use tokio::{process::Command, time::sleep};

use self::report::Report;
use crate::{
    backup::request::SERVER,
    commands::torture::{
        disaster::{self, Scene, Went},
        loss::{back, lost, stored, until},
        rest::Settled,
    },
    failover::watch,
    home::Home,
    parts::{postgres::Confirm, table::Broker},
    terminal::say,
};

/// Longest time until the lab is up and its replica follows.
const PREPARE: Duration = Duration::from_secs(120);
/// Longest time from the failover to the first order.
const BACK: Duration = Duration::from_secs(120);

/// Starts a separate lab with a replica and callers, kills the primary with SIGKILL, fails over, repeats the lost orders, and
/// checks the databases. Your lab is not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab failover drill                              asynchronous: how many accepted orders are lost\n  \
    lab failover drill --replica sync --times 10    synchronous: none may be lost, ten times in a row\n\n\
    Exit code: 0 if every run was within its limits, a synchronous one lost no accepted order, and nothing is lost or \
    doubled at the end; 1 otherwise.")]
pub(super) struct Drill {
    /// What a commit waits for.
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Confirm::Async)]
    replica: Confirm,
    /// Number of runs, one after the other; ends at the first failure.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    times: u16,
    /// Orders per second that the callers place, in addition to the load generator's.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rps: u16,
    /// Time under load before the primary is killed.
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    load: Duration,
    /// Limit for RPO: the age of the oldest lost order.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    rpo: Duration,
    /// Limit for RTO: the time until an order is accepted again.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    rto: Duration,
    /// Move all ports of the lab by this number. By default free ports are found.
    #[arg(long, value_name = "N")]
    port_offset: Option<u16>,
    /// Print each report as one JSON document.
    #[arg(long)]
    json: bool,
}

impl Drill {
    pub(super) async fn run(&self, home: &Home) -> Result<ExitCode> {
        let drill = disaster::Drill {
            of: "failover",
            times: self.times,
            rps: self.rps,
            json: self.json,
            kafka: Broker::Embedded,
            up: &["--replica", self.replica.as_str()],
            prepare: PREPARE,
            port_offset: self.port_offset,
        };
        let (rpo, rto) = (self.rpo.as_secs_f64(), self.rto.as_secs_f64());
        let report = |went: &Went, settled: &Settled| {
            Report::of(self.replica, went, settled, went.loss.within(rpo, rto))
        };
        let passed = drill.run(home, async |scene: &Scene| self.disaster(scene).await, report).await?;
        Ok(if passed.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Kills the primary and fails over; returns what it cost.
    async fn disaster(&self, scene: &Scene) -> Result<Went> {
        let Scene { home, patient, addresses, clients } = scene;
        let sync = self.replica == Confirm::Sync;
        until(PREPARE, "the replica does not follow the primary", || {
            watch::last(home).is_some_and(|look| look.seen.streaming && look.seen.sync == sync)
        })
        .await?;
        say(format!("the replica follows; {} of load", humantime::format_duration(self.load)));
        sleep(self.load).await;
        let at = Utc::now();
        if !patient.kill(SERVER) {
            bail!("the primary did not run, so it could not be killed");
        }
        say("killed the primary; failing over");
        let seconds = fail_over(home).await?;
        // The notes first: what they have was accepted, by whichever primary, and must be among what is stored.
        let before = clients.notes();
        let survivors = stored(&addresses.orders).await?;
        until(BACK, "no order was accepted after the failover", || back(&clients.notes(), at).is_some())
            .await?;
        let lost = lost(&before, Utc::now(), &survivors);
        let orders: Vec<Accepted> = before
            .accepted
            .iter()
            .map(|(key, accepted)| Accepted { at: (*accepted).min(at), survived: !lost.contains(key) })
            .collect();
        let loss = Loss::of(&orders, at, back(&clients.notes(), at));
        Ok(Went { loss, lost, seconds })
    }
}

/// Fails over as a person does; returns how many seconds it took, with the building of a new replica.
async fn fail_over(home: &Home) -> Result<f64> {
    let began = Utc::now();
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--root").arg(&home.root).arg("--dir").arg(home.dir.as_os_str());
    // The primary is gone, and whatever the replica lacks with it.
    command.args(["failover", "--force"]).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.kill_on_drop(true).status().await.context("cannot run lab failover")?;
    if !status.success() {
        bail!("lab failover ended with {status}");
    }
    Ok((Utc::now() - began).to_std().unwrap_or_default().as_secs_f64())
}
