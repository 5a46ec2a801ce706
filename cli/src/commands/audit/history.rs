//! The scores of earlier audits, one line of JSON each, in `audit/config.jsonl` of the lab's folder: what an audit with --record adds,
//! and --history shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::{ErrorKind, Write as _},
    path::PathBuf,
};

use anyhow::{Context, Result};
use baseline::Report;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::home::Home;

/// What was judged if a line does not say it.
const HERE: &str = "this machine";

/// What one audit found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    at: DateTime<Utc>,
    /// What was judged: this machine, or a namespace of a cluster.
    #[serde(default = "here")]
    of: String,
    score: usize,
    waived: usize,
    /// Findings without a waiver, as `LAB-5.9 docker.io/library/redis:latest`.
    open: BTreeSet<String>,
}

fn here() -> String {
    HERE.to_owned()
}

fn file(home: &Home) -> PathBuf {
    home.dir.join("audit/config.jsonl")
}

/// Adds an audit of what is called `of`; `None` for this machine.
///
/// # Errors
/// When it cannot be written.
pub(super) fn record(home: &Home, report: &Report, of: Option<String>) -> Result<()> {
    let path = file(home);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let named = report.open().map(|(outcome, finding)| format!("{} {}", outcome.id, finding.subject));
    let entry = Entry {
        at: Utc::now(),
        of: of.unwrap_or_else(here),
        score: report.score,
        waived: report.waived(),
        open: named.collect(),
    };
    let line = serde_json::to_string(&entry)?;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(&path)?;
    writeln!(file, "{line}").with_context(|| format!("cannot write {}", path.display()))
}

/// All that were recorded, the oldest first; none if nothing ever was.
///
/// # Errors
/// When the file cannot be read, or a line is not one of an audit.
pub(super) fn entries(home: &Home) -> Result<Vec<Entry>> {
    let path = file(home);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let read = |(index, line): (usize, &str)| {
        serde_json::from_str::<Entry>(line).with_context(|| format!("{}, line {}", path.display(), index + 1))
    };
    text.lines().enumerate().map(read).collect()
}

/// One line for each, and what is new or gone since the one before of the same place.
pub(super) fn told(entries: &[Entry]) -> String {
    let mut before: BTreeMap<&str, &Entry> = BTreeMap::new();
    let mut text = String::new();
    for entry in entries {
        let last = before.insert(&entry.of, entry);
        let change = match last.map(|last| (last.score, entry.score)) {
            Some((last, now)) if now > last => format!(" (+{})", now - last),
            Some((last, now)) if now < last => format!(" (-{})", last - now),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "{}  {}: score {}{change}, {} findings, {} waived",
            entry.at.format("%Y-%m-%d %H:%M"),
            entry.of,
            entry.score,
            entry.open.len(),
            entry.waived
        );
        let none = BTreeSet::new();
        let known = last.map_or(&none, |last| &last.open);
        for finding in entry.open.difference(known) {
            let _ = writeln!(text, "    new:  {finding}");
        }
        for finding in known.difference(&entry.open) {
            let _ = writeln!(text, "    gone: {finding}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries_of(lines: &[&str]) -> Vec<Entry> {
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_score_is_compared_with_the_one_before_of_the_same_place() {
        let entries = entries_of(&[
            r#"{"at":"2026-12-01T03:17:00Z","score":100,"waived":1,"open":[]}"#,
            r#"{"at":"2026-12-01T04:00:00Z","of":"cluster k8s/sre-lab","score":80,"waived":0,"open":["LAB-5.9 a"]}"#,
            r#"{"at":"2026-12-02T03:17:00Z","score":94,"waived":1,"open":["LAB-3.1 secrets/x"]}"#,
            r#"{"at":"2026-12-03T03:17:00Z","score":100,"waived":1,"open":[]}"#,
        ]);
        assert_eq!(
            told(&entries),
            "2026-12-01 03:17  this machine: score 100, 0 findings, 1 waived\n\
             2026-12-01 04:00  cluster k8s/sre-lab: score 80, 1 findings, 0 waived\n    new:  LAB-5.9 a\n\
             2026-12-02 03:17  this machine: score 94 (-6), 1 findings, 1 waived\n    new:  LAB-3.1 secrets/x\n\
             2026-12-03 03:17  this machine: score 100 (+6), 0 findings, 1 waived\n    gone: LAB-3.1 secrets/x\n"
        );
        assert_eq!(told(&[]), "");
    }
}
