//! A lab for releases: a repository, instances that need a while to start, traffic, and a driver that does what is next.

use chrono::{DateTime, TimeDelta, Utc};
use release::{
    Block, Plan, Policy, Run,
    judge::{Arm, Count, Latency},
    run::{Change, End, Event, Next, STEPS, What},
};

use crate::support::{GOOD, Traffic, Version, after, policy};

/// Seconds until a commit is in force.
const LAG: i64 = 3;

/// Releases `canary` over a good version, with one seed, as `policy` judges: the run, and what it committed.
pub(crate) fn release(seed: u64, canary: Version, policy: Policy) -> (Run, Vec<Change>) {
    let mut traffic = Traffic::new(seed);
    let mut world = World::new(Box::new(move |until, weight| traffic.second(until, weight, canary, GOOD)));
    let started = What::Started { plan: Box::new(Plan { policy, ..plan() }) };
    world.journal.push(started.at(world.now));
    world.resume().expect("nobody kills it");
    let run = Run::replay(&world.journal).expect("a journal that fits");
    (run, world.repository.into_iter().map(|made| made.change).collect())
}

/// From `v1` to `v2`.
pub(crate) fn plan() -> Plan {
    let text = str::to_owned;
    Plan {
        id: "rel-1".to_owned(),
        service: text("order-api"),
        old: text("v1"),
        new: text("v2"),
        steps: STEPS.to_vec(),
        policy: policy(),
        by: text("ada"),
        why: text("faster orders"),
        over: None,
        written: None,
    }
}

pub(crate) fn started() -> What {
    What::Started { plan: Box::new(plan()) }
}

/// A commit of the repository.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    pub(crate) key: String,
    pub(crate) change: Change,
    pub(crate) message: String,
}

/// What a second of traffic looks like: its end, and percent of the canary.
pub(crate) type Seconds<'a> = Box<dyn FnMut(DateTime<Utc>, u32) -> Block + 'a>;

/// Everything around a run. It lives on when the driver is killed.
pub(crate) struct World<'a> {
    pub(crate) now: DateTime<Utc>,
    pub(crate) repository: Vec<Made>,
    pub(crate) journal: Vec<Event>,
    /// Acts and records until the driver is killed.
    pub(crate) fuel: usize,
    /// Whether new versions become ready.
    pub(crate) starts: bool,
    /// Since when the newest commit is there.
    changed: DateTime<Utc>,
    /// Percent of the canary until it is in force.
    before: u32,
    seconds: Seconds<'a>,
}

/// The driver was killed.
#[derive(Debug)]
pub(crate) struct Killed;

impl<'a> World<'a> {
    pub(crate) fn new(seconds: Seconds<'a>) -> Self {
        let (now, fuel) = (after(0), usize::MAX);
        let (repository, journal) = (Vec::new(), Vec::new());
        Self { now, repository, journal, fuel, starts: true, changed: now, before: 0, seconds }
    }

    /// From the start to the end.
    pub(crate) fn release(&mut self) -> Result<End, Killed> {
        if self.journal.is_empty() {
            self.burn()?;
            self.journal.push(started().at(self.now));
        }
        self.resume()
    }

    /// From the journal to the end.
    pub(crate) fn resume(&mut self) -> Result<End, Killed> {
        let mut run = Run::replay(&self.journal).expect("a journal that fits");
        for _ in 0..100_000 {
            match run.next(self.now) {
                Next::Commit { key, change, message } => {
                    let commit = Some(self.commit(&key, &change, &message)?);
                    self.record(&mut run, What::Committed { key, commit })?;
                }
                Next::Settle { .. } => {
                    self.second(&mut run)?;
                    if self.is_in_force() {
                        self.record(&mut run, What::Settled)?;
                    }
                }
                Next::Look { .. } => self.second(&mut run)?,
                Next::Hold { .. } => self.now += TimeDelta::seconds(1),
                Next::Note(what) => self.record(&mut run, *what)?,
                Next::Ended(end) => return Ok(end),
            }
        }
        panic!("it never ends: {:?}", run.next(self.now));
    }

    /// Percent that the canary has: what the newest commit says, once it is in force.
    fn weight(&self) -> u32 {
        match self.repository.last().map(|made| &made.change) {
            _ if !self.is_in_force() => self.before,
            Some(Change::Canary { weight, .. }) => *weight,
            _ => 0,
        }
    }

    fn is_in_force(&self) -> bool {
        let stops = matches!(self.repository.last(), Some(Made { change: Change::Revert { .. }, .. }));
        (self.starts || stops) && self.now - self.changed >= TimeDelta::seconds(LAG)
    }

    fn burn(&mut self) -> Result<(), Killed> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Killed)?;
        Ok(())
    }

    /// Once per key, as a driver that looks at the log of the repository first.
    fn commit(&mut self, key: &str, change: &Change, message: &str) -> Result<String, Killed> {
        self.burn()?;
        if let Some(place) = self.repository.iter().position(|made| made.key == key) {
            return Ok(format!("c{place}"));
        }
        assert!(message.contains(&format!("\nKey: {key}\n")), "{message}");
        let (key, change, message) = (key.to_owned(), change.clone(), message.to_owned());
        self.before = self.weight();
        self.repository.push(Made { key, change, message });
        self.changed = self.now;
        Ok(format!("c{}", self.repository.len() - 1))
    }

    fn second(&mut self, run: &mut Run) -> Result<(), Killed> {
        self.now += TimeDelta::seconds(1);
        let weight = self.weight();
        let block = (self.seconds)(self.now, weight);
        self.record(run, What::Measured { block })
    }

    fn record(&mut self, run: &mut Run, what: What) -> Result<(), Killed> {
        self.burn()?;
        let event = what.at(self.now);
        run.apply(&event).expect("what was next fits");
        self.journal.push(event);
        Ok(())
    }
}

/// Traffic without chance: a hundred requests per second for each of the two while there is a canary.
pub(crate) fn steady(failures: u64) -> impl FnMut(DateTime<Utc>, u32) -> Block {
    move |until, weight| {
        let all = if weight > 0 { 100 } else { 0 };
        Block { until, canary: even(failures.min(all), all), baseline: even(0, all), everyone: 2000 }
    }
}

/// Requests that are all equally fast.
pub(crate) fn even(bad: u64, all: u64) -> Arm {
    Arm {
        requests: Count { bad, all },
        latency: Latency { buckets: vec![(0.1, all), (0.25, 0)], over: 0 },
        saturation: [("cpu", 1.0), ("memory", 1.0)].map(|(name, value)| (name.to_owned(), value)).into(),
        ..Arm::default()
    }
}
