//! When to look at which incident: on news about it, at its time, and at everything that is open after a start.
//!
//! What is in memory here is only when to look again. What is due follows from the tables each time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use incident::Id;
use tokio::sync::broadcast::{Receiver, error::RecvError, error::TryRecvError};

use super::escalation::tend;
use crate::{
    Room,
    bus::{Kind, Notice},
};

/// Longest sleep: a clock that was set, or a machine that slept, is noticed after it.
const LONGEST: Duration = Duration::from_secs(1);
/// Sleep while no timer runs.
const IDLE: Duration = Duration::from_secs(3600);
/// After a failure of the store.
const AGAIN: TimeDelta = TimeDelta::seconds(1);
/// Events that move an escalation; the others are many.
const MOVING: [&str; 7] = [
    "opened",
    "severity_set",
    "declared_major",
    "moved",
    "acknowledged",
    "acknowledgement_expired",
    "escalated",
];
/// Moves only an escalation that waits for alerts.
const ALERT: &str = "alert_fired";

#[derive(Default)]
struct Timers {
    /// When to look again.
    at: BTreeMap<Id, DateTime<Utc>>,
    /// Incidents whose policy counts alerts.
    counting: BTreeSet<Id>,
}

/// Sends what is due, until the shutdown.
pub(super) async fn run(room: Room, mut notices: Receiver<Arc<Notice>>) {
    let mut timers = Timers::default();
    let mut wanted = open(&room);
    loop {
        timers.look(&room, wanted).await;
        wanted = tokio::select! {
            () = room.chassis.shutdown.cancelled() => return,
            notice = notices.recv() => timers.news(&room, notice, &mut notices),
            () = tokio::time::sleep(timers.pause(Utc::now())) => timers.ripe(Utc::now()),
        };
    }
}

fn open(room: &Room) -> BTreeSet<Id> {
    room.desk.open_ones().iter().map(|incident| incident.id).collect()
}

impl Timers {
    async fn look(&mut self, room: &Room, wanted: BTreeSet<Id>) {
        for id in wanted {
            let now = Utc::now();
            let (at, alerts) = match tend(room, id, now).await {
                Ok(next) => (next.at, next.alerts),
                Err(error) => {
                    tracing::warn!(incident = %id, %error, "an escalation could not be looked at: again in a second");
                    (Some(now + AGAIN), true)
                }
            };
            match at {
                Some(at) => self.at.insert(id, at),
                None => self.at.remove(&id),
            };
            if alerts {
                self.counting.insert(id)
            } else {
                self.counting.remove(&id)
            };
        }
    }

    /// The incidents that this notice and those behind it are about.
    fn news(
        &self,
        room: &Room,
        first: Result<Arc<Notice>, RecvError>,
        notices: &mut Receiver<Arc<Notice>>,
    ) -> BTreeSet<Id> {
        let mut wanted = BTreeSet::new();
        let mut next = first.map_err(|_| true);
        loop {
            match next {
                Ok(notice) if notice.kind == Kind::Rota => wanted.extend(open(room)),
                Ok(notice) => wanted.extend(notice.incident.filter(|id| self.moves(&notice, *id))),
                // Too far behind to know.
                Err(true) => wanted.extend(open(room)),
                Err(false) => return wanted,
            }
            next = notices.try_recv().map_err(|error| matches!(error, TryRecvError::Lagged(_)));
        }
    }

    fn moves(&self, notice: &Notice, id: Id) -> bool {
        let kind = notice.data.pointer("/what/type").and_then(|kind| kind.as_str()).unwrap_or_default();
        notice.kind == Kind::Incident
            && (MOVING.contains(&kind) || (kind == ALERT && self.counting.contains(&id)))
    }

    /// How long to sleep.
    fn pause(&self, now: DateTime<Utc>) -> Duration {
        let first = self.at.values().min();
        first.map_or(IDLE, |at| (*at - now).to_std().unwrap_or_default().min(LONGEST))
    }

    /// The incidents whose time has come.
    fn ripe(&self, now: DateTime<Utc>) -> BTreeSet<Id> {
        self.at.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect()
    }
}
