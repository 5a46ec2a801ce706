//! What a shipper has still to send of the logs of a local lab. The files are the buffer: nothing is read before there is
//! room for it, and a mark per part says how far the receiver has confirmed.
//!
//! Invariant: each line is handed out, again and again, until it is confirmed. A log that is capped (copied to
//! `<part>.log.1` and truncated) or replaced at the next start is found again by its first line. What was written between
//! the copy and the truncation is lost to everyone; a log that was replaced twice before it was sent is counted.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    files::parts,
    line::{self, Line},
    tail::{self, Piece},
};

/// How far the log of each part was sent and confirmed.
pub type Marks = BTreeMap<String, Mark>;

/// How far one log was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// First line of the log, which identifies it.
    pub head: String,
    /// Where the next line begins, in bytes.
    pub offset: u64,
    /// Time of the last line before it: that of the next one if it has none.
    pub time: DateTime<Utc>,
}

/// Lines of one log, in order.
#[derive(Debug)]
pub struct Section {
    /// The part that wrote them.
    pub part: String,
    /// First line of the log.
    pub head: String,
    /// Each line with the offset at which it begins, in bytes.
    pub lines: Vec<(u64, Line)>,
}

/// Lines to send together.
#[derive(Debug, Default)]
pub struct Batch {
    /// One section per part that has something to send.
    pub sections: Vec<Section>,
    after: Marks,
}

impl Batch {
    /// Whether there was nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.after.is_empty()
    }
}

/// The logs and their marks.
#[derive(Debug)]
pub struct Backlog {
    folder: PathBuf,
    except: Vec<String>,
    marks: Marks,
    turn: usize,
    lost: u64,
}

impl Backlog {
    /// The logs in `folder`, without those of the parts in `except`, from these marks on. A part without a mark is sent
    /// from the beginning of its older log.
    #[must_use]
    pub fn open(folder: &Path, marks: Marks, except: &[&str]) -> Self {
        let except = except.iter().map(|&part| part.to_owned()).collect();
        Self { folder: folder.to_owned(), except, marks, turn: 0, lost: 0 }
    }

    /// The next lines, at most `most` bytes of them (256 KiB or more, so that the longest line fits): the same ones until [`Backlog::confirm`] is called. Each call begins
    /// with another part, so that a part that logs very much cannot hold up the others.
    pub fn next(&mut self, most: usize) -> Batch {
        let mut parts = parts(&self.folder).unwrap_or_default();
        parts.retain(|part| !self.except.contains(part));
        let turn = self.turn.checked_rem(parts.len()).unwrap_or_default();
        parts.rotate_left(turn);
        let (mut batch, mut left) = (Batch::default(), most);
        for part in parts {
            let Some((section, mark)) = self.read(&part, left) else { continue };
            let length = section.lines.iter().map(|(_, line)| line.text.len()).sum();
            batch.after.insert(part, mark);
            batch.sections.push(section);
            left = left.saturating_sub(length);
            if left == 0 {
                break;
            }
        }
        batch
    }

    /// The receiver has these lines.
    pub fn confirm(&mut self, batch: Batch) {
        self.marks.extend(batch.after);
        self.turn = self.turn.wrapping_add(1);
    }

    /// How far each log was sent. Save them before and after lines are sent: a line without a time has its part's.
    #[must_use]
    pub const fn marks(&self) -> &Marks {
        &self.marks
    }

    /// How often a log was found to be replaced before all of its lines were sent.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    fn read(&mut self, part: &str, most: usize) -> Option<(Section, Mark)> {
        let log = self.folder.join(format!("{part}.log"));
        let older = log.with_extension("log.1");
        loop {
            let Some(mark) = self.marks.get(part).cloned() else {
                let head = tail::head(&older).or_else(|| tail::head(&log))?;
                self.begin(part, head, Utc::now());
                continue;
            };
            let is = |path: &Path| tail::head(path).is_some_and(|head| head == mark.head);
            let (piece, next) = if is(&log) {
                (tail::read(&log, mark.offset, most).ok()?, None)
            } else if is(&older) {
                let (_, length) = tail::identity(&older).ok()?;
                let piece = tail::read_rest(&older, mark.offset, most).ok()?;
                (piece, (length <= mark.offset).then_some(&log))
            } else {
                let nothing = Piece { lines: Vec::new(), end: mark.offset };
                (nothing, Some(if older.exists() { &older } else { &log }))
            };
            if piece.end > mark.offset {
                return Some(place(part, &mark, &piece));
            }
            let next = next?;
            let head = tail::head(next)?;
            self.lost += u64::from(!is(&older));
            self.begin(part, head, mark.time);
        }
    }

    fn begin(&mut self, part: &str, head: String, time: DateTime<Utc>) {
        self.marks.insert(part.to_owned(), Mark { head, offset: 0, time });
    }
}

fn place(part: &str, mark: &Mark, piece: &Piece) -> (Section, Mark) {
    let mut time = mark.time;
    let mut lines = Vec::new();
    for (offset, text) in &piece.lines {
        let line = line::parse(part, text, time);
        time = line.time;
        lines.push((*offset, line));
    }
    let section = Section { part: part.to_owned(), head: mark.head.clone(), lines };
    (section, Mark { head: mark.head.clone(), offset: piece.end, time })
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    const MOST: usize = 1 << 20;

    struct Logs(tempfile::TempDir);

    impl Logs {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let file = fs::OpenOptions::new().create(true).append(true).open(self.path(name));
            file.unwrap().write_all(text.as_bytes()).unwrap();
        }

        /// As the supervisor does to a log that is too large.
        fn cap(&self, part: &str) {
            let log = self.path(&format!("{part}.log"));
            fs::copy(&log, log.with_extension("log.1")).unwrap();
            fs::OpenOptions::new().write(true).open(log).unwrap().set_len(0).unwrap();
        }

        fn open(&self, marks: Marks) -> Backlog {
            Backlog::open(self.0.path(), marks, &["own"])
        }
    }

    fn texts(batch: &Batch) -> Vec<&str> {
        let lines = batch.sections.iter().flat_map(|section| &section.lines);
        lines.map(|(_, line)| line.text.as_str()).collect()
    }

    /// Reads and confirms until nothing is left.
    fn drain(backlog: &mut Backlog) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let batch = backlog.next(MOST);
            if batch.is_empty() {
                return all;
            }
            all.extend(texts(&batch).into_iter().map(str::to_owned));
            backlog.confirm(batch);
        }
    }

    #[test]
    fn lines_are_handed_out_until_they_are_confirmed() {
        let logs = Logs::new();
        logs.write("api.log", "one\ntwo\nthr");
        logs.write("own.log", "never\n");
        let mut backlog = logs.open(Marks::new());
        assert_eq!(texts(&backlog.next(MOST)), ["one", "two"]);
        let batch = backlog.next(MOST);
        assert_eq!(texts(&batch), ["one", "two"]);
        backlog.confirm(batch);
        assert!(backlog.next(MOST).is_empty());
        logs.write("api.log", "ee\n");
        let marks: Marks = serde_json::from_str(&serde_json::to_string(backlog.marks()).unwrap()).unwrap();
        assert_eq!(drain(&mut logs.open(marks)), ["three"], "after a restart of the shipper");
    }

    #[test]
    fn a_capped_log_and_one_of_an_earlier_run_are_sent_to_their_ends() {
        let logs = Logs::new();
        logs.write("api.log", "one\ntwo\n");
        let mut backlog = logs.open(Marks::new());
        assert_eq!(drain(&mut backlog), ["one", "two"]);
        logs.write("api.log", "three\n");
        logs.cap("api");
        logs.write("api.log", "four\n");
        assert_eq!(drain(&mut backlog), ["three", "four"]);
        logs.write("api.log", "five\nno end");
        fs::rename(logs.path("api.log"), logs.path("api.log.1")).unwrap();
        logs.write("api.log", "six\n");
        assert_eq!(drain(&mut backlog), ["five", "no end", "six"]);
        assert_eq!(backlog.lost(), 0);
    }

    #[test]
    fn a_log_that_was_replaced_twice_is_counted_once() {
        let logs = Logs::new();
        logs.write("api.log", "one\n");
        let mut backlog = logs.open(Marks::new());
        assert_eq!(drain(&mut backlog), ["one"]);
        for text in ["two\n", "three\n", "four\n"] {
            logs.write("api.log", text);
            logs.cap("api");
        }
        logs.write("api.log", "five\n");
        assert_eq!(drain(&mut backlog), ["four", "five"]);
        assert!(drain(&mut backlog).is_empty());
        assert_eq!(backlog.lost(), 1);
    }

    #[test]
    fn a_batch_is_bounded_and_every_part_has_its_turn() {
        let logs = Logs::new();
        let line = format!("{}\n", "x".repeat(99));
        logs.write("api.log", &line.repeat(50));
        logs.write("worker.log", &line.repeat(50));
        let mut backlog = logs.open(Marks::new());
        let first = |backlog: &mut Backlog| {
            let batch = backlog.next(1000);
            let read: usize = texts(&batch).iter().map(|text| text.len()).sum();
            assert!((900..=1100).contains(&read), "{read}");
            let part = batch.sections[0].part.clone();
            backlog.confirm(batch);
            part
        };
        assert_eq!([first(&mut backlog), first(&mut backlog)], ["api", "worker"]);
        assert_eq!(drain(&mut backlog).len(), 80, "without the ten of each");
    }

    #[test]
    fn a_line_without_a_time_keeps_the_one_that_it_was_given() {
        let logs = Logs::new();
        logs.write("api.log", "banner\n");
        let mut backlog = logs.open(Marks::new());
        let time = |batch: &Batch| batch.sections[0].lines[0].1.time;
        let first = time(&backlog.next(MOST));
        assert_eq!(time(&logs.open(backlog.marks().clone()).next(MOST)), first);
    }
}
