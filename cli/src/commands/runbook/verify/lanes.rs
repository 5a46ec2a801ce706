//! The labs on which runbooks are measured: this one, and with `--lanes 2` one that is started for it. What the other lab would
//! feel, and what it has no parts for, is measured last, when this lab is alone again.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use super::{
    Verify,
    bench::Bench,
    cause::Cause,
    fault::Fault,
    pick::{Task, Trial, is_news, is_vain, rounds},
    session::Session,
    skip,
};
use crate::{
    commands::twin::{GREEDY, Twin},
    installation::Installation,
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
            return self.lane(bench, &Queue::of(self.rounds(&all)), session, wishes).await;
        }
        let (mut alone, mut shared): (Vec<&Trial>, Vec<&Trial>) =
            all.into_iter().partition(|trial| takes_the_machine(&trial.fault));
        if self.rounds(&shared).len() < 2 {
            alone.append(&mut shared);
        } else {
            say("starting a second lab");
            let twin = Twin::up("runbook verify", bench.place, &wishes.stop).await?;
            let measured = self.shared(bench, &twin.place, shared, session, wishes).await;
            // It is gone before the next measurement begins, and whatever came of the others.
            drop(twin);
            alone.append(&mut measured?);
        }
        self.lane(bench, &Queue::of(self.rounds(&alone)), session, wishes).await
    }

    /// Measures on two labs; returns what the second one has no parts for.
    async fn shared<'t>(
        &self,
        first: &Bench<'_>,
        place: &Installation,
        trials: Vec<&'t Trial>,
        session: &Session<'_>,
        wishes: &Wishes,
    ) -> Result<Vec<&'t Trial>> {
        let second = Bench::of(&place.home()?, place).await?;
        let (mut both, mut rest) = (Vec::new(), Vec::new());
        for trial in trials {
            match skip::lacks(&second.prometheus, &trial.name).await? {
                None => both.push(trial),
                Some(_) => rest.push(trial),
            }
        }
        let queue = Queue::of(self.rounds(&both));
        // If one lab cannot continue, the other takes the rest.
        let (one, two) = tokio::join!(
            self.lane(first, &queue, session, wishes),
            self.lane(&second, &queue, session, wishes)
        );
        one.and(two)?;
        Ok(rest)
    }

    fn rounds<'t>(&self, trials: &[&'t Trial]) -> Vec<Task<'t>> {
        rounds(trials, &self.ways(), self.repeat, self.unmeasured, self.lanes > 1)
    }

    /// Measures what is in the queue, until it is empty or somebody ends it.
    async fn lane(
        &self,
        bench: &Bench<'_>,
        queue: &Queue<'_>,
        session: &Session<'_>,
        wishes: &Wishes,
    ) -> Result<()> {
        while !wishes.stop.is_cancelled()
            && let Some(Task { trial, way }) = queue.take()
        {
            let (name, auto) = (trial.name.as_str(), session.verdict(trial));
            if !is_news(way, trial.acts, auto) {
                continue;
            }
            say(format_args!("{}: {name}, {way}", queue.place()));
            let measured = bench.measure(name, &trial.fault, way, is_vain(way, auto));
            let Some(row) = wishes.stop.run_until_cancelled(measured).await else {
                match wishes.second.run_until_cancelled(bench.clear(&trial.fault)).await {
                    Some(cleared) => cleared?,
                    None => say("what is broken stays: lab fix ends faults, lab runbook stop a run"),
                }
                return Ok(());
            };
            say(format_args!("  {name}, {way}: {}", row.words()));
            queue.tick();
            session.add(row)?;
        }
        Ok(())
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
            "RuntimeBlocked",
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
        ] {
            assert!(!takes_the_machine(&fault(name)), "{name}");
        }
        let names = fault::names(&root).unwrap();
        let faults = names.iter().filter(|name| skip::elsewhere(name).is_none()).map(|name| fault(name));
        let greedy = faults.filter(takes_the_machine).count();
        assert!(greedy * 4 < names.len(), "they cost the time that two labs save: {greedy}");
    }
}
