//! What the guardrails say about an act, at the moment before it: the situation is asked for, and the
//! decision is made and kept in one transaction, so that two runs that decide in the same second do not both
//! count from zero.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use incident::Viewer;
use runbook::{
    Change, Decision, Guardrails, Place, Plan, Verdict, What, Who,
    guardrails::{Ledger, OpenIncident, Proposal, Situation, decide},
};

use super::Live;
use crate::{access::Visitor, error::Result, room::Room};

/// How long a service counts as being deployed after a change, on the production clock.
const DEPLOY: TimeDelta = TimeDelta::minutes(10);
/// Kinds of changes that others make; restarts and protections are what runbooks do themselves.
const DEPLOYS: [&str; 4] = ["release", "configuration", "flag", "rule"];

/// Why automation does not act now, although it is on.
pub(super) async fn held(room: &Room) -> Option<String> {
    // What is proven is what the drill itself does, even if somebody has switched automation on.
    if room.drills.is_rehearsing() {
        return Some(
            "a drill is being proven: nothing else may act until its last alerts are over".to_owned(),
        );
    }
    if room.runbooks.0.state.read().is_on_by_hand() {
        return None;
    }
    let room_itself = Visitor { name: "control-room".to_owned(), role: Viewer::Instructor };
    match room.drills.current(&room_itself).await {
        Ok(Some(run)) if run.ended_at.is_none() => Some(format!(
            "{} is in a drill, and nobody has switched automation on for it: `lab automation on`",
            run.responder
        )),
        Ok(_) => None,
        Err(error) => Some(format!("whether somebody is in a drill is not known: {error}")),
    }
}

/// Asks the guardrails about the next act of a run, and records what they say.
pub(super) async fn record(
    room: &Room,
    live: &Arc<Live>,
    place: Place,
    change: &Change,
    approved: bool,
    undo: bool,
) -> Result<()> {
    let now = situation(room, change).await;
    let run = live.run();
    let held = if *run.by() == Who::Automation && !undo { held(room).await } else { None };
    let rails = room.runbooks.0.library.rails();
    let make = |run: &runbook::Run, ledger: &Ledger| {
        // What is decided once more counts already.
        let before = run.undecided().map(|_| ledger.before(run.id(), change));
        let ledger = before.as_ref().unwrap_or(ledger);
        let asked = Asked { run: run.id(), plan: run.plan(), incident: run.incident(), by: run.by() };
        let mut decision = asked.decision(&rails, ledger, &now, change, (approved, undo));
        if let Some(why) = held {
            decision.verdict = decision.verdict.max(Verdict::Recommend);
            decision.reasons.push(why);
        }
        Some(What::Decided { place, decision })
    };
    room.runbooks.record(room, live, make).await
}

/// Who asks, and for what.
pub(super) struct Asked<'a> {
    pub(super) run: &'a str,
    pub(super) plan: &'a Plan,
    pub(super) incident: Option<&'a str>,
    pub(super) by: &'a Who,
}

impl Asked<'_> {
    /// `approved` by a second person, and whether it is an `undo`.
    pub(super) fn decision(
        &self,
        rails: &Guardrails,
        ledger: &Ledger,
        now: &Situation,
        change: &Change,
        (approved, undo): (bool, bool),
    ) -> Decision {
        let services = self.plan.services();
        let proposal = Proposal {
            run: self.run,
            runbook: &self.plan.runbook.name,
            incident: self.incident,
            services: &services,
            by: self.by,
            change,
            approved,
            undo,
        };
        decide(rails, ledger, now, &proposal)
    }
}

/// How things are now, as far as it matters for a change.
pub(super) async fn situation(room: &Room, change: &Change) -> Situation {
    let (now, speed) = (Utc::now(), room.runbooks.0.speed);
    let mut replicas = BTreeMap::new();
    if change.verb.stops_replicas(&change.with) {
        let service = change.target();
        let instance = change.with.get("instance").map(String::as_str);
        let known = room.runbooks.world().replicas(room, &service, instance).await;
        replicas.extend(known.map(|known| (service, known)));
    }
    let open = room.desk.open_ones().into_iter();
    let incidents =
        open.map(|open| OpenIncident { id: open.id.to_string(), services: open.services.clone() });
    Situation { now, speed, deploying: deploying(room, now, speed), incidents: incidents.collect(), replicas }
}

/// Services that others are changing: a release that is under way, however long its step takes, and what was changed a moment
/// ago.
fn deploying(room: &Room, now: DateTime<Utc>, speed: u32) -> BTreeSet<String> {
    let window = DEPLOY / i32::try_from(speed.max(1)).unwrap_or(i32::MAX);
    let changes = room.changes.since(now - window).into_iter();
    let recent =
        changes.filter(|change| DEPLOYS.contains(&change.kind.as_str())).filter_map(|change| change.service);
    room.releases.services_under_way().into_iter().chain(recent).collect()
}
