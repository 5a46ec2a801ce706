//! What one step of an escalation writes, all in one transaction: the step, the notifications, what the timeline says.

use chrono::{DateTime, Utc};
use incident::{EntryKind, Incident, What};
use rota::{
    Due, Rota, Target,
    escalation::{Action, Event},
};

use super::{
    Look,
    course::NOBODY,
    records,
    summons::{ANSWER, Summons, service},
};
use crate::{Room, error::Result, store::Writing};

/// A step that is due.
pub(super) struct Step<'a> {
    pub(super) room: &'a Room,
    pub(super) rota: &'a Rota,
    pub(super) incident: &'a Incident,
    pub(super) look: &'a Look,
    pub(super) due: &'a Due,
    pub(super) now: DateTime<Utc>,
}

/// An entry about the escalation itself.
pub(super) fn note(at: DateTime<Utc>, text: String) -> What {
    What::Noted { kind: EntryKind::Escalation, happened_at: at, text, evidence: Vec::new(), sealed: false }
}

/// A target for people.
pub(super) fn described(target: &Target) -> String {
    match target {
        Target::Person(name) | Target::Schedule(name) => name.clone(),
        Target::RoundRobin(names) => names.join(", "),
    }
}

impl Step<'_> {
    /// Writes the rows; returns the events to write with them.
    pub(super) async fn write(&self, writing: &mut Writing<'_>) -> Result<Vec<What>> {
        records::keep_step(writing, self.look.id, self.due.step, self.now).await?;
        match &self.due.action {
            Action::Notify(target) => self.notify(writing, target).await,
            Action::Webhook(name) => self.call(writing, name).await,
        }
    }

    async fn notify(&self, writing: &mut Writing<'_>, target: &Target) -> Result<Vec<What>> {
        // Who is on call now: after a restart the step may be late.
        let people = self.rota.whom(target, self.now, self.due.turn);
        if people.is_empty() {
            return Ok(vec![note(self.now, format!("nobody is on call in {}", described(target)))]);
        }
        let mut what = Vec::new();
        if self.is_next_level() {
            what.push(What::Escalated { to: people.clone(), why: NOBODY.to_owned() });
        }
        let step = self.due.step.to_string();
        let summons = Summons {
            room: self.room,
            rota: self.rota,
            incident: self.incident,
            key: &step,
            step: Some(&step),
            now: self.now,
            why: "",
            next: ANSWER,
        };
        for person in people {
            what.extend(summons.write(writing, &person).await?);
        }
        Ok(what)
    }

    async fn call(&self, writing: &mut Writing<'_>, name: &str) -> Result<Vec<What>> {
        let Some(webhook) = self.rota.webhooks.get(name) else {
            let text = format!("the webhook {name} is not called: oncall.yaml has no such webhook any more");
            return Ok(vec![note(self.now, text)]);
        };
        service(writing, self.room, self.incident, &self.due.step.to_string(), webhook, self.now).await?;
        Ok(vec![note(self.now, format!("the webhook {name} is called"))])
    }

    /// Whether others were notified before and nobody acknowledged. If a person asked for this level, then that is in
    /// the timeline already.
    fn is_next_level(&self) -> bool {
        let generation = self.due.step.generation;
        let after = self.look.plan.as_ref().filter(|plan| plan.notified(generation, &self.look.sent));
        after.is_some_and(|plan| {
            let asked = Event::Escalated { at: self.due.at };
            !self.look.course.events.iter().any(|(seq, event)| *seq > plan.after && *event == asked)
        })
    }
}
