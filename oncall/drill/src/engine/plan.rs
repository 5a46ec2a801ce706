//! What is due, and since when: the story of the drill, the steps of the phase, and the reset.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Action, Due, Mode, Phase, Responder, Run, conditions::id};
use crate::{
    Act,
    model::{Fault, FaultKind, Step, Surge},
};

/// What a plan of a fault may last at most.
const LONGEST: Duration = Duration::from_secs(3600);
/// Room for the actions and for slow looks, should a run need longer than it says.
const ROOM: Duration = Duration::from_secs(120);

/// The action of the reset that switches protections on.
pub(super) const PROTECTIONS: &str = "reset-protections";
/// The action of the reset that takes back what was set in the firewall.
pub(super) const FIREWALL: &str = "reset-firewall";
/// The action of the reset that puts drained replicas back.
pub(super) const DRAINED: &str = "reset-drained";

/// The action of the story that ends a fault which is over by itself.
pub(super) const OVER: &str = "fault-over";
/// How the action begins that ends a surge, because of a response; its name follows.
const CALM: &str = "calm[";

/// A time after another.
pub(super) fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl Run {
    /// Every action of the present phase, in the order in which it is done, done or not.
    pub(super) fn planned(&self) -> Vec<Due> {
        match self.phase {
            Phase::Baseline => self.prepare(),
            Phase::Observe => self.story(),
            Phase::Wrong(_) | Phase::Solve(_) => {
                let mut all = self.story();
                all.extend(self.step());
                all
            }
            Phase::Recover => {
                let stays = |due: &Due| goes_on(&due.id) || self.is_lasting(&due.id);
                self.story().into_iter().filter(stays).collect()
            }
            Phase::Reset => self.reset(),
            Phase::Finished => Vec::new(),
        }
    }

    /// Ids of the actions of the present phase that are not known to be done.
    pub(super) fn undone(&self) -> Vec<String> {
        let open = self.planned().into_iter().filter(|due| !self.done.contains_key(&due.id));
        open.map(|due| due.id).collect()
    }

    fn set_load(&self, rps: u32) -> Action {
        Action::SetLoad { scenario: self.drill.load.scenario.clone(), rps }
    }

    fn prepare(&self) -> Vec<Due> {
        let at = self.start.at;
        let load = self.set_load(self.drill.load.rps);
        vec![
            Due { id: "forget".to_owned(), at, action: Action::ForgetHistory },
            Due { id: "set-load".to_owned(), at, action: load },
        ]
    }

    /// What the drill does by itself, in the order of time.
    pub(super) fn story(&self) -> Vec<Due> {
        let Some(begun) = self.begun else { return Vec::new() };
        let drill = &*self.drill;
        let (mut all, lead) = (Vec::new(), self.lead());
        let mut add = |id: String, after: Duration, action: Action| {
            all.push(Due { id, at: later(begun, after.saturating_sub(lead)), action });
        };
        for (index, weak) in drill.weakened.iter().enumerate() {
            let protection = || weak.protection.clone();
            if !self.restored.contains(&(weak.service.clone(), protection())) {
                let (service, protection) = (weak.target(), protection());
                let action = Action::SwitchProtection { service, protection, on: false };
                add(id("weaken", index), Duration::ZERO, action);
            }
        }
        for (index, change) in drill.changes.iter().enumerate() {
            let action = Action::RecordChange {
                name: change.name.clone(),
                change: change.kind,
                service: change.service.clone(),
                text: change.text.clone(),
            };
            add(id("change", index), change.after, action);
        }
        for (index, noise) in drill.noise.iter().enumerate() {
            let (service, text) = (noise.service.clone(), noise.text.clone());
            let action = match (noise.change, noise.name.clone()) {
                (Some(change), Some(name)) => {
                    Action::RecordChange { name, change, service: service.unwrap_or_default(), text }
                }
                _ => Action::Say { service, text },
            };
            add(id("noise", index), noise.after, action);
        }
        let is_calmed =
            |surge: &Surge| surge.name.as_ref().is_some_and(|name| self.calmed.contains_key(name));
        let surges = drill.load.surges.iter().enumerate();
        for (index, surge) in surges.filter(|(_, surge)| !is_calmed(surge)) {
            add(id("surge", index), surge.after, self.set_load(surge.rps));
            add(id("surge-end", index), surge.after + surge.lasts, self.set_load(drill.load.rps));
        }
        // Whether one of its surges was under way or not: callers send what they did before.
        all.extend(self.calmed.iter().map(|(name, at)| Due {
            id: format!("{CALM}{name}]"),
            at: *at,
            action: self.set_load(drill.load.rps),
        }));
        all.extend(self.faults(begun, lead));
        // Stable: what belongs to the same instant stays in the order from above.
        all.sort_by_key(|due| due.at);
        all
    }

    /// Whether an action of the story belongs to a surge that a response ends: there may be many, and a verification does
    /// not wait for all of them.
    pub(super) fn is_lasting(&self, action: &str) -> bool {
        let is = |index: usize| action == id("surge", index) || action == id("surge-end", index);
        self.drill.load.surges.iter().enumerate().any(|(index, surge)| surge.lasting && is(index))
    }

    /// How much earlier the story of a verification comes: it begins with its first fault or surge, or with what is to
    /// be seen before it. The time until then is for a person, who looks around; it proves nothing.
    fn lead(&self) -> Duration {
        let drill = &*self.drill;
        let fault = drill.faults.iter().map(|fault| fault.after).min();
        let surges = drill.load.surges.iter().map(|surge| surge.after);
        let first = fault.map(|fault| surges.fold(fault, Duration::min));
        first.filter(|_| self.responder().is_some()).unwrap_or_default()
    }

    fn faults(&self, begun: DateTime<Utc>, lead: Duration) -> Vec<Due> {
        let mut all = Vec::new();
        for (index, (fault, state)) in self.drill.faults.iter().zip(&self.faults).enumerate() {
            let at = later(begun, fault.after.saturating_sub(lead));
            if state.ended {
                // Without this, a fault that an action ended would stay set until the reset.
                if state.by_action {
                    let action = end_fault(fault);
                    all.push(Due { id: id("fault-end", index), at: self.since, action });
                }
                continue;
            }
            // What is over by itself is over for good, however often it was set again.
            if let (Some(lasts), Some(set)) = (fault.lasts, state.set) {
                let action = end_fault(fault);
                all.push(Due { id: id(OVER, index), at: later(set, lasts), action });
            }
            // After a restart that the cause survives, it is set again, as a new action.
            let id = match state.generation {
                0 => id("fault", index),
                generation => format!("{}.{generation}", id("fault", index)),
            };
            all.push(Due { id, at: state.again.unwrap_or(at), action: self.set_fault(index, fault) });
        }
        all
    }

    fn set_fault(&self, index: usize, fault: &Fault) -> Action {
        let (service, name) = (fault.target(), fault.fault.clone());
        match fault.kind {
            FaultKind::Rule => Action::PushRule { service, rule: name, way: fault.way },
            FaultKind::Part => Action::StopPart { part: service, ttl: self.longest() },
            FaultKind::Script => Action::RunScript { script: name },
            FaultKind::Point => Action::SetFault {
                service,
                fault: name,
                parameters: fault.parameters.clone(),
                seed: self.start.seed.wrapping_add(index as u64),
                ttl: self.longest(),
            },
        }
    }

    /// The longest that a run can take from the injection on: then every fault ends by itself.
    pub(super) fn longest(&self) -> Duration {
        let drill = &*self.drill;
        let response = match &self.start.mode {
            Mode::Person { .. } => drill.time_box,
            Mode::Verify { .. } => {
                let wrong = drill.mitigations.wrong.iter().filter_map(|wrong| wrong.proof.as_ref());
                let wrong: Duration = wrong.map(|proof| proof.after + super::ACT).sum();
                let solve: Duration = drill.solve.iter().map(step_time).sum();
                self.observation() + wrong + solve
            }
        };
        (response + drill.oracle.within + ROOM).min(LONGEST)
    }

    /// The action of a step of the verification.
    fn step(&self) -> Option<Due> {
        let (id, act) = match self.phase {
            Phase::Wrong(index) => (id("wrong", index), self.drill.mitigations.wrong.get(index)?.act.clone()),
            Phase::Solve(index) if self.responder() == Some(Responder::RestartAll) => {
                let service = self.start.services.get(index)?.clone();
                (id("restart", index), Act::Restart { service })
            }
            Phase::Solve(index) => match self.drill.solve.get(index)? {
                Step::Act(act) => (id("solve", index), act.clone()),
                Step::Wait(_) | Step::Until { .. } => return None,
            },
            _ => return None,
        };
        Some(Due { id, at: self.since, action: Action::Act { act } })
    }

    /// Everything back as it was. Every fault is ended, also one that is not known to be set.
    fn reset(&self) -> Vec<Due> {
        let at = self.since;
        let drill = &*self.drill;
        let mut all = Vec::new();
        for (index, fault) in drill.faults.iter().enumerate() {
            all.push(Due { id: id("reset-fault", index), at, action: end_fault(fault) });
        }
        all.push(Due { id: FIREWALL.to_owned(), at, action: Action::RestoreFirewall });
        all.push(Due { id: DRAINED.to_owned(), at, action: Action::Undrain });
        all.push(Due { id: PROTECTIONS.to_owned(), at, action: Action::RestoreProtections });
        for (index, (service, replicas)) in self.start.replicas.iter().enumerate() {
            let action = Action::RestoreReplicas { service: service.clone(), replicas: *replicas };
            all.push(Due { id: id("reset-replicas", index), at, action });
        }
        all.push(Due { id: "reset-load".to_owned(), at, action: self.set_load(drill.load.rps) });
        all.push(Due { id: "reset-silences".to_owned(), at, action: Action::EndSilences });
        all
    }
}

fn end_fault(fault: &Fault) -> Action {
    let (service, name) = (fault.target(), fault.fault.clone());
    match fault.kind {
        FaultKind::Point => Action::EndFault { service, fault: name },
        FaultKind::Rule => Action::WithdrawRule { service, rule: name },
        FaultKind::Part => Action::StartPart { part: service },
        FaultKind::Script => Action::UndoScript { script: name },
    }
}

/// Whether an action of the story is done even after the response: what ends something, and a cause that survived the
/// last restart.
fn goes_on(id: &str) -> bool {
    id.starts_with("fault-end")
        || id.starts_with(OVER)
        || id.starts_with("surge-end")
        || id.starts_with(CALM)
        || (id.starts_with("fault[") && id.contains("]."))
}

fn step_time(step: &Step) -> Duration {
    match step {
        Step::Act(_) => super::ACT,
        Step::Wait(time) => *time,
        Step::Until { within, .. } => *within,
    }
}
