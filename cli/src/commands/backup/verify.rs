//! `lab backup verify`: a backup counts only when it was restored.

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result};
use chrono::Utc;
use clap::Args;
use recovery::{Manifest, Plan, Target, Verdict, plan};

use crate::{
    backup::{
        Engine,
        listing::{Listing, list},
        room::{self, ROOM},
        scratch::Purpose,
        stage::Stage,
        vault::SEALED,
    },
    home::Home,
    terminal::{json, out},
};

/// Restores the newest backup with all WAL after it, an older one to the moment at which it ended. The lab is not touched.
/// Exit code 1 if a check fails.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Id of a backup; by default the newest.
    id: Option<String>,
    /// Print the verdict as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) async fn run(self, engine: &Engine, home: &Home) -> Result<ExitCode> {
        let listing = list(&engine.vault, engine.source.segment_bytes)?;
        let newest = listing.catalogue.backups.last().map(|backup| &backup.manifest);
        let manifest = match &self.id {
            Some(id) => listing.catalogue.backup(id).map(|backup| &backup.manifest),
            None => newest,
        };
        let manifest = manifest.with_context(|| match &self.id {
            Some(id) => format!("there is no backup {id}: see lab backup list"),
            None => "there is no backup: make one with lab backup run".to_owned(),
        })?;
        let is_newest = newest == Some(manifest);
        let verdict = verify(engine, home, &listing, manifest, is_newest).await;
        let name = format!("backups/{}/verdict.json", manifest.id);
        engine.vault.put_text(&name, &serde_json::to_string_pretty(&verdict)?, verdict.at)?;
        if self.json {
            json(&verdict)?;
        } else {
            print(manifest, &verdict);
        }
        Ok(if verdict.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(manifest: &Manifest, verdict: &Verdict) {
    verdict.checked.iter().for_each(|sentence| out!("  checked: {sentence}"));
    verdict.complaints.iter().for_each(|sentence| out!("  FAILED: {sentence}"));
    let word = if verdict.holds() { "good" } else { "NOT GOOD" };
    out!("backup {} is {word}; restored and checked in {:.1} s", manifest.id, seconds(verdict.millis));
}

pub(super) fn seconds(millis: u64) -> f64 {
    std::time::Duration::from_millis(millis).as_secs_f64()
}

/// Restores a backup into a scratch server. Whatever goes wrong is in the verdict.
pub(super) async fn verify(
    engine: &Engine,
    home: &Home,
    listing: &Listing,
    manifest: &Manifest,
    with_wal: bool,
) -> Verdict {
    let began = Instant::now();
    let tried = attempt(engine, home, listing, manifest, with_wal).await;
    let mut verdict = tried.unwrap_or_else(|error| Verdict {
        at: Utc::now(),
        millis: 0,
        checked: Vec::new(),
        complaints: vec![format!("{error:#}")],
        rows: std::collections::BTreeMap::new(),
    });
    verdict.at = Utc::now();
    verdict.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    verdict
}

async fn attempt(
    engine: &Engine,
    home: &Home,
    listing: &Listing,
    manifest: &Manifest,
    with_wal: bool,
) -> Result<Verdict> {
    let plan = match with_wal {
        true => plan(&listing.catalogue, Target::Latest)?,
        false => Plan { base: manifest.clone(), wal: Vec::new(), stop_at: None, until: manifest.ended },
    };
    let stage = Stage { name: "scratch", purpose: Purpose::Look, home: Some(home), statements: Vec::new() };
    let (folder, found) = engine.stage(&plan, &listing.histories, &stage).await?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let mut checked = found.checked;
    let mut rows = found.rows;
    let sealed = format!("{ROOM}{SEALED}");
    if manifest.file(&sealed).is_some() {
        let mut file = tempfile::NamedTempFile::new().context("no temporary file")?;
        engine.vault.unpack(manifest, &sealed, file.as_file_mut())?;
        rows.insert("control-room.journal".to_owned(), room::check(file.path()).await?);
        checked.push("the control room's file is whole".to_owned());
    }
    let millis = 0;
    Ok(Verdict { at: Utc::now(), millis, checked, complaints: found.complaints, rows })
}
