//! The folder of the performance lab: a folder for each run, `baselines/`, and `history.jsonl` with a line for each run.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::Stop;
use crate::{report::Report, run::board::Board};

/// What the history keeps of a run. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) scenario: String,
    pub(super) at: String,
    pub(super) commit: String,
    pub(super) targets: BTreeMap<String, String>,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) throughput: f64,
    pub(super) errors: u64,
    /// p99 by step.
    pub(super) steps: BTreeMap<String, f64>,
}

impl Entry {
    fn of(report: &Report) -> Self {
        Self {
            scenario: report.scenario.clone(),
            at: report.started_at.clone(),
            commit: report.commit.clone(),
            targets: report.targets.clone(),
            p50: report.total.p50,
            p99: report.total.p99,
            throughput: report.total.good_per_second,
            errors: report.total.errors,
            steps: report.steps.iter().map(|line| (line.name.clone(), line.p99)).collect(),
        }
    }
}

/// Where runs are kept, by default `.lab/load`.
pub(super) struct Store(PathBuf);

impl Store {
    pub(super) fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Writes `board.json`, the histograms of the run, beside its report, for `load merge`.
    pub(super) fn keep_board(folder: &Path, board: &Board) -> Result<(), Stop> {
        let text =
            serde_json::to_string(board).unwrap_or_else(|_| unreachable!("a board has only names as keys"));
        write(&folder.join("board.json"), &text)
    }

    /// The histograms of a kept run.
    pub(super) fn board(folder: &Path) -> Result<Board, Stop> {
        let path = folder.join("board.json");
        let text =
            fs::read_to_string(&path).map_err(|error| Stop::File(path.display().to_string(), error))?;
        serde_json::from_str(&text).map_err(|error| Stop::Usage(format!("{}: {error}", path.display())))
    }

    /// Where a run is kept.
    pub(super) fn folder(&self, report: &Report) -> PathBuf {
        let at = report.started_at.replace(':', "");
        self.0.join(format!("{}-{at}", report.scenario))
    }

    /// Writes `report.json`, `report.html` and `junit.xml`, and returns their folder.
    pub(super) fn keep(&self, report: &Report) -> Result<PathBuf, Stop> {
        let folder = self.folder(report);
        Self::keep_in(&folder, report)?;
        // A run that was stopped says something else than the others.
        if report.whole {
            self.remember(&Entry::of(report))?;
        }
        Ok(folder)
    }

    /// Writes the three files of a report into `folder`.
    pub(super) fn keep_in(folder: &Path, report: &Report) -> Result<(), Stop> {
        write(&folder.join("report.json"), &json(report))?;
        write(&folder.join("report.html"), &report.html())?;
        write(&folder.join("junit.xml"), &report.junit())
    }

    fn history(&self) -> PathBuf {
        self.0.join("history.jsonl")
    }

    fn remember(&self, entry: &Entry) -> Result<(), Stop> {
        let path = self.history();
        let line =
            serde_json::to_string(entry).unwrap_or_else(|_| unreachable!("an entry has only names as keys"));
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| writeln!(file, "{line}"));
        written.map_err(|error| Stop::File(path.display().to_string(), error))
    }

    /// The runs of a scenario that ended by themselves, oldest first. A line that cannot be read is left out.
    pub(super) fn entries(&self, scenario: &str) -> Result<Vec<Entry>, Stop> {
        let path = self.history();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Stop::File(path.display().to_string(), error)),
        };
        let read = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        Ok(read.filter(|entry| entry.scenario == scenario).collect())
    }

    fn baselines(&self) -> PathBuf {
        self.0.join("baselines")
    }

    /// Keeps a report under a name.
    pub(super) fn save(&self, name: &str, report: &Report) -> Result<(), Stop> {
        write(&self.baselines().join(format!("{name}.json")), &json(report))
    }

    /// Names of the baselines.
    pub(super) fn saved(&self) -> Vec<String> {
        let entries = fs::read_dir(self.baselines()).into_iter().flatten().filter_map(Result::ok);
        let name = |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned());
        let mut names: Vec<String> = entries.filter_map(name).collect();
        names.sort();
        names
    }

    /// A baseline by its name, or a run by its folder or `report.json`.
    pub(super) fn find(&self, name: &str) -> Result<Report, Stop> {
        let given = Path::new(name);
        let path =
            [self.baselines().join(format!("{name}.json")), given.join("report.json"), given.to_owned()]
                .into_iter()
                .find(|path| path.is_file())
                .ok_or_else(|| {
                    let saved = self.saved().join(", ");
                    Stop::Usage(format!(
                        "`{name}` is neither a URL, a run, nor a baseline: the baselines are {saved}"
                    ))
                })?;
        let text =
            fs::read_to_string(&path).map_err(|error| Stop::File(path.display().to_string(), error))?;
        serde_json::from_str(&text).map_err(|error| Stop::Usage(format!("{}: {error}", path.display())))
    }

    /// The folder of the latest run.
    pub(super) fn latest(&self) -> Option<PathBuf> {
        let entries =
            fs::read_dir(&self.0).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        let runs = entries.filter(|path| path.join("report.json").is_file());
        runs.max_by_key(|path| fs::metadata(path.join("report.json")).and_then(|file| file.modified()).ok())
    }
}

pub(super) fn json(report: &Report) -> String {
    serde_json::to_string_pretty(report).unwrap_or_else(|_| unreachable!("a report has only names as keys"))
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), Stop> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.map_err(|error| Stop::File(path.display().to_string(), error))
}

/// The revision of the checkout in the current folder; empty if there is none.
pub(super) fn commit() -> String {
    let output = std::process::Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let right = output.ok().filter(|output| output.status.success());
    right.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// What this runs on, in a few words.
pub(super) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores of {}", std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_baselines_and_history_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(&folder.path().join("load"));
        assert!(
            store.entries("smoke").unwrap().is_empty()
                && store.saved().is_empty()
                && store.latest().is_none()
        );
        let report = crate::report::example();
        let kept = store.keep(&report).unwrap();
        assert_eq!(store.latest(), Some(kept.clone()));
        assert_eq!(store.find(&kept.display().to_string()).unwrap().text(), report.text());
        store.save("before", &report).unwrap();
        assert_eq!(store.saved(), ["before"]);
        assert_eq!(store.find("before").unwrap().text(), report.text());
        assert_eq!(store.find("after").unwrap_err().exit_code(), 64);
        let entries = store.entries("smoke").unwrap();
        assert_eq!(entries.len(), 1);
        assert!((entries[0].p99 - report.total.p99).abs() < 1e-9);
        store.keep(&Report { whole: false, ..report }).unwrap();
        assert_eq!(store.entries("smoke").unwrap().len(), 1, "a part of a run is no run");
    }
}
