//! The escalation of incidents: what is due by the tables, one transaction for each thing that is done.
//!
//! * `course`, `plan` -- pure: what the journal means, and which policy is followed.
//! * `records`, `step` -- the rows, and the transaction that hands a step over for sending.
//! * `progress` -- what people see of it, and what they ask for.
//!
//! Each transaction reads everything again before it writes, so that an acknowledgement that comes first wins, and a
//! crash at any point is followed by the same next transaction.

mod course;
mod plan;
mod progress;
mod records;
mod step;
mod summons;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use incident::{Id, Source, What};
use rota::{Due, Escalation, Rota};
use sqlx::SqliteConnection;

use self::{
    course::Course,
    plan::{Plan, Sent},
};
use crate::{
    Room,
    error::{Error, Result},
};

pub use self::progress::Progress;

/// When to look at an incident again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The next instant at which something may be due, if no event comes.
    pub at: Option<DateTime<Utc>>,
    /// Whether alerts can make something due, too.
    pub alerts: bool,
}

/// Does everything that is due about an incident at `now`, one transaction for each, and says when to look again.
///
/// # Errors
/// When the store fails or there is no such incident. What was done before stays done.
pub async fn tend(room: &Room, id: Id, now: DateTime<Utc>) -> Result<Next> {
    loop {
        let mut reader = room.store.read().acquire().await?;
        let look = Look::read(&mut reader, id).await?;
        // Before anything is written: in memory there is only one connection.
        drop(reader);
        // The first page is part of what a verification proves. Nobody will acknowledge it, and nobody has to.
        if !look.sent.is_empty() && room.drills.rehearses(room.desk.get(id).await?.as_ref()) {
            return Ok(Next { at: None, alerts: false });
        }
        if let Todo::Nothing(next) = look.todo(&room.duty.rota().rota, room.duty.0.speed, now) {
            return Ok(next);
        }
        advance(room, id, now).await?;
    }
}

/// Does the first thing that is due, if it still is.
async fn advance(room: &Room, id: Id, now: DateTime<Utc>) -> Result<()> {
    let incident = room.desk.get(id).await?;
    let state = room.duty.rota();
    let mut writing = room.store.begin().await?;
    let look = Look::read(&mut writing, id).await?;
    let what = match look.todo(&state.rota, room.duty.0.speed, now) {
        Todo::Nothing(_) => return Ok(()),
        Todo::Follow(plan) => {
            records::keep_plan(&mut writing, id, &plan).await?;
            if plan.policy.is_some() {
                writing.commit(&room.bus).await?;
                return Ok(());
            }
            vec![step::note(now, format!("nobody is paged: oncall.yaml has no policy for {}", plan.severity))]
        }
        Todo::Expire => vec![What::AcknowledgementExpired],
        Todo::Step(due) => {
            let step =
                step::Step { room, rota: &state.rota, incident: &incident, look: &look, due: &due, now };
            step.write(&mut writing).await?
        }
    };
    room.desk.act_with(writing, id, Source::ControlRoom, what).await?;
    Ok(())
}

/// What there is to do.
#[derive(Debug, PartialEq)]
enum Todo {
    /// Nothing now.
    Nothing(Next),
    /// Follow this plan from now on.
    Follow(Plan),
    /// Write down that the acknowledgement has expired.
    Expire,
    /// Hand over this step.
    Step(Due),
}

/// Everything that the tables know about the escalation of an incident.
#[derive(Debug, Clone)]
struct Look {
    id: Id,
    course: Course,
    plan: Option<Plan>,
    sent: Vec<Sent>,
}

impl Look {
    async fn read(connection: &mut SqliteConnection, id: Id) -> Result<Self> {
        let events = records::events(connection, id).await?;
        let mut course = Course::of(&events).ok_or(Error::NoIncident(id))?;
        let plan = records::plan(connection, id).await?;
        if plan.as_ref().is_some_and(Plan::counts_alerts) {
            course.events.extend(records::alerts(connection, id).await?);
            course.events.sort_by_key(|(seq, _)| *seq);
        }
        let sent = records::sent(connection, id).await?;
        Ok(Self { id, course, plan, sent })
    }

    /// The escalation by the stored plan.
    fn escalation(&self, speed: u32) -> Option<Escalation> {
        self.plan.as_ref()?.escalation(self.id, &self.course, &self.sent, speed)
    }

    fn todo(&self, rota: &Rota, speed: u32, now: DateTime<Utc>) -> Todo {
        let nothing = Todo::Nothing(Next { at: None, alerts: false });
        if !self.course.pages() {
            return nothing;
        }
        if let Some(plan) = Plan::instead(self.plan.as_ref(), &self.course, &self.sent, rota, now) {
            return Todo::Follow(plan);
        }
        let Some((plan, escalation)) = self.plan.as_ref().zip(self.escalation(speed)) else { return nothing };
        let over = |acknowledged| plan.outlives(acknowledged) || escalation.expired(now);
        if self.course.acknowledged.is_some_and(over) {
            return Todo::Expire;
        }
        match escalation.due(now).into_iter().next() {
            Some(due) => Todo::Step(due),
            None => Todo::Nothing(Next { at: escalation.next(now), alerts: plan.counts_alerts() }),
        }
    }
}
