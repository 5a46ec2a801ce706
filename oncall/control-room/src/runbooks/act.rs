//! An act is done once. Its start is recorded first, with what was seen just before; its end afterwards.
//! After a crash in between, what is seen now tells whether it was done. An act with the same idempotency key
//! is another run's, if that run began it.

use std::{sync::Arc, time::Duration};

use runbook::{Change, Place, Verb, What, Who, run::Begun};

use super::{
    Live, name, rows,
    world::{Order, World},
};
use crate::{actions::Wanted, error::Result, room::Room};

/// Longest time for an act: a restart of several replicas, thousands of messages.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest time for a restore, which reads a whole backup and checks every table: longer than the switchboard gives its
/// program, so that what is reported is the program's own end.
const RESTORE: Duration = Duration::from_secs(1860);
/// Until the next look at an act that another run does, or at a process that is about to answer again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a system may be silent after a crash until a person has to look.
const SILENT: chrono::TimeDelta = chrono::TimeDelta::seconds(90);

/// What a turn has come to.
pub(super) enum Turn {
    /// Something has happened: look again.
    Again,
    /// Nothing has: look again later.
    Later(Duration),
    /// A person has the next move.
    Person,
    /// It is over.
    Over,
}

/// The result of an act that had begun before a crash.
enum Found {
    /// It was not done, or does no harm twice.
    NotDone,
    /// It was done, or nobody can know.
    Known(bool, String),
    /// Not known yet.
    Later,
}

/// Does the next act of a run.
pub(super) async fn turn(
    room: &Room,
    live: &Arc<Live>,
    place: Place,
    change: &Change,
    begun: Option<&Begun>,
) -> Result<Turn> {
    let world = room.runbooks.world();
    if begun.is_none() {
        // What does not answer has no mark; the act may be what brings it back.
        let before = world.mark(room, change).await.unwrap_or_default();
        room.runbooks.record(room, live, |_, _| Some(What::Begun { place, before })).await?;
    }
    match foreign(room, live, change).await? {
        Found::NotDone => {}
        Found::Known(ok, text) => return done(room, live, place, ok, text).await,
        Found::Later => return Ok(Turn::Later(AGAIN)),
    }
    if let Some(begun) = begun {
        match found(room, world.as_ref(), change, begun).await {
            Found::NotDone => {}
            Found::Known(ok, text) => return done(room, live, place, ok, text).await,
            Found::Later => return Ok(Turn::Later(AGAIN)),
        }
    }
    // The kill switch came between the record and the act.
    if live.run().end().is_some() {
        return Ok(Turn::Over);
    }
    let (ok, text) = act(room, live, world.as_ref(), place, change).await;
    done(room, live, place, ok, text).await
}

async fn done(room: &Room, live: &Arc<Live>, place: Place, ok: bool, text: String) -> Result<Turn> {
    room.runbooks.record(room, live, |_, _| Some(What::Done { place, ok, text })).await?;
    Ok(Turn::Again)
}

/// Whether another run, or an earlier step, did the same.
async fn foreign(room: &Room, live: &Arc<Live>, change: &Change) -> Result<Found> {
    let mut reader = room.runbooks.0.store.read().acquire().await?;
    let owner = rows::owner(&mut reader, &change.key).await?;
    drop(reader);
    Ok(match owner {
        Some((number, Some(true))) => Found::Known(true, format!("{} has done this", name(number))),
        Some((number, None)) if number != live.number => {
            let open = room.runbooks.under_way().iter().any(|other| other.number == number);
            let lost = format!("{} began this and was stopped: look whether it was done", name(number));
            if open { Found::Later } else { Found::Known(false, lost) }
        }
        _ => Found::NotDone,
    })
}

/// Whether an act that had begun before a crash was done.
async fn found(room: &Room, world: &dyn World, change: &Change, begun: &Begun) -> Found {
    let silent = chrono::Utc::now() - begun.at > SILENT;
    match (&begun.before, world.mark(room, change).await) {
        (Some(before), Ok(Some(now))) if *before == now => Found::NotDone,
        (Some(_), Ok(Some(_))) => {
            let text = "done before the control room was stopped: what was seen before it has changed";
            Found::Known(true, text.to_owned())
        }
        // It may be repeated without harm.
        (_, Ok(None)) => Found::NotDone,
        (None, Ok(Some(_))) => Found::Known(false, unknown("nothing was seen before it")),
        (_, Err(error)) if silent => Found::Known(false, unknown(&error.to_string())),
        (_, Err(_)) => Found::Later,
    }
}

fn unknown(why: &str) -> String {
    format!("the control room was stopped while this was done, and whether it was done is not known: {why}")
}

/// Does it; whether it worked, and what happened.
async fn act(
    room: &Room,
    live: &Arc<Live>,
    world: &dyn World,
    place: Place,
    change: &Change,
) -> (bool, String) {
    let run = live.run();
    let by = match run.by() {
        Who::Person(name) => format!(", for {name}"),
        Who::Automation => String::new(),
    };
    let runbook = &run.plan().runbook;
    let goes_on = Arc::clone(live);
    let order = Order {
        change,
        runbook: &runbook.name,
        incident: super::show::incident_of(&run),
        why: format!("{place} of {}{by}: {}", run.id(), runbook.title),
        wanted: Wanted::as_long_as(move || goes_on.run().end().is_none()),
    };
    let longest = if change.verb == Verb::Restore { RESTORE } else { LONGEST };
    let Ok(outcomes) = tokio::time::timeout(longest, world.act(room, &order)).await else {
        let seconds = longest.as_secs();
        return (false, format!("it took more than {seconds} s; whether it is done is not known"));
    };
    match outcomes {
        Ok(outcomes) => {
            let ok = outcomes.iter().all(|outcome| outcome.ok);
            let texts = outcomes.iter().map(|outcome| format!("{}: {}", outcome.replica, outcome.text));
            (ok, texts.collect::<Vec<_>>().join("; "))
        }
        Err(error) => (false, error.to_string()),
    }
}
