//! `lab torture`: starts its own lab, and callers that repeat each request until it is answered; kills every part
//! in turn with SIGKILL; and at the end checks the books: nothing lost, nothing doubled.

pub(in crate::commands) mod clients;
pub(in crate::commands) mod disaster;
pub(in crate::commands) mod loss;
pub(in crate::commands) mod patient;
mod report;
pub(in crate::commands) mod rest;
mod schedule;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use rand::RngExt;
use supervisor::ports::Outgoing;
use tokio_util::sync::CancellationToken;

use self::{
    clients::Clients,
    patient::{Patient, free_offset},
    report::{ClientReport, Report, Struck},
    rest::{Addresses, Rest},
    schedule::{Kill, schedule},
};
use super::down;
use crate::{
    home::Home,
    parts::{apache_kafka, ports, table::Broker},
    signals::{self, Hangup},
    terminal::{block, json, say},
};

/// Kill parts of the lab repeatedly, and prove that no order is lost or doubled.
///
/// Starts its own lab with load. Callers place orders with an Idempotency-Key and repeat each until it is answered.
/// Every 5 to 9 seconds one part gets SIGKILL: a service, the broker, PostgreSQL, Redis, Prometheus, Alertmanager,
/// the control room, the trace store, the load generator, or the supervisor, after which the lab is started again. Then
/// the load ends, and the callers' answers are compared with the databases.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab torture                          five minutes, a random seed\n  \
    lab torture --for 5m --seed 7        repeats the same kills at the same times\n  \
    lab torture --kafka apache           on Apache Kafka instead of lab-kafka; needs Java 17\n  \
    lab torture --json | jq .violations  for scripts\n\n\
    Exit code: 0 nothing lost or doubled, or SKIPPED because this machine has no Java for Apache Kafka (with CI \
    set: 1); 1 something was, or the lab did not settle; 2 usage. Ctrl-C ends the kills \
    and continues with the report; a second Ctrl-C ends at once.\n\
    What is killed, what is checked, figures of real runs: docs/torture.md")]
pub(crate) struct Torture {
    /// How long to kill parts: 10s to 1day.
    #[arg(long = "for", value_name = "DURATION", default_value = "5m", value_parser = length)]
    length: Duration,
    /// Chooses what is killed and when; printed, so that you can repeat a run. Random by default.
    #[arg(long)]
    seed: Option<u64>,
    /// Broker that the lab runs.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = Broker::Embedded)]
    kafka: Broker,
    /// Orders per second that the callers place, in addition to the load generator's.
    #[arg(long, value_name = "N", default_value_t = 50.0, value_parser = rps)]
    rps: f64,
    /// How long everything may take to settle after the load has ended.
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = humantime::parse_duration)]
    rest: Duration,
    /// Use this folder for the lab, and keep it; it may hold the data of an earlier lab. By default a temporary
    /// folder, kept only if a check fails.
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
    /// Move all ports of the lab by this number. By default free ports are found.
    #[arg(long, value_name = "N")]
    port_offset: Option<u16>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Fail if the broker cannot run on this machine, instead of skipping the run. Set in CI.
    #[arg(long, env = "CI", hide = true, value_parser = clap::builder::FalseyValueParser::new())]
    ci: bool,
}

fn length(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(length) if (Duration::from_secs(10)..=Duration::from_secs(86_400)).contains(&length) => Ok(length),
        _ => Err("expected 10s to 1day, such as 5m".to_owned()),
    }
}

fn rps(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1_000.0 => Ok(rate),
        _ => Err("expected orders per second, above 0 and at most 1000".to_owned()),
    }
}

/// What the person at the terminal asked for.
#[derive(Clone, Default)]
struct Wishes {
    /// First Ctrl-C: no more kills.
    enough: CancellationToken,
    /// Second Ctrl-C: stop everything.
    now: CancellationToken,
}

impl Torture {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        if self.is_skipped(home)? {
            return Ok(ExitCode::SUCCESS);
        }
        let seed = self.seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
        let (folder, temporary) = match &self.folder {
            Some(folder) => (folder.clone(), None),
            None => {
                let made = tempfile::Builder::new().prefix("lab-torture-").tempdir();
                let made = made.context("no temporary folder")?;
                (made.path().join("lab"), Some(made))
            }
        };
        let own = Home { token: home.token.clone(), ..Home::find(Some(&home.root), Some(&folder))? };
        let wishes = Wishes::default();
        let words = "\ntorture: no more kills; settling (Ctrl-C again to end at once)";
        tokio::spawn(signals::listen(wishes.enough.clone(), wishes.now.clone(), Hangup::Ends, words));
        let outcome = self.torture(&own, seed, &wishes).await;
        let fine = outcome.as_ref().is_ok_and(|report| report.pass);
        let kept = match temporary {
            Some(_) if fine => down::purge(&own).map(|()| None)?,
            // To find the cause, you need the databases and the logs.
            Some(temporary) => Some(temporary.keep().join("lab")),
            None => Some(own.dir.to_path_buf()),
        };
        let kept_in =
            || kept.iter().map(|folder| format!("data and logs: {}", folder.display())).collect::<String>();
        let report = Report { folder: kept.clone(), ..outcome.with_context(kept_in)? };
        if self.json {
            json(&report)?;
        } else {
            block(&format!("torture: {report}"));
        }
        Ok(if report.pass { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Whether the broker cannot run on this machine; says why.
    fn is_skipped(&self, home: &Home) -> Result<bool> {
        let lack = if self.kafka == Broker::Apache { apache_kafka::lack(home)? } else { String::new() };
        if lack.is_empty() {
            return Ok(false);
        }
        let why = format!("Apache Kafka needs {lack}: ./lab torture --kafka apache installs it");
        if self.ci {
            bail!("{why}");
        }
        say(format!("SKIPPED: torture: {why}"));
        Ok(true)
    }

    /// The whole run; when it returns, no process of the lab is left.
    async fn torture(&self, home: &Home, seed: u64, wishes: &Wishes) -> Result<Report> {
        let offset = self.port_offset.map_or_else(free_offset, Ok)?;
        let ports = ports::choose(offset, &[], &Outgoing::here())?;
        // Before the lab starts: it and this process must not both make its passwords.
        let addresses = Addresses::new(&ports, home)?;
        let patient = Patient::new(home, self.kafka, offset, &[]);
        let end = CancellationToken::new();
        say(format!("torture: seed {seed}, starting a lab in {}", home.dir.display()));
        let mut kept = tokio::spawn(patient.clone().keep_up(end.clone(), wishes.now.clone()));
        let report = tokio::select! {
            kept = &mut kept => {
                kept??;
                bail!("the lab ended by itself")
            }
            report = self.under_fire(&patient, &addresses, seed, wishes) => report,
        };
        end.cancel();
        kept.await??;
        Ok(report)
    }

    async fn under_fire(
        &self,
        patient: &Patient,
        addresses: &Addresses,
        seed: u64,
        wishes: &Wishes,
    ) -> Report {
        wishes.enough.run_until_cancelled(patient.until_ready()).await;
        let parts = patient.state().map(|state| state.parts).unwrap_or_default();
        let names: Vec<String> = parts.into_iter().map(|part| part.name).collect();
        let plan = if names.is_empty() { Vec::new() } else { schedule(seed, self.length, &names) };
        announce(&plan);
        // The process id and the time: two runs with the same seed in one folder must not share keys.
        let prefix = format!("torture-{seed}-{}-{}-", std::process::id(), chrono::Utc::now().timestamp());
        let clients = Clients::new(&addresses.order_api, &prefix);
        let (stop, give_up) = (CancellationToken::new(), CancellationToken::new());
        let calls = tokio::spawn(clients.clone().run(self.rps, stop.clone(), give_up.clone()));
        let began = Instant::now();
        let kills = self.kill(patient, &clients, plan, wishes).await;
        let seconds = began.elapsed().as_secs_f64();
        stop.cancel();
        let rest = Rest { addresses, clients: &clients, prefix: &prefix, deadline: self.rest };
        let outcome = wishes.now.run_until_cancelled(rest.settle()).await;
        give_up.cancel();
        let _ = calls.await;
        let notes = clients.notes();
        let (at_rest_after, books, mut violations) = match outcome {
            Some(settled) => (settled.after, settled.books, settled.violations),
            None => (None, None, vec!["ended before everything was settled".to_owned()]),
        };
        violations.extend(report::complaints(&notes));
        let interrupted = wishes.enough.is_cancelled().then(|| "interrupted".to_owned());
        Report {
            pass: violations.is_empty() && at_rest_after.is_some(),
            interrupted,
            seed,
            kafka: self.kafka,
            seconds,
            rps: self.rps,
            kills,
            starts: patient.starts(),
            clients: ClientReport::of(&notes),
            at_rest_after: at_rest_after.map(|after| after.as_secs_f64()),
            books,
            violations,
            folder: None,
        }
    }

    /// Kills by the plan until its end, then waits for the rest of the time.
    async fn kill(
        &self,
        patient: &Patient,
        clients: &Clients,
        plan: Vec<Kill>,
        wishes: &Wishes,
    ) -> Vec<Struck> {
        let began = tokio::time::Instant::now();
        let mut struck = Vec::new();
        for kill in plan {
            if wishes.enough.run_until_cancelled(tokio::time::sleep_until(began + kill.at())).await.is_none()
            {
                return struck;
            }
            let killed = patient.kill(&kill.victim);
            let (accepted, waiting) = clients.counts();
            let what = if killed { "kill" } else { "down" };
            say(format!(
                "{:>6.1} s  {what} {:14} {accepted:>7} accepted, {waiting} waiting",
                kill.at().as_secs_f64(),
                kill.victim
            ));
            struck.push(Struck { kill, killed });
        }
        wishes.enough.run_until_cancelled(tokio::time::sleep_until(began + self.length)).await;
        struck
    }
}

/// Prints the plan, so that you can follow and repeat a run that fails.
fn announce(plan: &[Kill]) {
    let kills: Vec<String> =
        plan.iter().map(|kill| format!("{:.1} {}", kill.at().as_secs_f64(), kill.victim)).collect();
    say(format!("torture: {} kills, at second: {}", kills.len(), kills.join(", ")));
}
