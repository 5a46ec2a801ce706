//! A lab that exists only in the test: it does what a run wants, second by second, and answers what it asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use drill::{
    Act, Action, Ask, Drill, Event, Look, Mode, Outcome, Phase, Run, What,
    engine::{Responder, Start},
    model::Way,
};

pub(crate) fn beginning() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().expect("a time")
}

pub(crate) fn verify(responder: Responder) -> Mode {
    Mode::Verify { responder }
}

pub(crate) fn person() -> Mode {
    Mode::Person { name: "ada".to_owned() }
}

pub(crate) fn start(mode: Mode) -> Start {
    let services = ["order-api", "order-worker", "user-service"].map(str::to_owned).to_vec();
    let replicas = BTreeMap::from([("order-worker".to_owned(), 2)]);
    Start { at: beginning(), mode, seed: 7, services, replicas, seen: false, follows: None, variant: None }
}

/// The lab, and what is wrong with it.
pub(crate) struct Lab {
    pub(crate) run: Run,
    pub(crate) now: DateTime<Utc>,
    pub(crate) events: Vec<Event>,
    /// Faults that are set, and since when.
    pub(crate) active: BTreeMap<(String, String), DateTime<Utc>>,
    /// Protections that are off.
    pub(crate) off: BTreeSet<(String, String)>,
    /// Rules that were pushed, and whether a firewall is off.
    pub(crate) rules: BTreeSet<String>,
    pub(crate) killed: bool,
    /// How often drained replicas have to be put back until none is left.
    pub(crate) drained: u32,
    pub(crate) load: u32,
    /// How many replicas a service has, where that was changed.
    pub(crate) replicas: BTreeMap<String, u32>,
    /// Every phase that was seen.
    pub(crate) phases: Vec<Phase>,
    /// Faults that were ever set.
    pub(crate) set: usize,
    /// An alert fires that has nothing to do with the drill.
    pub(crate) sick: bool,
    /// Signals do not show.
    pub(crate) blind: bool,
    /// Nobody is paged.
    pub(crate) silent: bool,
    /// A restart of order-api repairs it.
    pub(crate) heals: bool,
    paged: bool,
}

impl Lab {
    pub(crate) fn new(drill: Drill, mode: Mode) -> Self {
        Self {
            run: Run::new(Arc::new(drill), start(mode)),
            now: beginning(),
            events: Vec::new(),
            active: BTreeMap::new(),
            off: BTreeSet::new(),
            rules: BTreeSet::new(),
            killed: false,
            drained: 0,
            load: 0,
            replicas: BTreeMap::new(),
            phases: vec![Phase::Baseline],
            set: 0,
            sick: false,
            blind: false,
            silent: false,
            heals: false,
            paged: false,
        }
    }

    pub(crate) fn event(&mut self, what: What) {
        let event = Event { at: self.now, by: "lab".to_owned(), what };
        self.run.apply(&event);
        self.events.push(event);
        self.note();
    }

    fn note(&mut self) {
        let phase = self.run.phase(self.now);
        if self.phases.last() != Some(&phase) {
            self.phases.push(phase);
        }
    }

    /// A second passes.
    pub(crate) fn tick(&mut self) {
        self.now += TimeDelta::seconds(1);
        // Time alone may have ended a phase.
        self.note();
        for due in self.run.due(self.now) {
            self.perform(&due.action);
            self.event(What::Done { action: due.id });
        }
        if !self.paged && !self.silent && self.ill(3) {
            self.paged = true;
            self.notify("OrderAvailabilityBudgetBurn", true);
        }
        for look in self.run.looks(self.now) {
            let holds = self.answer(&look);
            self.event(What::Looked { look: look.id, holds, seen: if holds { "1" } else { "" }.to_owned() });
        }
    }

    pub(crate) fn ticks(&mut self, seconds: usize) {
        for _ in 0..seconds {
            self.tick();
        }
    }

    /// Until this phase, or a later one.
    pub(crate) fn until(&mut self, phase: Phase) {
        for _ in 0..2000 {
            if self.run.phase(self.now) >= phase {
                return;
            }
            self.tick();
        }
        panic!("{phase} never came: {:?}", self.run.phase(self.now));
    }

    pub(crate) fn finish(&mut self) -> Outcome {
        self.until(Phase::Finished);
        self.run.outcome().expect("a finished run has an outcome")
    }

    pub(crate) fn notify(&mut self, alert: &str, page: bool) {
        let (alert, service) = (alert.to_owned(), "order-api".to_owned());
        self.event(What::Notified { alert, service, page, firing: true });
    }

    /// A responder does something.
    pub(crate) fn act(&mut self, act: Act) {
        self.perform(&Action::Act { act: act.clone() });
        self.event(What::Acted { act });
    }

    /// Whether something has been broken for so long.
    fn ill(&self, seconds: i64) -> bool {
        self.active.values().any(|since| self.now - *since >= TimeDelta::seconds(seconds))
    }

    fn perform(&mut self, action: &Action) {
        match action {
            Action::SetLoad { rps, .. } => self.load = *rps,
            Action::SwitchProtection { service, protection, on } => {
                self.switch(service.clone(), protection.clone(), *on);
            }
            Action::RestoreProtections => self.off.clear(),
            Action::Act { act: Act::Scale { service, replicas } }
            | Action::RestoreReplicas { service, replicas } => {
                self.replicas.insert(service.clone(), *replicas);
            }
            Action::SetFault { service, fault, .. } => {
                self.set += 1;
                if !(self.heals && self.set > 2) {
                    self.active.insert((service.clone(), fault.clone()), self.now);
                }
            }
            Action::EndFault { service, fault } => {
                self.active.remove(&(service.clone(), fault.clone()));
            }
            // What stops a push has stopped it when it is done.
            Action::PushRule { way: Way::OneFirst(_) | Way::Staged, .. } => {}
            Action::PushRule { service, rule, way: Way::AtOnce } => {
                self.set += 1;
                self.rules.insert(rule.clone());
                self.active.insert((service.clone(), rule.clone()), self.now);
            }
            Action::WithdrawRule { service, rule } => {
                self.rules.remove(rule);
                self.active.remove(&(service.clone(), rule.clone()));
            }
            Action::StopPart { part, .. } => {
                self.set += 1;
                self.active.insert((part.clone(), "stopped".to_owned()), self.now);
            }
            Action::StartPart { part } | Action::Act { act: Act::Start { part } } => {
                self.active.remove(&(part.clone(), "stopped".to_owned()));
            }
            Action::RestoreFirewall => {
                self.killed = false;
                self.rules.clear();
            }
            Action::Act { act: Act::Firewall { on, service } } => {
                self.killed = !on;
                if self.killed {
                    self.active.retain(|(of, _), _| of != service);
                }
            }
            Action::Act { act: Act::Restart { service } } => {
                self.active.retain(|(of, _), _| of != service);
                self.off.retain(|(of, _)| !is_of(of, service));
            }
            Action::Act { act: Act::Protect { service, protection, on } } => {
                self.switch(service.clone(), protection.clone(), *on);
            }
            Action::Act { act: Act::Rule { service, rule, .. } } => {
                self.active.remove(&(service.clone(), rule.clone()));
            }
            Action::Act { act: Act::Load { rps } } => self.load = *rps,
            _ => self.rest(action),
        }
    }

    fn rest(&mut self, action: &Action) {
        let place = |script: &String| ("postgres".to_owned(), script.clone());
        match action {
            Action::RunScript { script } => {
                self.set += 1;
                self.active.insert(place(script), self.now);
            }
            Action::UndoScript { script } => {
                self.active.remove(&place(script));
            }
            Action::Undrain => self.drained = self.drained.saturating_sub(1),
            _ => {}
        }
    }

    fn switch(&mut self, service: String, protection: String, on: bool) {
        if on {
            self.off.retain(|(of, name)| !is_of(of, &service) || *name != protection);
        } else {
            self.off.insert((service, protection));
        }
    }

    fn answer(&self, look: &Look) -> bool {
        match &look.ask {
            Ask::Query { .. } if look.id.starts_with("sli") => !self.ill(2),
            Ask::Query { .. } if look.id.starts_with("baseline") => true,
            Ask::Query { .. } if look.id.starts_with("abort") => false,
            Ask::Query { .. } => self.ill(2) && !self.blind,
            Ask::NoAlert { .. } => !self.sick && !self.ill(2),
            Ask::NoFault => self.active.is_empty(),
            Ask::Firewall { without } => {
                !self.killed && without.iter().all(|rule| !self.rules.contains(rule))
            }
            Ask::NoneDrained => self.drained == 0,
            Ask::ProtectionsOn { except } => self
                .off
                .iter()
                .all(|(of, name)| except.iter().any(|(service, known)| is_of(of, service) && name == known)),
            Ask::LoadAtBaseline { rps } => self.load == *rps,
            Ask::Invariant { .. } => true,
        }
    }
}

/// Whether something is a service, or one of its replicas.
fn is_of(target: &str, service: &str) -> bool {
    let rest = target.strip_prefix(service).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}
