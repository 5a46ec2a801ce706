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
use supervisor::ports::Outgoing;
use tokio::{process::Command, time::sleep};
use tokio_util::sync::CancellationToken;

use self::report::Report;
use crate::{
    backup::swap::SERVER,
    commands::{
        down,
        torture::{
            clients::Clients,
            loss::{back, lost, stored, until},
            patient::{Patient, free_offset},
            rest::{Addresses, Rest},
        },
    },
    failover::watch,
    home::Home,
    parts::{ports, postgres::Confirm, table::Broker},
    terminal::{block, json, say},
};

/// Longest time until the lab is up and its replica follows.
const PREPARE: Duration = Duration::from_secs(120);
/// Longest time from the failover to the first order.
const BACK: Duration = Duration::from_secs(120);
/// Time for everything to settle at the end.
const REST: Duration = Duration::from_secs(180);

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
    /// Print each report as one JSON document.
    #[arg(long)]
    json: bool,
}

impl Drill {
    pub(super) async fn run(&self, home: &Home) -> Result<ExitCode> {
        for number in 1..=self.times {
            let made = tempfile::Builder::new().prefix("lab-failover-drill-").tempdir();
            let made = made.context("no temporary folder")?;
            let folder = made.path().join("lab");
            let own = Home { token: home.token.clone(), ..Home::find(Some(&home.root), Some(&folder))? };
            say(format!("drill {number} of {}: starting a lab in {}", self.times, own.dir.display()));
            let outcome = self.drill(&own).await;
            let fine = outcome.as_ref().is_ok_and(|report| report.pass);
            if fine {
                down::purge(&own)?;
            } else {
                // To find the cause, you need the databases and the logs.
                say(format!("data and logs: {}", made.keep().join("lab").display()));
            }
            let report = outcome?;
            if self.json {
                json(&report)?
            } else {
                block(&format!("drill {number}: {report}"))
            }
            if !fine {
                return Ok(ExitCode::FAILURE);
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// One run; when it returns, no process of the lab is left.
    async fn drill(&self, home: &Home) -> Result<Report> {
        let offset = free_offset()?;
        let ports = ports::choose(offset, &[], &Outgoing::here())?;
        // Before the lab starts: it and this process must not both make its passwords.
        let addresses = Addresses::new(&ports, home)?;
        let patient = Patient::new(home, Broker::Embedded, offset, &["--replica", self.replica.as_str()]);
        let (end, now) = (CancellationToken::new(), CancellationToken::new());
        let mut kept = tokio::spawn(patient.clone().keep_up(end.clone(), now));
        let report = tokio::select! {
            kept = &mut kept => {
                kept??;
                bail!("the lab ended by itself")
            }
            report = self.under_load(home, &patient, &addresses) => report,
        };
        end.cancel();
        kept.await??;
        report
    }

    async fn under_load(&self, home: &Home, patient: &Patient, addresses: &Addresses) -> Result<Report> {
        let up = tokio::time::timeout(PREPARE, patient.until_ready()).await;
        up.context("the lab does not become ready")?;
        let prefix = format!("drill-{}-{}-", std::process::id(), Utc::now().timestamp());
        let clients = Clients::new(&addresses.order_api, &prefix);
        let (stop, give_up) = (CancellationToken::new(), CancellationToken::new());
        let calls = tokio::spawn(clients.clone().run(self.rps.into(), stop.clone(), give_up.clone()));
        let went = self.disaster(home, patient, addresses, &clients).await;
        stop.cancel();
        let settled = match &went {
            Ok(went) => {
                clients.place_again(&went.lost, &give_up).await;
                let rest = Rest { addresses, clients: &clients, prefix: &prefix, deadline: REST };
                Some(rest.settle().await)
            }
            Err(_) => None,
        };
        give_up.cancel();
        let _ = calls.await;
        let (went, settled) = (went?, settled.context("nothing settled")?);
        let within = went.loss.within(self.rpo.as_secs_f64(), self.rto.as_secs_f64());
        Ok(Report::of(self.replica, &went, &settled, within))
    }

    /// Kills the primary and fails over; returns what it cost.
    async fn disaster(
        &self,
        home: &Home,
        patient: &Patient,
        addresses: &Addresses,
        clients: &Clients,
    ) -> Result<Went> {
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
        Ok(Went { loss, lost, failover_seconds: seconds })
    }
}

/// What one disaster did.
struct Went {
    loss: Loss,
    /// Keys of lost orders.
    lost: Vec<String>,
    failover_seconds: f64,
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
