//! A run begins: only if nothing is in progress that it would disturb, or that would disturb it.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use drill::{Drill, Mode, engine::Start};
use serde_json::json;

use super::{
    Drills, Order, choose, left,
    live::{Live, whole},
    needs::{self, missing},
    quiet::is_of_person,
    restore,
    rows::{self, Kept},
    show,
    view::RunView,
};
use crate::{
    access::{SOMEBODY, Visitor},
    bus::Kind,
    error::{Error, Result},
    eyes::Eyes,
    room::Room,
    store,
};

impl Drills {
    /// Begins a run. Its drill waits for a healthy system by itself.
    ///
    /// # Errors
    /// When another run is in progress, a person works on an incident, the drill needs what is not here, there is no
    /// such drill, or a trainee asks for what only instructors may: see `may_ask`.
    pub async fn begin(&self, room: &Room, by: &Visitor, order: Order) -> Result<RunView> {
        let verify = matches!(order.mode, Mode::Verify { .. });
        may_ask(room, by, &order)?;
        self.is_free()?;
        if let Some(name) = &order.drill {
            // An order with a typo changes nothing.
            let (drill, _) = self.0.library.find(name)?;
            has_item(&drill, order.variant.as_deref())?;
        }
        left::let_go(room).await?;
        let working = room.desk.open_ones().into_iter().find(|one| is_of_person(one));
        if let Some(incident) = working {
            return Err(Error::Conflict(format!(
                "somebody works on {}: resolve or dismiss it first, or its alerts and the drill's become one",
                incident.id
            )));
        }
        let (drill, file) = self.choose(room, by, &order).await?;
        has_item(&drill, order.variant.as_deref())?;
        let missing = missing(&room.eyes, &drill, needs::LATE).await;
        if let Some(missing) = missing {
            return Err(Error::Conflict(missing));
        }
        // What is left of a verification is no part of it.
        self.tidy(room).await?;
        let follows = if verify { self.proven(room).await? } else { None };
        let services = services(&room.eyes);
        let replicas = restore::counted(room, &services).await;
        let (at, seed) = (whole(Utc::now()), order.seed.unwrap_or(drill.seed));
        let seen = self.has_seen(by, &drill.id, &order.mode).await?;
        let variant = order.variant;
        let start = Start { at, seed, services, replicas, seen, mode: order.mode, follows, variant };
        let responder = match &start.mode {
            Mode::Person { name } => name.clone(),
            Mode::Verify { .. } => by.name.clone(),
        };
        let followed = store::journal_last(&self.0.store).await?;
        let mystery = order.drill.is_none() && !verify;
        let name = drill.id.clone();
        let (id, end, learned) = (0, None, None);
        let kept = Kept { id, drill: name, file, mystery, responder, start, followed, end, learned };
        self.write(kept, drill, by).await
    }

    /// Whether a responder could know the solution of a drill. It is shown at the end of a run to who was in it,
    /// and to who began it.
    async fn has_seen(&self, by: &Visitor, drill: &str, mode: &Mode) -> Result<bool> {
        let Mode::Person { name } = mode else { return Ok(false) };
        // An instructor knows everything, and begins runs for others.
        let own = (!by.is_instructor() && by.name != SOMEBODY).then_some(by.name.as_str());
        rows::has_run(self.0.store.read(), drill, [name, own.unwrap_or(name)]).await
    }

    /// Refuses if a run is in progress, or its effects are being undone.
    fn is_free(&self) -> Result<()> {
        if let Some(run) = self.lost() {
            return Err(Error::Conflict(format!(
                "run {run} cannot be read any more, and everything is being put back: try again soon"
            )));
        }
        match self.live() {
            None => Ok(()),
            Some(live) => Err(Error::Conflict(format!(
                "run {} of {} is under way: wait for its end, or abort it",
                live.id, live.responder
            ))),
        }
    }

    /// The drill that is asked for, or one that nobody knows in advance; and its file.
    async fn choose(&self, room: &Room, by: &Visitor, order: &Order) -> Result<(Arc<Drill>, String)> {
        let name = match &order.drill {
            Some(name) => name.clone(),
            None => {
                let mut possible = Vec::new();
                for drill in self.all() {
                    if missing(&room.eyes, &drill, Duration::ZERO).await.is_none() {
                        possible.push(drill);
                    }
                }
                let past = rows::history(self.0.store.read(), &by.name).await?;
                let seed = order.seed.unwrap_or_else(rand::random);
                let chosen = choose::mystery(&possible, &past, order.difficulty, seed);
                let none = || Error::Conflict("no drill of this difficulty can run here".to_owned());
                chosen.ok_or_else(none)?.id.clone()
            }
        };
        let (drill, file) = self.0.library.find(&name)?;
        Ok((drill, file.into_owned()))
    }

    async fn write(&self, kept: Kept, drill: Arc<Drill>, by: &Visitor) -> Result<RunView> {
        let mut writing = self.0.store.begin().await?;
        // Nobody else begins one while `writing` exists.
        self.is_free()?;
        let id = rows::begin(&mut writing, &kept).await?;
        let live = Live::new(id, drill, kept.responder, kept.mystery, kept.start, kept.followed);
        let phase = live.announced.to_string();
        let news = json!({ "run": id, "what": "begun", "by": live.responder, "phase": phase });
        writing.journal(Utc::now(), Kind::Drill, None, false, &news).await?;
        let view = show::live(&live, live.now(), by.is_instructor());
        let this = self.clone();
        writing.after(move || {
            this.hush(&live);
            *this.0.live.write() = Some(Arc::new(live));
        });
        writing.commit(&self.0.bus).await?;
        tracing::info!(run = id, "a drill begins");
        self.wake();
        Ok(view)
    }
}

/// What trainees may not ask for: a verification, a run in the name of another person, and a mystery of which they
/// know in advance what it will be.
fn may_ask(room: &Room, by: &Visitor, order: &Order) -> Result<()> {
    if by.is_instructor() {
        return Ok(());
    }
    let refused = match &order.mode {
        Mode::Verify { .. } => Some("only instructors may verify drills".to_owned()),
        // Names of agents belong to nobody: see oncall.yaml for those of people.
        Mode::Person { name }
            if *name != by.name && room.duty.people().iter().any(|one| one.name == *name) =>
        {
            Some(format!("only {name} or an instructor may begin a run of {name}"))
        }
        Mode::Person { .. } => None,
    };
    if let Some(said) = refused {
        return Err(Error::ForInstructors(said));
    }
    if order.drill.is_none() && order.seed.is_some() {
        let expected =
            "none with `mystery`: it decides which drill that is, and nobody may know it in advance";
        return Err(Error::field("/seed", expected));
    }
    Ok(())
}

/// Refuses an action item that the drill does not have.
fn has_item(drill: &Drill, variant: Option<&str>) -> Result<()> {
    let known: Vec<&str> = drill.variants.iter().map(|variant| variant.name.as_str()).collect();
    match variant {
        Some(_) if known.is_empty() => Err(Error::field("/variant", "none: this drill has no action items")),
        Some(name) if !known.contains(&name) => {
            Err(Error::field("/variant", format!("one of {}, found `{name}`", known.join(", "))))
        }
        _ => Ok(()),
    }
}

/// The services that can be restarted, each once.
fn services(eyes: &Eyes) -> Vec<String> {
    let mut names: Vec<String> = eyes.instances.iter().map(|instance| instance.service.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
