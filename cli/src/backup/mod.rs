//! Backups of a lab: what `oncall/recovery` decides, done with PostgreSQL's own programs.
//!
//! Read it in this order: [`mod@store`] (where backups are; [`s3`] for buckets), [`vault`] (how a file gets there: compressed, encrypted, hashed),
//! [`listing`] (what is there), [`base`] and [`ship`] (how the server and its write-ahead log get there), [`room`] (the
//! control room's file), [`stage`] and [`scratch`] (a server beside the lab's, restored), [`check`] (whether it is good)
//! and [`swap`] (how it becomes the lab's, once the file of [`mod@request`] asks for it).
//!
//! Invariant: nothing of the lab is overwritten before what replaces it was restored, checked and stopped in order.

pub(crate) mod base;
pub(crate) mod check;
pub(crate) mod listing;
pub(crate) mod lost;
pub(crate) mod metrics;
pub(crate) mod request;
pub(crate) mod room;
pub(crate) mod s3;
pub(crate) mod scratch;
pub(crate) mod ship;
pub(crate) mod stage;
pub(crate) mod store;
pub(crate) mod swap;
#[cfg(test)]
mod tests;
pub(crate) mod vault;

use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use recovery::Key;
use supervisor::write_private;

use self::{
    s3::Bucket,
    store::{Folder, Store},
    vault::Vault,
};
use crate::{
    home::Home,
    parts::{control_room::CONTROL_ROOM, postgres, postgres::Local},
    secrets::Secrets,
};

/// Where a lab's backups come from and go to.
pub(crate) struct Engine {
    /// The backups.
    pub(crate) vault: Vault,
    /// PostgreSQL on this machine.
    pub(crate) local: Local,
    /// The file with the key.
    pub(crate) key_file: PathBuf,
    /// The server that is copied.
    pub(crate) source: Source,
    /// Its name, which a person types before it is overwritten.
    pub(crate) instance: String,
    /// The control room's file.
    pub(crate) room: PathBuf,
    /// Where the write-ahead log arrives before it is archived.
    pub(crate) spool: PathBuf,
}

/// How the server is reached.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Its port on the loopback interface; `None` if it does not run.
    pub(crate) port: Option<u16>,
    /// A role that may copy the server.
    pub(crate) user: String,
    /// File with its password.
    pub(crate) pass_file: Option<PathBuf>,
    /// Size of a segment of its write-ahead log, in bytes.
    pub(crate) segment_bytes: u64,
}

impl Engine {
    /// Of a lab, with the folder of backups and the file of their key as asked for, or where they are by default.
    ///
    /// # Errors
    /// When a folder cannot be created, or the key cannot be read.
    pub(crate) fn of(
        home: &Home,
        repository: Option<&str>,
        key: Option<&Path>,
        s3: &s3::Settings,
    ) -> Result<Self> {
        let secrets = Secrets::of(home);
        let key_file = key.map_or_else(|| secrets.path(KEY), Path::to_path_buf);
        let store = store(home, repository, &key_file, s3)?;
        let key = key_of(&key_file, store.list("")?.is_empty())?;
        let state = supervisor::state::LabState::load(&home.dir).ok().flatten();
        let source = Source {
            port: state.and_then(|state| state.port("postgres")),
            user: postgres::BACKUP.to_owned(),
            pass_file: Some(secrets.path(postgres::BACKUP_PASS_FILE)),
            segment_bytes: postgres::SEGMENT_MIB << 20,
        };
        Ok(Self {
            vault: Vault::new(store, key, home.dir.join("backup"))?,
            local: Local::of(home)?,
            key_file,
            source,
            instance: instance(home),
            room: home.dir.join(CONTROL_ROOM).join("room.db"),
            spool: spool(home),
        })
    }

    /// Whether the file with the key still has one. A server that runs keeps its own; nobody else could read a backup.
    pub(crate) fn has_key(&self) -> bool {
        fs::read_to_string(&self.key_file).is_ok_and(|text| Key::read(&text).is_ok())
    }
}

/// A bucket, or a folder that does not have the key in it.
fn store(home: &Home, repository: Option<&str>, key: &Path, s3: &s3::Settings) -> Result<Box<dyn Store>> {
    if let Some(address) = repository.filter(|address| is_bucket(address)) {
        return Ok(Box::new(Bucket::at(address, s3)?));
    }
    let folder = repository.map_or_else(|| home.dir.join("backups"), PathBuf::from);
    if key.starts_with(&folder) {
        bail!(
            "the key {} is in the folder of the backups that it opens: who takes one takes both; keep it elsewhere",
            key.display()
        );
    }
    Ok(Box::new(Folder::at(&folder)?))
}

/// Whether a repository is a bucket, and not a folder.
pub(crate) fn is_bucket(repository: &str) -> bool {
    repository.starts_with("s3://")
}

/// The file with the key, in the secrets folder.
const KEY: &str = "backup-key";

/// Where the write-ahead log of this lab arrives.
pub(crate) fn spool(home: &Home) -> PathBuf {
    home.dir.join("backup/spool")
}

/// The name of a lab, such as `sre-lab/.lab`: the checkout and the lab's own folder.
pub(crate) fn instance(home: &Home) -> String {
    switchboard::instance(&home.root, &home.dir)
}

/// The key in a file. A new one is made only for an empty repository: beside backups, a missing key is a lost key.
fn key_of(path: &Path, may_make: bool) -> Result<Key> {
    match fs::read_to_string(path) {
        Ok(text) => Key::read(&text).map_err(|error| anyhow!("{}: {error}", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound && may_make => {
            let mut bytes = [0; 32];
            random(&mut bytes)?;
            let key = Key::new(bytes);
            write_private(path, &key.text())?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "the key {} does not exist, and there are backups: without their key they cannot be read; name it with --key",
            path.display()
        ),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Fills `bytes` with random numbers of the system.
///
/// # Errors
/// When the system has none.
pub(crate) fn random(bytes: &mut [u8]) -> Result<()> {
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(bytes)).context("no random numbers")
}
