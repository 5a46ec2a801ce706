//! What begins by itself: the runbook of an alert that fires, once for each alert, while automation is on. A
//! person's drill is the person's: then automation does nothing, unless a person has switched it on. While a drill
//! is proven, it never does anything.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{SecondsFormat, TimeDelta, Utc};
use incident::{Id, State, alerts::Alert};
use runbook::{Mode, Next, Run, What, Who, model::Task};

use super::{Runbooks, begin::Start, decide::held, rows};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// How many runs automation has at once: a storm of alerts must not become a storm of runs.
const MOST: usize = 10;

/// Begins the runbook of every alert that fires and has had none.
///
/// # Errors
/// When the file fails.
pub(super) async fn catch_up(room: &Room) -> Result<()> {
    if !room.runbooks.is_on() {
        return Ok(());
    }
    let mut reader = room.runbooks.0.store.read().acquire().await?;
    let had = rows::alerts(&mut reader).await?;
    // Before anything is written: in memory there is only one connection.
    drop(reader);
    // What is under way for one alert is under way for all of its kind.
    let mut busy: BTreeSet<(String, Option<String>)> = BTreeSet::new();
    for incident in room.desk.open_ones() {
        for member in incident.alerts.iter().filter(|member| member.ended_at.is_none()) {
            let (alert, kind) = (&member.alert, (member.alert.name.clone(), member.alert.service.clone()));
            if had.contains(&key(alert)) || busy.contains(&kind) {
                continue;
            }
            if !fired(room, incident.id, alert).await {
                busy.insert(kind);
            }
        }
    }
    Ok(())
}

/// An alert fires: begins its runbook, if automation may. Whether another alert of its kind might have more
/// luck.
pub(super) async fn fired(room: &Room, id: Id, alert: &Alert) -> bool {
    match begin(room, id, alert).await {
        Ok(tried) => tried,
        // It is for a person, or has to wait; it is tried again while the alert fires.
        Err(error @ (Error::Runbook(_) | Error::Conflict(_))) => {
            tracing::debug!(alert = alert.name, %error, "automation does not begin a runbook now");
            false
        }
        Err(error) => {
            tracing::warn!(alert = alert.name, %error, "a runbook could not begin");
            false
        }
    }
}

async fn begin(room: &Room, id: Id, alert: &Alert) -> Result<bool> {
    let runbooks = &room.runbooks;
    if !runbooks.is_on() || runbooks.is_busy_with(alert) || runbooks.is_told(id, &alert.name) {
        return Ok(false);
    }
    let Ok(source) = runbooks.0.library.get(&alert.name) else { return Ok(false) };
    if source.runbook.alert.as_ref() != Some(&alert.name) || held(room).await.is_some() {
        return Ok(false);
    }
    // Steps that only guide a person are for a person: automation would wait for somebody who was not asked.
    let acts = source.runbook.steps.iter().any(|step| matches!(step.task, Task::Act(_)));
    if !acts {
        return Ok(false);
    }
    let start = Start {
        source,
        mode: Mode::Auto,
        by: Who::Automation,
        incident: Some(id),
        parameters: BTreeMap::new(),
        labels: alert.labels.clone(),
        alert: Some(key(alert)),
    };
    runbooks.begin_run(room, start).await.map(|_| true)
}

/// What names an alert: one that fires again is another one.
fn key(alert: &Alert) -> String {
    let starts_at = alert.key.starts_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    format!("{}/{starts_at}", alert.key.fingerprint)
}

/// An incident is over: what automation has begun for it and nobody has approved is not needed any more.
pub(super) async fn over(room: &Room, id: Id, state: State) {
    for live in room.runbooks.under_way() {
        let run = live.run();
        let waits = matches!(run.next(), Next::Approve(_) | Next::Confirm(_));
        if *run.by() != Who::Automation || !waits || run.incident() != Some(id.to_string().as_str()) {
            continue;
        }
        let why = format!("{id} is {state}");
        let stop = What::Stopped { by: Who::Automation, why };
        if let Err(error) = room.runbooks.record(room, &live, |_, _| Some(stop)).await {
            tracing::warn!(run = run.id(), %error, "a run that is not needed any more could not be stopped");
        }
    }
}

impl Runbooks {
    /// Whether the guardrails have told a person about this runbook in this incident a short time ago: once
    /// is enough.
    fn is_told(&self, id: Id, runbook: &str) -> bool {
        let within = self.0.library.rails().per_target.within / self.0.speed.max(1);
        let within = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
        let told = self.0.told.lock().get(&(id, runbook.to_owned())).copied();
        told.is_some_and(|at| Utc::now() - at < within)
    }

    /// Whether automation has enough to do, or does the same for this service already.
    fn is_busy_with(&self, alert: &Alert) -> bool {
        let mut runs: Vec<Run> = self.under_way().iter().map(|live| live.run()).collect();
        runs.retain(|run| *run.by() == Who::Automation);
        let same = |run: &Run| {
            let service = alert.service.as_ref();
            let about = service.is_some_and(|service| run.plan().services().contains(service));
            about && run.plan().runbook.name == alert.name
        };
        runs.len() >= MOST || runs.iter().any(same)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use drill::engine::Responder;
    use incident::Viewer;

    use super::*;
    use crate::{SERVICE, access::Visitor, assemble, config::RoomConfig, drills::Order};

    #[tokio::test]
    async fn automation_does_nothing_while_a_drill_is_proven() {
        let config = RoomConfig::parse_from(["control-room", "--instances=order-api=http://127.0.0.1:1"]);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let room = assemble(&config, chassis).await.unwrap();
        assert_eq!(held(&room).await, None);
        let ben = Visitor { name: "ben".to_owned(), role: Viewer::Instructor };
        let mode = drill::Mode::Verify { responder: Responder::Solution };
        let drill = Some("first-page".to_owned());
        let order = Order { drill, mode, seed: None, difficulty: None, variant: None };
        room.drills.begin(&room, &ben, order).await.unwrap();
        assert!(held(&room).await.unwrap().contains("a drill is being proven"));
        room.runbooks.switch(&room, &ben, true, "we try it").await.unwrap();
        assert!(held(&room).await.is_some(), "no switch makes it part of the proof");
    }
}
