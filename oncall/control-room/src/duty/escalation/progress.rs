//! What people see of an escalation, and what they ask for: the next level at once, one person, or a response team.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use incident::{Event as Happened, Id, Incident, Role, Source, State, What};
use rota::{
    Due, Escalation, Rota,
    escalation::{Action, Event},
};
use serde::Serialize;

use super::{
    Look,
    step::described,
    summons::{ANSWER, Summons},
    tend,
};
use crate::{
    Room,
    duty::{Duty, views::known_person},
    error::{Error, Result},
    store::time::micros,
};

/// Rounds of gates and waits that are looked ahead; a policy has at most 500 steps and 6 rounds.
const AHEAD: usize = 3000;

/// What somebody does who gets a role.
const JOIN: &str = "Join the war room on its page.";

/// Where the escalation of an incident is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Name of the policy.
    pub policy: String,
    /// Where it is.
    pub state: rota::escalation::Progress,
    /// When somebody is notified next, if nobody acknowledges and no alert comes.
    pub next: Option<DateTime<Utc>>,
    /// Who that is, by the schedules of now.
    pub next_who: Vec<String>,
    /// Steps that were handed over for sending, oldest first.
    pub sent: Vec<(String, DateTime<Utc>)>,
}

impl Duty {
    /// Where the escalation of an incident is; none before it has begun, or if no policy is for it.
    ///
    /// # Errors
    /// When the store fails or there is no such incident.
    pub async fn progress(&self, room: &Room, id: Id) -> Result<Option<Progress>> {
        let now = Utc::now();
        let mut reader = room.store.read().acquire().await?;
        let look = Look::read(&mut reader, id).await?;
        drop(reader);
        let Some(escalation) = look.escalation(self.0.speed) else { return Ok(None) };
        let next = upcoming(&escalation, now);
        Ok(Some(Progress {
            policy: escalation.policy().name.clone(),
            state: escalation.progress(now),
            next: next.as_ref().map(|due| due.at),
            next_who: next.map_or_else(Vec::new, |due| who(&self.rota().rota, &due, due.at.max(now))),
            sent: look.sent.iter().map(|(step, at)| (step.to_string(), *at)).collect(),
        }))
    }

    /// Asks for the next level at once, acknowledged or not. It is notified as soon as the request is in the journal.
    ///
    /// # Errors
    /// When the incident is not active, no policy is for it, or the policy has no further level.
    pub async fn escalate(&self, room: &Room, id: Id, by: Source, why: &str) -> Result<Arc<Incident>> {
        let incident = room.desk.get(id).await?;
        pageable(&incident)?;
        let now = Utc::now();
        // It may have opened a moment ago, and no policy be chosen yet.
        tend(room, id, now).await?;
        let mut writing = room.store.begin().await?;
        let look = Look::read(&mut writing, id).await?;
        let Some(escalation) = look.escalation(self.0.speed) else {
            return Err(Error::Conflict(format!("no policy is followed for {id}: page a person by name")));
        };
        let mut ahead = escalation.clone();
        ahead.apply(&Event::Escalated { at: now });
        let waiting = escalation.due(now);
        let Some(due) = ahead.due(now).into_iter().find(|due| !waiting.contains(due)) else {
            let policy = &escalation.policy().name;
            return Err(Error::Conflict(format!(
                "the policy {policy} has no further level for {id}: page a person by name"
            )));
        };
        let to = who(&self.rota().rota, &due, now);
        let what = What::Escalated { to, why: why.to_owned() };
        room.desk.act_with(writing, id, by, vec![what]).await
    }

    /// Pages one person, whatever the policy says.
    ///
    /// # Errors
    /// When the incident is not active or there is no such person.
    pub async fn page(
        &self,
        room: &Room,
        id: Id,
        by: Source,
        person: &str,
        why: &str,
    ) -> Result<Arc<Incident>> {
        let incident = room.desk.get(id).await?;
        pageable(&incident)?;
        let state = self.rota();
        known_person(&state.rota, person)?;
        let now = Utc::now();
        let mut writing = room.store.begin().await?;
        let key = format!("by-hand-{}", micros(now));
        let (rota, incident) = (&state.rota, &incident);
        let summons = Summons { room, rota, incident, key: &key, step: None, now, why, next: ANSWER };
        let what = summons.write(&mut writing, person).await?;
        room.desk.act_with(writing, id, by, what).await
    }

    /// Records what a person does to an incident, and notifies everybody else who gets a role by it, on all of their contact
    /// points: a response team that nobody tells is none.
    ///
    /// # Errors
    /// [`Error::NoSuch`] for a person whom the file does not have, [`Error::Refused`], or when the store fails. Nothing is
    /// recorded then, and nobody is notified.
    pub async fn assign(&self, room: &Room, id: Id, by: Source, what: Vec<What>) -> Result<Arc<Incident>> {
        let (before, state, now) = (room.desk.get(id).await?, self.rota(), Utc::now());
        // As it will be: who is called to a major incident reads that it is one.
        let mut after = (*before).clone();
        for what in &what {
            let event = Happened { at: now.max(after.updated_at), by: by.clone(), what: what.clone() };
            after.apply(&event)?;
        }
        let mut writing = room.store.begin().await?;
        for (role, person) in called(&before, &by, &what) {
            // Without the file nobody is known, and people still take roles.
            if !state.rota.people.is_empty() {
                known_person(&state.rota, person)?;
            }
            let key = format!("{role}-{}", micros(now));
            let why = format!("{} needs you as {role}", by.name());
            let (rota, incident, key, why) = (&state.rota, &after, &*key, &*why);
            let summons = Summons { room, rota, incident, key, step: None, now, why, next: JOIN };
            summons.tell(&mut writing, person).await?;
        }
        room.desk.act_with(writing, id, by, what).await
    }
}

/// Who gets a role by these events that they did not have, and does not take it themselves.
fn called<'w>(before: &Incident, by: &Source, what: &'w [What]) -> Vec<(Role, &'w str)> {
    let new = |what: &'w What| match what {
        What::Assigned { role, person } if person != by.name() && before.roles.get(role) != Some(person) => {
            Some((*role, person.as_str()))
        }
        _ => None,
    };
    what.iter().filter_map(new).collect()
}

/// Refuses to page about an incident that does not hurt anybody any more.
fn pageable(incident: &Incident) -> Result<()> {
    if matches!(incident.state, State::Triage | State::Active) {
        return Ok(());
    }
    let way = match incident.state {
        State::Mitigated => "make it active again first",
        other => other.way_on(),
    };
    let (id, state) = (incident.id, incident.state);
    Err(Error::Conflict(format!("{id} is {state}, so nobody is paged for it: {way}")))
}

/// The next step that is not sent yet, now or later.
fn upcoming(escalation: &Escalation, now: DateTime<Utc>) -> Option<Due> {
    let mut at = now;
    for _ in 0..AHEAD {
        if let Some(due) = escalation.due(at).into_iter().next() {
            return Some(due);
        }
        at = escalation.next(at)?;
    }
    None
}

/// Whom a step notifies, for people.
fn who(rota: &Rota, due: &Due, at: DateTime<Utc>) -> Vec<String> {
    match &due.action {
        Action::Webhook(name) => vec![format!("webhook {name}")],
        Action::Notify(target) => {
            let people = rota.whom(target, at, due.turn);
            if people.is_empty() { vec![format!("nobody in {}", described(target))] } else { people }
        }
    }
}
