//! What runs ask and change: the system. A port, so that tests can say what it answers and count what is done
//! to it.
//!
//! `look` -- the questions of runbooks. `verbs` -- their verbs as actions of the switchboard. `serving` -- how many replicas
//! serve.

mod look;
mod serving;
mod verbs;

use futures::future::{BoxFuture, FutureExt as _};
use incident::{Id, Source};
use reqwest::Client;
use runbook::{Answer, Call, Change, guardrails::Replicas};
use switchboard::Outcome;

use crate::{
    actions::{Wanted, elsewhere, token},
    error::Result,
    eyes::{Admin, PATIENCE},
    room::Room,
};

/// An act that is done for a run.
#[derive(Debug, Clone)]
pub struct Order<'o> {
    /// What is done.
    pub change: &'o Change,
    /// The runbook.
    pub runbook: &'o str,
    /// What it is for.
    pub incident: Option<Id>,
    /// Which step of which run, and for whom.
    pub why: String,
    /// Whether the run is still in progress: asked when it is the turn of a restart.
    pub wanted: Wanted,
}

/// The system.
pub trait World: Send + Sync {
    /// The answer to a question; a question that cannot be asked is answered with the reason.
    fn ask<'w>(&'w self, room: &'w Room, call: &'w Call) -> BoxFuture<'w, Answer>;

    /// How many replicas of a service are healthy and get requests, and whether the named one is; nothing if nobody
    /// knows its replicas.
    fn replicas<'w>(
        &'w self,
        room: &'w Room,
        service: &'w str,
        instance: Option<&'w str>,
    ) -> BoxFuture<'w, Option<Replicas>>;

    /// What a change would hit now. Changes nothing.
    fn hits<'w>(&'w self, room: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Vec<String>>>;

    /// What is different once the change was done; nothing, if it may be repeated without harm.
    fn mark<'w>(&'w self, room: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Option<String>>>;

    /// Does a change.
    fn act<'w>(&'w self, room: &'w Room, order: &'w Order<'w>) -> BoxFuture<'w, Result<Vec<Outcome>>>;
}

/// The system that the control room watches.
#[derive(Clone)]
pub(super) struct System {
    /// Of admin ports.
    client: Client,
}

impl Default for System {
    fn default() -> Self {
        // Without TLS, building the client cannot fail.
        Self { client: Client::builder().timeout(PATIENCE).no_proxy().build().unwrap_or_default() }
    }
}

impl World for System {
    fn ask<'w>(&'w self, room: &'w Room, call: &'w Call) -> BoxFuture<'w, Answer> {
        look::ask(&self.client, room, call).boxed()
    }

    fn replicas<'w>(
        &'w self,
        room: &'w Room,
        service: &'w str,
        instance: Option<&'w str>,
    ) -> BoxFuture<'w, Option<Replicas>> {
        serving::replicas(room, service, instance).boxed()
    }

    fn hits<'w>(&'w self, room: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Vec<String>>> {
        async move {
            let action = verbs::action(room, change).await?;
            let would = action.describe(&room.eyes.place, &room.eyes.tools, token(room)).await;
            let would = would.map_err(elsewhere)?.into_iter();
            Ok(would.map(|outcome| format!("{}: {}", outcome.replica, outcome.text)).collect())
        }
        .boxed()
    }

    fn mark<'w>(&'w self, room: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Option<String>>> {
        async move {
            let action = verbs::action(room, change).await?;
            action.mark(&room.eyes.place, &room.eyes.tools, token(room)).await.map_err(elsewhere)
        }
        .boxed()
    }

    fn act<'w>(&'w self, room: &'w Room, order: &'w Order<'w>) -> BoxFuture<'w, Result<Vec<Outcome>>> {
        async move {
            let action = verbs::action(room, order.change).await?;
            let by = Source::Runbook(order.runbook.to_owned());
            let how = (order.why.clone(), order.wanted.clone());
            Ok(room.actions.run_as(room, by, action, order.incident, how).await?.results)
        }
        .boxed()
    }
}

/// The replicas of a service that the control room knows.
fn of<'r>(admins: &'r [Admin], service: &str) -> Vec<&'r Admin> {
    admins.iter().filter(|admin| admin.instance.service == service).collect()
}

/// The replica that a runbook names: as Prometheus writes its address, or by its own name.
fn named(admin: &Admin, instance: &str) -> bool {
    admin.address() == instance || admin.instance.name == instance
}
