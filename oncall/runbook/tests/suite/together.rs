//! No alerts make automation exceed its guardrails, and no interleaving of the runs that they begin: committed runbooks and
//! guardrails, any answers, people who approve or decline, the switch, nights, two clocks, and a room that is killed in between.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::{collection::vec, prelude::*};
use runbook::{
    Call, Change, Event, Mode, Next, Place, Run, Verb, Verdict, What, Who,
    answer::Expect,
    guardrails::{Entry, Ledger, Noted, OpenIncident, Proposal, Replicas, Situation, decide, noted},
};

use crate::{
    book::Book,
    steps::{RUNBOOKS, SERVICES, Step, step, story},
    support::{at, expected, file, map, rails, wrong},
};

/// More runs at once than the control room would have.
const MOST: usize = 12;

/// A run, and what is kept of it.
struct Live {
    run: Run,
    journal: Vec<Event>,
}

/// What a test has met, so that it does not prove nothing.
#[derive(Debug, Default)]
struct Seen {
    allowed: u32,
    drained: u32,
    approved: u32,
    nights: u32,
    broken: u32,
    again: u32,
}

/// Runs that are under way, and what a control room keeps of them.
struct World {
    rails: runbook::Guardrails,
    texts: BTreeMap<&'static str, String>,
    ledger: Ledger,
    kept: Vec<Noted>,
    now: Situation,
    live: Vec<Live>,
    begun: u32,
    book: Book,
    seen: Seen,
}

impl World {
    fn new(hour: u32, speed: u32) -> Self {
        let replicas = Replicas { healthy: 2, target_healthy: true };
        let now = Situation {
            now: at("2026-11-29T00:00:00Z") + TimeDelta::hours(i64::from(hour)),
            speed,
            deploying: BTreeSet::new(),
            incidents: Vec::new(),
            replicas: SERVICES.iter().map(|service| ((*service).to_owned(), replicas)).collect(),
        };
        let texts = RUNBOOKS.iter().map(|name| (*name, file(&format!("runbooks/{name}.yaml"))));
        Self {
            rails: rails(),
            texts: texts.collect(),
            ledger: Ledger::default(),
            kept: Vec::new(),
            now,
            live: Vec::new(),
            begun: 0,
            book: Book::new(),
            seen: Seen::default(),
        }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Alert { runbook, service } if self.live.len() < MOST => self.alert(runbook, service),
            Step::Alert { .. } => {}
            Step::Turns { which, count, well, first } => {
                for _ in 0..count {
                    if !self.live.is_empty() {
                        self.turn(which % self.live.len(), well, first);
                    }
                }
            }
            Step::Health { service, healthy, sick } => {
                let replicas = Replicas { healthy, target_healthy: !sick && healthy > 0 };
                self.now.replicas.insert(service.to_owned(), replicas);
            }
            Step::Deploy { service, begins: true } => {
                self.now.deploying.insert(service.to_owned());
            }
            Step::Deploy { service, .. } => {
                self.now.deploying.remove(service);
            }
            Step::Incident { service, begins: true } => {
                let services = BTreeSet::from([service.to_owned()]);
                self.now.incidents.push(OpenIncident { id: "INC-0".to_owned(), services });
            }
            Step::Incident { service, .. } => {
                self.now.incidents.retain(|incident| !incident.services.contains(service));
            }
            Step::Switch { on } => self.switch(on),
            Step::Kill => self.kill(),
            Step::Wait { minutes } => self.now.now += TimeDelta::minutes(minutes),
        }
    }

    fn alert(&mut self, runbook: &'static str, service: &str) {
        self.begun += 1;
        let labels = [("service", service), ("instance", "127.0.0.1:9103"), ("topic", "orders")];
        let what = What::Started {
            run: format!("RUN-{}", self.begun),
            file: format!("runbooks/{runbook}.yaml"),
            text: self.texts[runbook].clone(),
            mode: Mode::Auto,
            by: Who::Automation,
            incident: Some(format!("INC-{}", self.begun)),
            parameters: BTreeMap::new(),
            labels: map(&[&labels[..], &[("datname", "fulfillment")]].concat()),
        };
        let event = Event { at: self.now.now, what };
        // Some are for other services.
        if let Ok(run) = Run::start(&event) {
            self.live.push(Live { run, journal: vec![event] });
        }
    }

    /// Does what is next in a run.
    fn turn(&mut self, index: usize, well: bool, first: bool) {
        self.now.now += TimeDelta::seconds(5);
        let what = match self.live[index].run.next() {
            Next::Decide { place, change, approved, undo } => {
                return self.decide(index, place, &change, (approved, undo), false);
            }
            Next::Approve(request) if well => What::Approved { by: "ben".to_owned(), digest: request.digest },
            Next::Approve(_) => What::Declined { by: "ben".to_owned(), why: "not now".to_owned() },
            Next::Look { place, call, until } => {
                let (expect, forks) = expect(&self.live[index].run, place, &call);
                let holds = if forks { first } else { well };
                let answer = if holds { expected(expect) } else { wrong(expect) };
                // What is waited for does not come.
                self.now.now = self.now.now.max(until.filter(|_| !holds).unwrap_or(self.now.now));
                What::Answered { place, answer }
            }
            Next::Act { place, begun: None, .. } => What::Begun { place, before: None },
            Next::Act { place, .. } => What::Done { place, ok: well, text: "done".to_owned() },
            next @ (Next::Confirm(_) | Next::Ended(_)) => panic!("{next:?}"),
        };
        self.keep(index, what);
    }

    fn decide(
        &mut self,
        index: usize,
        place: Place,
        change: &Change,
        (approved, undo): (bool, bool),
        again: bool,
    ) {
        let run = &self.live[index].run;
        let (id, runbook) = (run.id().to_owned(), run.plan().runbook.name.clone());
        let (incident, services) = (run.incident().map(str::to_owned), run.plan().services());
        let proposal = Proposal {
            run: &id,
            runbook: &runbook,
            incident: incident.as_deref(),
            services: &services,
            by: &Who::Automation,
            change,
            approved,
            undo,
        };
        let before = again.then(|| self.ledger.before(&id, change));
        let ledger = before.as_ref().unwrap_or(&self.ledger);
        let decision = decide(&self.rails, ledger, &self.now, &proposal);
        self.seen.nights += u32::from(decision.reasons.iter().any(|reason| reason.contains("quiet hours")));
        if decision.verdict == Verdict::Allow {
            self.book.allowed(&self.now, &proposal, again);
            self.seen.allowed += 1;
            self.seen.approved += u32::from(approved);
            self.seen.drained += u32::from(change.verb == Verb::Drain);
        }
        self.keep(index, What::Decided { place, decision });
    }

    /// Applies an event and keeps it, as a store does.
    fn keep(&mut self, index: usize, what: What) {
        let event = Event { at: self.now.now, what };
        let live = &mut self.live[index];
        if !live.run.is_news(&event) {
            return;
        }
        live.run.apply(&event).unwrap_or_else(|refused| panic!("{refused}"));
        let (id, how) = (live.run.id().to_owned(), live.run.end().map(|end| end.how));
        if let What::Done { place, ok, .. } = &event.what {
            let change = live.run.plan().change(*place).expect("an act");
            self.book.done(&id, change.verb, *ok);
        }
        let entries = noted(&live.run, &event);
        live.journal.push(event);
        let pages = entries.into_iter().filter_map(|entry| self.note(entry)).count();
        let opens = how.is_some_and(|how| {
            self.live.remove(index);
            self.book.over(&self.now, &id, how)
        });
        assert_eq!(pages, usize::from(opens), "a person is paged exactly when the breaker opens");
        self.seen.broken += u32::from(opens);
    }

    fn note(&mut self, noted: Noted) -> Option<String> {
        let page = self.ledger.note(&self.rails, self.now.speed, &noted);
        self.kept.push(noted);
        page
    }

    /// Off stops every run, as the control room does.
    fn switch(&mut self, on: bool) {
        let entry = Entry::Switched { on, by: "ada".to_owned(), why: "to see".to_owned() };
        assert_eq!(self.note(Noted { at: self.now.now, entry }), None);
        self.book.switch(on);
        if !on {
            self.stop_all();
        }
    }

    fn stop_all(&mut self) {
        for index in (0..self.live.len()).rev() {
            self.keep(index, What::Stopped { by: Who::Automation, why: "it is off".to_owned() });
        }
    }

    /// Only what was kept is left, and the first look at each run is that of a new process.
    fn kill(&mut self) {
        let mut ledger = Ledger::default();
        for noted in &self.kept {
            let _ = ledger.note(&self.rails, self.now.speed, noted);
        }
        assert_eq!(ledger, self.ledger);
        for live in &mut self.live {
            let run = Run::replay(&live.journal).unwrap_or_else(|refused| panic!("{refused}"));
            assert_eq!(run.next(), live.run.next());
            live.run = run;
        }
        if self.book.off {
            return self.stop_all();
        }
        for index in (0..self.live.len()).rev() {
            let undecided = self.live[index].run.undecided();
            if let Some(Next::Decide { place, change, approved, undo }) = undecided {
                self.seen.again += 1;
                self.decide(index, place, &change, (approved, undo), true);
            }
        }
    }
}

/// What is expected of an answer, and whether it chooses a branch: all branches of these runbooks ask the same.
fn expect<'r>(run: &'r Run, place: Place, call: &Call) -> (&'r Expect, bool) {
    if let Some((_, expect)) = run.plan().look(place) {
        return (expect, false);
    }
    let Place::Step(step) = place else { panic!("{place} asks nothing") };
    let mut branches = (0..8).filter_map(|branch| run.plan().condition(step, branch));
    let (_, expect) = branches.find(|(asked, _)| asked == call).expect("a branch");
    (expect, true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_interleaving_of_runs_exceeds_the_guardrails((hour, speed, steps) in story()) {
        let mut world = World::new(hour, speed);
        for step in &steps {
            world.apply(step);
        }
    }
}

#[test]
fn the_steps_lead_to_acts_drains_approvals_nights_open_breakers_and_decisions_after_a_kill() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

    let (mut runner, mut all) = (TestRunner::deterministic(), Vec::new());
    for hour in 0..24 {
        let steps = vec(step(), 100..200).new_tree(&mut runner).unwrap().current();
        let mut world = World::new(hour, if hour % 2 == 0 { 1 } else { 60 });
        steps.iter().for_each(|step| world.apply(step));
        all.push(world.seen);
    }
    let sum = |of: fn(&Seen) -> u32| all.iter().map(of).sum::<u32>();
    assert!(sum(|seen| seen.allowed) > 50, "{all:?}");
    let rare: [fn(&Seen) -> u32; 5] =
        [|one| one.drained, |one| one.approved, |one| one.nights, |one| one.broken, |one| one.again];
    assert!(rare.iter().all(|of| sum(*of) > 0), "{all:?}");
}
