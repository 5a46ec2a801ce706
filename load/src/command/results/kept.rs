//! Measurements as files: one for each, named by what was measured and when.

use std::{
    fmt::{Display, Formatter},
    fs,
    path::{Path, PathBuf},
};

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::super::{Stop, store};
use crate::{capacity::Findings, report::Report};

/// A measurement with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct Kept {
    /// What was measured: `capacity`, `breakpoint`, `compare`, a scenario, or `bench-` and a word of `./lab bench`.
    pub(in crate::command) what: String,
    /// When, RFC 3339 UTC.
    pub(in crate::command) at: String,
    /// The revision of the checkout; empty if unknown.
    pub(in crate::command) commit: String,
    /// What it ran on, in a few words.
    pub(in crate::command) machine: String,
    /// In the order in which they are read.
    pub(in crate::command) figures: Vec<Figure>,
    /// What is no number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::command) notes: Vec<String>,
}

/// A number, and what is required of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct Figure {
    /// What it is, with its unit.
    pub(in crate::command) name: String,
    /// `None` if there was none.
    pub(in crate::command) value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
}

impl Figure {
    /// A number of which nothing is required.
    pub(in crate::command) fn of(name: impl Into<String>, value: f64) -> Self {
        let value = Some(value).filter(|value| value.is_finite());
        Self { name: name.into(), value, at_least: None, at_most: None }
    }

    /// The same with the most that is allowed.
    pub(in crate::command) fn at_most(self, bar: f64) -> Self {
        Self { at_most: Some(bar), ..self }
    }
}

impl Display for Figure {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { name, value, at_least, at_most } = self;
        write!(out, "{name:64}{:>14}", number(*value))?;
        let bars = at_least.map(|bar| (bar, ">=")).into_iter().chain(at_most.map(|bar| (bar, "<=")));
        for (bar, sign) in bars {
            let holds = value.is_some_and(|value| if sign == ">=" { value >= bar } else { value <= bar });
            write!(out, "  {sign} {bar:.2}: {}", if holds { "reached" } else { "MISSED" })?;
        }
        Ok(())
    }
}

/// A number in a table.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

impl Kept {
    /// What was measured just now, in this checkout.
    pub(in crate::command) fn now(what: &str, figures: Vec<Figure>, notes: Vec<String>) -> Self {
        let at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let (commit, machine) = (store::commit(), store::machine());
        Self { what: what.to_owned(), at, commit, machine, figures, notes }
    }

    /// A run of a scenario.
    pub(in crate::command) fn run(report: &Report) -> Self {
        let total = &report.total;
        let errors = total.errors as f64 / total.count.max(1) as f64 * 100.0;
        let mut figures = vec![
            Figure::of("requests", total.count as f64),
            Figure::of("p50, ms", total.p50),
            Figure::of("p99, ms", total.p99),
            Figure::of("succeeded per second", total.good_per_second),
            Figure::of("errors, percent", errors),
            Figure::of("skipped starts", report.skipped as f64),
        ];
        figures.extend(report.peak_mib.map(|mib| Figure::of("memory of the generator, MiB", mib)));
        let judged = report.thresholds.iter();
        let notes = judged.map(|it| format!("{}: {} ({})", it.threshold, it.verdict.as_str(), it.seen));
        let (at, commit, notes) = (report.started_at.clone(), report.commit.clone(), notes.collect());
        Self { at, commit, ..Self::now(&report.scenario, figures, notes) }
    }

    /// A sweep, which is kept with all its steps.
    fn sweep(findings: &Findings) -> Self {
        let Findings { knee, orders, .. } = findings;
        let mut figures = vec![
            Figure::of("knee, journeys per second", *knee),
            Figure::of("knee, orders per second", knee * orders),
        ];
        let shares = ["90 %", "110 %"].iter().zip(&findings.validation);
        figures.extend(
            shares.map(|(share, step)| Figure::of(format!("p99 at {share} of the knee, ms"), step.p99_ms)),
        );
        figures.extend(findings.stations.iter().map(|station| {
            let per_journey = station.service * station.visits * 1_000.0;
            Figure::of(format!("{}: time per journey, ms", station.name), per_journey)
        }));
        let limit = findings.saturated.first().map_or("unknown", |saturated| saturated.name.as_str());
        let confirmed = if findings.confirmed() { "confirmed" } else { "not confirmed" };
        let notes = vec![format!("{confirmed} at 90 % and 110 %; what limits it: {limit}")];
        let (at, commit) = (findings.started_at.clone(), findings.commit.clone());
        Self { what: CAPACITY.to_owned(), at, commit, machine: findings.machine.clone(), figures, notes }
    }
}

/// What a sweep is kept as.
const CAPACITY: &str = "capacity";

/// A folder of measurements.
pub(in crate::command) struct Archive(PathBuf);

impl Archive {
    /// In this folder, which need not exist.
    pub(in crate::command) fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Keeps a measurement, and returns its file.
    pub(in crate::command) fn keep(&self, kept: &Kept) -> Result<PathBuf, Stop> {
        let json = serde_json::to_string_pretty(kept);
        let json = json.unwrap_or_else(|_| unreachable!("a measurement has only names as keys"));
        self.write(&kept.what, &kept.at, &format!("{json}\n"))
    }

    /// Keeps all that a sweep has found, as `load capacity report --results` reads it, and returns its file.
    pub(in crate::command) fn keep_findings(&self, findings: &Findings) -> Result<PathBuf, Stop> {
        self.write(CAPACITY, &findings.started_at, &findings.to_json())
    }

    fn write(&self, what: &str, at: &str, text: &str) -> Result<PathBuf, Stop> {
        let path = self.0.join(format!("{what}-{}.json", at.replace(':', "")));
        store::write(&path, text)?;
        Ok(path)
    }

    /// All measurements with their names, the oldest first. A file that cannot be read is an error with its name.
    pub(in crate::command) fn all(&self) -> Result<Vec<(String, Kept)>, Stop> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().filter_map(Result::ok);
        let mut all = Vec::new();
        for path in entries.map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "json") {
                all.push((named(&path), read(&path)?));
            }
        }
        all.sort_by(|(a, left), (b, right)| left.at.cmp(&right.at).then_with(|| a.cmp(b)));
        Ok(all)
    }

    /// A file, or the latest measurement whose name begins like this, with its name.
    pub(in crate::command) fn find(&self, name: &str) -> Result<(String, Kept), Stop> {
        let path = Path::new(name);
        if path.is_file() {
            return Ok((named(path), read(path)?));
        }
        let all = self.all()?;
        let known = all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(", ");
        let found = all.into_iter().rev().find(|(kept, _)| kept.starts_with(name));
        found.ok_or_else(|| {
            Stop::Usage(format!("`{name}` is neither a file nor the beginning of one of: {known}"))
        })
    }
}

fn named(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A measurement; of a sweep, the figures are taken from its steps.
fn read(path: &Path) -> Result<Kept, Stop> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Stop::File(name.clone(), error))?;
    if let Ok(findings) = Findings::from_json(&text) {
        return Ok(Kept::sweep(&findings));
    }
    serde_json::from_str(&text).map_err(|error| Stop::Usage(format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_by_its_name_and_a_wrong_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::at(&folder.path().join("results"));
        assert!(archive.all().unwrap().is_empty());
        let kept = Kept::now("bench-edge", vec![Figure::of("added, ms", 0.5).at_most(0.4)], Vec::new());
        let path = archive.keep(&kept).unwrap();
        assert_eq!(archive.find("bench-edge").unwrap().1, kept);
        assert_eq!(archive.find(&path.display().to_string()).unwrap().1, kept);
        assert!(kept.figures[0].to_string().ends_with("0.500  <= 0.40: MISSED"), "{}", kept.figures[0]);
        assert!(archive.find("bench-orders").unwrap_err().to_string().contains("bench-edge-"));
        store::write(&folder.path().join("results/broken.json"), "{}").unwrap();
        assert!(archive.all().unwrap_err().to_string().contains("broken.json"));
    }

    #[test]
    fn a_sweep_is_kept_whole_and_has_the_figures_of_its_steps() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::at(folder.path());
        let findings = crate::capacity::example();
        let path = archive.keep_findings(&findings).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), findings.to_json());
        let (name, kept) = archive.find("capacity").unwrap();
        assert_eq!(name, "capacity-2026-11-29T120000Z");
        let value = |name: &str| kept.figures.iter().find(|figure| figure.name == name).unwrap().value;
        assert_eq!(value("knee, orders per second"), Some(120.0));
        assert_eq!(value("p99 at 110 % of the knee, ms"), Some(600.0));
        assert!(
            kept.notes[0].starts_with("confirmed") && kept.notes[0].ends_with("connection pool order-api")
        );
    }

    #[test]
    fn a_run_is_kept_with_its_verdicts_and_what_is_no_number_is_missing() {
        let report = Report { peak_mib: Some(18.0), ..crate::report::example() };
        let kept = Kept::run(&report);
        assert_eq!((kept.what.as_str(), kept.at.as_str()), ("smoke", "2026-11-29T12:00:00Z"));
        assert_eq!(kept.figures.last().unwrap().value, Some(18.0));
        assert!(kept.notes.iter().any(|note| note.contains("fail")), "{:?}", kept.notes);
        let json = serde_json::to_string(&Figure::of("ratio", f64::NAN)).unwrap();
        assert_eq!(json, r#"{"name":"ratio","value":null}"#);
    }
}
