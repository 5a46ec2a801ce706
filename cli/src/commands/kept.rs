//! Measurements that a file of the checkout keeps, by name, so that they can be made in pieces: each run adds to the file, and
//! tables are written from it. What is kept says which text was measured: after a change of it, it is not known any longer.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::ErrorKind,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use chrono::Utc;
use clap::Args;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::terminal::{out, say};

/// How many hexadecimal digits tell texts apart.
const DIGITS: usize = 12;

/// How a measurement of drills is made in pieces.
#[derive(Debug, Args)]
pub(super) struct Pieces {
    /// Keep each result as soon as it is known: an answer in docs/measured/validity.json, a run in docs/measured/bench.json.
    /// Writes the table of docs/validity.md or docs/agents.md from it.
    #[arg(long)]
    pub(super) keep: bool,
    /// Leave out what that file has: right answers, judged runs. If a drill has changed since, nothing of it is left out.
    #[arg(long)]
    pub(super) unmeasured: bool,
    /// Begin nothing further after this time, such as 45m; the drills that are left are named.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    at_most: Option<Duration>,
}

impl Pieces {
    /// Whether nothing further begins.
    pub(super) fn is_late(&self, begun: Instant) -> bool {
        self.at_most.is_some_and(|most| begun.elapsed() >= most)
    }
}

/// When something was measured, and in which checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// The day in UTC, such as 2026-06-01.
    day: String,
    /// The commit; empty outside of git.
    revision: String,
}

impl Stamp {
    /// Now, in this checkout.
    pub(super) fn now(root: &Path) -> Self {
        let git = Command::new("git").arg("-C").arg(root).args(["rev-parse", "--short=12", "HEAD"]).output();
        let right = git.ok().filter(|output| output.status.success());
        let revision = right.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        Self { day: Utc::now().format("%Y-%m-%d").to_string(), revision: revision.unwrap_or_default() }
    }

    /// `2026-06-01 at 3f2a9c0d1b7e`.
    pub(super) fn words(&self) -> String {
        if self.revision.is_empty() { self.day.clone() } else { format!("{} at {}", self.day, self.revision) }
    }
}

/// The end of a command that writes docs/automation.md from `file`, or checks it: `differs` if the page was another one.
pub(super) fn finish(differs: bool, check: bool, file: &str, command: &str) -> ExitCode {
    if differs && check {
        say(format_args!(
            "docs/automation.md differs from {file}: run `{command}`, and commit what it writes"
        ));
        return ExitCode::FAILURE;
    }
    if differs {
        out!("wrote docs/automation.md");
    }
    ExitCode::SUCCESS
}

/// What tells a text that was measured from a later one.
pub(super) fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        // No text contains it: two texts are not the same as one.
        hash.update([0_u8]);
    }
    hex::encode(hash.finalize()).chars().take(DIGITS).collect()
}

/// What a file keeps; nothing if it does not exist.
///
/// # Errors
/// When it cannot be read, or is of another kind.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<BTreeMap<String, T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let advice = "take back your changes of it, or delete it and measure again";
    serde_json::from_str(&text)
        .with_context(|| format!("{} has no measurements of this kind: {advice}", path.display()))
}

/// What a file keeps. If it `writes`, a file that cannot be written is known at once.
///
/// # Errors
/// As [`read`], and when it cannot be written.
pub(super) fn open<T: Serialize + DeserializeOwned + Clone>(
    path: &Path,
    writes: bool,
) -> Result<BTreeMap<String, T>> {
    if writes { change(path, |all: &mut BTreeMap<String, T>| all.clone()) } else { read(path) }
}

/// Changes what a file keeps, and writes it, even if nothing is different; returns what `change` does. Another process that
/// changes it waits meanwhile, so that neither loses what the other has added.
///
/// # Errors
/// As [`read`], and when it cannot be written.
pub(super) fn change<T: Serialize + DeserializeOwned, R>(
    path: &Path,
    change: impl FnOnce(&mut BTreeMap<String, T>) -> R,
) -> Result<R> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let _turn = turn(path)?;
    let mut all = read(path)?;
    let changed = change(&mut all);
    replace(path, &(serde_json::to_string_pretty(&all)? + "\n"))?;
    Ok(changed)
}

/// The turn to change files in the folder of this one, until it is dropped. A file that is replaced cannot be locked, but its
/// folder can. On a file system that has no locks, everyone has a turn.
///
/// # Errors
/// When there is no such folder.
pub(super) fn turn(path: &Path) -> Result<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let turn = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    let _ = turn.lock();
    Ok(turn)
}

/// Writes a file as a whole: if this program is killed meanwhile, it is as before. Call it with a [`turn`].
///
/// # Errors
/// When it cannot be written.
pub(super) fn replace(path: &Path, text: &str) -> Result<()> {
    let new = path.with_added_extension("new");
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// To a tenth of a second: smaller differences are no news.
pub(super) fn tenth(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_another_kind_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("measured/drills.json");
        assert_eq!(read::<f64>(&path).unwrap(), BTreeMap::new(), "nothing is measured yet");
        let was = change(&path, |all| all.insert("a".to_owned(), 1.5)).unwrap();
        assert_eq!(was, None);
        assert_eq!(read::<f64>(&path).unwrap(), BTreeMap::from([("a".to_owned(), 1.5)]));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
        let refused = format!("{:#}", read::<Stamp>(&path).unwrap_err());
        assert!(refused.contains("drills.json has no measurements of this kind"), "{refused}");
    }

    #[test]
    fn two_that_add_at_the_same_time_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("measured.json");
        let add = |who: &str| {
            for number in 0..50 {
                change(&path, |all| all.insert(format!("{who}-{number}"), 1.5)).unwrap();
            }
        };
        thread::scope(|scope| {
            for who in ["a", "b"] {
                scope.spawn(move || add(who));
            }
        });
        assert_eq!(read::<f64>(&path).unwrap().len(), 100);
    }

    #[test]
    fn a_digest_tells_texts_apart() {
        let one = digest(&["ab", "c"]);
        assert_eq!((one.len(), &one), (DIGITS, &digest(&["ab", "c"])));
        assert_ne!(one, digest(&["a", "bc"]));
    }

    #[test]
    fn a_stamp_names_the_commit_if_there_is_one() {
        let stamp = Stamp { day: "2026-06-01".to_owned(), revision: "3f2a9c0d1b7e".to_owned() };
        assert_eq!(stamp.words(), "2026-06-01 at 3f2a9c0d1b7e");
        assert_eq!(Stamp { revision: String::new(), ..stamp }.words(), "2026-06-01");
        assert_eq!(Stamp::now(tempfile::tempdir().unwrap().path()).revision, "");
    }
}
