//! The sweep of `load capacity`: one step of offered load after the other, and what Prometheus knows about each.

use std::time::Duration;

use observe::Prometheus;
use statistics::queue::Station;
use tokio_util::sync::CancellationToken;

use super::{Stop, run};
use crate::{
    capacity::{Database, Objective, QUERIES, Query, SATURATION, Saturated, Step, stations, worst},
    scenario::{Scenario, Stage, Stages},
};

/// How the load is raised.
pub(super) struct Sweep<'a> {
    pub(super) scenario: Scenario,
    pub(super) objective: Objective,
    pub(super) hold: Duration,
    pub(super) telemetry: Telemetry<'a>,
    pub(super) stop: CancellationToken,
}

/// What was seen on the way up.
pub(super) struct Climb {
    pub(super) steps: Vec<Step>,
    pub(super) saturated: Vec<Saturated>,
    pub(super) stations: Vec<Station>,
    pub(super) database: Option<Database>,
}

impl Sweep<'_> {
    /// Climbs until two steps in a row are bad. Telemetry is that of the first bad step, or else of the last one.
    pub(super) async fn climb(&self, rates: &[f64]) -> Result<Climb, Stop> {
        let mut climb =
            Climb { steps: Vec::new(), saturated: Vec::new(), stations: Vec::new(), database: None };
        let (mut bad, mut journeys) = (0, 0.0);
        let before = self.telemetry.one(&Database::SIZE).await;
        for rate in rates {
            let step = self.step(*rate).await?;
            journeys += rate * self.hold.as_secs_f64();
            if bad == 0 {
                climb.saturated = self.telemetry.saturated().await;
                // If the first query has no answer, the others have none either.
                if !climb.saturated.is_empty() {
                    climb.stations = self.telemetry.stations(*rate).await;
                    climb.database = self.telemetry.database(before, journeys, *rate).await;
                }
            }
            bad = if step.good(&self.objective) { 0 } else { bad + 1 };
            climb.steps.push(step);
            if bad == 2 {
                break;
            }
        }
        Ok(climb)
    }

    pub(super) async fn step(&self, rate: f64) -> Result<Step, Stop> {
        let mut scenario = self.scenario.clone();
        scenario.stages = Stages(vec![Stage::ramp("step", rate, rate, self.hold.as_secs_f64().max(1.0))]);
        // The first fifth is the way to the new load.
        scenario.warmup = self.hold / 5;
        let (report, board) = run::measure(scenario, &self.stop).await;
        if self.stop.is_cancelled() {
            return Err(Stop::Nothing("stopped before the knee was found".to_owned()));
        }
        let step = Step::of(&self.scenario, &report, &board, rate, &self.objective);
        let verdict = if step.good(&self.objective) { "good" } else { "bad" };
        eprintln!(
            "{rate:.0} journeys/s: {:.0} req/s, p99 {:.1} ms, {:.2} % errors, {:.1} % settled in time, {} skipped: {verdict}",
            step.throughput,
            step.p99_ms,
            step.errors * 100.0,
            step.settled * 100.0,
            step.skipped
        );
        Ok(step)
    }
}

/// Questions to Prometheus about the latest step.
pub(super) struct Telemetry<'a> {
    pub(super) prometheus: &'a Prometheus,
    pub(super) hold: Duration,
}

impl Telemetry<'_> {
    /// How full each resource was. Without Prometheus nothing is known.
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

    /// `before`: the size of the databases before the first of `journeys` journeys. `None` without an exporter.
    async fn database(&self, before: Option<f64>, journeys: f64, rate: f64) -> Option<Database> {
        let grown = self.one(&Database::SIZE).await? - before?;
        Some(Database {
            bytes_per_journey: (grown / journeys).max(0.0),
            commits_per_journey: self.one(&Database::COMMITS).await? / rate,
            max_connections: self.one(&Database::MOST).await?,
            connections_per_replica: self.one(&Database::POOLS).await?,
        })
    }

    /// The value of a query that has one; `None` if there is no series, or no Prometheus.
    async fn one(&self, query: &Query) -> Option<f64> {
        self.ask(query).await?.first().map(|(_, value)| *value).filter(|value| value.is_finite())
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
