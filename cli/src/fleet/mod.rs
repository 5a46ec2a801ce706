//! What `lab up` does for releases: reconciles the services with the fleet that the control room asks for, several times a second.
//!
//! What is next is decided by the pure reconciler of `release`, which keeps requests safe: a canary gets some only once it is
//! ready, and loses them before it stops. Here is only what it takes: instances, routes of the edge, targets of Prometheus. A
//! lab begins with what was built: the fleet of the last one is forgotten.

mod act;
mod crew;
mod files;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Result;
use chrono::Utc;
use release::{
    desired::{Act, Applied, Cause, Decision, Drift, Failure, Input, Open, Seen, Setting, reconcile},
    fleet::{Fleet, Standing},
};
use supervisor::{
    Board, Part, Roster,
    state::{LabState, Phase, Status},
};
use tokio::time::{MissedTickBehavior, interval};

use self::{crew::Crew, files::Files};
use crate::{
    home::Home,
    parts::{edge::BEHIND, table::Choices},
};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(200);
/// A canary that has ended this often by itself is not going to stay up.
const CRASHES: u32 = 3;

/// Looks after the fleet of one lab.
pub(crate) struct Agent {
    files: Files,
    roster: Roster,
    services: BTreeMap<&'static str, Crew>,
    applied: Option<Applied>,
    failures: BTreeMap<Setting, Failure>,
    told: Option<Standing>,
}

impl Agent {
    /// Of a lab with these parts, which is about to start.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub(crate) fn new(home: &Home, choices: &Choices, parts: &[Part], roster: Roster) -> Result<Self> {
        let files = Files::new(home, choices, parts)?;
        let crew = |service| Some((service, Crew::of(service, choices, parts)?));
        let services = BEHIND.into_iter().filter_map(crew).collect();
        Ok(Self { files, roster, services, applied: None, failures: BTreeMap::new(), told: None })
    }

    /// Never returns: it ends with the lab.
    pub(crate) async fn run(mut self, board: Board) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if board.now().phase == Phase::Ready {
                self.tick(&board).await;
            }
        }
    }

    async fn tick(&mut self, board: &Board) {
        let fleet = match self.files.fleet() {
            Ok(fleet) => fleet,
            Err(error) => {
                let open = vec![format!("{error:#}")];
                return self.tell(Standing { open, ..self.standing(&board.now()) });
            }
        };
        let decision = self.decide(&fleet, &board.now());
        for act in &decision.acts {
            // An act may take a minute. What was asked for meanwhile, such as a rollback, comes first.
            if self.files.fleet().is_ok_and(|now| now.revision != fleet.revision) {
                break;
            }
            // Before the act, so that the control room sees what it waits for.
            self.report(&fleet, &decision, board);
            match self.perform(board, &fleet, act).await {
                Ok(()) => drop(self.failures.remove(&act.setting)),
                Err(error) => self.failed(act, &error),
            }
        }
        let decision = self.decide(&fleet, &board.now());
        if decision.settled {
            let commit = fleet.revision.to_string();
            self.applied = Some(Applied { commit, settings: fleet.desired().settings() });
        }
        self.report(&fleet, &decision, board);
    }

    fn decide(&self, fleet: &Fleet, state: &LabState) -> Decision {
        let ready = |crew: &Crew| crew.guests().iter().all(|name| is_ready(state, name));
        let ready: BTreeSet<String> =
            self.services.iter().filter(|entry| ready(entry.1)).map(|(name, _)| (*name).to_owned()).collect();
        let live: BTreeMap<Setting, Seen> =
            self.services.iter().flat_map(|(name, crew)| crew.seen(name)).collect();
        reconcile(&Input {
            desired: &fleet.desired().settings(),
            drift: Drift::Heal,
            applied: self.applied.as_ref(),
            live: &live,
            ready: &ready,
            failures: &self.failures,
            now: Utc::now(),
        })
    }

    fn failed(&mut self, act: &Act, error: &anyhow::Error) {
        let times = self.failures.get(&act.setting).map_or(1, |failure| failure.times.saturating_add(1));
        let failure = Failure { at: Utc::now(), times, why: format!("{error:#}") };
        self.failures.insert(act.setting.clone(), failure);
    }

    fn report(&mut self, fleet: &Fleet, decision: &Decision, board: &Board) {
        let open = decision.open.iter().map(sentence).collect();
        let busy =
            decision.open.iter().filter_map(|open| open.setting.service().map(str::to_owned)).collect();
        let standing = self.standing(&board.now());
        self.tell(Standing { revision: fleet.revision, settled: decision.settled, busy, open, ..standing });
    }

    /// What does not depend on what is wanted.
    fn standing(&self, state: &LabState) -> Standing {
        let crews = || self.services.iter();
        Standing {
            failed: crews()
                .filter_map(|(name, crew)| Some(((*name).to_owned(), hopeless(state, crew)?)))
                .collect(),
            versions: crews().map(|(name, crew)| ((*name).to_owned(), crew.version.name.clone())).collect(),
            pairs: crews().filter_map(|(name, crew)| Some(((*name).to_owned(), crew.pair()?))).collect(),
            ..Standing::default()
        }
    }

    /// Writes what has changed. If the disk is full, the control room sees the old one, and the next look tries again.
    fn tell(&mut self, standing: Standing) {
        if self.told.as_ref() != Some(&standing) && self.files.tell(&standing).is_ok() {
            self.told = Some(standing);
        }
    }
}

fn is_ready(state: &LabState, name: &str) -> bool {
    state.part(name).is_some_and(|part| part.status == Status::Ready)
}

/// Why waiting for a canary or its baseline does not help.
fn hopeless(state: &LabState, crew: &Crew) -> Option<String> {
    crew.canary.as_ref()?;
    crew.guests().iter().filter_map(|name| state.part(name)).find_map(|part| {
        let last = part.last_exit.as_deref().unwrap_or("no reason known");
        let log = part.log.display();
        match part.status {
            Status::Failed => Some(format!("{} does not start: {last}; its log is {log}", part.name)),
            _ if part.restarts >= CRASHES => {
                Some(format!("{} crashed {} times: {last}; its log is {log}", part.name, part.restarts))
            }
            _ => None,
        }
    })
}

/// What is not as it should be.
fn sentence(open: &Open) -> String {
    let found = open.found.as_deref().unwrap_or("not known");
    let wanted = open.wanted.as_deref().unwrap_or("not set");
    let why = match &open.cause {
        Cause::Change | Cause::Healed | Cause::Kept => String::new(),
        Cause::Waits => "; waits until canary and baseline are ready".to_owned(),
        Cause::Unknown { why } => format!("; {why}"),
        Cause::Failing { why, .. } => format!("; it failed, and is tried again: {why}"),
    };
    format!("{} is {found} and should be {wanted}{why}", open.setting)
}
