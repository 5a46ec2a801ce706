//! `lab backup …`: backups that are restored and checked, and a lab that goes back to a moment.

mod drill;
mod guard;
mod list;
mod lose;
mod plan;
mod prune;
mod restore;
mod rounds;
mod run;
mod stream;
mod verify;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand};
use secrecy::SecretString;
use supervisor::state::LabState;

use crate::{
    backup::{Engine, s3::Settings, swap},
    home::Home,
    parts::objects,
};

/// Back up the three databases and the control room, and restore them.
///
/// A backup is the server's files and the write-ahead log (WAL) after them, compressed and encrypted. `lab up --backups`
/// archives the WAL every second, so that any moment since the oldest backup can be restored.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab up --backups                              archive the WAL, and back up and verify every ten minutes\n  \
    LAB_BACKUPS=s3://backups/lab lab up --objects --backups   the same into the lab's object store\n  \
    lab backup run                                make a backup now\n  \
    lab backup list                               backups, the moments they can restore, and which are verified\n  \
    lab backup verify                             restore the newest into a scratch server, and check it\n  \
    lab backup plan --to latest                   which backup a restore would take, and what would be lost\n  \
    lab backup restore --to latest                after a disaster; asks for the instance's name\n  \
    lab backup restore --to 2026-03-01T10:15:00Z  the state before a mistake\n  \
    lab backup drill                              measure what a disaster costs\n  \
    lab backup prune --keep 3 --keep-for 1d       delete old ones, but never the last verified one\n\n\
    The key is in <lab>/secrets/backup-key. Without it no backup can be read: keep a copy elsewhere. More: \
    docs/recovery.md")]
pub(crate) struct BackupCommand {
    #[command(flatten)]
    place: BackupPlace,
    #[command(subcommand)]
    command: Command,
}

/// Where backups and their key are.
#[derive(Clone, Args)]
pub(crate) struct BackupPlace {
    /// Folder of the backups, by default `backups` in the lab's folder; one on another disk is safer. Or a bucket,
    /// s3://BUCKET/PREFIX, with S3_ENDPOINT (http:// only), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION;
    /// without S3_ENDPOINT, in the store of `lab up --objects`.
    #[arg(long, global = true, env = "LAB_BACKUPS", value_name = "PLACE")]
    repository: Option<String>,
    /// File with the key; by default in the lab's secrets. It must not be in the folder of the backups.
    #[arg(long, global = true, env = "LAB_BACKUP_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// URL of the object store.
    #[arg(long, global = true, env = "S3_ENDPOINT", value_name = "URL", hide = true)]
    s3_endpoint: Option<String>,
    /// Access key id of the object store.
    #[arg(long, global = true, env = "AWS_ACCESS_KEY_ID", value_name = "ID", hide = true)]
    s3_id: Option<String>,
    /// Secret access key of the object store; only from the environment, because command lines are public.
    #[arg(
        long,
        global = true,
        env = "AWS_SECRET_ACCESS_KEY",
        value_name = "SECRET",
        hide = true,
        hide_env_values = true
    )]
    s3_secret: Option<String>,
    /// Region of the object store.
    #[arg(long, global = true, env = "AWS_REGION", value_name = "NAME", hide = true)]
    s3_region: Option<String>,
}

impl std::fmt::Debug for BackupPlace {
    /// Without the account.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackupPlace").field("repository", &self.repository).field("key", &self.key).finish()
    }
}

impl BackupPlace {
    /// Of this lab.
    ///
    /// # Errors
    /// As [`Engine::of`].
    pub(crate) fn engine(&self, home: &Home) -> Result<Engine> {
        home.create()?;
        Engine::of(home, self.repository.as_deref(), self.key.as_deref(), &self.s3(home))
    }

    /// The object store that was named, or the one that this lab runs.
    fn s3(&self, home: &Home) -> Settings {
        let own = || {
            let state = LabState::load(&home.dir).ok().flatten()?;
            objects::reached(home, state.port(objects::OBJECTS)?)
        };
        let named = Settings {
            endpoint: self.s3_endpoint.clone(),
            id: self.s3_id.clone(),
            secret: self.s3_secret.clone().map(SecretString::from),
            region: self.s3_region.clone(),
        };
        // Keys without an endpoint are those of an AWS account, and not of the lab's store.
        if named.endpoint.is_some() { named } else { own().unwrap_or(named) }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a backup now.
    Run(run::Run),
    /// List backups, the moments that can be restored, and problems.
    List(list::List),
    /// Restore a backup into a scratch server beside the lab's, and check it.
    Verify(verify::Verify),
    /// Say which backup a restore would take, and what would be lost.
    Plan(plan::PlanOf),
    /// Restore the lab's data to a moment.
    Restore(restore::Restore),
    /// Delete old backups, and the WAL that no backup needs.
    Prune(prune::Prune),
    /// Wipe and restore a separate lab; print RPO and RTO.
    Drill(drill::Drill),
    /// The process that `lab up --backups` runs.
    #[command(hide = true)]
    Stream(stream::Stream),
    /// Identifies the server's data folder, which changes with a restore. For the control room.
    #[command(hide = true)]
    Data,
    /// Puts the server's data away, as if the wrong folder had been deleted, and kills the server. For drills.
    #[command(hide = true)]
    Lose,
    /// Puts the data back, unless other data was restored meanwhile. For drills.
    #[command(hide = true)]
    Find,
    /// What the supervisor does while a part is stopped.
    #[command(hide = true)]
    Swap {
        /// The part.
        part: String,
    },
}

impl BackupCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// A sentence; nothing of the lab was changed then, unless it says so.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        // Copies of every row, and the key: for their owner alone.
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
        let place = self.place;
        match self.command {
            Command::Run(run) => run.run(&place.engine(home)?).await,
            Command::List(list) => list.run(&place.engine(home)?),
            Command::Verify(verify) => verify.run(&place.engine(home)?, home).await,
            Command::Plan(plan) => plan.run(&place.engine(home)?),
            Command::Restore(restore) => restore.run(&place.engine(home)?, home).await,
            Command::Prune(prune) => prune.run(&place.engine(home)?),
            Command::Drill(drill) => drill.run(home).await,
            Command::Stream(stream) => stream.run(&place, home).await,
            Command::Data => plan::data(home),
            Command::Lose => lose::lose(home).await,
            Command::Find => lose::find(home).await,
            Command::Swap { part } => {
                swap::swap(home, &part)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
