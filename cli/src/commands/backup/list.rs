//! `lab backup list`.

use std::process::ExitCode;

use anyhow::Result;
use chassis_text::mib;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use recovery::{Backup, Catalogue, Target, Verdict, plan};
use serde_json::{Value, json};

use crate::{
    backup::{
        Engine,
        listing::{Listing, list},
    },
    terminal::{self, out},
};

/// Lists the oldest first. Exit code 1 if something in the folder of the backups cannot be read.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self, engine: &Engine) -> Result<ExitCode> {
        let listing = list(&engine.vault, engine.source.segment_bytes)?;
        if self.json {
            terminal::json(&as_json(&listing))?;
        } else {
            print(&listing, &engine.vault.store.place());
        }
        Ok(if listing.trouble.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(listing: &Listing, place: &str) {
    let catalogue = &listing.catalogue;
    if catalogue.backups.is_empty() {
        out!("no backups in {place}: make one with lab backup run");
    }
    for backup in &catalogue.backups {
        let manifest = &backup.manifest;
        out!(
            "{}  {:>6} MiB  restores {} to {}  {}",
            manifest.id,
            mib(manifest.bytes()),
            time(manifest.ended),
            time(catalogue.until(manifest)),
            verdict(backup)
        );
    }
    match catalogue.last_verified() {
        Some(backup) => out!("last verified: {}", backup.manifest.id),
        None if catalogue.backups.is_empty() => {}
        None => out!("no backup was verified: lab backup verify"),
    }
    // What `restore --to latest` would say.
    if let Err(refusal) = plan(catalogue, Target::Latest)
        && !catalogue.backups.is_empty()
    {
        out!("the latest state cannot be restored: {refusal}");
    }
    listing.trouble.iter().for_each(|trouble| out!("trouble: {trouble}"));
}

fn verdict(backup: &Backup) -> String {
    match &backup.verdict {
        None => "not verified".to_owned(),
        Some(verdict) if verdict.holds() => format!("verified {}", time(verdict.at)),
        Some(Verdict { complaints, .. }) => format!("FAILED: {}", complaints.join("; ")),
    }
}

fn as_json(listing: &Listing) -> Value {
    let catalogue: &Catalogue = &listing.catalogue;
    let backups: Vec<Value> = catalogue
        .backups
        .iter()
        .map(|backup| {
            json!({
                "manifest": backup.manifest,
                "verdict": backup.verdict,
                "until": catalogue.until(&backup.manifest),
            })
        })
        .collect();
    json!({
        "backups": backups,
        "last_verified": catalogue.last_verified().map(|backup| &backup.manifest.id),
        "latest": plan(catalogue, Target::Latest).ok().map(|plan| plan.until),
        "refusal": plan(catalogue, Target::Latest).err().map(|refusal| refusal.to_string()),
        "trouble": listing.trouble,
    })
}

/// To the second, which is enough to choose one.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
