//! Restores a plan into a folder beside the lab's data: files, WAL, replay, promotion, checks, an orderly stop.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
};

use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, Utc};
use recovery::{Lsn, Plan, Segment};
use sqlx::{Connection as _, PgConnection};

use super::{
    Engine,
    base::{BASE, last_line},
    check::{self, Checked},
    listing::PARTIAL,
    scratch::{Failed, Purpose, Scratch},
    vault::SEALED,
};
use crate::home::Home;

/// What to do with what was restored.
pub(crate) struct Stage<'a> {
    /// Name of the folder, beside the lab's data.
    pub(crate) name: &'a str,
    /// What for.
    pub(crate) purpose: Purpose,
    /// The lab whose processes it counts among.
    pub(crate) home: Option<&'a Home>,
    /// SQL to run before it is stopped: roles and passwords of today.
    pub(crate) statements: Vec<String>,
}

impl Engine {
    /// Restores a plan and checks it; returns the folder, whose server is stopped, and what was found. Nothing of the lab
    /// is changed.
    ///
    /// # Errors
    /// A sentence about the first file that is missing or damaged, or about a server that does not come up.
    pub(crate) async fn stage(
        &self,
        plan: &Plan,
        histories: &[String],
        stage: &Stage<'_>,
    ) -> Result<(PathBuf, Checked)> {
        self.same_major(plan)?;
        let _only = self.vault.only_one()?;
        let data = self.local.fresh(stage.name)?;
        let wal = self.local.fresh(&format!("{}.wal", stage.name))?;
        let outcome = self.fill(plan, histories, stage, &data, &wal).await;
        let _ = fs::remove_dir_all(&wal);
        match outcome {
            Ok(checked) => Ok((data, checked)),
            Err(error) => {
                let _ = fs::remove_dir_all(&data);
                Err(error)
            }
        }
    }

    async fn fill(
        &self,
        plan: &Plan,
        histories: &[String],
        stage: &Stage<'_>,
        data: &Path,
        wal: &Path,
    ) -> Result<Checked> {
        self.extract(plan, data)?;
        self.whole(data)?;
        self.fetch_wal(plan, histories, wal)?;
        let signal = data.join("recovery.signal");
        fs::write(&signal, "").context("cannot write recovery.signal")?;
        self.local.own(&signal)?;
        let server = self.replay(plan, stage, data, wal).await?;
        reached(&server, plan).await?;
        let checked = check::look(&self.local, &server).await?;
        for statement in &stage.statements {
            check::run(&server, "postgres", statement).await.with_context(|| "the roles of today")?;
        }
        server.stop().await?;
        for name in ["backup_label.old", "backup_manifest"] {
            let _ = fs::remove_file(data.join(name));
        }
        Ok(checked)
    }

    /// Files of one major version are of no use to another.
    fn same_major(&self, plan: &Plan) -> Result<()> {
        let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
        let (theirs, ours) = (&plan.base.server, self.local.version()?);
        if major(theirs) != major(&ours) {
            bail!(
                "backup {} is of PostgreSQL {theirs}, and {ours} is installed: install version {}",
                plan.base.id,
                major(theirs)
            );
        }
        Ok(())
    }

    /// Unpacks the files of the base, as the user who runs servers.
    fn extract(&self, plan: &Plan, data: &Path) -> Result<()> {
        let mut child = self
            .local
            .run(Path::new("tar"))
            .args(["-xf", "-", "-C"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run tar")?;
        let mut input = child.stdin.take().context("tar has no input")?;
        // Read apart: a tar that complains much would wait for a reader while we wait for it.
        let ended = thread::spawn(move || child.wait_with_output());
        let unpacked = self.vault.unpack(&plan.base, &format!("{BASE}{SEALED}"), &mut input);
        drop(input);
        let output = ended.join().map_err(|_| anyhow!("tar cannot be waited for"))??;
        unpacked?;
        if !output.status.success() {
            bail!(
                "backup {} cannot be unpacked: {}",
                plan.base.id,
                last_line(&String::from_utf8_lossy(&output.stderr))
            );
        }
        Ok(())
    }

    /// Every file as the server's own manifest has it.
    fn whole(&self, data: &Path) -> Result<()> {
        if !self.local.has("pg_verifybackup") {
            return Ok(());
        }
        let mut command = self.local.command("pg_verifybackup");
        let output = command.args(["--no-parse-wal", "--quiet"]).arg(data).output();
        let output = output.context("cannot run pg_verifybackup")?;
        if !output.status.success() {
            bail!(
                "the unpacked files are not complete: {}",
                last_line(&String::from_utf8_lossy(&output.stderr))
            );
        }
        Ok(())
    }

    fn fetch_wal(&self, plan: &Plan, histories: &[String], folder: &Path) -> Result<()> {
        let size = plan.base.segment_bytes;
        let segments = plan.wal.iter().map(|(segment, partial)| {
            let name = segment.name(size);
            (if *partial { format!("{name}{PARTIAL}") } else { name.clone() }, name, Some(size))
        });
        let histories = histories.iter().map(|name| (name.clone(), name.clone(), None));
        for (stored, name, size) in segments.chain(histories) {
            let path = folder.join(&name);
            let mut file =
                fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
            let length = self.vault.unpack_alone(&format!("wal/{stored}"), &mut file)?;
            if size.is_some_and(|size| size != length) {
                bail!(
                    "wal/{stored} is damaged: it holds {length} bytes, and a segment has {}",
                    plan.base.segment_bytes
                );
            }
            self.local.own(&path)?;
        }
        Ok(())
    }

    async fn replay(&self, plan: &Plan, stage: &Stage<'_>, data: &Path, wal: &Path) -> Result<Scratch> {
        let common = [
            format!("restore_command=cp -- {}/\"%f\" \"%p\"", quoted(wal)),
            "recovery_target_timeline=current".to_owned(),
            "recovery_target_action=promote".to_owned(),
        ];
        let stop = plan.stop_at.map(|at| format!("recovery_target_time={}", stamp(at)));
        let settings: Vec<String> = common.iter().cloned().chain(stop).collect();
        let start = move |settings: Vec<String>| async move {
            Scratch::start(&self.local, data, stage.home, stage.purpose, &settings).await
        };
        match start(settings).await {
            Ok(server) => Ok(server),
            // Nothing was committed between the end of the WAL and the moment, which the archive is known to reach: all of
            // the WAL is the state of that moment.
            Err(Failed::EndedEarly) => match start(common.to_vec()).await {
                Ok(server) => Ok(server),
                Err(Failed::EndedEarly) => bail!("the WAL ends before a target that was not set"),
                Err(Failed::Because(error)) => Err(error),
            },
            Err(Failed::Because(error)) => Err(error),
        }
    }
}

/// A time as the server reads it.
fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
}

/// For the shell that runs `restore_command`, in which a percent sign begins a variable.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''").replace('%', "%%"))
}

/// A server that replays everything must get at least to the last complete segment: if it stopped before, a segment is
/// damaged in a way that only the server sees, and what follows would be lost silently.
async fn reached(server: &Scratch, plan: &Plan) -> Result<()> {
    let complete = plan.wal.iter().filter(|(_, partial)| !partial).map(|(segment, _)| *segment).max();
    let (None, Some(last)) = (plan.stop_at, complete) else { return Ok(()) };
    let mut connection = PgConnection::connect(&server.url("postgres")).await?;
    let at: String =
        sqlx::query_scalar("SELECT pg_current_wal_insert_lsn()::text").fetch_one(&mut connection).await?;
    connection.close().await?;
    let at: Lsn = at.parse().map_err(anyhow::Error::msg)?;
    let size = plan.base.segment_bytes;
    if Segment::at(last.timeline, at, size) < last {
        bail!("the replay ended at {at}, before segment {}: some WAL before it is damaged", last.name(size));
    }
    Ok(())
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_path_reaches_the_shell_as_it_is() {
        assert_eq!(quoted(Path::new("/a b/it's 5%/wal")), r"'/a b/it'\''s 5%%/wal'");
    }
}
