//! The archive of the write-ahead log: `pg_receivewal` writes what the server streams into a spool, and every second what
//! is new there is archived, the segment that is still being written included. So a disaster costs seconds, not segments.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use recovery::{Segment, wal::is_history};

use super::{
    Engine,
    base::last_line,
    listing::PARTIAL,
    vault::{SEALED, Vault},
};

/// Name of the replication slot: the server keeps what was not fetched.
const SLOT: &str = "lab_backup";

/// What is archived has everything up to so long ago: the server's stream may be behind by a moment.
pub(crate) const BEHIND: TimeDelta = TimeDelta::seconds(2);

/// A file that was changed within this time is read again: clocks of file systems are coarse.
const COARSE: Duration = Duration::from_secs(1);

/// How often an unchanged segment is given a new time.
const TOUCH: TimeDelta = TimeDelta::seconds(2);

impl Engine {
    /// Starts the stream of the write-ahead log into the spool; makes the slot if there is none.
    ///
    /// # Errors
    /// When the server does not run or refuses.
    pub(crate) fn receive(&self, port: u16) -> Result<Child> {
        fs::create_dir_all(&self.spool).with_context(|| format!("cannot create {}", self.spool.display()))?;
        self.slot(port)?;
        // Without a loop of its own: after a restore the spool is empty, and the slot has to be made again.
        let mut command = self.receiver(port);
        command.args(["--no-loop", "--directory", &self.spool.to_string_lossy()]).stdout(Stdio::null());
        command.spawn().context("cannot run pg_receivewal")
    }

    /// Makes the slot if there is none. From then on the server keeps its log, and the stream begins there, however late it
    /// comes (PostgreSQL 15 and later; see [`Shipper::begun`] for older ones).
    ///
    /// # Errors
    /// When the server does not run or refuses.
    pub(super) fn slot(&self, port: u16) -> Result<()> {
        // A slot that pg_receivewal makes keeps nothing before the stream begins, so there could be a gap behind a backup
        // that is made meanwhile. This fails if there is a slot; whatever else is wrong, pg_receivewal says.
        let place = format!("host=127.0.0.1 port={port} user={} replication=true", self.source.user);
        let mut reserve = self.client("psql");
        reserve.args(["--no-psqlrc", "--no-password", &format!("--dbname={place} dbname=replication")]);
        reserve.arg(format!("--command=CREATE_REPLICATION_SLOT {SLOT} PHYSICAL RESERVE_WAL"));
        let _ = reserve.output();
        let made = self.receiver(port).args(["--create-slot", "--if-not-exists"]).output();
        let made = made.context("cannot run pg_receivewal")?;
        if !made.status.success() {
            bail!("no slot for the WAL: {}", last_line(&String::from_utf8_lossy(&made.stderr)));
        }
        Ok(())
    }

    fn receiver(&self, port: u16) -> Command {
        let mut command = self.client("pg_receivewal");
        command
            .args(["--no-password", "--host=127.0.0.1", &format!("--slot={SLOT}")])
            .args([format!("--port={port}"), format!("--username={}", self.source.user)]);
        command
    }

    fn client(&self, program: &str) -> Command {
        let mut command = self.local.client(program);
        if let Some(file) = &self.source.pass_file {
            command.env("PGPASSFILE", file);
        }
        command
    }
}

/// Remembers what it archived.
pub(crate) struct Shipper {
    spool: PathBuf,
    segment_bytes: u64,
    /// Names in the archive, without [`SEALED`].
    archived: Option<HashSet<String>>,
    /// Of each partial segment: when it was changed, and the time that it is archived with.
    partial: HashMap<String, (SystemTime, DateTime<Utc>)>,
}

impl Shipper {
    /// Of a spool with segments of this size.
    pub(crate) fn new(spool: &Path, segment_bytes: u64) -> Self {
        Self { spool: spool.to_path_buf(), segment_bytes, archived: None, partial: HashMap::new() }
    }

    /// Whether the stream has begun: whatever the server writes from now on arrives. A backup that ends before that may have a
    /// gap behind it, because pg_receivewal before PostgreSQL 15 begins where the server is and does not ask for its slot.
    pub(crate) fn begun(&self) -> bool {
        let names = names(&self.spool, self.segment_bytes).unwrap_or_default();
        names.iter().any(|name| !is_history(name))
    }

    /// Archives what is new; returns how many files that were. `live` says whether the stream runs: without it, an
    /// unchanged file says nothing about the server.
    ///
    /// # Errors
    /// When the spool cannot be read, or the store does not take a file.
    pub(crate) fn ship(&mut self, vault: &Vault, now: DateTime<Utc>, live: bool) -> Result<usize> {
        let known = match self.archived.take() {
            Some(known) => known,
            None => archived(vault)?,
        };
        let known = self.archived.insert(known);
        let mut shipped = 0;
        let names = names(&self.spool, self.segment_bytes)?;
        for name in &names {
            let path = self.spool.join(name);
            if name.ends_with(PARTIAL) {
                shipped += usize::from(partial(vault, &path, name, &mut self.partial, now, live)?);
            } else if !known.contains(name) {
                let mut file =
                    File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
                vault.pack(&format!("wal/{name}"), &mut file, now - BEHIND)?;
                known.insert(name.clone());
                // The complete segment replaces it.
                let part = format!("{name}{PARTIAL}");
                self.partial.remove(&part);
                vault.store.delete(&format!("wal/{part}{SEALED}"))?;
                shipped += 1;
            }
        }
        // The newest complete segment stays: it tells pg_receivewal where to continue.
        let whole: Vec<&String> =
            names.iter().filter(|name| Segment::named(name, self.segment_bytes).is_some()).collect();
        for name in whole.iter().rev().skip(1).filter(|name| known.contains(**name)) {
            let _ = fs::remove_file(self.spool.join(name));
        }
        Ok(shipped)
    }
}

/// Names in the archive.
fn archived(vault: &Vault) -> Result<HashSet<String>> {
    let objects = vault.store.list("wal/")?;
    let names = objects.iter().filter_map(|object| object.name.strip_prefix("wal/")?.strip_suffix(SEALED));
    Ok(names.filter(|name| !name.ends_with(PARTIAL)).map(str::to_owned).collect())
}

/// Files of the spool that are WAL, in order. An empty or missing spool has none.
fn names(spool: &Path, segment_bytes: u64) -> Result<Vec<String>> {
    if !spool.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(spool).with_context(|| format!("cannot read {}", spool.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            let whole = name.strip_suffix(PARTIAL).unwrap_or(name);
            Segment::named(whole, segment_bytes).is_some() || is_history(name)
        })
        .collect();
    names.sort();
    Ok(names)
}

/// Archives a segment that is still being written, if it changed; returns whether it did.
fn partial(
    vault: &Vault,
    path: &Path,
    name: &str,
    seen: &mut HashMap<String, (SystemTime, DateTime<Utc>)>,
    now: DateTime<Utc>,
    live: bool,
) -> Result<bool> {
    // Renamed meanwhile: complete, and archived in the next second.
    let Ok(mut file) = File::open(path) else { return Ok(false) };
    let changed = file.metadata()?.modified()?;
    let settled = SystemTime::from(now).duration_since(changed).is_ok_and(|age| age > COARSE);
    let stamp = now - BEHIND;
    match seen.get(name) {
        Some((before, stamped)) if *before == changed => {
            if live && stamp - *stamped >= TOUCH {
                vault.store.touch(&format!("wal/{name}{SEALED}"), stamp)?;
                seen.insert(name.to_owned(), (changed, stamp));
            }
            Ok(false)
        }
        _ => {
            vault.pack(&format!("wal/{name}"), &mut file, stamp)?;
            // Not yet settled: read once more in the next second, whatever its time says.
            let noted = if settled { changed } else { SystemTime::UNIX_EPOCH };
            seen.insert(name.to_owned(), (noted, stamp));
            Ok(true)
        }
    }
}
