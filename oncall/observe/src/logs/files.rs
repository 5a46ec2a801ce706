//! Reads the log files of a local lab, one `<part>.log` per part, continuing where the last read ended; notices
//! when a file was capped (truncated) or replaced.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use super::{
    line::{self, Line},
    tail,
};
use crate::{Error, Result};

/// The files and how far each was read.
#[derive(Debug)]
pub struct Follower {
    folder: PathBuf,
    wanted: Vec<String>,
    tails: Vec<Tail>,
}

#[derive(Debug)]
struct Tail {
    part: String,
    path: PathBuf,
    inode: u64,
    /// Where the next line begins.
    offset: u64,
    /// Time of the last line.
    time: DateTime<Utc>,
}

impl Follower {
    /// Opens the logs of the wanted parts, or of all if none is named. The older half of a capped log
    /// (`<part>.log.1`) is read too if it was written after `began`; otherwise it belongs to an earlier run.
    ///
    /// # Errors
    /// When there are no logs, or a named part has none; lists the parts that have one.
    pub fn open(folder: &Path, wanted: &[String], began: Option<DateTime<Utc>>) -> Result<Self> {
        let mut follower = Self { folder: folder.to_owned(), wanted: wanted.to_vec(), tails: Vec::new() };
        let there = follower.parts().map_err(|_| Error::NoLogs(folder.to_owned()))?;
        if let Some(missing) = wanted.iter().find(|part| !there.contains(part)) {
            return Err(Error::NoLog { part: missing.clone(), known: there.join(", ") });
        }
        follower.discover();
        let older =
            follower.tails.iter().map(|tail| Tail::new(&tail.part, tail.path.with_extension("log.1")));
        let older: Vec<_> = older.filter(|tail| tail.younger_than(began)).collect();
        follower.tails.splice(0..0, older);
        Ok(follower)
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tails.is_empty()
    }

    /// Lines written since the last call.
    pub fn read(&mut self) -> Vec<Line> {
        self.discover();
        self.tails.iter_mut().flat_map(Tail::read).collect()
    }

    fn parts(&self) -> std::io::Result<Vec<String>> {
        parts(&self.folder)
    }

    /// Finds parts that have started to log since the last call.
    fn discover(&mut self) {
        for part in self.parts().unwrap_or_default() {
            let path = self.folder.join(format!("{part}.log"));
            let known = self.tails.iter().any(|tail| tail.path == path);
            if !known && (self.wanted.is_empty() || self.wanted.contains(&part)) {
                self.tails.push(Tail::new(&part, path));
            }
        }
    }
}

/// The parts that have a log in `folder`, sorted.
pub(super) fn parts(folder: &Path) -> std::io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut parts: Vec<_> = names.filter_map(|name| Some(name.strip_suffix(".log")?.to_owned())).collect();
    parts.sort();
    Ok(parts)
}

impl Tail {
    fn new(part: &str, path: PathBuf) -> Self {
        Self { part: part.to_owned(), path, inode: 0, offset: 0, time: DateTime::<Utc>::UNIX_EPOCH }
    }

    fn younger_than(&self, began: Option<DateTime<Utc>>) -> bool {
        let modified = fs::metadata(&self.path).and_then(|meta| meta.modified()).ok();
        modified.map(DateTime::<Utc>::from).zip(began).is_some_and(|(modified, began)| modified > began)
    }

    fn read(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (_, text) in self.news().unwrap_or_default().lines {
            let line = line::parse(&self.part, &text, self.time);
            self.time = line.time;
            lines.push(line);
        }
        lines
    }

    fn news(&mut self) -> std::io::Result<tail::Piece> {
        let (inode, length) = tail::identity(&self.path)?;
        if inode != self.inode || length < self.offset {
            (self.inode, self.offset) = (inode, 0);
        }
        let piece = tail::read(&self.path, self.offset, usize::MAX)?;
        self.offset = piece.end;
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_capped_log_is_read_from_its_new_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.log");
        let mut writer = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        writer.write_all(b"one\ntw").unwrap();
        let mut follower = Follower::open(folder.path(), &[], None).unwrap();
        let mut read = || follower.read().into_iter().map(|line| line.message).collect::<Vec<_>>();
        assert_eq!(read(), ["one"]);
        writer.write_all(b"o\n").unwrap();
        assert_eq!(read(), ["two"]);
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
        assert!(read().is_empty());
        writer.write_all(b"three\n").unwrap();
        assert_eq!(read(), ["three"]);
    }

    #[test]
    fn a_missing_log_is_answered_with_the_existing_ones() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("redis.log"), "").unwrap();
        let error = Follower::open(folder.path(), &["rdis".to_owned()], None).unwrap_err().to_string();
        assert_eq!(error, "`rdis` has no log; there are: redis");
        let error = Follower::open(&folder.path().join("log"), &[], None).unwrap_err().to_string();
        assert!(error.contains("lab up"), "{error}");
    }
}
