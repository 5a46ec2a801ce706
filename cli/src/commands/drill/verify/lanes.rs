//! Several labs prove drills at the same time: this one, and others that are started for it, some of them with what only
//! a few drills need. Drills that take the machine come last, when no other lab is busy: it would be sick with them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use anyhow::{Error, Result};
use drill::{
    Drill,
    model::{Fault, FaultKind},
};
use futures::future::join_all;
use tokio::sync::Mutex;

use super::{
    Stage, Verify, junit,
    kit::{Kit, Sorted, Stock},
    papers::Papers,
    queue::Queue,
    run::unbegun,
};
use crate::{
    commands::{
        drill::client::Desk,
        twin::{GREEDY, More, Twin},
    },
    terminal::say,
};

/// A load of this number of requests per second takes the machine, too: all parts of a lab work for them.
const MANY: u32 = 150;

/// What is to be proven, for all lanes.
struct Work<'w> {
    first: &'w Stage<'w>,
    who: Option<String>,
    drills: &'w BTreeMap<String, Drill>,
    shared: Queue<'w>,
    special: RefCell<VecDeque<(Kit, Vec<String>)>>,
    /// One lab starts at a time: each takes ports that are free.
    starts: Mutex<()>,
}

impl Work<'_> {
    fn next(&self) -> Option<(Kit, Vec<String>)> {
        self.special.borrow_mut().pop_front()
    }

    async fn start(&self, more: &More) -> Result<Twin> {
        let _turn = self.starts.lock().await;
        let with =
            if more.options.is_empty() { String::new() } else { format!(" with {}", more.options.join(" ")) };
        say(format_args!("starting another lab{with}"));
        Twin::with("drill verify", self.first.place, more, &self.first.wishes.now).await
    }
}

impl Verify {
    /// Proves drills on several labs, and then, with no other one busy, those that take the machine, and what failed beside
    /// others.
    pub(super) async fn on_several(
        &self,
        first: Stage<'_>,
        who: Option<String>,
        drills: &BTreeMap<String, Drill>,
        names: &[String],
    ) -> Result<Papers> {
        let stock = Stock::of(&first.place.all_here("drill verify --lanes")?.lab()?);
        let is_greedy = |name: &String| drills.get(name).is_some_and(takes_the_machine);
        let (greedy, others): (Vec<String>, Vec<String>) = names.iter().cloned().partition(is_greedy);
        let (last, together) = (Sorted::of(&greedy, drills, &stock), Sorted::of(&others, drills, &stock));
        let usual = last.special.is_empty() && together.special.is_empty();
        if usual && together.shared.len() < 2 {
            return self.alone(&first, drills, names).await;
        }
        let shares = Stage { shares: true, ..first };
        let mut papers = self.together(&shares, who.clone(), drills, together).await?;
        let alone = Stage { shares: false, ..shares };
        if self.is_over(&alone) || papers.must_stop() {
            papers.left.extend(greedy);
            return Ok(papers);
        }
        let again = self.again(&mut papers);
        let last = Sorted::of(&[greedy, again].concat(), drills, &stock);
        let alone = self.one_by_one(&alone, who, drills, last).await?;
        Ok(papers.then(alone))
    }

    async fn together(
        &self,
        first: &Stage<'_>,
        who: Option<String>,
        drills: &BTreeMap<String, Drill>,
        Sorted { shared, own, special }: Sorted,
    ) -> Result<Papers> {
        let (shared, special) = (Queue::of(&shared), RefCell::new(special.into()));
        let work = Work { first, who, drills, shared, special, starts: Mutex::default() };
        let beside = (1..self.lanes).map(|_| self.beside(&work));
        let (here, beside) = tokio::join!(self.here(&work, &own), join_all(beside));
        let mut papers = beside.into_iter().fold(here?, Papers::and);
        // If one lane cannot continue, the others take the rest; those of a kit may be left.
        papers.left.extend(work.shared.rest());
        papers.left.extend(work.special.take().into_iter().flat_map(|(_, names)| names));
        Ok(papers)
    }

    /// The lane of the first lab.
    async fn here(&self, work: &Work<'_>, own: &[String]) -> Result<Papers> {
        let papers = self.alone(work.first, work.drills, own).await?;
        if papers.must_stop() {
            return Ok(papers);
        }
        Ok(papers.and(self.lane(work.first, work.drills, &work.shared).await?))
    }

    /// A lane of labs that are started for it: first those that drills need, then one like the first lab.
    async fn beside(&self, work: &Work<'_>) -> Papers {
        let mut papers = Papers::default();
        while !self.is_over(work.first) {
            let Some((kit, names)) = work.next() else { break };
            papers = papers.and(self.special(work, &kit, &names).await);
        }
        if self.is_over(work.first) || work.shared.is_empty() {
            return papers;
        }
        match work.start(&More::default()).await {
            Ok(twin) => papers.and(self.on(work, twin, &work.shared).await),
            // The other labs do all the work.
            Err(why) => {
                say(format_args!("without another lab: {why:#}"));
                papers
            }
        }
    }

    /// Proves drills in a lab that has what they need. If it does not start, each of them says so.
    async fn special(&self, work: &Work<'_>, kit: &Kit, names: &[String]) -> Papers {
        let queue = Queue::of(names);
        let mut papers = match work.start(&kit.more()).await {
            Ok(twin) => self.on(work, twin, &queue).await,
            Err(_) if self.is_over(work.first) => Papers::default(),
            Err(why) => self.refused(work.drills, &queue, &why),
        };
        papers.left.extend(queue.rest());
        papers
    }

    /// Proves drills in a lab that was started for it, and ends that. What keeps it from going on is said, and is no reason to
    /// stop for the first lab.
    async fn on(&self, work: &Work<'_>, twin: Twin, queue: &Queue<'_>) -> Papers {
        let first = work.first;
        let proven = async {
            let stage = Stage {
                place: &twin.place,
                desk: Desk::instructor(&twin.place, work.who.clone()).await?,
                wishes: first.wishes.clone(),
                begun: first.begun,
                shares: first.shares,
            };
            self.lane(&stage, work.drills, queue).await
        }
        .await;
        let mut papers = proven.unwrap_or_else(|why| Papers { broken: Some(why), ..Papers::default() });
        if let Some(why) = papers.broken.take() {
            say(format_args!("another lab cannot go on: {why:#}"));
        }
        // It waits until that lab has ended; the other lanes continue meanwhile.
        if let Err(why) = tokio::task::spawn_blocking(move || drop(twin)).await {
            say(format_args!("another lab was not stopped: {why}"));
        }
        papers.beside = true;
        papers
    }

    fn refused(&self, drills: &BTreeMap<String, Drill>, queue: &Queue<'_>, why: &Error) -> Papers {
        let mut papers = Papers::default();
        while let Some((_, name)) = queue.take() {
            let Some(drill) = drills.get(name) else { continue };
            let why = format!("not proven: {why:#}");
            papers.junit.push(junit::refused(name, &why));
            let proof = unbegun(drill, why, Instant::now());
            self.tell(&proof, queue.width());
            papers.proofs.push(proof);
        }
        papers
    }

    /// One after the other, with no other lab busy: on the first lab, and on labs with what they need.
    async fn one_by_one(
        &self,
        first: &Stage<'_>,
        who: Option<String>,
        drills: &BTreeMap<String, Drill>,
        Sorted { mut shared, own, special }: Sorted,
    ) -> Result<Papers> {
        shared.extend(own);
        let mut papers = self.alone(first, drills, &shared).await?;
        let work = Work {
            first,
            who,
            drills,
            shared: Queue::of(&[]),
            special: RefCell::new(special.into()),
            starts: Mutex::default(),
        };
        while !self.is_over(first) && !papers.must_stop() {
            let Some((kit, names)) = work.next() else { break };
            papers = papers.and(self.special(&work, &kit, &names).await);
        }
        papers.left.extend(work.special.take().into_iter().flat_map(|(_, names)| names));
        Ok(papers)
    }

    /// Whether no further drill begins.
    pub(super) fn is_over(&self, stage: &Stage<'_>) -> bool {
        let late = self.at_most.is_some_and(|most| stage.begun.elapsed() >= most);
        late || stage.wishes.enough.is_cancelled()
    }
}

/// Whether another lab on the machine would feel a drill.
pub(in crate::commands::drill) fn takes_the_machine(drill: &Drill) -> bool {
    // A rule that searches for too long takes the cores of every edge.
    let is_greedy = |fault: &Fault| fault.kind == FaultKind::Rule || GREEDY.contains(&fault.fault.as_str());
    let surges = drill.load.surges.iter().map(|surge| surge.rps);
    surges.chain([drill.load.rps]).any(|rps| rps >= MANY) || drill.faults.iter().any(is_greedy)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::drill::files;

    #[test]
    fn a_drill_that_another_lab_would_feel_runs_alone() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        for name in ["warm-room", "slow-morning", "after-the-rain", "full-house", "cdn-waf-outage"] {
            assert!(takes_the_machine(&drills[name]), "{name}");
        }
        for name in ["first-page", "in-the-hall", "quiet-street"] {
            assert!(!takes_the_machine(&drills[name]), "{name}");
        }
        let greedy = drills.values().filter(|drill| takes_the_machine(drill)).count();
        assert!(greedy * 4 < drills.len(), "they cost the time that two labs save: {greedy}");
    }
}
