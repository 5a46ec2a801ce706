//! Reads the log files from where the last reading ended; notices when one was capped (truncated) or replaced.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use supervisor::{logfile, state::LabState};

use super::line::{self, Line};
use crate::home::Home;

/// The files and how far each was read.
pub(crate) struct Follower {
    home: Home,
    wanted: Vec<String>,
    tails: Vec<Tail>,
}

struct Tail {
    part: String,
    path: PathBuf,
    inode: u64,
    offset: u64,
    /// The start of a line whose end was not written yet.
    rest: Vec<u8>,
    /// Time of the last line.
    time: DateTime<Utc>,
}

impl Follower {
    /// Opens the logs of the wanted parts, all when none is named.
    ///
    /// # Errors
    /// When a named part has no log: lists those that have.
    pub(crate) fn open(home: &Home, wanted: &[String]) -> Result<Self> {
        let mut follower = Self { home: home.clone(), wanted: wanted.to_vec(), tails: Vec::new() };
        let there = follower.parts()?;
        if let Some(missing) = wanted.iter().find(|part| !there.contains(part)) {
            bail!("`{missing}` has no log; there are: {}", there.join(", "));
        }
        follower.discover();
        // The older half of a capped log comes first.
        let older = follower.tails.iter().map(|tail| Tail::new(&tail.part, logfile::older(&tail.path)));
        let older: Vec<_> = older.filter(|tail| younger_than_supervisor(&follower.home, tail)).collect();
        follower.tails.splice(0..0, older);
        Ok(follower)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.tails.is_empty()
    }

    /// What was written since the last call.
    pub(crate) fn read(&mut self) -> Vec<Line> {
        self.discover();
        self.tails.iter_mut().flat_map(Tail::read).collect()
    }

    fn parts(&self) -> Result<Vec<String>> {
        let folder = self.home.dir.logs();
        let entries = fs::read_dir(&folder).with_context(|| format!("no logs in {}", folder.display()))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut parts: Vec<_> =
            names.filter_map(|name| Some(name.strip_suffix(".log")?.to_owned())).collect();
        parts.sort();
        Ok(parts)
    }

    /// Parts that began to log since the last look.
    fn discover(&mut self) {
        for part in self.parts().unwrap_or_default() {
            let path = self.home.dir.log(&part);
            let known = self.tails.iter().any(|tail| tail.path == path);
            if !known && (self.wanted.is_empty() || self.wanted.contains(&part)) {
                self.tails.push(Tail::new(&part, path));
            }
        }
    }
}

/// `log.1` holds the older half of this lab's log, or all of the lab before: only the former belongs here.
fn younger_than_supervisor(home: &Home, tail: &Tail) -> bool {
    let modified = fs::metadata(&tail.path).and_then(|meta| meta.modified()).ok().map(DateTime::<Utc>::from);
    let state = LabState::load(&home.dir).ok().flatten();
    modified.zip(state).is_some_and(|(modified, state)| modified > state.started_at)
}

impl Tail {
    fn new(part: &str, path: PathBuf) -> Self {
        Self {
            part: part.to_owned(),
            path,
            inode: 0,
            offset: 0,
            rest: Vec::new(),
            time: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    fn read(&mut self) -> Vec<Line> {
        let bytes = self.news().unwrap_or_default();
        self.rest.extend(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        let text = String::from_utf8_lossy(&whole);
        let mut lines = Vec::new();
        for text in text.lines().filter(|line| !line.trim().is_empty()) {
            let line = line::parse(&self.part, text, self.time);
            self.time = line.time;
            lines.push(line);
        }
        lines
    }

    fn news(&mut self) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        let meta = file.metadata()?;
        if meta.ino() != self.inode || meta.len() < self.offset {
            (self.inode, self.offset) = (meta.ino(), 0);
            self.rest.clear();
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        self.offset += file.read_to_end(&mut bytes)? as u64;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_capped_log_is_read_on_from_its_new_start() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            root: folder.path().to_path_buf(),
            dir: supervisor::Folder::at(folder.path()),
            token: None,
        };
        home.create().unwrap();
        let mut writer = logfile::open(&home.dir.log("part")).unwrap();
        writer.write_all(b"one\ntw").unwrap();
        let mut follower = Follower::open(&home, &[]).unwrap();
        let mut read = || follower.read().into_iter().map(|line| line.message).collect::<Vec<_>>();
        assert_eq!(read(), ["one"]);
        writer.write_all(b"o\n").unwrap();
        assert_eq!(read(), ["two"]);
        logfile::cap(&home.dir.log("part"), 3).unwrap();
        assert!(read().is_empty());
        writer.write_all(b"three\n").unwrap();
        assert_eq!(read(), ["three"]);
    }
}
