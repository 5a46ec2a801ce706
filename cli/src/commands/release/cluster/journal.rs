//! The events of the releases in a cluster, in a file of the lab's folder: one line of JSON each, written before it counts. A release
//! is the result of its events, so it continues after SIGKILL where it was.
//!
//! One terminal at a time drives (it holds the seat); others may add what people decide. Before adding, a terminal reads what was added.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use release::{
    Run,
    run::{Event, What},
};

/// Longest wait for another terminal that writes, which takes milliseconds unless it was stopped meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The events of one lab.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// How much of the file was read.
    read: u64,
    /// Its releases, the oldest first.
    runs: Vec<Run>,
    /// The events of the newest one.
    events: Vec<Event>,
}

impl Journal {
    /// Opens the file of a lab in a cluster, in this folder.
    ///
    /// # Errors
    /// When it cannot be read, or has a line that is no event.
    pub(super) fn open(folder: &Path, context: &str, namespace: &str) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join(format!("{}@{}.jsonl", safe(context), safe(namespace)));
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let mut journal = Self { path, file, read: 0, runs: Vec::new(), events: Vec::new() };
        journal.refresh()?;
        Ok(journal)
    }

    /// All releases, the oldest first.
    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The events of the newest release, in order.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    /// The greatest number of a release; 0 if there was none.
    pub(super) fn newest(&self) -> u64 {
        self.runs.iter().filter_map(|run| number(&run.plan().id)).max().unwrap_or_default()
    }

    /// The newest release, if it is not over.
    pub(super) fn open_run(&self) -> Option<&Run> {
        self.runs.last().filter(|run| run.end().is_none())
    }

    /// The right to drive, until it is dropped or this process ends; nothing if somebody else has it.
    ///
    /// # Errors
    /// When its file cannot be locked.
    pub(super) fn seat(&self) -> Result<Option<File>> {
        let path = self.path.with_extension("driver");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Reads what was added since.
    ///
    /// # Errors
    /// When the file cannot be read, or has a line that is no event.
    pub(super) fn refresh(&mut self) -> Result<()> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(self.read))?;
        self.file.read_to_end(&mut text)?;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            // What a crash has cut off did not happen.
            let Some(line) = line.strip_suffix(b"\n") else { break };
            let place = || format!("{}, at byte {}", self.path.display(), self.read);
            let event: Event = serde_json::from_slice(line).with_context(place)?;
            let run = self.after(&event).with_context(place)?;
            self.keep(&event, run, line.len() + 1);
        }
        Ok(())
    }

    /// Adds an event, and applies it.
    ///
    /// # Errors
    /// When the release refuses it ([`release::run::Refused`]), or the file cannot be written; nothing has happened then.
    pub(super) fn record(&mut self, event: &Event) -> Result<()> {
        self.lock().with_context(|| format!("cannot lock {}", self.path.display()))?;
        let added = self.add(event);
        self.file.unlock().with_context(|| format!("cannot unlock {}", self.path.display()))?;
        added
    }

    fn lock(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.file.try_lock() {
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    bail!("another terminal was stopped while it wrote: continue it (fg), or end it")
                }
                locked => return Ok(locked?),
            }
        }
    }

    fn add(&mut self, event: &Event) -> Result<()> {
        self.refresh()?;
        if let (What::Started { .. }, Some(run)) = (&event.what, self.open_run()) {
            bail!("{} of {} is under way", run.plan().id, run.plan().service);
        }
        let run = self.after(event)?;
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.file.set_len(self.read)?;
        self.file.write_all(&line).and_then(|()| self.file.sync_data())?;
        self.keep(event, run, line.len());
        Ok(())
    }

    /// What an event makes of the newest release, or the release that it starts.
    fn after(&self, event: &Event) -> Result<Run> {
        if matches!(event.what, What::Started { .. }) {
            return Ok(Run::start(event)?);
        }
        let mut run = self.runs.last().context("an event comes before any release")?.clone();
        run.apply(event)?;
        Ok(run)
    }

    /// Takes a line of this many bytes, and what came of it.
    fn keep(&mut self, event: &Event, run: Run, bytes: usize) {
        self.read += bytes as u64;
        if matches!(event.what, What::Started { .. }) {
            self.events.clear();
        } else {
            self.runs.pop();
        }
        self.events.push(event.clone());
        self.runs.push(run);
    }
}

/// 7 of `REL-7`.
pub(super) fn number(id: &str) -> Option<u64> {
    id.strip_prefix("REL-")?.parse().ok()
}

/// What is in no name of a file here.
const NOT_IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A name as a part of a path: contexts of some clouds have slashes and colons.
fn safe(name: &str) -> String {
    utf8_percent_encode(name, NOT_IN_NAMES).to_string()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use release::{
        Plan, Policy,
        run::{Refused, STEPS},
    };

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn started(id: &str) -> Event {
        let text = str::to_owned;
        let plan = Plan {
            id: text(id),
            service: text("order-api"),
            old: text("v1"),
            new: text("v2"),
            steps: STEPS.to_vec(),
            policy: Policy::default(),
            by: text("ada"),
            why: text("faster orders"),
            over: None,
            written: None,
        };
        What::Started { plan: Box::new(plan) }.at(at(0))
    }

    fn aborted(seconds: i64) -> Event {
        What::Aborted { by: "ada".to_owned(), why: "no".to_owned() }.at(at(seconds))
    }

    fn open(folder: &Path) -> Journal {
        Journal::open(folder, "arn:aws:eks/x", "sre-lab").unwrap()
    }

    #[test]
    fn a_release_continues_where_it_was_and_what_a_crash_cut_off_did_not_happen() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).record(&started("REL-1")).unwrap();
        let path = folder.path().join("arn%3Aaws%3Aeks%2Fx@sre-lab.jsonl");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"at":"2026-11-29T12:00:00Z","what":{"type":"abo"#).unwrap();
        let mut journal = open(folder.path());
        assert_eq!(journal.open_run().unwrap().state(), "commit");
        journal.record(&aborted(1)).unwrap();
        assert_eq!(open(folder.path()).open_run().unwrap().state(), "rolling-back");
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
        assert_eq!((journal.events(), journal.newest()), (&[started("REL-1"), aborted(1)][..], 1));
    }

    #[test]
    fn who_adds_knows_what_another_terminal_added_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = open(folder.path());
        one.record(&started("REL-1")).unwrap();
        assert!(
            one.record(&started("REL-2"))
                .unwrap_err()
                .to_string()
                .contains("REL-1 of order-api is under way")
        );
        let mut other = open(folder.path());
        other.record(&aborted(1)).unwrap();
        let refused = one.record(&aborted(2)).unwrap_err();
        assert!(refused.is::<Refused>(), "it is on its way back already: {refused:#}");
        assert_eq!(one.open_run().unwrap().state(), "rolling-back");
    }

    #[test]
    fn one_terminal_at_a_time_drives() {
        let folder = tempfile::tempdir().unwrap();
        let seat = open(folder.path()).seat().unwrap();
        assert!(seat.is_some());
        assert!(open(folder.path()).seat().unwrap().is_none());
        drop(seat);
        assert!(open(folder.path()).seat().unwrap().is_some());
    }
}
