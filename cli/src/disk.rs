//! Free space on the file systems that a lab writes to. A full one stops PostgreSQL, Prometheus and every log in
//! turn, so it is reported first.

use std::path::{Path, PathBuf};

use chassis_text::mib;
use serde::Serialize;

use crate::{home::Home, parts::postgres};

/// With less than this the lab will soon stop: PostgreSQL's next WAL segment alone takes 4 MiB, and all logs
/// together may grow by several megabytes per second.
const LEAST: u64 = 64 << 20;

/// A file system that a lab writes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Disk {
    /// A path on it.
    pub(crate) path: PathBuf,
    /// Free space in bytes.
    pub(crate) free: u64,
    /// Files that may still be created; `None` if the file system does not limit them.
    pub(crate) files: Option<u64>,
}

impl Disk {
    /// Why the lab cannot continue here.
    pub(crate) fn problem(&self) -> Option<String> {
        let what = match self.files {
            _ if self.free < LEAST => format!("{} MiB left", mib(self.free)),
            Some(0) => "no more files can be created".to_owned(),
            _ => return None,
        };
        Some(format!("the disk is full: {what} at {}", self.path.display()))
    }
}

/// The file systems of a lab: that of its folder, and that of PostgreSQL's data if they are elsewhere.
pub(crate) fn of(home: &Home) -> Vec<Disk> {
    let paths = [Some(home.dir.to_path_buf()), postgres::outside(home)];
    paths.into_iter().flatten().filter_map(|path| look(&path)).collect()
}

fn look(path: &Path) -> Option<Disk> {
    let stat = rustix::fs::statvfs(path).ok()?;
    let files = (stat.f_files > 0).then_some(stat.f_favail);
    Some(Disk { path: path.to_path_buf(), free: stat.f_bavail.saturating_mul(stat.f_frsize), files })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_if_little_space_is_left_or_no_file_can_be_created() {
        let problem = |free, files| Disk { path: "/lab".into(), free, files }.problem();
        assert_eq!(problem(1 << 30, Some(1)), None);
        assert_eq!(problem(1 << 30, None), None, "some file systems do not count files");
        assert_eq!(problem(5 << 20, Some(9)).unwrap(), "the disk is full: 5.0 MiB left at /lab");
        assert_eq!(
            problem(1 << 30, Some(0)).unwrap(),
            "the disk is full: no more files can be created at /lab"
        );
    }
}
