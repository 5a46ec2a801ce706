//! Logs of parts: each part writes directly to its own file, so the log survives a crash of `lab`; the size is
//! capped from outside by copying the file and truncating it, like logrotate's `copytruncate`.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Result, error::About as _};

/// A larger log is moved to `<name>.log.1`, so that a part keeps at most about twice this many bytes.
pub const CAP: u64 = 16 << 20;

/// How often the sizes are checked. A part that logs 10 MB per second exceeds the cap by one second's worth.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Opens a log for appending.
///
/// # Errors
/// When the file cannot be created.
pub fn open(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    file.about("write", path)
}

/// The name of the older half of a log.
#[must_use]
pub fn older(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

/// Moves the log of an earlier run out of the way.
pub fn start_over(path: &Path) {
    let _ = fs::rename(path, older(path));
}

/// Truncates the log if it is larger than `cap` bytes, keeping a copy.
pub fn cap(path: &Path, cap: u64) -> io::Result<()> {
    if fs::metadata(path)?.len() <= cap {
        return Ok(());
    }
    fs::copy(path, older(path))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

/// The last `lines` lines, for the message about a part that did not start.
#[must_use]
pub fn tail(path: &Path, lines: usize) -> Vec<String> {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|&line| line.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_log_over_the_cap_is_copied_and_its_writer_continues() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.log");
        let mut writer = open(&path).unwrap();
        writer.write_all(b"before\n").unwrap();
        cap(&path, 100).unwrap();
        assert_eq!(tail(&path, 9), ["before"]);
        cap(&path, 3).unwrap();
        writer.write_all(b"after\n").unwrap();
        assert_eq!(tail(&path, 9), ["after"]);
        assert_eq!(tail(&older(&path), 9), ["before"]);
    }
}
