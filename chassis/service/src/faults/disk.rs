//! `disk-fill`: a spool file that grows and that nobody empties, as of a job whose reader is gone.
//!
//! A process keeps the file locked while it writes it: a file that nobody has locked was left by a process that was killed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::task::spawn_blocking;

use chassis_faults::{FaultPoint, Strike, part};
use chassis_telemetry::data::DataFolder;

use crate::catalogue::DiskFill;

const TICK: Duration = Duration::from_millis(100);
/// Time to the next attempt where no file can be created.
const AGAIN: Duration = Duration::from_secs(1);
/// How the names of the files begin and end.
const NAME: (&str, &str) = ("spool-", ".tmp");
/// Written at once.
const BLOCK: usize = 64 << 10;

pub(super) async fn fill(folder: DataFolder, point: FaultPoint<DiskFill>, strike: Strike<DiskFill>) {
    let DiskFill { size, step, keep } = strike.params;
    let spool = loop {
        if let Ok(spool) = Spool::create(&folder) {
            break spool;
        }
        tokio::time::sleep(AGAIN).await;
    };
    // Somebody who removes the file has found the cause: it does not come back under the same plan.
    while let Some(written) = spool.size() {
        let room = folder.available().saturating_sub(keep);
        let more = due(part(size, point.level()), written, step).min(room);
        if more > 0 {
            let file = Arc::clone(&spool.file);
            // Without space it waits, and continues as soon as there is some.
            let _ = spawn_blocking(move || append(&file, more)).await;
        }
        tokio::time::sleep(TICK).await;
    }
    drop(spool);
    std::future::pending::<()>().await;
}

/// How much to write now.
fn due(wanted: u64, written: u64, step: u64) -> u64 {
    wanted.saturating_sub(written).min(step)
}

/// The file. Dropping it removes it.
struct Spool {
    path: PathBuf,
    /// Shared with the write in progress, which may outlive the plan by a moment.
    file: Arc<File>,
}

impl Spool {
    fn create(folder: &DataFolder) -> io::Result<Self> {
        folder.create()?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = folder.path().join(format!("{}{}{}", NAME.0, since.as_millis(), NAME.1));
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        // Where files cannot be locked, nobody mistakes this one for a left-over either.
        let _ = file.try_lock();
        Ok(Self { path, file: Arc::new(file) })
    }

    /// What was written; `None` once somebody has removed it.
    fn size(&self) -> Option<u64> {
        let file = self.file.metadata().ok()?;
        (file.nlink() > 0).then_some(file.len())
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes `bytes` more, of a kind that no file system can store in less.
fn append(mut file: &File, bytes: u64) -> io::Result<()> {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64 ^ file.metadata()?.len();
    let mut block = vec![0; BLOCK];
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    while left > 0 {
        for word in block.chunks_exact_mut(8) {
            // Marsaglia's xorshift.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            word.copy_from_slice(&random.to_le_bytes());
        }
        let now = left.min(BLOCK);
        file.write_all(&block[..now])?;
        left -= now;
    }
    Ok(())
}

/// Removes files that were left by processes that were killed.
pub(super) fn tidy(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let spool = name.to_str().is_some_and(|name| name.starts_with(NAME.0) && name.ends_with(NAME.1));
        let unused = |path: &Path| {
            OpenOptions::new().append(true).open(path).is_ok_and(|file| file.try_lock().is_ok())
        };
        if spool && unused(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_at_a_time_until_there_is_as_much_as_wanted() {
        assert_eq!(due(100, 0, 30), 30);
        assert_eq!(due(100, 90, 30), 10);
        assert_eq!(due(100, 100, 30), 0);
        assert_eq!(due(50, 100, 30), 0, "it only grows: the end removes it");
    }
}
