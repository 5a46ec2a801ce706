//! The data folder of a process: files of its own, what they take, and what may still be written.
//!
//! Nothing is created before it is needed, so a program that keeps no files leaves none.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use chassis_core::config::byte_size;
use prometheus::IntGauge;

use crate::metrics::Metrics;

/// Where a process keeps files of its own.
#[derive(Debug, Clone, clap::Args)]
pub struct DataConfig {
    /// Folder for files of this process alone. Absent: one below the system's temporary folder, by service and account.
    #[arg(long, env = "DATA_DIR", value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
    /// Most that its files should take together, for `data_folder_free_bytes`.
    #[arg(long, env = "DATA_LIMIT", default_value = "1GiB", value_parser = byte_size)]
    pub data_limit: u64,
}

impl DataConfig {
    /// Of a program that keeps no files.
    #[must_use]
    pub const fn none() -> Self {
        Self { data_dir: None, data_limit: 0 }
    }
}

crate::metrics! {
    /// What is exported of the data folder.
    struct DataMetrics {
        /// Bytes that the files in the data folder of this process take.
        data_folder_bytes: IntGauge,
        /// Bytes that this process may still write to its data folder: the rest of its limit, or what the file
        /// system has left if that is less.
        data_folder_free_bytes: IntGauge,
    }
}

/// The data folder of one process.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
    limit: u64,
    /// Whether its place is our choice: below a folder in which others may write too.
    shared_place: bool,
}

impl DataFolder {
    /// The folder of `service`. Creates nothing.
    #[must_use]
    pub fn of(config: &DataConfig, service: &str) -> Self {
        let account = rustix::process::getuid().as_raw();
        let own = || std::env::temp_dir().join(format!("{service}-{account}"));
        Self {
            path: config.data_dir.clone().unwrap_or_else(own),
            limit: config.data_limit,
            shared_place: config.data_dir.is_none(),
        }
    }

    /// Where it is, or will be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates it, for this account alone, unless it exists.
    ///
    /// # Errors
    /// When that is impossible, or when it belongs to someone else who chose its name before.
    pub fn create(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let owner = fs::symlink_metadata(&self.path)?.uid();
        if self.shared_place && owner != rustix::process::getuid().as_raw() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another account"));
        }
        Ok(())
    }

    /// What the files in it take, in bytes; 0 while there is no folder.
    #[must_use]
    pub fn used(&self) -> u64 {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.metadata().ok())
            .filter(fs::Metadata::is_file)
            .map(|file| file.len())
            .sum()
    }

    /// What its file system has left for this account, in bytes; 0 if nobody can tell.
    #[must_use]
    pub fn available(&self) -> u64 {
        let there = self.path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
        rustix::fs::statvfs(there).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// What may still be written to it: the rest of its limit, or what the file system has left if that is less.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.limit.saturating_sub(self.used()).min(self.available())
    }

    /// Exports what it takes and what is left.
    pub fn measure(self, metrics: &Metrics) {
        let DataMetrics { data_folder_bytes, data_folder_free_bytes } = DataMetrics::register(metrics);
        metrics.on_scrape(move || {
            data_folder_bytes.set(count(self.used()));
            data_folder_free_bytes.set(count(self.free()));
        });
    }
}

fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: PathBuf, limit: u64) -> DataFolder {
        DataFolder::of(&DataConfig { data_dir: Some(path), data_limit: limit }, "unit")
    }

    #[test]
    fn a_folder_is_measured_before_it_exists_and_by_the_files_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = folder(parent.path().join("a/b"), 1000);
        assert_eq!((folder.used(), folder.free()), (0, 1000), "of its limit, as the disk has more");
        folder.create().unwrap();
        folder.create().unwrap();
        fs::write(folder.path().join("one"), [1; 300]).unwrap();
        fs::create_dir(folder.path().join("not-a-file")).unwrap();
        assert_eq!((folder.used(), folder.free()), (300, 700));
        fs::write(folder.path().join("two"), [1; 900]).unwrap();
        assert_eq!((folder.used(), folder.free()), (1200, 0));
    }

    #[test]
    fn a_full_disk_leaves_less_than_the_limit() {
        let parent = tempfile::tempdir().unwrap();
        let folder = folder(parent.path().to_owned(), u64::MAX);
        let (available, free) = (folder.available(), folder.free());
        assert!(available > 0 && free < u64::MAX, "{available} {free}");
    }

    #[test]
    fn what_is_left_is_read_at_each_scrape() {
        let parent = tempfile::tempdir().unwrap();
        let metrics = Metrics::default();
        folder(parent.path().to_owned(), 1000).measure(&metrics);
        let has = |line: &str| {
            let text = String::from_utf8(metrics.render(None).1).unwrap();
            assert!(text.lines().any(|has| has == line), "{line}\n---\n{text}");
        };
        has("data_folder_bytes 0");
        has("data_folder_free_bytes 1000");
        fs::write(parent.path().join("one"), [1; 300]).unwrap();
        has("data_folder_bytes 300");
        has("data_folder_free_bytes 700");
    }
}
