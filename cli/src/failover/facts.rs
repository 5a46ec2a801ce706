//! What is there: data folders, fences, and processes that work on them.

use std::{fs, io::ErrorKind, path::Path, process::Stdio};

use anyhow::Result;
use recovery::failover::{Facts, Primary, Replica};
use supervisor::process::ProcId;

use super::{ASIDE, Failover, REPLICA_FOLDER};
use crate::parts::postgres::Local;

/// The file without which PostgreSQL starts on no data, and its name while the data are fenced. `pg_upgrade` does the same
/// to a cluster that must not be started again.
pub(super) const CONTROL: &str = "global/pg_control";
pub(super) const FENCED_CONTROL: &str = "global/pg_control.fenced";
/// A file that says when and why the data were fenced.
pub(super) const MARK: &str = "FENCED";
/// A file in fenced data: since it is there, the replica may have been told to promote.
pub(super) const PROMOTING: &str = "PROMOTING";

/// Whether the replica's data take writes, so that the primary before it must stay fenced. It looks at files alone.
pub(super) fn is_promoted(local: &Local) -> bool {
    let replica = local.beside(REPLICA_FOLDER);
    replica.join("PG_VERSION").exists() && !replica.join("standby.signal").exists()
}

impl Failover<'_> {
    /// What is there now.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(crate) fn facts(&self) -> Result<Facts> {
        let (cluster, replica) = (self.local.cluster(), self.local.beside(REPLICA_FOLDER));
        let primary = if !cluster.try_exists()? {
            Primary::Missing
        } else if cluster.join(FENCED_CONTROL).try_exists()? && !cluster.join(CONTROL).try_exists()? {
            Primary::Fenced
        } else {
            Primary::Usable
        };
        let state = if !replica.try_exists()? {
            Replica::Missing
        } else if replica.join("standby.signal").try_exists()? {
            Replica::Standby
        } else {
            Replica::Promoted
        };
        let replica_runs = self.runs(&replica);
        let told = replica_runs && cluster.join(PROMOTING).try_exists()?;
        Ok(Facts {
            primary,
            primary_runs: self.runs(&cluster),
            replica: if told && state == Replica::Standby { Replica::Promoting } else { state },
            replica_runs,
            aside: self.local.beside(ASIDE).try_exists()?,
        })
    }

    /// Why and since when the data are fenced, as a sentence without its full stop.
    pub(super) fn mark(&self) -> String {
        let text = fs::read_to_string(self.local.cluster().join(MARK)).unwrap_or_default();
        let text = text.trim().trim_end_matches('.');
        if text.is_empty() { "nobody noted why".to_owned() } else { text.to_owned() }
    }

    /// Whether a server, or what is left of one, works on a data folder.
    fn runs(&self, data: &Path) -> bool {
        match self.working_in(data) {
            Some(processes) => !processes.is_empty(),
            // Without /proc, the server's own lock file has to do.
            None => self.pg_ctl(data, &["status"]).is_ok_and(|output| output.status.success()),
        }
    }

    /// PostgreSQL's processes that work in a data folder: all of a server have changed into it, and those that outlive their
    /// postmaster stay there. `None` on systems without `/proc`.
    pub(super) fn working_in(&self, data: &Path) -> Option<Vec<ProcId>> {
        let Ok(data) = data.canonicalize() else { return Some(Vec::new()) };
        let (mut found, mut hidden) = (Vec::new(), false);
        for folder in fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()) {
            let Some(process) = server(&folder) else { continue };
            match fs::read_link(folder.join("cwd")) {
                Ok(cwd) if cwd == data => found.push(process),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => hidden = true,
                _ => {}
            }
        }
        if hidden {
            // In a container, even root may not look at the processes of the user who runs servers; that user may.
            found.extend(self.seen_by_runner(&data)?);
        }
        Some(found)
    }

    fn seen_by_runner(&self, data: &Path) -> Option<Vec<ProcId>> {
        let escaped = |text: String, sign: char| text.replace(sign, &format!("\\{sign}"));
        let pattern = ['\\', '[', '*', '?'].into_iter().fold(Local::text(data), escaped);
        let mut find = self.local.run(Path::new("find"));
        find.args(["/proc", "-mindepth", "2", "-maxdepth", "2", "-name", "cwd", "-lname", &pattern]);
        // It complains about processes of others, and so fails; what it finds counts.
        let output = find.stderr(Stdio::null()).output().ok()?;
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(found.lines().filter_map(|line| server(Path::new(line).parent()?)).collect())
    }
}

/// The process with this folder in `/proc`, if it is one of PostgreSQL's: a shell that somebody left in a data folder is no
/// server.
fn server(folder: &Path) -> Option<ProcId> {
    let pid = folder.file_name()?.to_str()?.parse().ok()?;
    let ours = fs::read_to_string(folder.join("comm")).ok()?.starts_with("postgres");
    ours.then(|| ProcId::of(pid)).flatten()
}
