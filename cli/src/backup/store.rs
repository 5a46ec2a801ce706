//! Where backups are: a few calls that a folder and an object store both have.

use std::{
    fs::{self, DirBuilder, File},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

/// One stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its name: plain names, separated by slashes.
    pub(crate) name: String,
    /// The time that it was stored with: when its content was last known to be up to date.
    pub(crate) stamp: DateTime<Utc>,
}

/// A place for files. A reader sees a file completely or not at all.
pub(crate) trait Store: Send + Sync {
    /// Stores a copy of a file; replaces one with the same name.
    ///
    /// # Errors
    /// When it cannot be written completely.
    fn put(&self, name: &str, file: &Path, stamp: DateTime<Utc>) -> Result<()>;

    /// Writes a stored file to a path.
    ///
    /// # Errors
    /// When it does not exist or cannot be read.
    fn get(&self, name: &str, to: &Path) -> Result<()>;

    /// Files whose names begin with `prefix`, in the order of their names.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn list(&self, prefix: &str) -> Result<Vec<Object>>;

    /// Gives a stored file another time.
    ///
    /// # Errors
    /// When it does not exist or cannot be changed.
    fn touch(&self, name: &str, stamp: DateTime<Utc>) -> Result<()>;

    /// Deletes a file; one that does not exist is no error.
    ///
    /// # Errors
    /// When it cannot be deleted.
    fn delete(&self, name: &str) -> Result<()>;

    /// For people: where it is.
    fn place(&self) -> String;
}

/// A folder of this machine.
pub(crate) struct Folder(PathBuf);

/// Ending of files that are not complete.
const DRAFT: &str = ".draft";

impl Folder {
    /// The folder at `path`, created for its owner alone if it does not exist.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path.to_path_buf()))
    }

    fn collect(&self, folder: &Path, found: &mut Vec<Object>) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                self.collect(&path, found)?;
                continue;
            }
            let name = path.strip_prefix(&self.0).ok().and_then(Path::to_str).map(str::to_owned);
            // Deleted meanwhile: no longer there.
            let Ok(meta) = fs::metadata(&path) else { continue };
            if let Some(name) = name.filter(|name| !name.ends_with(DRAFT)) {
                found.push(Object { name, stamp: meta.modified()?.into() });
            }
        }
        Ok(())
    }
}

impl Store for Folder {
    fn put(&self, name: &str, file: &Path, stamp: DateTime<Utc>) -> Result<()> {
        let path = self.0.join(name);
        let draft = self.0.join(format!("{name}.{}{DRAFT}", std::process::id()));
        let write = || {
            if let Some(folder) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            fs::copy(file, &draft)?;
            let copy = File::options().write(true).open(&draft)?;
            copy.set_modified(SystemTime::from(stamp))?;
            copy.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display())).inspect_err(|_| {
            let _ = fs::remove_file(&draft);
        })
    }

    fn get(&self, name: &str, to: &Path) -> Result<()> {
        let path = self.0.join(name);
        fs::copy(&path, to).map(drop).with_context(|| format!("cannot read {}", path.display()))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>> {
        let mut found = Vec::new();
        self.collect(&self.0, &mut found)?;
        found.retain(|object| object.name.starts_with(prefix));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn touch(&self, name: &str, stamp: DateTime<Utc>) -> Result<()> {
        let path = self.0.join(name);
        let file = File::options().write(true).open(&path);
        file.and_then(|file| file.set_modified(SystemTime::from(stamp)))
            .with_context(|| format!("cannot change {}", path.display()))
    }

    fn delete(&self, name: &str) -> Result<()> {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot delete {}", path.display()))
            }
            _ => {
                // Succeeds only for the last file of a backup.
                let _ = path.parent().map(fs::remove_dir);
                Ok(())
            }
        }
    }

    fn place(&self) -> String {
        self.0.display().to_string()
    }
}
