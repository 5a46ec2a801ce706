//! `lab backup prune`.

use std::process::ExitCode;

use anyhow::Result;
use chrono::{TimeDelta, Utc};
use clap::Args;
use recovery::{Keep, surplus};
use serde_json::json;

use crate::{
    backup::{
        Engine,
        listing::{PARTIAL, list},
        vault::SEALED,
    },
    terminal::{self, out},
};

/// Deletes backups that neither rule keeps. The last verified backup and all WAL after it always stay.
#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Keep the newest N.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
    /// Keep those that are younger than this.
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = age)]
    keep_for: TimeDelta,
    /// Print what would be deleted, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn age(text: &str) -> Result<TimeDelta, String> {
    let expected = || "expected a time such as 12h or 7d".to_owned();
    let age = humantime::parse_duration(text).map_err(|_| expected())?;
    TimeDelta::from_std(age).ok().filter(|age| *age <= TimeDelta::days(3_660)).ok_or_else(expected)
}

impl Prune {
    pub(super) fn run(self, engine: &Engine) -> Result<ExitCode> {
        let keep = Keep { count: self.keep.into(), age: self.keep_for };
        let (backups, segments) = prune(engine, keep, self.dry_run)?;
        if self.json {
            terminal::json(&json!({ "backups": backups, "segments": segments, "deleted": !self.dry_run }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let verb = if self.dry_run { "would delete" } else { "deleted" };
        backups.iter().for_each(|id| out!("{verb} backup {id}"));
        out!("{verb} {} backups and {segments} segments of WAL", backups.len());
        Ok(ExitCode::SUCCESS)
    }
}

/// Deletes the surplus; returns the ids of the backups, and the number of segments.
pub(super) fn prune(engine: &Engine, keep: Keep, dry_run: bool) -> Result<(Vec<String>, usize)> {
    let store = &engine.vault.store;
    let listing = list(&engine.vault, engine.source.segment_bytes)?;
    let gone = surplus(&listing.catalogue, keep, Utc::now());
    if dry_run {
        return Ok((gone.backups, gone.wal.len()));
    }
    for id in &gone.backups {
        // First the manifest: without it the rest counts for nothing, even if this is interrupted.
        store.delete(&format!("backups/{id}/manifest.json"))?;
        for object in store.list(&format!("backups/{id}/"))? {
            store.delete(&object.name)?;
        }
    }
    for segment in &gone.wal {
        let name = segment.name(engine.source.segment_bytes);
        store.delete(&format!("wal/{name}{SEALED}"))?;
        store.delete(&format!("wal/{name}{PARTIAL}{SEALED}"))?;
    }
    Ok((gone.backups, gone.wal.len()))
}
