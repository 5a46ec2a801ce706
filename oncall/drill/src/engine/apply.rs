//! What each event changes. An event that makes no sense now changes nothing: a journal is never refused.

use chrono::{DateTime, Utc};

use super::{
    Action, Event, Notice, Phase, Run, Verdict, What,
    conditions::id,
    plan::{DRAINED, FIREWALL, OVER, PROTECTIONS},
};
use crate::Act;

impl Run {
    /// Takes an event. One that is older than what is known counts as of the newest known time.
    pub fn apply(&mut self, event: &Event) {
        self.advance(event.at);
        let at = self.now;
        match &event.what {
            What::Done { action } => self.done(action, at),
            What::Failed { action, why } => self.failed(action, why, at),
            What::Looked { look, holds, seen } => {
                self.watches.look(look, *holds, at, seen);
                if !holds {
                    self.again(look, event.at);
                }
            }
            What::Notified { alert, service, page, firing } => {
                let (alert, service) = (alert.clone(), service.clone());
                // As it was told: a page counts from when it came, not from when it was noted here.
                self.notified(Notice { at: event.at, alert, service, page: *page, firing: *firing });
            }
            What::Aborted { why } => self.abort(why, at),
            What::Burned { share } => self.record.burned = Some(*share),
            _ => self.respond(&event.what, at),
        }
        self.settle();
    }

    /// What a responder does; only while the drill runs.
    fn respond(&mut self, what: &What, at: DateTime<Utc>) {
        if !(Phase::Observe..=Phase::Recover).contains(&self.phase) {
            return;
        }
        let record = &mut self.record;
        match what {
            What::Noticed => {
                record.noticed.get_or_insert(at);
            }
            What::Acknowledged => {
                record.acknowledged.get_or_insert(at);
            }
            What::Hint => record.hints = (record.hints + 1).min(self.drill.hints.len()),
            What::Answered { answers } => record.answers = Some(answers.clone()),
            What::Updated { .. } => record.updates.push(at),
            What::Acted { act } => {
                record.acts.push((at, act.clone()));
                if self.responder().is_some() {
                    self.disturbed(act, at);
                } else {
                    self.acted(act, at);
                }
            }
            What::Submitted => {
                record.submitted.get_or_insert(at);
            }
            _ => {}
        }
    }

    fn done(&mut self, action: &str, at: DateTime<Utc>) {
        // Only what was planned: an unknown id means nothing, and one of an earlier phase may come late.
        let planned = self.planned().into_iter().find(|due| due.id == action);
        if planned.is_none() {
            self.late(action);
            return;
        }
        if self.done.contains_key(action) {
            return;
        }
        self.done.insert(action.to_owned(), at);
        let set = (0..self.faults.len()).find(|index| is_fault(action, *index));
        if let Some(index) = set
            && let Some(state) = self.faults.get_mut(index)
        {
            state.set.get_or_insert(at);
            self.injected.get_or_insert(at);
        }
        let over = (0..self.faults.len()).find(|index| action == id(OVER, *index));
        if let Some(index) = over
            && let Some(state) = self.faults.get_mut(index)
        {
            state.ended = true;
        }
        if let Some(Action::Act { act }) = planned.map(|due| due.action) {
            self.acted(&act, at);
        }
    }

    /// A fault that was set while the reset ran has to be ended again.
    fn late(&mut self, action: &str) {
        if self.phase != Phase::Reset {
            return;
        }
        for index in 0..self.faults.len() {
            if is_fault(action, index) {
                self.done.remove(&id("reset-fault", index));
            }
        }
    }

    /// What the reset did not reach is done once more: a request that was still under way may have set a fault after
    /// the reset had ended it, and somebody may have switched a protection off or drained a replica meanwhile. What was
    /// seen before the reset did its part says nothing.
    fn again(&mut self, look: &str, seen: DateTime<Utc>) {
        if self.phase != Phase::Reset {
            return;
        }
        let faults = || (0..self.faults.len()).map(|index| id("reset-fault", index));
        let missed: Vec<String> = match look {
            "no-fault" => faults().collect(),
            "firewall" => faults().chain([FIREWALL.to_owned()]).collect(),
            "drained" => vec![DRAINED.to_owned()],
            "protections" => vec![PROTECTIONS.to_owned()],
            _ => return,
        };
        self.done.retain(|action, at| *at >= seen || !missed.contains(action));
    }

    fn failed(&mut self, action: &str, why: &str, at: DateTime<Utc>) {
        let Some(due) = self.planned().into_iter().find(|due| due.id == action) else { return };
        let verdict = match due.action {
            // What ends something is tried until it works.
            _ if self.phase == Phase::Reset || self.done.contains_key(action) => return,
            Action::EndFault { .. }
            | Action::WithdrawRule { .. }
            | Action::StartPart { .. }
            | Action::UndoScript { .. }
            | Action::RestoreFirewall
            | Action::Undrain
            | Action::EndSilences
            | Action::RestoreProtections
            | Action::RestoreReplicas { .. } => return,
            Action::RecordChange { .. } | Action::Say { .. } | Action::Act { .. } => Verdict::Failed,
            Action::ForgetHistory
            | Action::SetLoad { .. }
            | Action::SetFault { .. }
            | Action::PushRule { .. }
            | Action::StopPart { .. }
            | Action::RunScript { .. }
            | Action::SwitchProtection { .. } => Verdict::Invalid,
        };
        let condition = format!("the action {action} is done");
        let query = format!("{:?}", due.action);
        self.failures.push(self.failure(&condition, &query, "done", why, at));
        self.end(verdict, at);
    }

    fn notified(&mut self, notice: Notice) {
        if !(Phase::Observe..=Phase::Recover).contains(&self.phase) {
            return;
        }
        self.unwanted(&notice);
        self.notices.push(notice);
    }

    /// Somebody changed the system while the drill was proven: whatever is seen from here on proves nothing.
    fn disturbed(&mut self, act: &Act, at: DateTime<Utc>) {
        let seen = act.to_string();
        self.failures.push(self.failure("nobody else changes the system", "", "no action", &seen, at));
        self.end(Verdict::Invalid, at);
    }

    fn abort(&mut self, why: &str, at: DateTime<Utc>) {
        if self.phase >= Phase::Reset {
            return;
        }
        self.failures.push(self.failure("the run continues", "", "no reason to stop", why, at));
        self.end(Verdict::Aborted, at);
    }

    /// What an action does to the faults.
    pub(super) fn acted(&mut self, act: &Act, at: DateTime<Utc>) {
        let drill = self.drill.clone();
        let accepted: Vec<_> = drill.mitigations.accepted.iter().filter(|one| one.act == *act).collect();
        if !accepted.is_empty() {
            self.helped.get_or_insert(at);
        }
        let is_surge =
            |name: &&String| drill.load.surges.iter().any(|surge| surge.name.as_ref() == Some(*name));
        for name in accepted.iter().flat_map(|one| &one.ends).filter(is_surge) {
            self.calmed.entry(name.clone()).or_insert(at);
        }
        match act {
            Act::Protect { service, protection, on } => {
                let key = (service.clone(), protection.clone());
                if *on {
                    self.restored.insert(key);
                } else {
                    self.restored.remove(&key);
                }
            }
            // A process starts with all of its protections.
            Act::Restart { service } => {
                for (index, weak) in drill.weakened.iter().enumerate() {
                    // All replicas, or the one without it.
                    if weak.service == *service || weak.target() == *service {
                        self.done.remove(&id("weaken", index));
                    }
                }
            }
            _ => {}
        }
        for (fault, state) in drill.faults.iter().zip(&mut self.faults) {
            // All replicas, or the one that has it; or one of those that have it, and the others keep it.
            let (restarts, partly) = match act {
                Act::Restart { service } => {
                    (*service == fault.service || *service == fault.target(), fault.is_in(service))
                }
                _ => (false, false),
            };
            if accepted.iter().any(|one| one.ends.contains(&fault.name)) {
                (state.ended, state.by_action) = (true, true);
            } else if (restarts || partly) && !state.ended && state.set.is_some() {
                if fault.survives_restart {
                    state.generation += 1;
                    state.again = Some(at);
                } else if restarts {
                    state.ended = true;
                }
            }
        }
    }

    /// Begins the reset.
    pub(super) fn end(&mut self, verdict: Verdict, at: DateTime<Utc>) {
        if self.phase >= Phase::Reset {
            return;
        }
        self.verdict.get_or_insert(verdict);
        self.go(Phase::Reset, at);
    }
}

/// Whether an action sets the fault with this index, for the first time or again.
fn is_fault(action: &str, index: usize) -> bool {
    action.strip_prefix(&id("fault", index)).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
