//! Two labs prove drills at the same time: this one, and one that is started for it. Drills that take the machine come
//! last, when this lab is alone again: the other one would be sick with them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
};

use anyhow::Result;
use drill::{
    Drill,
    model::{Fault, FaultKind},
};

use super::{Stage, Verify, papers::Papers};
use crate::{
    commands::{
        drill::client::Desk,
        twin::{GREEDY, Twin},
    },
    terminal::say,
};

/// A load of this number of requests per second takes the machine, too: all parts of a lab work for them.
const MANY: u32 = 150;

/// The names that are left, for all lanes.
pub(super) struct Queue<'q> {
    left: RefCell<VecDeque<(usize, &'q String)>>,
    count: usize,
    width: usize,
}

impl<'q> Queue<'q> {
    pub(super) fn of(names: &'q [String]) -> Self {
        let left = (1..).zip(names).collect();
        let width = names.iter().map(String::len).max().unwrap_or(0);
        Self { left: RefCell::new(left), count: names.len(), width }
    }

    /// The next one, after `3 of 40`.
    pub(super) fn take(&self) -> Option<(String, &'q str)> {
        let (number, name) = self.left.borrow_mut().pop_front()?;
        let place = if self.count > 1 { format!("{number} of {}", self.count) } else { String::new() };
        Some((place, name.as_str()))
    }

    /// Those that nobody took.
    pub(super) fn rest(&self) -> Vec<String> {
        self.left.borrow_mut().drain(..).map(|(_, name)| name.clone()).collect()
    }

    /// Length of the longest name.
    pub(super) const fn width(&self) -> usize {
        self.width
    }
}

impl Verify {
    /// Proves drills on two labs, and then, on the first one alone, those that take the machine.
    pub(super) async fn on_two(
        &self,
        first: Stage<'_>,
        who: Option<String>,
        drills: &BTreeMap<String, Drill>,
        names: &[String],
    ) -> Result<Papers> {
        let is_greedy = |name: &String| drills.get(name).is_some_and(takes_the_machine);
        let (greedy, others): (Vec<String>, Vec<String>) = names.iter().cloned().partition(is_greedy);
        if others.len() < 2 {
            return self.alone(&first, drills, names).await;
        }
        say("starting a second lab");
        let twin = Twin::up("drill verify", first.place, &first.wishes.now).await?;
        let first = Stage { shares: true, ..first };
        let shared = self.shared(&first, &twin, who, drills, &others).await;
        // It is gone before the next drill begins, and whatever came of the others.
        drop(twin);
        let mut papers = shared?;
        if papers.broken.is_some() {
            papers.left.extend(greedy);
            return Ok(papers);
        }
        let alone = self.alone(&Stage { shares: false, ..first }, drills, &greedy).await?;
        Ok(papers.and(alone))
    }

    async fn shared(
        &self,
        first: &Stage<'_>,
        twin: &Twin,
        who: Option<String>,
        drills: &BTreeMap<String, Drill>,
        names: &[String],
    ) -> Result<Papers> {
        let second = Stage {
            place: &twin.place,
            desk: Desk::instructor(&twin.place, who).await?,
            wishes: first.wishes.clone(),
            begun: first.begun,
            shares: true,
        };
        let queue = Queue::of(names);
        // If one lane cannot continue, the other takes the rest.
        let (one, two) = tokio::join!(self.lane(first, drills, &queue), self.lane(&second, drills, &queue));
        let mut papers = one?.and(two?);
        papers.left.extend(queue.rest());
        Ok(papers)
    }
}

/// Whether another lab on the machine would feel a drill.
fn takes_the_machine(drill: &Drill) -> bool {
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
    fn two_lanes_take_each_name_once_and_what_is_left_is_known() {
        let names = ["a", "bcd", "e"].map(str::to_owned);
        let queue = Queue::of(&names);
        assert_eq!(queue.width(), 3);
        assert_eq!(queue.take(), Some(("1 of 3".to_owned(), "a")));
        assert_eq!(queue.take(), Some(("2 of 3".to_owned(), "bcd")));
        assert_eq!(queue.rest(), ["e"]);
        assert_eq!((queue.take(), queue.rest()), (None, Vec::new()));
        assert_eq!(Queue::of(&names[..1]).take(), Some((String::new(), "a")));
    }

    #[test]
    fn a_drill_that_another_lab_would_feel_runs_alone() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        for name in ["warm-room", "in-the-hall", "after-the-rain", "full-house", "cdn-waf-outage"] {
            assert!(takes_the_machine(&drills[name]), "{name}");
        }
        for name in ["first-page", "noon", "quiet-street"] {
            assert!(!takes_the_machine(&drills[name]), "{name}");
        }
        let greedy = drills.values().filter(|drill| takes_the_machine(drill)).count();
        assert!(greedy * 4 < drills.len(), "they cost the time that two labs save: {greedy}");
    }
}
