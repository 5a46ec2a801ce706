//! Where things lie: the checkout (`root`) and the lab's own folder (`dir`, normally `.lab` in the checkout).
//!
//! Everything that the lab writes is below `dir`, with one exception that `parts::postgres` explains.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

/// The two folders that every command starts from.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The checkout: rules, dashboards and binaries are found from here.
    pub(crate) root: PathBuf,
    /// State, data and logs of one lab; absolute.
    pub(crate) dir: PathBuf,
    /// What opens `/faults` and `/protections`, where the services are told to ask for it.
    pub(crate) token: Option<String>,
}

impl Home {
    /// Resolves both folders. Creates nothing.
    ///
    /// # Errors
    /// When no checkout is found and none was named.
    pub(crate) fn find(root: Option<&Path>, dir: Option<&Path>) -> Result<Self> {
        let here = std::env::current_dir().context("the current folder cannot be read")?;
        let root = match root {
            Some(root) => here.join(root),
            None => checkout_above(&here).or_else(checkout_of_executable).context(
                "no checkout found here or above: change into one, or name it with --root (LAB_ROOT)",
            )?,
        };
        if !root.join(RULES).is_dir() {
            bail!("{} is not a checkout of the lab: it has no {RULES}", root.display());
        }
        let dir = dir.map_or_else(|| root.join(".lab"), |dir| here.join(dir));
        Ok(Self { root, dir: clean(&dir), token: None })
    }

    /// Creates the folder and its fixed subfolders, for its owner alone: also what an earlier version left open is closed.
    ///
    /// # Errors
    /// When one cannot be created or closed.
    pub(crate) fn create(&self) -> Result<()> {
        for folder in [self.dir.clone(), self.logs(), self.dir.join("secrets")] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        // As root, a group may pass through to PostgreSQL's data (`parts::postgres`); nobody else gets beyond this folder.
        close(&self.dir, 0o710)?;
        let inside =
            fs::read_dir(&self.dir).with_context(|| format!("cannot read {}", self.dir.display()))?;
        inside.flatten().try_for_each(|entry| close(&entry.path(), 0o700))
    }

    /// What the supervisor knows, for every other command.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join("state.json")
    }

    /// Held locked by the supervisor for as long as it lives.
    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// One file a part.
    pub(crate) fn logs(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The log of one part.
    pub(crate) fn log(&self, part: &str) -> PathBuf {
        self.logs().join(format!("{part}.log"))
    }

    /// Names the folder outside `dir` that holds PostgreSQL's data, where there is one.
    pub(crate) fn outside(&self) -> PathBuf {
        self.dir.join("postgres.path")
    }
}

/// Takes from a file or folder what group and others may do, but for what `most` leaves to a group that somebody was put into.
fn close(path: &Path, most: u32) -> Result<()> {
    let meta = fs::symlink_metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    let mode = meta.permissions().mode() & 0o777;
    let mine = meta.gid() == rustix::process::getegid().as_raw();
    let closed = mode & if mine { 0o700 } else { most };
    if meta.is_symlink() || closed == mode {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(closed))
        .with_context(|| format!("cannot close {} to other users", path.display()))
}

const RULES: &str = "dashboards/rules";

fn checkout_above(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join(RULES).is_dir()).map(Path::to_path_buf)
}

fn checkout_of_executable() -> Option<PathBuf> {
    checkout_above(&std::env::current_exe().ok()?)
}

/// Resolves links and `..` of the part that exists, so that one folder has one name in every command.
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
