//! Whether the lab that runs is what the newest commit says: what `lab up` has written about it.

use std::{fs, io::ErrorKind, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use gitops::{Repository, short};
use release::desired::Health;
use serde::Serialize;
use supervisor::write_private;
use tokio::time::{Instant, sleep};

use crate::{
    desired::{REPORT, REQUEST, Report},
    home::Home,
    terminal::{json, out},
};

/// Shows whether the running lab is what the newest commit says. Exits with 0 if it is, and with 1 if not yet, or not at all. In a
/// cluster (`lab --context … gitops status`) it asks every edge, and says which of them differ.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Between two looks at the report.
const AGAIN: Duration = Duration::from_millis(200);

/// As JSON: the report, and whether it is of the newest commit.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    report: &'a Report,
    current: bool,
}

impl Status {
    pub(super) async fn run(self, home: &Home, repository: &Repository) -> Result<ExitCode> {
        home.lab()?;
        let newest = repository.head().await?;
        let report = report(home)?;
        let current = report.commit.as_ref() == Some(&newest);
        if self.json {
            json(&Shown { report: &report, current })?;
        } else {
            out!("{}", head(&report));
            if !current {
                out!("  {} is newer: it is looked at within seconds", short(&newest));
            }
            report.open.iter().for_each(|open| out!("  {open}"));
        }
        Ok(exit(&report, current))
    }
}

/// Sets everything that differs from the newest commit, even what was changed by hand and would stay (`drift: keep`), and waits until
/// nothing does. Exits with 0 then, and with 1 if something still differs when the time is over; it prints what, and why. On this
/// machine, `lab up` sets it; in a cluster this command does, over the admin port of each pod.
#[derive(Debug, Args)]
pub(super) struct SyncAll {
    /// Longest wait.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) timeout: Duration,
}

impl SyncAll {
    pub(super) async fn run(self, home: &Home, repository: &Repository) -> Result<ExitCode> {
        home.lab()?;
        let (begun, request) = (Instant::now(), home.dir.join(REQUEST));
        write_private(&request, "")?;
        let mut set = false;
        loop {
            // In this order: a report that is there once the request has gone is of a turn that it asked for.
            let done = !request.exists();
            let report = report(home)?;
            let newest = repository.head().await?;
            let current = report.commit.as_ref() == Some(&newest);
            set |= done;
            let over = begun.elapsed() >= self.timeout;
            if over || (done && current && report.health == Health::Synced) {
                let _ = fs::remove_file(&request);
                out!("{}", head(&report));
                if !set {
                    out!("  nothing was set: `lab up` does it once the lab is ready");
                }
                report.open.iter().for_each(|open| out!("  {open}"));
                return Ok(exit(&report, set && current));
            }
            if done {
                write_private(&request, "")?;
            }
            sleep(AGAIN).await;
        }
    }
}

/// How a lab is, in a line.
pub(super) fn head(report: &Report) -> String {
    format!("{} with {}", report.health, report.commit.as_deref().map_or("no commit", short))
}

/// Prints a report about the newest commit.
///
/// # Errors
/// When it cannot be printed.
pub(super) fn show(report: &Report, as_json: bool) -> Result<ExitCode> {
    if as_json {
        json(&Shown { report, current: true })?;
    } else {
        out!("{}", head(report));
        report.open.iter().for_each(|open| out!("  {open}"));
    }
    Ok(exit(report, true))
}

fn exit(report: &Report, current: bool) -> ExitCode {
    let synced = current && report.health == Health::Synced;
    if synced { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The newest one; before the first look, nothing is known.
fn report(home: &Home) -> Result<Report> {
    let path = home.dir.join(REPORT);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{} is no report", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let open = vec!["nobody has looked yet".to_owned()];
            Ok(Report { commit: None, health: Health::OutOfSync, open })
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_says_whether_the_report_is_of_the_newest_commit() {
        let report = Report { commit: Some("c1".to_owned()), health: Health::Synced, open: Vec::new() };
        let shown = serde_json::to_value(Shown { report: &report, current: false }).unwrap();
        let expected =
            serde_json::json!({ "commit": "c1", "health": "Synced", "open": [], "current": false });
        assert_eq!(shown, expected);
    }
}
