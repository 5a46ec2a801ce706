//! `lab status`: probes each part now, and shows its process, memory and history.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::Result;
use chassis_text::mib;
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use supervisor::{
    process::{Memory, ProcId},
    state::{LabState, PartState, Status as Stand},
};
use switchboard::Plan;
use tokio::task::JoinSet;

use crate::{
    disk::{self, Disk},
    failover::watch::{self, Look},
    home::{CLOCK, Home},
    parts::{exporters, postgres::REPLICA},
    progress::paint,
    terminal::{Row, json, out},
};

/// Exits with 1 when a part is not ready, so that a script can wait for it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab status                 one line per part, with the reason below if it is not ready\n  \
    lab status --reveal        also show active faults (not for trainees)\n  \
    lab status --json          everything, for scripts: .parts[] | select(.ready | not)")]
pub(crate) struct Status {
    /// Show the active faults.
    #[arg(long)]
    reveal: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    /// Whether every part is ready, the supervisor lives, and the disks have room.
    ready: bool,
    /// Pid of the supervisor; absent after a crash.
    supervisor: Option<u32>,
    since: DateTime<Utc>,
    /// Clock of the objectives: `lab` or `production`; absent if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
    /// Time from `up` until everything was ready.
    ready_ms: Option<u64>,
    parts: Vec<PartReport>,
    /// What this lab does not measure, as sentences; its exporter was not installed.
    unmeasured: Vec<String>,
    /// What was last seen of PostgreSQL's replica, if the lab has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<Look>,
    /// The file systems that the lab writes to.
    disks: Vec<Disk>,
    /// Sums over the parts and the supervisor, in bytes.
    memory: Memory,
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<Active>>,
}

#[derive(Serialize)]
struct PartReport {
    name: String,
    status: Stand,
    ready: bool,
    reason: Option<String>,
    pid: Option<u32>,
    ports: BTreeMap<String, u16>,
    memory: Memory,
    restarts: u32,
    last_exit: Option<String>,
    started_at: Option<DateTime<Utc>>,
    ready_ms: Option<u64>,
    log: std::path::PathBuf,
}

/// An active fault.
#[derive(Serialize)]
struct Active {
    service: String,
    fault: String,
    plan: Plan,
}

impl Status {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        let state = home.lab()?;
        let report = report(home, &state, self.reveal).await?;
        if self.json {
            json(&report)?
        } else {
            print(&report)
        }
        Ok(if report.ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

async fn report(home: &Home, state: &LabState, reveal: bool) -> Result<Report> {
    let mut asked = JoinSet::new();
    for (at, part) in state.parts.iter().cloned().enumerate() {
        asked.spawn(async move { (at, ask(part).await) });
    }
    let mut parts = asked.join_all().await;
    parts.sort_by_key(|(at, _)| *at);
    let parts: Vec<PartReport> = parts.into_iter().map(|(_, part)| part).collect();
    let supervisor = state.supervisor.alive().then_some(state.supervisor.pid);
    let disks = disk::of(home);
    Ok(Report {
        ready: supervisor.is_some()
            && disks.iter().all(|disk| disk.problem().is_none())
            && parts.iter().all(|part| part.ready),
        supervisor,
        since: state.started_at,
        clock: state.labels.get(CLOCK).cloned(),
        ready_ms: state.ready_ms,
        // The parts are children of the supervisor, unless it was killed.
        memory: match supervisor {
            Some(_) => state.supervisor.memory(),
            None => parts.iter().fold(Memory::default(), |sum, part| add(sum, part.memory)),
        },
        parts,
        unmeasured: exporters::unmeasured(|name| state.part(name).is_some()),
        replica: state.part(REPLICA).and_then(|_| watch::last(home)),
        disks,
        faults: if reveal { Some(faults(home).await?) } else { None },
    })
}

fn add(sum: Memory, more: Memory) -> Memory {
    let pss = match (sum.pss, more.pss) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0) + other.unwrap_or(0)),
    };
    Memory { rss: sum.rss + more.rss, pss }
}

async fn ask(part: PartState) -> PartReport {
    let process = part.process.filter(|process| process.alive());
    let answer = match process {
        Some(_) => part.probe.ask().await,
        None => Err(match &part.last_exit {
            Some(exit) => format!("does not run; last {exit}"),
            None => "does not run".to_owned(),
        }),
    };
    PartReport {
        ready: answer.is_ok(),
        reason: answer.err(),
        pid: process.map(|process| process.pid),
        memory: process.map(ProcId::memory).unwrap_or_default(),
        name: part.name,
        status: part.status,
        ports: part.ports,
        restarts: part.restarts,
        last_exit: part.last_exit,
        started_at: part.started_at,
        ready_ms: part.ready_ms,
        log: part.log,
    }
}

async fn faults(home: &Home) -> Result<Vec<Active>> {
    let mut active = Vec::new();
    for replica in home.switches()?.replicas(None, home.token.as_deref()).await? {
        // A service that is down has no active faults; its line says that it is down.
        let Ok(points) = replica.faults().await else { continue };
        for point in points {
            let service = replica.to_string();
            active.extend(point.active.map(|plan| Active { service, fault: point.name, plan }));
        }
    }
    Ok(active)
}

fn print(report: &Report) {
    let width = report.parts.iter().map(|part| part.name.len()).max().unwrap_or(4);
    out!(
        "{:width$}  {:9} {:>8} {:>8} {:>8} {:>8}  {:>8}  PORTS",
        "PART",
        "STATUS",
        "PID",
        "RSS MiB",
        "PSS MiB",
        "RESTARTS",
        "UP"
    );
    for part in &report.parts {
        print_part(part, width);
    }
    let pss = report.memory.pss.map_or_else(|| "?".to_owned(), mib);
    out!("");
    out!("memory {} MiB resident, {pss} MiB proportional, supervisor included", mib(report.memory.rss));
    match report.supervisor {
        Some(pid) => {
            let clock = report.clock.as_ref().map_or_else(String::new, |clock| format!(", {clock} clock"));
            out!("up {} (supervisor pid {pid}){clock}", age(report.since));
        }
        None => out!("the supervisor was killed: `lab up` recovers, `lab down` stops what is left"),
    }
    if let Some(look) = &report.replica {
        out!("{}", look.sentence(Utc::now()));
    }
    for sentence in &report.unmeasured {
        out!("{sentence}");
    }
    for problem in report.disks.iter().filter_map(Disk::problem) {
        Row::new().painted(&paint(Stand::Failed), problem).print();
    }
    for active in report.faults.iter().flatten() {
        out!("fault {} on {}: {}", active.fault, active.service, crate::commands::faults::plan(&active.plan));
    }
}

fn print_part(part: &PartReport, width: usize) {
    // The state says how the part came up, the probe how it is now.
    let (word, style) = match (part.status, part.ready) {
        (Stand::Ready, false) => ("not ready", paint(Stand::Backoff)),
        (status, _) => (status.as_str(), paint(status)),
    };
    let ports: Vec<String> = part.ports.iter().map(|(name, port)| format!("{name} {port}")).collect();
    Row::new()
        .text(format_args!("{:width$}  ", part.name))
        .painted(&style, format_args!("{word:9}"))
        .text(format_args!(
            " {:>8} {:>8} {:>8} {:>8}  {:>8}  {}",
            part.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            mib(part.memory.rss),
            part.memory.pss.map_or_else(|| "?".to_owned(), mib),
            part.restarts,
            part.started_at.filter(|_| part.pid.is_some()).map_or_else(|| "-".to_owned(), age),
            ports.join(", "),
        ))
        .print();
    if let Some(reason) = &part.reason {
        out!("{:width$}  {reason}", "");
    }
}

fn age(since: DateTime<Utc>) -> String {
    let seconds = (Utc::now() - since).num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        _ => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
    }
}
