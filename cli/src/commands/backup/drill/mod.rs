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
use tokio::{process::Command, time::sleep};

use self::report::Report;
use crate::{
    backup::{Engine, instance, listing::list, request::SERVER, s3::Settings},
    commands::torture::{
        disaster::{self, Scene, Went},
        loss::{back, loss, lost, stored, until},
        patient::Patient,
        rest::Settled,
    },
    home::Home,
    parts::{control_room::CONTROL_ROOM, stores::KAFKA, table::Broker},
    terminal::say,
};

/// Longest time until the lab is up and its first backup was verified.
const PREPARE: Duration = Duration::from_secs(180);
/// Longest time from the restore to the first order.
const BACK: Duration = Duration::from_secs(120);

/// Starts a separate lab with backups and callers, waits for a verified backup, kills PostgreSQL, the broker and the control
/// room, deletes their data, restores, repeats the lost orders, and checks the databases. Your lab is not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab backup drill               once\n  \
    lab backup drill --times 10    ten times in a row, each in a new lab\n  \
    lab backup drill --kafka apache   with a broker that keeps its messages; needs Java 17\n\n\
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
    /// Broker of the lab. lab-kafka is wiped too; Apache Kafka keeps its log, as a broker that survives the disaster, and the
    /// restore has to take its messages back.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = Broker::Embedded)]
    kafka: Broker,
    /// Move all ports of the lab by this number. By default free ports are found.
    #[arg(long, value_name = "N")]
    port_offset: Option<u16>,
    /// Print each report as one JSON document.
    #[arg(long)]
    json: bool,
}

impl Drill {
    pub(super) async fn run(self, home: &Home) -> Result<ExitCode> {
        let drill = disaster::Drill {
            of: "backup",
            times: self.times,
            rps: self.rps,
            json: self.json,
            kafka: self.kafka,
            up: &["--backups", "--backup-every", "7days"],
            prepare: PREPARE,
            port_offset: self.port_offset,
        };
        let (rpo, rto) = (self.rpo.as_secs_f64(), self.rto.as_secs_f64());
        let report = |went: &Went, settled: &Settled| Report::of(went, settled, went.loss.within(rpo, rto));
        let reports = drill.run(home, async |scene: &Scene| self.disaster(scene).await, report).await?;
        let Some(reports) = reports else { return Ok(ExitCode::FAILURE) };
        if self.times > 1 {
            let losses: Vec<Loss> = reports.iter().map(|report| report.loss).collect();
            say(worst(&losses));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Wipes and restores; returns what it cost.
    async fn disaster(&self, scene: &Scene) -> Result<Went> {
        let Scene { home, patient, addresses, clients } = scene;
        let engine = Engine::of(home, None, None, &Settings::default())?;
        until(PREPARE, "no backup was verified", || {
            let listing = list(&engine.vault, engine.source.segment_bytes);
            listing.is_ok_and(|listing| listing.catalogue.last_verified().is_some())
        })
        .await?;
        say(format!("a backup is verified; {} of load", humantime::format_duration(self.load)));
        sleep(self.load).await;
        let at = Utc::now();
        wipe(&engine, patient, self.kafka)?;
        let broker = if self.kafka == Broker::Embedded { "the broker, " } else { "" };
        say(format!("wiped: PostgreSQL, {broker}the control room; restoring"));
        let seconds = restore(home).await?;
        let survivors = stored(&addresses.orders).await?;
        until(BACK, "no order was accepted after the restore", || back(&clients.notes(), at).is_some())
            .await?;
        let notes = clients.notes();
        let lost = lost(&notes, at, &survivors);
        Ok(Went { loss: loss(&notes, at, &lost), lost, seconds })
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

/// SIGKILL, and their data are deleted at once; a broker with a log on disk survives.
fn wipe(engine: &Engine, patient: &Patient, kafka: Broker) -> Result<()> {
    let broker = (kafka == Broker::Embedded).then_some(KAFKA);
    for part in [SERVER, CONTROL_ROOM].into_iter().chain(broker) {
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
