//! `load capacity`

use std::{fs, path::PathBuf, time::Duration};

use chrono::{SecondsFormat, Utc};
use clap::Args;
use observe::{Peer, Prometheus};
use statistics::queue::Station;
use tokio_util::sync::CancellationToken;

use super::{Stop, run, say, store, targets};
use crate::{
    capacity::{
        Findings, Objective, Prices, QUERIES, Query, SATURATION, Saturated, Step, knee, loads, stations,
        worst, write,
    },
    scenario::{Scenario, Stage, Stages},
};

/// The built-in prices.
const PRICES: &str = include_str!("../../prices.yaml");

/// Raises the load until the objective no longer holds.
///
/// Exit code 0 if the objective holds at 90 % of the knee and is missed at 110 %, 3 otherwise.
#[derive(Debug, Args)]
pub(super) struct Capacity {
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
    #[arg(long, default_value_t = 2_000.0, value_name = "N", value_parser = rate)]
    to: f64,
    /// Number of steps, each higher by the same factor
    #[arg(long, default_value_t = 14, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=100))]
    steps: u32,
    /// Length of a step
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    hold: Duration,
    /// Objective: largest 99th percentile
    #[arg(long, default_value = "250ms", value_parser = humantime::parse_duration)]
    p99: Duration,
    /// Objective: largest share of errors, in percent
    #[arg(long, default_value_t = 0.1, value_name = "PERCENT")]
    errors: f64,
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
    #[arg(long, default_value_t = 10.0, value_name = "PERCENT")]
    growth: f64,
    /// File to write the page to
    #[arg(long, default_value = "docs/capacity.md", value_name = "FILE")]
    page: PathBuf,
}

/// A rate above 0.
fn rate(text: &str) -> Result<f64, String> {
    crate::config::rate(text)
        .and_then(|rate| if rate > 0.0 { Ok(rate) } else { Err("0 sends nothing".to_owned()) })
}

/// What was measured, step by step.
struct Sweep<'a> {
    scenario: Scenario,
    objective: Objective,
    hold: Duration,
    prometheus: &'a Prometheus,
    stop: CancellationToken,
}

impl Capacity {
    pub(super) async fn live(self) -> Result<u8, Stop> {
        let mut scenario = run::find(&self.scenario)?;
        targets::replace(&mut scenario, &self.target)?;
        let prices = self.prices()?;
        targets::check(&scenario).await?;
        let prometheus = Prometheus::at(Peer::at(self.prometheus.clone()));
        let objective = Objective { p99_ms: self.p99.as_secs_f64() * 1_000.0, errors: self.errors / 100.0 };
        let stop = run::stop_on_signal()?;
        let sweep = Sweep { scenario, objective, hold: self.hold, prometheus: &prometheus, stop };
        let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let (steps, saturated, stations) = sweep.climb(&self.rates()).await?;
        let knee = knee(&steps, &objective).ok_or_else(|| Stop::Nothing(self.unfound(&steps, &objective)))?;
        let mut validation = Vec::new();
        for share in [0.9, 1.1] {
            validation.push(sweep.step(knee * share).await?);
        }
        let confirmed = validation[0].good(&objective) && !validation[1].good(&objective);
        let fit = statistics::usl::fit(&loads(&steps), 1);
        let findings = Findings {
            scenario: sweep.scenario.name.clone(),
            started_at,
            commit: store::commit(),
            objective,
            steps,
            knee,
            fit,
            validation,
            saturated,
            stations,
            prices,
            today: self.today,
            growth: self.growth,
        };
        store::write(&self.page, &write(&findings))?;
        let first = findings.saturated.first().map_or("unknown", |saturated| saturated.name.as_str());
        let checked =
            if confirmed { "confirmed at 90 % and 110 %" } else { "not confirmed at 90 % and 110 %" };
        say(&format!(
            "knee: {knee:.0} journeys per second, {checked}; fullest: {first}; {}",
            self.page.display()
        ));
        Ok(if confirmed { 0 } else { super::EXIT_INCONCLUSIVE })
    }

    /// Each higher than the one before by the same factor.
    fn rates(&self) -> Vec<f64> {
        let last = f64::from(self.steps - 1);
        (0..self.steps).map(|n| self.from * (self.to / self.from).powf(f64::from(n) / last)).collect()
    }

    fn prices(&self) -> Result<Prices, Stop> {
        let (file, text) = match &self.prices {
            Some(file) => {
                let name = file.display().to_string();
                let text = fs::read_to_string(file).map_err(|error| Stop::File(name.clone(), error))?;
                (name, text)
            }
            None => ("prices.yaml".to_owned(), PRICES.to_owned()),
        };
        yaml::parse(&file, &text).map_err(|problem| Stop::Usage(problem.to_string()))
    }

    fn unfound(&self, steps: &[Step], objective: &Objective) -> String {
        let (from, to) = (self.from, self.to);
        if steps.first().is_some_and(|step| !step.good(objective)) {
            format!(
                "the objective does not even hold at {from:.0} journeys per second: try a smaller --from, or `load run smoke`"
            )
        } else {
            format!("the objective still holds at {to:.0} journeys per second: try a larger --to")
        }
    }
}

impl Sweep<'_> {
    /// Climbs until two steps in a row are bad. Telemetry is that of the first bad step, or else of the last one.
    async fn climb(&self, rates: &[f64]) -> Result<(Vec<Step>, Vec<Saturated>, Vec<Station>), Stop> {
        let (mut steps, mut saturated, mut stations) = (Vec::new(), Vec::new(), Vec::new());
        let mut bad = 0;
        for rate in rates {
            let step = self.step(*rate).await?;
            if bad == 0 {
                saturated = self.saturated().await;
                // Without an answer to the one, there is none to the other.
                stations = if saturated.is_empty() { Vec::new() } else { self.stations(*rate).await };
            }
            bad = if step.good(&self.objective) { 0 } else { bad + 1 };
            steps.push(step);
            if bad == 2 {
                break;
            }
        }
        Ok((steps, saturated, stations))
    }

    async fn step(&self, rate: f64) -> Result<Step, Stop> {
        let mut scenario = self.scenario.clone();
        scenario.stages = Stages(vec![Stage::ramp("step", rate, rate, self.hold.as_secs_f64().max(1.0))]);
        // The first fifth is the way to the new load.
        scenario.warmup = self.hold / 5;
        let (report, _) = run::measure(scenario, &self.stop).await;
        if self.stop.is_cancelled() {
            return Err(Stop::Nothing("stopped before the knee was found".to_owned()));
        }
        let step = Step::of(&report, rate);
        let verdict = if step.good(&self.objective) { "good" } else { "bad" };
        eprintln!(
            "{rate:.0} journeys/s: {:.0} req/s, p99 {:.1} ms, {:.2} % errors, {} skipped: {verdict}",
            step.throughput,
            step.p99_ms,
            step.errors * 100.0,
            step.skipped
        );
        Ok(step)
    }

    /// How full each resource was during the latest step. Without Prometheus nothing is known.
    async fn saturated(&self) -> Vec<Saturated> {
        let mut seen = Vec::new();
        for query in SATURATION {
            let Some(answer) = self.ask(query).await else { return Vec::new() };
            seen.extend(answer.into_iter().map(|(resource, share)| {
                let name = format!("{} {resource}", query.name).trim_end().to_owned();
                Saturated { name, share }
            }));
        }
        worst(seen)
    }

    async fn stations(&self, rate: f64) -> Vec<Station> {
        let mut all = Vec::new();
        for (kind, [busy, visits, servers]) in QUERIES {
            let busy = self.ask(busy).await.unwrap_or_default();
            let visits = self.ask(visits).await.unwrap_or_default();
            let servers = self.ask(servers).await.unwrap_or_default();
            all.extend(stations(kind, &[busy, visits, servers], rate));
        }
        all
    }

    /// Values by resource; `None` if Prometheus does not answer.
    async fn ask(&self, query: &Query) -> Option<Vec<(String, f64)>> {
        let window = format!("{}s", self.hold.as_secs().max(5));
        let samples = match self.prometheus.query(&query.query.replace("WINDOW", &window)).await {
            Ok(samples) => samples,
            Err(error) => {
                eprintln!("which resource is full is unknown: {error}");
                return None;
            }
        };
        let named = |sample: &observe::prometheus::Sample| {
            let resource = sample.metric.get(query.label).cloned().unwrap_or_default();
            Some((resource, sample.value()?))
        };
        Some(samples.iter().filter_map(named).collect())
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
        let rates = line.capacity.rates();
        assert!(
            rates.iter().zip([10.0, 100.0, 1_000.0]).all(|(a, b)| (a / b - 1.0_f64).abs() < 1e-9),
            "{rates:?}"
        );
        assert!(line.capacity.prices().is_ok());
        assert!(Line::try_parse_from(["load", "--from", "0"]).is_err());
    }
}
