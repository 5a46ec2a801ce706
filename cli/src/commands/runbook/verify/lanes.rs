//! The labs on which runbooks are measured: this one, and with `--lanes 2` or more those that are started for it. What the others
//! would feel, and what one of them has no parts for, is measured last, when this lab is alone again.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{
    Verify,
    bench::Bench,
    cause::Cause,
    fault::Fault,
    measure::{Budget, How},
    pick::{Task, Trial, is_news, is_vain, rounds},
    session::Session,
    skip,
    way::Way,
};
use crate::{
    commands::twin::{GREEDY, Twin},
    signals::{self, Hangup},
    terminal::say,
};

/// What the person at the terminal asked for.
pub(super) struct Wishes {
    /// First Ctrl-C: end what is broken, and begin nothing more.
    pub(super) stop: CancellationToken,
    /// Second Ctrl-C: leave it broken.
    second: CancellationToken,
}

impl Wishes {
    /// Listens to Ctrl-C.
    pub(super) fn listen() -> Self {
        let (stop, second) = (CancellationToken::new(), CancellationToken::new());
        let words = "\nending what is broken; what was measured is written (again: leaves it broken)";
        tokio::spawn(signals::listen(stop.clone(), second.clone(), Hangup::Ends, words));
        Self { stop, second }
    }
}

/// The measurements that are left, for all labs.
struct Queue<'t> {
    left: RefCell<VecDeque<Task<'t>>>,
    count: usize,
    begun: Instant,
    /// How many have been made.
    done: Cell<usize>,
}

impl<'t> Queue<'t> {
    fn of(tasks: Vec<Task<'t>>) -> Self {
        let count = tasks.len();
        Self { left: RefCell::new(tasks.into()), count, begun: Instant::now(), done: Cell::new(0) }
    }

    fn take(&self) -> Option<Task<'t>> {
        self.left.borrow_mut().pop_front()
    }

    /// `3 of 40, about 34 min left`.
    fn place(&self) -> String {
        let rest = self.left.borrow().len();
        let left = left(self.begun.elapsed(), self.done.get(), self.done.get() + rest + 1);
        format!("{} of {}{left}", self.count - rest, self.count)
    }

    fn tick(&self) {
        self.done.set(self.done.get() + 1);
    }
}

/// How long the rest takes, if it takes as long as what is done: `, about 34 min left`. Nothing before the first is done.
fn left(elapsed: Duration, done: usize, all: usize) -> String {
    let Some(each) = u32::try_from(done).ok().and_then(|done| elapsed.checked_div(done)) else {
        return String::new();
    };
    let rest = u32::try_from(all.saturating_sub(done)).unwrap_or(u32::MAX);
    format!(", about {} min left", each.saturating_mul(rest).as_secs().div_ceil(60))
}

impl Verify {
    /// Measures all of these.
    pub(super) async fn measure(
        &self,
        bench: &Bench<'_>,
        trials: &[Trial],
        session: &Session<'_>,
        wishes: &Wishes,
    ) -> Result<()> {
        let all: Vec<&Trial> = trials.iter().collect();
        if self.lanes == 1 {
            let queue = Queue::of(self.rounds(&all));
            return Lane { bench, queue: &queue, session, wishes }.work().await;
        }
        let (mut alone, mut shared): (Vec<&Trial>, Vec<&Trial>) =
            all.into_iter().partition(|trial| takes_the_machine(&trial.fault));
        if self.rounds(&shared).len() < 2 {
            alone.append(&mut shared);
        } else {
            let mut twins = Vec::new();
            for number in 2..=self.lanes {
                say(format_args!("starting lab {number} of {}", self.lanes));
                twins.push(Twin::up("runbook verify", bench.place, &wishes.stop).await?);
            }
            let measured = self.shared(bench, &twins, shared, session, wishes).await;
            // They are gone before the next measurement begins, and whatever came of the others.
            drop(twins);
            alone.append(&mut measured?);
        }
        let queue = Queue::of(self.rounds(&alone));
        Lane { bench, queue: &queue, session, wishes }.work().await
    }

    /// Measures on all labs; returns what one of the others has no parts for.
    async fn shared<'t>(
        &self,
        first: &Bench<'_>,
        twins: &[Twin],
        trials: Vec<&'t Trial>,
        session: &Session<'_>,
        wishes: &Wishes,
    ) -> Result<Vec<&'t Trial>> {
        let mut others = Vec::new();
        for twin in twins {
            others.push(Bench::of(&twin.place.home()?, &twin.place).await?);
        }
        let (mut all, mut rest) = (Vec::new(), Vec::new());
        for trial in trials {
            let mut lacks = false;
            for other in &others {
                lacks |= skip::lacks(&other.prometheus, &trial.name).await?.is_some();
            }
            if lacks { rest.push(trial) } else { all.push(trial) }
        }
        let queue = Queue::of(self.rounds(&all));
        let mut lanes = vec![Lane { bench: first, queue: &queue, session, wishes }];
        lanes.extend(others.iter().map(|bench| Lane { bench, queue: &queue, session, wishes }));
        // If one lab cannot continue, the others take the rest.
        let done = join_all(lanes.into_iter().map(Lane::work)).await;
        done.into_iter().collect::<Result<()>>()?;
        Ok(rest)
    }

    fn rounds<'t>(&self, trials: &[&'t Trial]) -> Vec<Task<'t>> {
        rounds(trials, &self.ways(), self.repeat, self.unmeasured, self.lanes > 1)
    }
}

/// One lab at work.
struct Lane<'l, 't> {
    bench: &'l Bench<'l>,
    queue: &'l Queue<'t>,
    session: &'l Session<'l>,
    wishes: &'l Wishes,
}

impl Lane<'_, '_> {
    /// Measures what is in the queue, until it is empty or somebody ends it.
    async fn work(self) -> Result<()> {
        while !self.wishes.stop.is_cancelled()
            && let Some(Task { trial, way, also }) = self.queue.take()
        {
            if !is_news(way, trial.acts, self.session.verdict(trial)) {
                continue;
            }
            let budget = if also.is_some() { Budget::Keep } else { Budget::Own };
            let Some(fine) = self.once(trial, way, budget).await? else { return Ok(()) };
            if let Some(also) = also {
                // What has failed may not have spent it.
                let budget = if fine { Budget::Kept } else { Budget::Own };
                if self.once(trial, also, budget).await?.is_none() {
                    return Ok(());
                }
            }
            self.queue.tick();
        }
        Ok(())
    }

    /// Measures once; whether the runbook has kept its promise. Nothing, if somebody has ended it.
    async fn once(&self, trial: &Trial, way: Way, budget: Budget) -> Result<Option<bool>> {
        let name = trial.name.as_str();
        say(format_args!("{}: {name}, {way}", self.queue.place()));
        let how = How { way, vain: is_vain(way, self.session.verdict(trial)), budget };
        let measured = self.bench.measure(name, &trial.fault, how);
        let Some(row) = self.wishes.stop.run_until_cancelled(measured).await else {
            match self.wishes.second.run_until_cancelled(self.bench.clear(&trial.fault)).await {
                Some(cleared) => cleared?,
                None => say("what is broken stays: lab fix ends faults, lab runbook stop a run"),
            }
            return Ok(None);
        };
        say(format_args!("  {name}, {way}: {}", row.words()));
        let fine = row.is_fine();
        self.session.add(row)?;
        Ok(Some(fine))
    }
}

/// Whether another lab on the machine would feel what a page breaks.
fn takes_the_machine(fault: &Fault) -> bool {
    match &fault.cause {
        Cause::Fault { name, .. } => GREEDY.contains(&name.as_str()),
        Cause::Freeze | Cause::NoLoad => false,
        // Only this program keeps to one lab: a signal may reach the processes of all, and the checkout is everybody's.
        Cause::Command { breaks, .. } => !breaks.starts_with("lab "),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::runbook::verify::fault;

    #[test]
    fn the_rest_is_estimated_from_what_is_done() {
        assert_eq!(left(Duration::from_secs(5), 0, 9), "");
        assert_eq!(left(Duration::from_secs(300), 2, 6), ", about 10 min left");
        assert_eq!(left(Duration::from_secs(10), 1, 2), ", about 1 min left");
    }

    #[test]
    fn what_another_lab_would_feel_is_measured_alone() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let fault = |name: &str| fault::of(&root, name).unwrap().unwrap();
        let alone = [
            "DataFolderFilling",
            "HighCPUUsage",
            "PostgresReplicaLag",
            "RedisHotKey",
            "RuleEvaluationFailing",
        ];
        for name in alone {
            assert!(takes_the_machine(&fault(name)), "{name}");
        }
        for name in [
            "ConsumerLagGrowing",
            "FirewallVerdictsWrong",
            "NoTraffic",
            "OutcomesContradict",
            "ProbeFailures",
            "RuntimeBlocked",
        ] {
            assert!(!takes_the_machine(&fault(name)), "{name}");
        }
        let names = fault::names(&root).unwrap();
        let faults = names.iter().filter(|name| skip::elsewhere(name).is_none()).map(|name| fault(name));
        let greedy = faults.filter(takes_the_machine).count();
        assert!(greedy * 4 < names.len(), "they cost the time that two labs save: {greedy}");
    }
}
