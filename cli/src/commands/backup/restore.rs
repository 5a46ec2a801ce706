//! `lab backup restore --to …`: first everything beside the lab, then two renames.

use std::{fs, path::Path, process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use clap::Args;
use recovery::{Plan, Target, plan};
use serde_json::json;
use tempfile::NamedTempFile;

use super::guard;
use crate::{
    backup::{
        Engine,
        check::Checked,
        listing::list,
        request::{SERVER, running},
        room::{self, ROOM},
        scratch::Purpose,
        ship::Shipper,
        stage::Stage,
        swap::{RESTORED, has_broker, replace, restored_room},
        vault::SEALED,
    },
    home::Home,
    parts::{backup::BACKUP, control_room::CONTROL_ROOM, postgres},
    secrets::Secrets,
    terminal::{self, out, say},
};

/// Why a lab that uses a broker of yours is not restored while it runs.
const BROKER_ELSEWHERE: &str = "this lab uses a broker elsewhere, whose messages about orders that a restore takes back would be \
    paid: nothing was overwritten. Stop the lab with lab down, restore, delete the topics orders and order-outcomes, and \
    start it again";

/// Restores beside the lab, checks the result, and only then replaces the lab's data. A running lab keeps running: only
/// PostgreSQL and what holds messages in memory restart. The replaced data stays as `cluster.before` until the next restore.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// `latest`, or a moment such as 2026-03-01T10:15:00Z.
    #[arg(long, value_name = "TIME", value_parser = target)]
    to: Target,
    /// Name of the instance whose data is replaced; without it, you are asked.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Allow a backup of another instance, with this name.
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// Also replace the control room's file with that of the backup: incidents and drills since then are lost. Without
    /// this, it is restored only if it is missing.
    #[arg(long)]
    with_room: bool,
    /// Restore and check beside the lab, but replace nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Reads the moment of `--to`.
///
/// # Errors
/// A sentence with the expected form.
pub(super) fn target(text: &str) -> Result<Target, String> {
    if text == "latest" {
        return Ok(Target::Latest);
    }
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| Target::Time(time.to_utc()))
        .map_err(|_| "expected `latest`, or a time with its zone such as 2026-03-01T10:15:00Z".to_owned())
}

impl Restore {
    pub(super) async fn run(self, engine: &Engine, home: &Home) -> Result<ExitCode> {
        if !self.dry_run {
            guard::pass(&engine.instance, self.instance.as_deref())?;
            let elsewhere = running(home).is_some_and(|state| !has_broker(&state));
            ensure!(!elsewhere, "{BROKER_ELSEWHERE}");
        }
        let began = Instant::now();
        // What the stream received last.
        let mut shipper = Shipper::new(&engine.spool, engine.source.segment_bytes);
        shipper.ship(&engine.vault, Utc::now(), false)?;
        let listing = list(&engine.vault, engine.source.segment_bytes)?;
        listing.trouble.iter().for_each(|trouble| say(format!("trouble: {trouble}")));
        let plan = plan(&listing.catalogue, self.to)?;
        own(engine, &plan, self.from.as_deref())?;
        say(format!("restoring backup {} and {} segments of WAL", plan.base.id, plan.wal.len()));
        let statements = postgres::role_statements(&Secrets::of(home))?;
        let name = if self.dry_run { "scratch" } else { RESTORED };
        let stage = Stage { name, purpose: Purpose::Keep, home: Some(home), statements };
        let (folder, found) = engine.stage(&plan, &listing.histories, &stage).await?;
        if self.dry_run || !found.complaints.is_empty() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        if !found.complaints.is_empty() {
            bail!(
                "the restored state is not good, and nothing was overwritten: {}",
                found.complaints.join("; ")
            );
        }
        if !self.dry_run {
            self.replace(engine, home, &plan).await?;
        }
        self.print(&plan, &found, began.elapsed().as_secs_f64(), home)
    }

    async fn replace(&self, engine: &Engine, home: &Home, plan: &Plan) -> Result<()> {
        let mut parts = vec![SERVER];
        if self.with_room || !engine.room.exists() {
            match unpack_room(engine, plan, &restored_room(home)).await? {
                true => parts.push(CONTROL_ROOM),
                false => say("the backup has no file of the control room"),
            }
        }
        replace(home, &parts).await
    }

    fn print(&self, plan: &Plan, found: &Checked, seconds: f64, home: &Home) -> Result<ExitCode> {
        if self.json {
            terminal::json(&json!({
                "backup": plan.base.id,
                "segments": plan.wal.len(),
                "until": plan.stop_at.unwrap_or(plan.until),
                "rows": found.rows,
                "checked": found.checked,
                "seconds": seconds,
                "replaced": !self.dry_run,
            }))?;
            return Ok(ExitCode::SUCCESS);
        }
        found.checked.iter().for_each(|sentence| out!("  checked: {sentence}"));
        let what = if self.dry_run { "restored beside the lab, and removed" } else { "restored" };
        out!("{what} in {seconds:.1} s: the state of {}", words(plan.stop_at));
        if !self.dry_run {
            match running(home) {
                Some(state) if state.part(BACKUP).is_some() => {
                    out!("the WAL continues in a new timeline; the part {BACKUP} makes a backup of it now")
                }
                Some(_) => {
                    out!("the WAL continues in a new timeline: make a backup now, with lab backup run")
                }
                None => out!("start the lab with lab up, then make a backup with lab backup run"),
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A backup of another instance is restored only if it is named.
///
/// # Errors
/// When it is of another one.
pub(super) fn own(engine: &Engine, plan: &Plan, from: Option<&str>) -> Result<()> {
    let theirs = plan.base.instance.as_str();
    let wanted = from.unwrap_or(&engine.instance);
    if theirs != wanted {
        bail!(
            "backup {} is of {theirs}, and not of {wanted}: nothing was overwritten; to restore it here, say --from {theirs}",
            plan.base.id
        );
    }
    Ok(())
}

fn words(stop_at: Option<DateTime<Utc>>) -> String {
    stop_at.map_or_else(|| "the end of the archive".to_owned(), super::list::time)
}

/// Puts the control room's file of a backup where it waits for its swap; `false` if the backup has none.
async fn unpack_room(engine: &Engine, plan: &Plan, to: &Path) -> Result<bool> {
    let sealed = format!("{ROOM}{SEALED}");
    if plan.base.file(&sealed).is_none() {
        return Ok(false);
    }
    let folder = to.parent().context("a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut file = NamedTempFile::new_in(folder).context("no temporary file")?;
    engine.vault.unpack(&plan.base, &sealed, file.as_file_mut())?;
    room::check(file.path()).await?;
    file.persist(to).with_context(|| format!("cannot write {}", to.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_zone() {
        assert_eq!(target("latest"), Ok(Target::Latest));
        let time = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let wanted = Target::Time(time("2026-03-01T09:15:00Z"));
        assert_eq!(target("2026-03-01T10:15:00+01:00"), Ok(wanted));
        for text in ["", "now", "2026-03-01 10:15", "2026-03-01T10:15:00"] {
            assert!(target(text).unwrap_err().starts_with("expected `latest`"), "{text}");
        }
    }
}
