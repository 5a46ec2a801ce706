//! The labs on which runbooks are measured: this one, and with `--lanes 2` or more those that are started for it. What the others
//! would feel, and what one of them has no parts for, is measured last, when this lab is alone again.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::future::join_all;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Verify,
    bench::Bench,
    cause::Cause,
    fault::Fault,
    measure::{Budget, How},
    pick::{Task, Trial, is_news, is_vain, rounds},
    queue::Queue,
    session::Session,
    skip,
    way::Way,
};
use crate::{
    commands::twin::{GREEDY, Twin},
    signals::{self, Hangup},
    terminal::say,
};

/// Longest wait until Prometheus of a lab that has just been started has scraped every exporter: it does so every 5 seconds.
const SCRAPED: Duration = Duration::from_secs(15);
/// Pause between two looks for that.
const LOOK: Duration = Duration::from_secs(1);

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
        let mut others = Ok(());
        if self.rounds(&shared).len() < 2 {
            alone.append(&mut shared);
        } else {
            let twins = self.twins(bench, wishes).await;
            let measured = self.shared(bench, &twins, shared, session, wishes).await;
            // They are gone before the next measurement begins, and whatever came of the others.
            drop(twins);
            let (mut rest, ended) = measured?;
            alone.append(&mut rest);
            others = ended;
        }
        let queue = Queue::of(self.rounds(&alone));
        // What became of another lab does not matter to this one; what that did not measure is missing all the same.
        Lane { bench, queue: &queue, session, wishes }.work().await.and(others)
    }

    /// Labs beside the first one. If one does not start, the others do its work.
    async fn twins(&self, bench: &Bench<'_>, wishes: &Wishes) -> Vec<Twin> {
        let mut twins = Vec::new();
        for number in 2..=self.lanes {
            if wishes.stop.is_cancelled() {
                break;
            }
            say(format_args!("starting lab {number} of {}", self.lanes));
            match Twin::up("runbook verify", bench.place, &wishes.stop).await {
                Ok(twin) => twins.push(twin),
                Err(why) => say(format_args!("without another lab: {why:#}")),
            }
        }
        twins
    }

    /// Measures on all labs; returns what one of the others has no parts for, and why one of them could not continue.
    ///
    /// # Errors
    /// When the first lab cannot continue.
    async fn shared<'t>(
        &self,
        first: &Bench<'_>,
        twins: &[Twin],
        trials: Vec<&'t Trial>,
        session: &Session<'_>,
        wishes: &Wishes,
    ) -> Result<(Vec<&'t Trial>, Result<()>)> {
        let mut others = Vec::new();
        for twin in twins {
            match Bench::of(&twin.place.home()?, &twin.place).await {
                Ok(bench) => others.push(bench),
                Err(why) => say(format_args!("without another lab: {why:#}")),
            }
        }
        let mut lacking = BTreeSet::new();
        for other in &others {
            lacking.extend(lacks(other, &trials, &wishes.stop).await);
        }
        let (rest, all): (Vec<&Trial>, Vec<&Trial>) =
            trials.into_iter().partition(|trial| lacking.contains(trial.name.as_str()));
        let queue = Queue::of(self.rounds(&all));
        let mut lanes = vec![Lane { bench: first, queue: &queue, session, wishes }];
        lanes.extend(others.iter().map(|bench| Lane { bench, queue: &queue, session, wishes }));
        // If one lab cannot continue, the others take the rest.
        let mut done = join_all(lanes.into_iter().map(Lane::work)).await.into_iter();
        done.next().unwrap_or(Ok(()))?;
        Ok((rest, done.fold(Ok(()), Result::and)))
    }

    fn rounds<'t>(&self, trials: &[&'t Trial]) -> Vec<Task<'t>> {
        rounds(trials, &self.ways(), self.repeat, self.unmeasured, self.lanes > 1)
    }
}

/// The names of the trials that a lab has no parts for. One that has just been started measures not all of its parts yet, so it
/// gets some time; what does not answer is not there.
async fn lacks<'t>(bench: &Bench<'_>, trials: &[&'t Trial], stop: &CancellationToken) -> BTreeSet<&'t str> {
    let deadline = Instant::now() + SCRAPED;
    loop {
        let mut lacking = BTreeSet::new();
        for trial in trials {
            if !matches!(skip::lacks(&bench.prometheus, &trial.name).await, Ok(None)) {
                lacking.insert(trial.name.as_str());
            }
        }
        if lacking.is_empty() || Instant::now() >= deadline || stop.is_cancelled() {
            return lacking;
        }
        let _ = stop.run_until_cancelled(sleep(LOOK)).await;
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
