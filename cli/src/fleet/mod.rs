//! What `lab up` does for releases: reconciles the services with the fleet that the control room asks for, several times a second.
//!
//! What is next is decided by the pure reconciler of `release`, which keeps requests safe: a canary gets some only once it is
//! ready, and loses them before it stops. Here is only what it takes: instances, routes of the edge, targets of Prometheus. A
//! lab begins with what was built: the fleet of the last one is forgotten.
//!
//! An act may take a minute. So each is a task of its own, one for each service at a time: a rollback of one service does not
//! wait for another service that changes its version.

mod act;
mod crew;
mod files;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
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
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{MissedTickBehavior, interval},
};

use self::{act::Hands, crew::Crew, files::Files};
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
    hands: Arc<Hands>,
    /// What is being done; it ends with this.
    acts: JoinSet<Result<()>>,
    /// What each of these tasks does.
    begun: HashMap<Id, Act>,
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
        let crews = BEHIND.into_iter().filter_map(crew).collect();
        let hands = Arc::new(Hands::new(files, roster, crews));
        let (acts, begun) = (JoinSet::new(), HashMap::new());
        Ok(Self { hands, acts, begun, applied: None, failures: BTreeMap::new(), told: None })
    }

    /// Never returns: it ends with the lab.
    pub(crate) async fn run(mut self, board: Board) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if board.now().phase == Phase::Ready {
                        self.tick(&board);
                    }
                }
                Some(done) = self.acts.join_next_with_id() => self.done(done),
            }
        }
    }

    /// Begins what is next for each service, and says how things are.
    fn tick(&mut self, board: &Board) {
        let fleet = match self.hands.files.fleet() {
            Ok(fleet) => fleet,
            Err(error) => {
                let open = vec![format!("{error:#}")];
                return self.tell(Standing { open, ..self.standing(&board.now()) });
            }
        };
        let decision = self.decide(&fleet, &board.now());
        for act in &decision.acts {
            self.begin(board, &fleet, act);
        }
        if self.is_settled(&decision) {
            let commit = fleet.revision.to_string();
            self.applied = Some(Applied { commit, settings: fleet.desired().settings() });
        }
        self.report(&fleet, &decision, board);
    }

    /// Begins an act, unless its service is busy: then it is decided again when that has ended.
    fn begin(&mut self, board: &Board, fleet: &Fleet, act: &Act) {
        let service = act.setting.service();
        if self.begun.values().any(|begun| begun.setting.service() == service) {
            return;
        }
        let wanted = service.and_then(|name| fleet.services.get(name)).cloned();
        let (hands, board, own) = (Arc::clone(&self.hands), board.clone(), act.clone());
        let task = self.acts.spawn(async move { hands.perform(&board, wanted.as_ref(), &own).await });
        self.begun.insert(task.id(), act.clone());
    }

    /// An act has ended.
    fn done(&mut self, done: Result<(Id, Result<()>), JoinError>) {
        let (id, result) = match done {
            Ok(ended) => ended,
            // It panicked: tried again later, like whatever fails.
            Err(error) => (error.id(), Err(error.into())),
        };
        let Some(act) = self.begun.remove(&id) else { return };
        match result {
            Ok(()) => drop(self.failures.remove(&act.setting)),
            Err(error) => self.failed(&act, &error),
        }
    }

    /// What is being done may look done already, and is not.
    fn is_settled(&self, decision: &Decision) -> bool {
        decision.settled && self.begun.is_empty()
    }

    fn decide(&self, fleet: &Fleet, state: &LabState) -> Decision {
        let ready = |crew: &Crew| crew.guests().iter().all(|name| is_ready(state, name));
        let crews = self.hands.crews();
        let ready: BTreeSet<String> =
            crews.iter().filter(|entry| ready(entry.1)).map(|(name, _)| (*name).to_owned()).collect();
        let live: BTreeMap<Setting, Seen> = crews.iter().flat_map(|(name, crew)| crew.seen(name)).collect();
        drop(crews);
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
        let begun = self.begun.values().map(|act| &act.setting);
        let busy = decision.open.iter().map(|open| &open.setting).chain(begun);
        let busy = busy.filter_map(|setting| setting.service().map(str::to_owned)).collect();
        let (settled, standing) = (self.is_settled(decision), self.standing(&board.now()));
        self.tell(Standing { revision: fleet.revision, settled, busy, open, ..standing });
    }

    /// What does not depend on what is wanted.
    fn standing(&self, state: &LabState) -> Standing {
        let crews = self.hands.crews();
        let all = || crews.iter();
        Standing {
            failed: all()
                .filter_map(|(name, crew)| Some(((*name).to_owned(), hopeless(state, crew)?)))
                .collect(),
            versions: all().map(|(name, crew)| ((*name).to_owned(), crew.version.name.clone())).collect(),
            pairs: all().filter_map(|(name, crew)| Some(((*name).to_owned(), crew.pair()?))).collect(),
            ..Standing::default()
        }
    }

    /// Writes what has changed. If the disk is full, the control room sees the old one, and the next look tries again.
    fn tell(&mut self, standing: Standing) {
        if self.told.as_ref() != Some(&standing) && self.hands.files.tell(&standing).is_ok() {
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

#[cfg(test)]
mod tests;
