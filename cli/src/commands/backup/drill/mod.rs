//! `lab backup drill`: a lab of its own under load loses its data, and gets them back; what it cost is measured by the
//! callers, who know every order that was accepted.

mod report;

use std::{
    fs,
    path::PathBuf,
    process::{ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use clap::Args;
use recovery::Loss;
use supervisor::ports::Outgoing;
use tokio::{process::Command, time::sleep};
use tokio_util::sync::CancellationToken;

use self::report::Report;
use crate::{
    backup::{Engine, instance, listing::list, s3::Settings, swap::SERVER},
    commands::{
        down,
        torture::{
            clients::Clients,
            loss::{back, loss, lost, stored, until},
            patient::{Patient, free_offset},
            rest::{Addresses, Rest},
        },
    },
    home::Home,
    parts::{control_room::CONTROL_ROOM, ports, table::Broker},
    terminal::{block, json, say},
};

/// Longest time until the lab is up and its first backup was verified.
const PREPARE: Duration = Duration::from_secs(180);
/// Longest time from the restore to the first order.
const BACK: Duration = Duration::from_secs(120);
/// Time for everything to settle at the end.
const REST: Duration = Duration::from_secs(180);

/// Starts a separate lab with backups and callers, waits for a verified backup, kills PostgreSQL, the broker and the control
/// room, deletes their data, restores, repeats the lost orders, and checks the databases. Your lab is not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab backup drill               once\n  \
    lab backup drill --times 10    ten times in a row, each in a new lab\n\n\
    Exit code: 0 if every run was within its limits and nothing is lost or doubled at the end; 1 otherwise.")]
pub(super) struct Drill {
    /// Number of runs, one after the other; ends at the first failure.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    times: u16,
    /// Orders per second that the callers place, in addition to the load generator's.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rps: u16,
    /// Time under load before the disaster, after the first backup was verified.
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    load: Duration,
    /// Limit for RPO: the age of the oldest lost order.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    rpo: Duration,
    /// Limit for RTO: the time until an order is accepted again.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    rto: Duration,
    /// Print each report as one JSON document.
    #[arg(long)]
    json: bool,
}

impl Drill {
    pub(super) async fn run(self, home: &Home) -> Result<ExitCode> {
        let mut losses = Vec::new();
        for number in 1..=self.times {
            let made = tempfile::Builder::new().prefix("lab-backup-drill-").tempdir();
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
            losses.push(report.loss);
        }
        if self.times > 1 {
            say(worst(&losses));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// One run; when it returns, no process of the lab is left.
    async fn drill(&self, home: &Home) -> Result<Report> {
        let offset = free_offset()?;
        let ports = ports::choose(offset, &[], &Outgoing::here())?;
        // Before the lab starts: it and this process must not both make its passwords.
        let addresses = Addresses::new(&ports, home)?;
        let patient = Patient::new(home, Broker::Embedded, offset, &["--backups", "--backup-every", "7days"]);
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
        Ok(Report::of(&went, &settled, within))
    }

    /// Wipes and restores; returns what it cost.
    async fn disaster(
        &self,
        home: &Home,
        patient: &Patient,
        addresses: &Addresses,
        clients: &Clients,
    ) -> Result<Went> {
        let engine = Engine::of(home, None, None, &Settings::default())?;
        until(PREPARE, "no backup was verified", || {
            let listing = list(&engine.vault, engine.source.segment_bytes);
            listing.is_ok_and(|listing| listing.catalogue.last_verified().is_some())
        })
        .await?;
        say(format!("a backup is verified; {} of load", humantime::format_duration(self.load)));
        sleep(self.load).await;
        let at = Utc::now();
        wipe(&engine, patient)?;
        say("wiped: PostgreSQL, the broker, the control room; restoring");
        let seconds = restore(home).await?;
        let survivors = stored(&addresses.orders).await?;
        until(BACK, "no order was accepted after the restore", || back(&clients.notes(), at).is_some())
            .await?;
        let notes = clients.notes();
        let lost = lost(&notes, at, &survivors);
        Ok(Went { loss: loss(&notes, at, &lost), lost, restore_seconds: seconds })
    }
}

/// The worst of several runs: what to count with.
fn worst(losses: &[Loss]) -> String {
    let most = |value: fn(&Loss) -> f64| losses.iter().map(value).fold(0.0, f64::max);
    format!(
        "{} drills passed: RPO at most {:.1} s, RTO at most {:.1} s",
        losses.len(),
        most(|loss| loss.rpo_seconds),
        most(|loss| loss.rto_seconds.unwrap_or_default())
    )
}

/// What one disaster did.
struct Went {
    loss: Loss,
    /// Keys of lost orders.
    lost: Vec<String>,
    restore_seconds: f64,
}

/// SIGKILL, and their data are deleted at once.
fn wipe(engine: &Engine, patient: &Patient) -> Result<()> {
    for part in [SERVER, "lab-kafka", CONTROL_ROOM] {
        patient.kill(part);
    }
    // Renamed first: a session that has not noticed the end of its server may still write a file.
    let (cluster, gone) = (engine.local.cluster(), engine.local.beside("wiped"));
    fs::rename(&cluster, &gone).with_context(|| format!("cannot wipe {}", cluster.display()))?;
    let _ = fs::remove_dir_all(&gone);
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(PathBuf::from(format!("{}{ending}", engine.room.display())));
    }
    Ok(())
}

/// Restores as a person does; returns how many seconds it took.
async fn restore(home: &Home) -> Result<f64> {
    let began = Utc::now();
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--root").arg(&home.root).arg("--dir").arg(home.dir.as_os_str());
    command.args(["backup", "restore", "--to", "latest", "--with-room", "--instance", &instance(home)]);
    command.env_remove("LAB_BACKUPS").env_remove("LAB_BACKUP_KEY").stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.kill_on_drop(true).status().await.context("cannot run lab backup restore")?;
    if !status.success() {
        bail!("lab backup restore ended with {status}");
    }
    Ok((Utc::now() - began).to_std().unwrap_or_default().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_runs_end_with_the_worst_of_them() {
        let run = |rpo_seconds, rto| Loss { accepted: 9, lost: 1, rpo_seconds, rto_seconds: Some(rto) };
        let said = worst(&[run(0.4, 9.0), run(1.2, 7.5)]);
        assert_eq!(said, "2 drills passed: RPO at most 1.2 s, RTO at most 9.0 s");
    }
}
