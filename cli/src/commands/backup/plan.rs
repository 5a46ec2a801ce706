//! `lab backup plan`: what `lab backup restore` would take, and what would be lost. It archives
//! what the stream received last, as a restore does, and replaces nothing.

use std::{fs, os::unix::fs::MetadataExt as _, process::ExitCode};

use anyhow::Result;
use chrono::Utc;
use clap::Args;
use recovery::{Target, plan};
use serde_json::json;

use super::{guard, list::time, restore};
use crate::{
    backup::{Engine, listing::list, ship::Shipper},
    home::Home,
    parts::postgres::Local,
    terminal::{self, out},
};

/// Says which backup a restore would take, and what would be lost: everything that was written after that moment. Restores
/// nothing; `lab backup restore --dry-run` also tries it.
#[derive(Debug, Args)]
pub(super) struct PlanOf {
    /// `latest`, or a moment such as 2026-03-01T10:15:00Z.
    #[arg(long, value_name = "TIME", value_parser = restore::target)]
    to: Target,
    /// Refuse unless this is the name of the instance.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl PlanOf {
    /// Runs the command.
    ///
    /// # Errors
    /// When nothing can be restored, or this is another instance.
    pub(super) fn run(self, engine: &Engine) -> Result<ExitCode> {
        if let Some(typed) = &self.instance {
            guard::pass(&engine.instance, Some(typed.as_str()))?;
        }
        // As a restore does: what the stream received last would not be lost.
        Shipper::new(&engine.spool, engine.source.segment_bytes).ship(&engine.vault, Utc::now(), false)?;
        let listing = list(&engine.vault, engine.source.segment_bytes)?;
        let plan = plan(&listing.catalogue, self.to)?;
        restore::own(engine, &plan, None)?;
        let until = plan.stop_at.unwrap_or(plan.until);
        let lost = (Utc::now() - until).to_std().unwrap_or_default().as_secs_f64();
        if self.json {
            terminal::json(&json!({
                "instance": engine.instance,
                "backup": plan.base.id,
                "segments": plan.wal.len(),
                "until": until,
                "lost_seconds": lost,
            }))?;
            return Ok(ExitCode::SUCCESS);
        }
        out!("backup {} of {}, and {} segments of WAL", plan.base.id, time(plan.base.ended), plan.wal.len());
        out!("the state of {}: what was written in the {lost:.0} s since then would be lost", time(until));
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints which data folder the server has; `none` if it has none.
///
/// # Errors
/// When PostgreSQL is not installed.
pub(super) fn data(home: &Home) -> Result<ExitCode> {
    match fs::metadata(Local::of(home)?.cluster()) {
        Ok(folder) => out!("{}:{}", folder.dev(), folder.ino()),
        Err(_) => out!("none"),
    }
    Ok(ExitCode::SUCCESS)
}
