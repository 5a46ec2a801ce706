//! What is read of releases.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use observe::ControlRoom;

use super::print;
use crate::{
    commands::ids,
    terminal::{json, out},
};

/// The newest release, or the one that is named.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The release, such as REL-7; by default the newest one.
    #[arg(value_parser = ids::release)]
    pub(super) release: Option<String>,
    /// Print JSON, with every number of the judge.
    #[arg(long)]
    pub(super) json: bool,
}

impl Status {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<ExitCode> {
        let release = match self.release {
            Some(id) => room.get(&format!("/api/v1/releases/{id}"), &[]).await?,
            None => {
                let all = room.get("/api/v1/releases", &[("limit", "1")]).await?;
                let newest = all["releases"].get(0).cloned();
                let Some(newest) = newest else {
                    out!("there has been no release; to start one: lab release start --help");
                    return Ok(ExitCode::SUCCESS);
                };
                newest
            }
        };
        if self.json {
            json(&release)?;
        } else {
            print::whole(&release);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// How many.
#[derive(Debug, Args)]
pub(super) struct List {
    /// At most this number.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(super) limit: u32,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl List {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<ExitCode> {
        let all = room.get("/api/v1/releases", &[("limit", &self.limit.to_string())]).await?;
        if self.json {
            json(&all)?;
            return Ok(ExitCode::SUCCESS);
        }
        let releases = print::each(&all["releases"]);
        if releases.is_empty() {
            out!("there has been no release; to start one: lab release start --help");
        }
        releases.iter().for_each(|release| out!("{}", print::line(release)));
        Ok(ExitCode::SUCCESS)
    }
}

/// Frequency, lead time, failure rate, time to restore.
#[derive(Debug, Args)]
pub(super) struct Delivery {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Delivery {
    pub(super) async fn run(self, room: &ControlRoom) -> Result<ExitCode> {
        let figures = room.get("/api/v1/delivery", &[]).await?;
        if self.json {
            json(&figures)?;
        } else {
            print::figures(&figures);
        }
        Ok(ExitCode::SUCCESS)
    }
}
