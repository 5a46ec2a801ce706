//! The folder of one lab: its state, its lock and the logs of its parts, for its owner alone.

use std::{
    fs::{self, Permissions},
    ops::Deref,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{Result, error::About as _};

/// An absolute path; also the mark by which the processes of its lab are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Folder {
    /// The folder at `path`, with links and `..` of the part that exists resolved, so that one folder has one name in every
    /// process. Creates nothing.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(clean(path))
    }

    /// Creates the folder and the one of the logs, and closes to others whatever lies in it and an earlier version left open.
    ///
    /// # Errors
    /// When one cannot be created or closed.
    pub fn create(&self) -> Result<()> {
        for folder in [&self.0, &self.logs()] {
            fs::create_dir_all(folder).about("create", folder)?;
        }
        // A group may pass through to what a part keeps below; nobody else gets beyond this folder.
        close(&self.0, 0o710)?;
        let inside = fs::read_dir(&self.0).about("read", &self.0)?;
        inside.flatten().try_for_each(|entry| close(&entry.path(), 0o700))
    }

    /// What the supervisor knows, for every other command.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// Held locked by the supervisor for as long as it lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// One file per part.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.0.join("log")
    }

    /// The log of one part.
    #[must_use]
    pub fn log(&self, part: &str) -> PathBuf {
        self.logs().join(format!("{part}.log"))
    }
}

/// Takes from a file or folder what group and others may do, except what `most` leaves to a group that somebody was put into.
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
