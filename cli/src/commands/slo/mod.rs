//! `lab slo …`: from specs of objectives to rules, reports and measured pages. Thin: the logic and its tests are in
//! the crate `slo`; this module does files, HTTP and printing.

mod archive;
mod chosen;
mod detect;
mod forget;
mod gate;
mod generate;
mod prometheus;
mod report;
mod reset;
mod simulate;
mod validate;
mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use observe::Prometheus;
use release::freeze::Budget;
use slo::{AlertKind, Catalogue, Clock, Slo};

pub(crate) use self::reset::start_over;
use crate::{home::Home, installation::Installation};

/// `lab slo`.
#[derive(Debug, Args)]
pub(crate) struct SloCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the specs: shape, metrics, buckets, alerts that could never fire.
    Validate(validate::Validate),
    /// Write rules, their tests and docs/slos.md from the specs.
    Generate(generate::Generate),
    /// Show the budget that is left, how fast it burns, and what fires; now, over a past range, or week by week.
    Report(report::ReportCommand),
    /// Write a report for every week that is over and has none.
    Archive(archive::Archive),
    /// Exit with 1 while a budget is spent: run it before a release.
    Gate(gate::Gate),
    /// Watch the objectives for a minute, and exit with 1 if users are not served well: run it after a release.
    Verify(verify::Verify),
    /// Show when each alert would fire, for an error ratio over time.
    Simulate(simulate::Simulate),
    /// Explain the alert of an objective in words.
    Explain(simulate::Explain),
    /// Forget the burned budget, so that the next outage is measured by itself.
    Reset(reset::Reset),
    /// The half of `reset` that the supervisor runs.
    #[command(hide = true)]
    Forget(forget::Forget),
    /// Break the lab, and measure the time to the page and to the resolve.
    Detect(detect::Detect),
}

impl SloCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        match self.command {
            Command::Report(report) => report.run(place).await,
            Command::Archive(archive) => archive.run(place).await,
            Command::Gate(gate) => gate.run(place).await,
            Command::Verify(verify) => verify.run(place).await,
            Command::Validate(validate) => validate.run(&place.home()?),
            Command::Generate(generate) => generate.run(&place.home()?),
            Command::Simulate(simulate) => simulate.run(&place.home()?),
            Command::Explain(explain) => explain.run(&place.home()?),
            // They delete from Prometheus's data while the supervisor keeps it stopped.
            Command::Reset(reset) => reset.run(&place.all_here("slo reset")?, place).await,
            Command::Detect(detect) => detect.run(&place.all_here("slo detect")?, place).await,
            Command::Forget(forget) => forget.run(&place.home()?).await,
        }
    }
}

/// Which clock: windows of minutes for the lab, or the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockName {
    /// 60 times as fast: a period of 12 hours.
    Lab,
    /// Real time: a period of 30 days.
    Production,
}

impl From<ClockName> for Clock {
    fn from(name: ClockName) -> Self {
        match name {
            ClockName::Lab => Self::Lab,
            ClockName::Production => Self::Production,
        }
    }
}

/// The clock that was chosen, or that of the lab that runs here.
fn clock(chosen: Option<ClockName>, home: &Home) -> Clock {
    chosen.map_or_else(|| home.clock(), Clock::from)
}

/// The folder of the committed specs.
fn committed(home: &Home) -> PathBuf {
    home.root.join("dashboards/slos")
}

/// The spec files of a folder, by name.
fn spec_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    paths.sort();
    if paths.is_empty() {
        bail!("{} has no spec (*.yaml)", folder.display());
    }
    Ok(paths)
}

/// Reads and checks specs.
///
/// # Errors
/// Lists every problem, one per line, with file, line and field.
fn sound(home: &Home, paths: &[PathBuf]) -> Result<Vec<Slo>> {
    let name = |path: &Path| path.strip_prefix(&home.root).unwrap_or(path).display().to_string();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::Ok((name(path), text))
    };
    let texts = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
    let wrong = |problems: &dyn std::fmt::Display| anyhow::anyhow!("the specs have problems:\n{problems}");
    let slos = slo::spec::read_all(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let slos = slos.map_err(|problems| wrong(&problems))?;
    let catalogue = catalogue(home)?;
    let lints: Vec<_> = slos.iter().flat_map(|slo| slo::lint::errors(slo, &catalogue)).collect();
    if lints.is_empty() { Ok(slos) } else { Err(wrong(&slo::Problems(lints))) }
}

/// The committed objectives.
fn objectives(home: &Home) -> Result<Vec<Slo>> {
    objectives_in(home, None)
}

/// The objectives of a folder of specs; by default the committed ones.
fn objectives_in(home: &Home, folder: Option<&Path>) -> Result<Vec<Slo>> {
    let committed = committed(home);
    sound(home, &spec_files(folder.unwrap_or(&committed))?)
}

/// What is left of the budgets that a release of a service can hurt.
///
/// # Errors
/// When a spec has problems, or Prometheus does not answer.
pub(super) async fn budgets(home: &Home, prometheus: &Prometheus, service: &str) -> Result<Vec<Budget>> {
    let slos = objectives(home)?.into_iter().filter(|slo| slo.is_hurt_by(service));
    let report = prometheus::report(prometheus, &slos.collect::<Vec<_>>()).await?;
    let left = report.slos.into_iter();
    Ok(left.map(|line| Budget { slo: line.slo, remaining: line.budget_remaining }).collect())
}

/// The known metrics, from the golden scrapes of the services.
fn catalogue(home: &Home) -> Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    let folder = home.root.join("services");
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let golden = entry.path().join("tests/api/snapshots/metrics.txt");
        if let Ok(text) = fs::read_to_string(&golden) {
            let service = entry.file_name().to_string_lossy().into_owned();
            catalogue
                .add(&service, &text)
                .map_err(|wrong| anyhow::anyhow!("{}: {wrong}", golden.display()))?;
        }
    }
    if catalogue.is_empty() {
        bail!("no golden scrape found: expected {}/*/tests/api/snapshots/metrics.txt", folder.display());
    }
    Ok(catalogue)
}

/// The objective with this name, or one of whose alerts has this name.
fn objective(slos: Vec<Slo>, wanted: &str) -> Result<Slo> {
    let known: Vec<_> = slos.iter().map(|slo| slo.name.clone()).collect();
    let alert =
        |slo: &Slo| AlertKind::ALL.into_iter().any(|kind| slo.alert_of(kind).eq_ignore_ascii_case(wanted));
    let is = |slo: &Slo| slo.name == wanted || alert(slo);
    slos.into_iter()
        .find(is)
        .with_context(|| format!("no objective is called `{wanted}`; there are: {}", known.join(", ")))
}
