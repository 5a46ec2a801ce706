//! The folder of one lab: its state, its lock and the logs of its parts, accessible to its owner only.

use std::{
    fs::{self, Permissions},
    ops::Deref,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use crate::{Result, error::About as _, process::ProcId};

/// An absolute path; also the mark that identifies the processes of this lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Folder {
    /// The folder at `path`, with links and `..` resolved in the part that exists, so that one folder has the same
    /// name in every process. Creates nothing.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(clean(path))
    }

    /// Creates the folder and the one for logs, and removes other users' access to files that an earlier version
    /// left open.
    ///
    /// # Errors
    /// When a folder cannot be created, or access cannot be removed.
    pub fn create(&self) -> Result<()> {
        for folder in [&self.0, &self.logs()] {
            fs::create_dir_all(folder).about("create", folder)?;
        }
        // A group may pass through to the data of a part below; nobody else gets past this folder.
        close(&self.0, 0o710)?;
        let inside = fs::read_dir(&self.0).about("read", &self.0)?;
        inside.flatten().try_for_each(|entry| close(&entry.path(), 0o700))
    }

    /// The state file, which every other command reads.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// The lock file, which the supervisor keeps locked for as long as it lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The folder of the logs, one file per part.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("log")
    }

    /// The log of one part.
    #[must_use]
    pub fn log(&self, part: &str) -> PathBuf {
        self.logs().join(format!("{part}.log"))
    }

    /// Where somebody who is about to stop a part's process says so: the file has its [`ProcId`] as JSON. The part is then
    /// started again at once, and that end is not counted.
    #[must_use]
    pub fn restart(&self, part: &str) -> PathBuf {
        self.0.join("restart").join(part)
    }

    /// Where somebody says that a part stays stopped: the file has the time until when, RFC 3339. It is not started before
    /// that time, or before the file is gone. So a part comes back even if nobody is left who would start it.
    #[must_use]
    pub fn held(&self, part: &str) -> PathBuf {
        self.0.join("held").join(part)
    }

    /// Whether a part stays stopped now. A file that cannot be read holds nothing.
    pub(crate) fn stays_stopped(&self, part: &str) -> bool {
        let until = fs::read_to_string(self.held(part)).ok();
        until
            .and_then(|text| text.trim().parse::<DateTime<Utc>>().ok())
            .is_some_and(|until| until > Utc::now())
    }

    /// Forgets what an earlier lab was told to keep stopped.
    pub(crate) fn let_all_go(&self) {
        // Usually there is none; and what is left ends by itself.
        let _ = fs::remove_dir_all(self.0.join("held"));
    }

    /// Whether it was announced that this process, which has ended, would be stopped. Removes the announcement: one about
    /// another process is old, because that one died before it could be stopped.
    pub(crate) fn announced(&self, part: &str, process: ProcId) -> bool {
        let path = self.restart(part);
        let Ok(text) = fs::read(&path) else { return false };
        let _ = fs::remove_file(&path);
        serde_json::from_slice::<ProcId>(&text).is_ok_and(|announced| announced == process)
    }
}

/// Removes the permissions of group and others, except those in `most`, which a group may have been given on purpose.
fn close(path: &Path, most: u32) -> Result<()> {
    let meta = fs::symlink_metadata(path).about("look at", path)?;
    let mode = meta.permissions().mode() & 0o777;
    let mine = meta.gid() == rustix::process::getegid().as_raw();
    let closed = mode & if mine { 0o700 } else { most };
    if meta.is_symlink() || closed == mode {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(closed)).about("keep other users out of", path)
}

fn clean(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return path.strip_prefix(ancestor).map_or(real.clone(), |rest| {
                match rest.as_os_str().is_empty() {
                    true => real,
                    false => real.join(rest),
                }
            });
        }
    }
    path.to_path_buf()
}
