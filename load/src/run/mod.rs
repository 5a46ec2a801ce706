//! Runs a scenario: starts journeys when they are due, whatever happens to the earlier ones, and measures from when they were due.
//!
//! The first step of a journey counts from when the journey was due. A later step cannot start before the one before it has
//! ended, so it counts from then (plus its think time), and the journey as a whole counts from when it was due. A start above the
//! limit of journeys in flight, or one that the generator itself could not do within a second, is skipped and counted. Skipped
//! starts are never caught up: a burst after a stall would be a load that no user makes.

pub mod board;
mod client;
mod judge;
mod metrics;
mod trace;

use std::{sync::Arc, time::Duration};

use chassis_telemetry::metrics::Metrics;
pub use judge::{Judged, Verdict, judge, overall};
use opentelemetry::TraceId;
use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::Exp1;
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    board::{Board, Sample},
    client::Browser,
    metrics::RunMetrics,
};
use crate::scenario::{Journey, Scenario, Values};

/// A start that is later than this is skipped.
const TOO_LATE: Duration = Duration::from_secs(1);

/// Longest wait for journeys in flight after a stop.
const HASTE: Duration = Duration::from_secs(2);

/// A run in progress, for what shows it.
pub struct Live {
    /// The scenario.
    pub scenario: Scenario,
    board: Mutex<Board>,
    start: Instant,
    room: Arc<Semaphore>,
    browser: Browser,
    abandon: CancellationToken,
    metrics: RunMetrics,
    trace_ratio: f64,
}

/// A finished run.
pub struct Finished {
    /// What was measured.
    pub board: Board,
    /// From the end of the warm-up to the last start, in seconds.
    pub seconds: f64,
    /// Whether it ran to its end.
    pub whole: bool,
}

impl Live {
    /// Ready to run; its clock starts now.
    #[must_use]
    pub fn new(scenario: Scenario) -> Arc<Self> {
        Self::watched(scenario, &Metrics::default(), 0.0)
    }

    /// As [`Live::new`], with its metrics in `metrics`. A share of its steps, `trace_ratio` from 0 to 1, begins a sampled trace, which
    /// becomes the exemplar of their durations.
    #[must_use]
    pub fn watched(scenario: Scenario, metrics: &Metrics, trace_ratio: f64) -> Arc<Self> {
        let steps: Vec<(&str, bool)> =
            scenario.steps().map(|(_, step)| (step.name.as_str(), step.until.is_some())).collect();
        let journeys: Vec<&str> = scenario.journeys.iter().map(|journey| journey.name.as_str()).collect();
        let board = Mutex::new(Board::new(&steps, &journeys, scenario.warmup));
        let room = Arc::new(Semaphore::new(scenario.max_in_flight));
        let browser = Browser::new(&scenario);
        let abandon = CancellationToken::new();
        let metrics = RunMetrics::new(&scenario, metrics);
        Arc::new(Self {
            scenario,
            board,
            start: Instant::now(),
            room,
            browser,
            abandon,
            metrics,
            trace_ratio,
        })
    }

    /// Since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Journeys in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.scenario.max_in_flight - self.room.available_permits()
    }

    /// Looks at the measurements so far.
    pub fn look<T>(&self, at: impl FnOnce(&Board) -> T) -> T {
        at(&self.board.lock())
    }

    /// Runs the scenario to its end, or until `stop` is cancelled; then waits for journeys in flight as long as a journey may take.
    pub async fn run(self: &Arc<Self>, stop: &CancellationToken) -> Finished {
        let tasks = TaskTracker::new();
        let ticking = CancellationToken::new();
        let ticker = tokio::spawn(Arc::clone(self).tick(ticking.clone()));
        let whole = self.start_all(&tasks, stop).await;
        let started = self.elapsed().min(self.scenario.stages.length());
        tasks.close();
        // Someone who stopped the run waits for its report.
        let patience = if whole { self.patience() } else { self.patience().min(HASTE) };
        tokio::select! {
            () = tasks.wait() => {}
            () = tokio::time::sleep(patience) => {}
            () = stop.cancelled(), if whole => {}
        }
        self.abandon.cancel();
        tasks.wait().await;
        ticking.cancel();
        let _ = ticker.await;
        let seconds = started.saturating_sub(self.scenario.warmup).as_secs_f64();
        Finished { board: self.board.lock().clone(), seconds, whole }
    }

    /// Whether all starts were made.
    async fn start_all(self: &Arc<Self>, tasks: &TaskTracker, stop: &CancellationToken) -> bool {
        let scenario = &self.scenario;
        let weights: Vec<u32> = scenario.journeys.iter().map(|journey| journey.weight).collect();
        // A different stream than the schedule's: both use the same seed.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(scenario.seed ^ 0x006a_6f75_726e_6579);
        for due in scenario.stages.arrivals(scenario.arrivals, scenario.seed) {
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                () = tokio::time::sleep_until(self.start + due) => {}
            }
            // Drawn even if the start is skipped: what is sent depends on the seed alone.
            let number = draw(&weights, &mut rng);
            let own = Xoshiro256PlusPlus::from_rng(&mut rng);
            let late = self.elapsed().saturating_sub(due);
            let room = Arc::clone(&self.room).try_acquire_owned();
            let Some(room) = room.ok().filter(|_| late < TOO_LATE) else {
                self.board.lock().skip(due);
                self.metrics.skip();
                continue;
            };
            self.board.lock().late(late);
            self.metrics.late(late);
            let live = Arc::clone(self);
            tasks.spawn(async move {
                live.visit(number, due, own).await;
                drop(room);
            });
        }
        tokio::select! {
            () = stop.cancelled() => false,
            () = tokio::time::sleep_until(self.start + scenario.stages.length()) => true,
        }
    }

    /// One visitor.
    async fn visit(&self, number: usize, due: Duration, mut rng: Xoshiro256PlusPlus) {
        let scenario = &self.scenario;
        let mut values = Values::new();
        for (name, data) in &scenario.data {
            data.draw(name, &mut rng, &mut values);
        }
        let journey = &scenario.journeys[number];
        let first: usize = scenario.journeys[..number].iter().map(|journey| journey.steps.len()).sum();
        let failure = tokio::select! {
            failure = self.walk(journey, first, due, &mut rng, &mut values) => failure,
            () = self.abandon.cancelled() => Some("abandoned".to_owned()),
        };
        let time = self.elapsed().saturating_sub(due);
        let sample = Sample { due, time, failure };
        self.metrics.journey(number, &sample);
        self.board.lock().journey(number, &sample);
    }

    fn step(&self, number: usize, sample: &Sample, trace: Option<TraceId>) {
        self.metrics.step(number, sample, trace);
        self.board.lock().step(number, sample);
    }

    /// Why the journey failed. `first` is the number of its first step.
    async fn walk(
        &self,
        journey: &Journey,
        first: usize,
        mut due: Duration,
        rng: &mut Xoshiro256PlusPlus,
        values: &mut Values,
    ) -> Option<String> {
        for (number, step) in (first..).zip(&journey.steps) {
            if !step.think.is_zero() {
                let pause: f64 = rng.sample(Exp1);
                // One in 20,000 would think longer than ten times the mean.
                due += step.think.mul_f64(pause.min(10.0));
                tokio::time::sleep_until(self.start + due).await;
            }
            let trace = trace::begin(self.trace_ratio);
            let mut unfinished = Unfinished { live: self, number, due, trace, over: false };
            let failure = self.browser.take(step, values, trace).await.err();
            unfinished.over = true;
            drop(unfinished);
            let now = self.elapsed();
            let sample = Sample { due, time: now.saturating_sub(due), failure };
            self.step(number, &sample, trace);
            if sample.failure.is_some() {
                return sample.failure;
            }
            due = now;
        }
        None
    }

    /// The longest that a journey may take: all its steps at their limits.
    fn patience(&self) -> Duration {
        let steps = |journey: &Journey| -> Duration {
            let longest = |step: &crate::scenario::Step| {
                let once = self.scenario.timeout + step.think * 10;
                step.until.as_ref().map_or(once, |until| once + until.within)
            };
            journey.steps.iter().map(longest).sum()
        };
        self.scenario.journeys.iter().map(steps).max().unwrap_or_default()
    }

    async fn tick(self: Arc<Self>, over: CancellationToken) {
        let mut second =
            tokio::time::interval_at(self.start + Duration::from_secs(1), Duration::from_secs(1));
        loop {
            tokio::select! {
                () = over.cancelled() => return,
                _ = second.tick() => {}
            }
            let at = self.elapsed();
            let target = self.scenario.stages.at(at).map_or(0.0, |(_, rate)| rate);
            let in_flight = self.in_flight();
            self.metrics.tick(target, in_flight);
            self.board.lock().tick(at, target, in_flight);
        }
    }
}

/// Records a step that was given up, with the time that it has waited: one without an answer must not vanish.
struct Unfinished<'a> {
    live: &'a Live,
    number: usize,
    due: Duration,
    trace: Option<TraceId>,
    over: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.over {
            let time = self.live.elapsed().saturating_sub(self.due);
            let sample = Sample { due: self.due, time, failure: Some("abandoned".to_owned()) };
            self.live.step(self.number, &sample, self.trace);
        }
    }
}

fn draw(weights: &[u32], rng: &mut Xoshiro256PlusPlus) -> usize {
    let mut ticket = rng.random_range(0..weights.iter().map(|weight| u64::from(*weight)).sum::<u64>());
    for (number, weight) in weights.iter().enumerate() {
        let weight = u64::from(*weight);
        if ticket < weight {
            return number;
        }
        ticket -= weight;
    }
    unreachable!("a ticket is below the sum of the weights, which the reader keeps above 0")
}
