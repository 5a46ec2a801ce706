//! Drills, one after the other: on this lab, and with `--lanes` at the same time on others like it that are started for it.
//! Drills that take the machine come last, when no other lab is busy.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Instant,
};

use anyhow::{Context as _, Result};
use drill::Drill;
use futures::future::join_all;
use tokio::sync::Mutex;

use super::{Validity, bench::Bench, kept::Book, sheet::Sheet};
use crate::{
    commands::{
        drill::verify::{lanes::takes_the_machine, queue::Queue},
        twin::Twin,
    },
    installation::Installation,
    terminal::say,
};

/// What is asked about, and what came of it.
pub(super) struct Work<'w> {
    drills: &'w BTreeMap<String, Drill>,
    book: &'w Book,
    begun: Instant,
    pub(super) sheets: RefCell<Vec<Sheet>>,
    pub(super) skipped: Cell<usize>,
    pub(super) left: RefCell<Vec<String>>,
    /// One lab starts at a time: each takes ports that are free.
    starts: Mutex<()>,
}

impl<'w> Work<'w> {
    pub(super) fn of(drills: &'w BTreeMap<String, Drill>, book: &'w Book) -> Self {
        Self {
            drills,
            book,
            begun: Instant::now(),
            sheets: RefCell::default(),
            skipped: Cell::new(0),
            left: RefCell::default(),
            starts: Mutex::default(),
        }
    }
}

impl Validity {
    /// Asks about all of these.
    ///
    /// # Errors
    /// When a lab cannot be asked any longer. What was answered before that stays.
    pub(super) async fn all(
        &self,
        first: &mut Bench,
        place: &Installation,
        who: Option<&str>,
        work: &Work<'_>,
        names: &[String],
    ) -> Result<()> {
        let is_greedy = |name: &String| work.drills.get(name).is_some_and(takes_the_machine);
        let shares = self.lanes > 1 && names.iter().filter(|name| !is_greedy(name)).count() > 1;
        let (together, last): (Vec<String>, Vec<String>) =
            names.iter().cloned().partition(|name| shares && !is_greedy(name));
        let (shared, alone) = (Queue::of(&together), Queue::of(&last));
        let (mut ended, mut others) = (Ok(()), Ok(()));
        if shares {
            first.shares = true;
            let lab: &Bench = first;
            let beside = (1..self.lanes).map(|_| self.beside(lab, place, who, work, &shared));
            let (here, beside) = tokio::join!(self.lane(lab, work, &shared), join_all(beside));
            // If one cannot continue, the others have taken the rest; of several reasons, the first counts.
            (ended, others) = (here, beside.into_iter().fold(Ok(()), Result::and));
            first.shares = false;
        }
        // What became of another lab does not matter to this one.
        if ended.is_ok() {
            ended = self.lane(first, work, &alone).await;
        }
        work.left.borrow_mut().extend(shared.rest().into_iter().chain(alone.rest()));
        ended.and(others)
    }

    /// Asks a lab that is started for it.
    async fn beside(
        &self,
        first: &Bench,
        place: &Installation,
        who: Option<&str>,
        work: &Work<'_>,
        queue: &Queue<'_>,
    ) -> Result<()> {
        let started = {
            let _turn = work.starts.lock().await;
            say("starting another lab");
            Twin::up("drill validity", place, &first.wishes.now).await
        };
        let twin = match started {
            Ok(twin) => twin,
            // The other labs do all the work.
            Err(why) => {
                say(format_args!("without another lab: {why:#}"));
                return Ok(());
            }
        };
        let asked = async {
            let who = who.map(str::to_owned);
            let mut bench = Bench::of(&twin.place, who, &first.wishes, self.seed).await?;
            bench.shares = true;
            self.lane(&bench, work, queue).await
        }
        .await;
        // It waits until that lab has ended; the other lanes continue meanwhile.
        tokio::task::spawn_blocking(move || drop(twin)).await.context("the other lab was not stopped")?;
        asked
    }

    /// Asks about what is in the queue, until it is empty or there is a reason to stop.
    async fn lane(&self, bench: &Bench, work: &Work<'_>, queue: &Queue<'_>) -> Result<()> {
        while !self.is_over(bench, work) {
            let Some((place, name)) = queue.take() else { break };
            let drill = work.drills.get(name).with_context(|| format!("there is no drill `{name}`"))?;
            let mut sheet = Sheet::of(name);
            let answered = self.one(bench, drill, &place, work.book, &mut sheet).await;
            if matches!(answered, Ok(false)) {
                work.skipped.set(work.skipped.get() + 1);
                continue;
            }
            if !self.json {
                sheet.print(queue.width());
            }
            work.sheets.borrow_mut().push(sheet);
            self.write(&work.sheets.borrow())?;
            answered?;
        }
        Ok(())
    }

    /// Whether no further drill begins.
    fn is_over(&self, bench: &Bench, work: &Work<'_>) -> bool {
        self.pieces.is_late(work.begun) || bench.is_enough()
    }
}
