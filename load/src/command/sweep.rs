//! The sweep of `load capacity`: one step of offered load after the other, and what Prometheus knows about each.
//!
//! On the way up nothing has to be waited for: a good step leaves no queue. After a bad one, [`Sweep::calm`] waits until the target
//! has worked off what is left, so that the next step measures its own load only. Then the same load has to be bad once
//! more: a moment in which the machine did something else is no limit.

use std::{cell::Cell, time::Duration};

use chrono::{DateTime, Utc};
use observe::Prometheus;
use statistics::queue::Station;
use tokio_util::sync::CancellationToken;

use super::{Stop, run};
use crate::{
    capacity::{Database, Objective, QUERIES, Query, SATURATION, Saturated, Step, between, stations, worst},
    scenario::{Scenario, Stage, Stages},
};

/// Steps at the lowest load until the target has recovered, at most. With the usual `--hold`, each takes five seconds, and up to ten
/// more if orders wait.
const PATIENCE: u32 = 12;

/// A generator that is later than this (p99, in milliseconds) says so: what it measured is its own delay as well.
const LATE_MS: f64 = 50.0;

/// How the load is raised.
pub(super) struct Sweep<'a> {
    pub(super) scenario: Scenario,
    pub(super) objective: Objective,
    pub(super) hold: Duration,
    /// Journeys per second that the target can do without effort.
    pub(super) lowest: f64,
    pub(super) telemetry: Telemetry<'a>,
    pub(super) stop: CancellationToken,
    /// Journeys that were offered so far.
    pub(super) offered: Cell<f64>,
    /// Whether the target did not recover in time: it is not waited for again.
    pub(super) exhausted: Cell<bool>,
}

/// What was seen on the way up.
pub(super) struct Climb {
    /// In the order of the offered load.
    pub(super) steps: Vec<Step>,
    pub(super) saturated: Vec<Saturated>,
    pub(super) stations: Vec<Station>,
    pub(super) database: Option<Database>,
    /// Bytes in the databases before the first step.
    size: Option<f64>,
}

impl Climb {
    /// Adds a step in its place: below those of the same load and more.
    pub(super) fn add(&mut self, step: Step) {
        let at = self.steps.partition_point(|other| other.offered < step.offered);
        self.steps.insert(at, step);
    }
}

impl Sweep<'_> {
    /// Before the first step.
    pub(super) async fn begin(&self) -> Climb {
        let size = self.telemetry.one(&Database::SIZE, Utc::now()).await;
        Climb { steps: Vec::new(), saturated: Vec::new(), stations: Vec::new(), database: None, size }
    }

    /// Climbs until a load is bad twice. `rates` are above those of the steps in `climb`. Telemetry is that of the
    /// first bad step, or else of the last one.
    pub(super) async fn climb(&self, climb: &mut Climb, rates: &[f64]) -> Result<(), Stop> {
        for (number, rate) in (1..).zip(rates) {
            eprintln!(
                "step {number} of at most {}: {rate:.0} journeys/s for {} s",
                rates.len(),
                self.hold.as_secs()
            );
            let (step, ended) = self.step(*rate).await?;
            let good = step.good(&self.objective);
            climb.steps.push(step);
            self.look(climb, *rate, ended).await;
            // If the first query has no answer, the others have none either.
            if !climb.saturated.is_empty() {
                let journeys = self.offered.get();
                climb.database = self.telemetry.database(climb.size, journeys, *rate, ended).await;
            }
            if !good && !self.again(climb, *rate).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether `rate` is good on a second look, on a target that has recovered. One that does not recover is not.
    async fn again(&self, climb: &mut Climb, rate: f64) -> Result<bool, Stop> {
        eprintln!("the same load again, after a pause");
        if !self.calm().await? {
            return Ok(false);
        }
        let (step, _) = self.step(rate).await?;
        let good = step.good(&self.objective);
        climb.steps.push(step);
        Ok(good)
    }

    /// Looks between the last good and the first bad step until they are close together, or until the target does not
    /// recover. Telemetry is then that of the lowest bad one.
    pub(super) async fn narrow(&self, climb: &mut Climb) -> Result<(), Stop> {
        while let Some(rate) = between(&climb.steps, &self.objective) {
            if !self.calm().await? {
                break;
            }
            let (step, ended) = self.step(rate).await?;
            if !step.good(&self.objective) {
                self.look(climb, rate, ended).await;
            }
            climb.add(step);
        }
        Ok(())
    }

    /// Steps at 90 % and at 110 % of the knee; fewer if the target does not recover.
    pub(super) async fn validate(&self, knee: f64) -> Result<Vec<Step>, Stop> {
        let mut steps = Vec::new();
        for share in [0.9, 1.1] {
            if !self.calm().await? {
                break;
            }
            eprintln!("checking {:.0} % of the knee at {knee:.0}", share * 100.0);
            steps.push(self.step(knee * share).await?.0);
        }
        Ok(steps)
    }

    async fn look(&self, climb: &mut Climb, rate: f64, ended: DateTime<Utc>) {
        climb.saturated = self.telemetry.saturated(ended).await;
        climb.stations =
            if climb.saturated.is_empty() { Vec::new() } else { self.telemetry.stations(rate, ended).await };
    }

    /// Waits until the target has worked off what an overload has left: until a short step at the lowest load is good.
    /// Whether it has.
    pub(super) async fn calm(&self) -> Result<bool, Stop> {
        if self.exhausted.get() {
            return Ok(false);
        }
        let began = std::time::Instant::now();
        for _ in 0..PATIENCE {
            let (step, _) = self.held(self.lowest, self.hold / 4).await?;
            if step.good(&self.objective) {
                return Ok(true);
            }
            eprintln!("waiting until the target has recovered");
        }
        eprintln!(
            "{} s after an overload, the target is still not good at {:.0} journeys per second. What does not recover? `./lab status`, \
             and the queues in Grafana. A smaller step beyond the knee overloads it less: --steps 25",
            began.elapsed().as_secs(),
            self.lowest
        );
        self.exhausted.set(true);
        Ok(false)
    }

    /// A step at `rate` journeys per second, and when its load ended.
    pub(super) async fn step(&self, rate: f64) -> Result<(Step, DateTime<Utc>), Stop> {
        let (step, ended) = self.held(rate, self.hold).await?;
        let verdict = if step.good(&self.objective) { "good" } else { "bad" };
        eprintln!(
            "{rate:.0} journeys/s: {:.0} req/s, p99 {:.1} ms, {:.2} % errors, {:.1} % settled in time, {} skipped: {verdict}",
            step.throughput,
            step.p99_ms,
            step.errors * 100.0,
            step.settled * 100.0,
            step.skipped
        );
        Ok((step, ended))
    }

    async fn held(&self, rate: f64, length: Duration) -> Result<(Step, DateTime<Utc>), Stop> {
        let length = length.max(Duration::from_secs(1));
        self.offered.set(self.offered.get() + rate * length.as_secs_f64());
        let mut scenario = self.scenario.clone();
        scenario.stages = Stages(vec![Stage::ramp("step", rate, rate, length.as_secs_f64())]);
        // The first fifth is the way to the new load.
        scenario.warmup = length / 5;
        // Afterwards, the run waits for what is still under way. That is no load, and would make everything look less full.
        let ended = Utc::now() + length;
        let (report, board) = run::measure(scenario, &self.stop).await;
        if self.stop.is_cancelled() {
            return Err(Stop::Nothing("stopped before the knee was found".to_owned()));
        }
        if report.late_p99_ms > LATE_MS {
            let late = report.late_p99_ms;
            eprintln!(
                "the generator itself was late by {late:.0} ms (p99): it is short of CPU, and so is this step"
            );
        }
        Ok((Step::of(&self.scenario, &report, &board, rate, &self.objective), ended))
    }
}

/// Questions to Prometheus about a step that ended at `at`.
pub(super) struct Telemetry<'a> {
    pub(super) prometheus: &'a Prometheus,
    pub(super) hold: Duration,
}

impl Telemetry<'_> {
    /// How full each resource was. Without Prometheus nothing is known.
    async fn saturated(&self, at: DateTime<Utc>) -> Vec<Saturated> {
        let mut seen = Vec::new();
        for query in SATURATION {
            let Some(answer) = self.ask(query, at).await else { return Vec::new() };
            seen.extend(answer.into_iter().map(|(resource, share)| {
                let name = format!("{} {resource}", query.name).trim_end().to_owned();
                Saturated { name, share }
            }));
        }
        worst(seen)
    }

    async fn stations(&self, rate: f64, at: DateTime<Utc>) -> Vec<Station> {
        let mut all = Vec::new();
        for (kind, [busy, visits, servers]) in QUERIES {
            let busy = self.ask(busy, at).await.unwrap_or_default();
            let visits = self.ask(visits, at).await.unwrap_or_default();
            let servers = self.ask(servers, at).await.unwrap_or_default();
            all.extend(stations(kind, &[busy, visits, servers], rate));
        }
        all
    }

    /// `before`: the size of the databases before the first of `journeys` journeys. `None` without an exporter.
    async fn database(
        &self,
        before: Option<f64>,
        journeys: f64,
        rate: f64,
        at: DateTime<Utc>,
    ) -> Option<Database> {
        let grown = self.one(&Database::SIZE, at).await? - before?;
        Some(Database {
            bytes_per_journey: (grown / journeys).max(0.0),
            commits_per_journey: self.one(&Database::COMMITS, at).await? / rate,
            max_connections: self.one(&Database::MOST, at).await?,
            connections_per_replica: self.one(&Database::POOLS, at).await?,
        })
    }

    /// The value of a query that has one; `None` if there is no series, or no Prometheus.
    async fn one(&self, query: &Query, at: DateTime<Utc>) -> Option<f64> {
        self.ask(query, at).await?.first().map(|(_, value)| *value).filter(|value| value.is_finite())
    }

    /// Values by resource; `None` if Prometheus does not answer.
    async fn ask(&self, query: &Query, at: DateTime<Utc>) -> Option<Vec<(String, f64)>> {
        let window = format!("{}s", self.hold.as_secs().max(5));
        let samples = match self.prometheus.query_at(&query.query.replace("WINDOW", &window), at).await {
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
