//! The file systems that this process and its data are on.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// What is used of a file system, and what is left.
pub(super) struct Room {
    /// As df counts it: without the blocks that are reserved for root.
    pub(super) used_percent: f64,
    pub(super) free_bytes: f64,
}

/// The file system that is mounted at `at`.
pub(super) fn room(at: &Path) -> Option<Room> {
    let stat = rustix::fs::statvfs(at).ok()?;
    let taken = stat.f_blocks.saturating_sub(stat.f_bfree);
    let usable = taken + stat.f_bavail;
    (usable > 0).then(|| Room {
        used_percent: taken as f64 * 100.0 / usable as f64,
        free_bytes: stat.f_bavail as f64 * stat.f_frsize as f64,
    })
}

/// Where the file systems of the root, of the working folder and of `folders` are mounted, each once.
pub(super) fn mount_points(folders: &[PathBuf]) -> Vec<PathBuf> {
    let own = [PathBuf::from("/"), PathBuf::from(".")];
    let mut by_device = BTreeMap::new();
    for (device, at) in own.iter().chain(folders).filter_map(|folder| mount_point(folder)) {
        by_device.entry(device).or_insert(at);
    }
    let mut points: Vec<PathBuf> = by_device.into_values().collect();
    points.sort();
    points
}

/// The device of `path`, or of what exists above it, and the topmost folder on this device.
fn mount_point(path: &Path) -> Option<(u64, PathBuf)> {
    let device = |path: &Path| fs::metadata(path).ok().map(|meta| meta.dev());
    let real = path.ancestors().find_map(|path| path.canonicalize().ok())?;
    let own = device(&real)?;
    let top = real.ancestors().take_while(|folder| device(folder) == Some(own)).last()?;
    Some((own, top.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_system_is_listed_once_by_the_place_where_it_is_mounted() {
        let given = ["/proc/self", "/proc/sys/kernel", "/", "/nowhere/at/all"].map(PathBuf::from);
        let points = mount_points(&given);
        let named = |name: &str| points.iter().filter(|point| *point == Path::new(name)).count();
        assert_eq!((named("/"), named("/proc")), (1, 1), "{points:?}");
        assert!(!points.iter().any(|point| point.starts_with("/nowhere")), "{points:?}");
    }

    #[test]
    fn a_file_system_has_a_size() {
        let room = room(Path::new("/")).expect("the root is a file system");
        assert!((0.0..=100.0).contains(&room.used_percent) && room.free_bytes >= 0.0);
    }
}
