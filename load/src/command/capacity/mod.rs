//! `load capacity`

mod check;
mod kept;
mod search;

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{SecondsFormat, Utc};
use clap::Args;
use kept::Again;
pub(super) use kept::findings_in;
use observe::{Peer, Prometheus};

use super::{
    Stop, results,
    results::Archive,
    run, say, store,
    sweep::{Sweep, Telemetry},
    targets,
};
use crate::{
    capacity::{Assumptions, Findings, Objective, Prices, orders, write},
    config::percent,
};

/// The built-in prices.
const PRICES: &str = include_str!("../../../prices.yaml");

/// Raises the load until the objective no longer holds, and writes what it found: a file to keep, and a page about it.
///
/// Steps rise until the same load misses the objective twice. Then it looks between the last good and the first bad one
/// until they are within 10 %, and runs the knee at 90 % and 110 %. If these do not confirm it, they become steps, and
/// it looks once more. Before each of these it waits until the target has recovered. With the defaults this takes five
/// to ten minutes, with --quick three to five, and each repetition of --check-breakpoint about as long, and eleven
/// steps more. Run it in the checkout, on `lab up --no-load`, and do nothing else on the machine.
///
/// Exit code 0 if the objective holds at 90 % of the knee and is missed at 110 %, 3 otherwise.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Capacity {
    #[command(subcommand)]
    again: Option<Again>,
    #[command(flatten)]
    measure: Measure,
}

#[derive(Debug, Args)]
struct Measure {
    /// The scenario whose journeys are used
    #[arg(default_value = "average")]
    scenario: String,
    /// Test another system: URL for all targets, or NAME=URL for one
    #[arg(long, value_name = "[NAME=]URL")]
    target: Vec<String>,
    /// Journeys per second of the first step
    #[arg(long, default_value_t = 50.0, value_name = "N", value_parser = rate)]
    from: f64,
    /// Journeys per second of the last step
    #[arg(long, default_value_t = 8_000.0, value_name = "N", value_parser = rate)]
    to: f64,
    /// Fewer and shorter steps, in half of the time: 9 of 10 s. Their p99 has a larger error
    #[arg(long)]
    quick: bool,
    /// Largest number of steps, each higher by the same factor
    #[arg(
        long,
        default_value = "14",
        default_value_if("quick", "true", "9"),
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(3..=100)
    )]
    steps: u32,
    /// Length of a step
    #[arg(
        long,
        default_value = "20s",
        default_value_if("quick", "true", "10s"),
        value_parser = humantime::parse_duration
    )]
    hold: Duration,
    /// Time limit for everything: if the knee is not confirmed, a second search runs only if it fits
    #[arg(
        long,
        default_value = "10m",
        default_value_if("quick", "true", "5m"),
        value_parser = humantime::parse_duration
    )]
    within: Duration,
    /// Objective: largest 99th percentile
    #[arg(long, default_value = "250ms", value_parser = humantime::parse_duration)]
    p99: Duration,
    /// Objective: largest share of errors, in percent
    #[arg(long, default_value_t = 0.1, value_name = "PERCENT", value_parser = percent)]
    errors: f64,
    /// Objective: what a step waits for arrives within this time
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    settle: Duration,
    /// Objective: smallest share of what arrives in time, in percent
    #[arg(long, default_value_t = 99.0, value_name = "PERCENT", value_parser = percent)]
    settled: f64,
    /// Prometheus to ask which resource is full
    #[arg(long, env = "PROMETHEUS_URL", default_value = "http://127.0.0.1:9090", value_name = "URL")]
    prometheus: String,
    /// File with prices, in the format of load/prices.yaml
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Today's load in journeys per second
    #[arg(long, default_value_t = 50.0, value_name = "N", value_parser = rate)]
    today: f64,
    /// Growth in percent per month
    #[arg(long, default_value_t = 10.0, value_name = "PERCENT", value_parser = percent)]
    growth: f64,
    /// How long an order is kept, in days
    #[arg(long, default_value_t = 90.0, value_name = "DAYS", value_parser = days)]
    keep: f64,
    /// Orders per second to plan for; by default round numbers around the knee
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = rate)]
    orders: Vec<f64>,
    /// File to write what was found to
    #[arg(long, default_value = "load/capacity.json", value_name = "FILE")]
    results: PathBuf,
    /// File to write the page to
    #[arg(long, default_value = "docs/capacity.md", value_name = "FILE")]
    write: PathBuf,
    /// Folder with a copy of each measurement, for `load results`
    #[arg(long, default_value = results::FOLDER, value_name = "FOLDER")]
    kept: PathBuf,
    /// Instead of writing the file and the page, compare the knee with where a run of rising load breaks, TIMES times
    /// (3). Exit code 0 if they are within 15 % of each other each time, 1 otherwise
    #[arg(
        long,
        value_name = "TIMES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "3",
        value_parser = clap::value_parser!(u32).range(1..=20),
        // The curve of a run has a p99 only.
        conflicts_with = "settled"
    )]
    check_breakpoint: Option<u32>,
}

/// A rate above 0.
fn rate(text: &str) -> Result<f64, String> {
    crate::config::rate(text)
        .and_then(|rate| if rate > 0.0 { Ok(rate) } else { Err("0 sends nothing".to_owned()) })
}

fn days(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number <= 36_500.0);
    number.ok_or_else(|| format!("`{text}` is not a number of days above 0, at most 36500"))
}

fn prices(file: Option<&Path>) -> Result<Prices, Stop> {
    let (name, text) = match file {
        Some(file) => {
            let name = file.display().to_string();
            let text = fs::read_to_string(file).map_err(|error| Stop::File(name.clone(), error))?;
            (name, text)
        }
        None => ("prices.yaml".to_owned(), PRICES.to_owned()),
    };
    yaml::parse(&name, &text).map_err(|problem| Stop::Usage(problem.to_string()))
}

impl Capacity {
    pub(super) async fn live(self) -> Result<u8, Stop> {
        match self.again {
            Some(again) => again.act(),
            None => self.measure.live().await,
        }
    }
}

impl Measure {
    async fn live(self) -> Result<u8, Stop> {
        let mut scenario = run::find(&self.scenario)?;
        targets::replace(&mut scenario, &self.target)?;
        let assumptions = self.assumptions()?;
        targets::check(&scenario).await?;
        let prometheus = Prometheus::at(Peer::at(self.prometheus.clone()));
        let objective = self.objective();
        let stop = run::stop_on_signal()?;
        let telemetry = Telemetry { prometheus: &prometheus, hold: self.hold };
        let (hold, lowest, offered, exhausted) = (self.hold, self.from, Cell::new(0.0), Cell::new(false));
        let sweep = Sweep { scenario, objective, hold, lowest, telemetry, stop, offered, exhausted };
        if let Some(times) = self.check_breakpoint {
            return check::live(&self, &sweep, times).await;
        }
        let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let (climb, knee, validation) = self.found(&sweep).await?;
        let findings = Findings {
            scenario: sweep.scenario.name.clone(),
            machine: store::machine(),
            started_at,
            commit: store::commit(),
            objective,
            hold: self.hold.as_secs_f64(),
            steps: climb.steps,
            knee,
            validation,
            saturated: climb.saturated,
            stations: climb.stations,
            database: climb.database,
            orders: orders(&sweep.scenario),
            assumptions,
        };
        self.keep(&findings)
    }

    /// Writes the file, a copy of it to keep, and the page: from the file, because numbers lose a last digit in JSON
    /// and both have to agree.
    fn keep(&self, findings: &Findings) -> Result<u8, Stop> {
        let copy = Archive::at(&self.kept).keep_findings(findings)?;
        store::write(&self.results, &findings.to_json())?;
        let findings = findings_in(&self.results)?;
        store::write(&self.write, &write(&findings))?;
        let first = findings.saturated.first().map_or("unknown", |saturated| saturated.name.as_str());
        let confirmed = findings.confirmed();
        let checked =
            if confirmed { "confirmed at 90 % and 110 %" } else { "not confirmed at 90 % and 110 %" };
        say(&format!(
            "knee: {:.0} journeys per second, {checked}; what limits it: {first}; {}, {} and {}",
            findings.knee,
            self.results.display(),
            self.write.display(),
            copy.display()
        ));
        Ok(if confirmed { 0 } else { super::EXIT_INCONCLUSIVE })
    }

    fn objective(&self) -> Objective {
        Objective {
            p99_ms: self.p99.as_secs_f64() * 1_000.0,
            errors: self.errors / 100.0,
            settle: self.settle.as_secs_f64(),
            settled: self.settled / 100.0,
        }
    }

    fn assumptions(&self) -> Result<Assumptions, Stop> {
        let (prices, orders) = (prices(self.prices.as_deref())?, self.orders.clone());
        Ok(Assumptions { prices, today: self.today, growth: self.growth, keep_days: self.keep, orders })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        capacity: Capacity,
    }

    #[test]
    fn steps_rise_by_the_same_factor_and_prices_are_read() {
        let line = Line::try_parse_from(["load", "--from", "10", "--to", "1000", "--steps", "3"]).unwrap();
        let rates = line.capacity.measure.rates();
        assert!(
            rates.iter().zip([10.0, 100.0, 1_000.0]).all(|(a, b)| (a / b - 1.0_f64).abs() < 1e-9),
            "{rates:?}"
        );
        assert!(line.capacity.measure.assumptions().is_ok());
        for wrong in [["load", "--from", "0"], ["load", "--growth", "-1"], ["load", "--keep", "0"]] {
            assert!(Line::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_quick_measurement_has_fewer_and_shorter_steps_unless_told_otherwise() {
        let measure = |args: &[&str]| {
            let line = Line::try_parse_from([&["load"][..], args].concat()).unwrap();
            let Measure { steps, hold, within, .. } = line.capacity.measure;
            (steps, hold.as_secs(), within.as_secs())
        };
        assert_eq!(measure(&[]), (14, 20, 600));
        assert_eq!(measure(&["--quick"]), (9, 10, 300));
        assert_eq!(measure(&["--quick", "--hold", "30s"]), (9, 30, 300));
    }
}
