//! A lab of which questions are asked: runs of drills as proofs, and what is judged by them.

use std::{cell::RefCell, time::Instant};

use anyhow::Result;
use drill::Drill;
use observe::Peer;
use switchboard::Replica;

use super::{
    leaks::{Leaks, Scan},
    plans::Plans,
    replay,
    sheet::{Answer, Sheet},
};
use crate::{
    commands::drill::{
        client::Desk,
        live::Live,
        verify::{
            health::Health,
            proof::Proof,
            run::{NEVER, Responder, Wishes, begin, finished, order, proven, unbegun},
        },
        view::{Run, View},
    },
    home::Home,
    installation::Installation,
    terminal::say,
};

/// What the questions are asked of.
pub(super) struct Bench {
    desk: Desk,
    prometheus: Peer,
    replicas: Vec<Replica>,
    /// Where the scan for leaks reads, if the lab is on this machine.
    home: Option<Home>,
    pub(super) wishes: Wishes,
    seed: Option<u64>,
    /// Whether other labs are asked meanwhile: their lines would write over each other.
    pub(super) shares: bool,
    health: RefCell<Health>,
}

/// A run and what came of it.
pub(super) struct Done {
    pub(super) proof: Proof,
    /// Absent if it could not begin.
    pub(super) run: Option<Run>,
    pub(super) plans: Plans,
}

impl Bench {
    /// That of a lab.
    ///
    /// # Errors
    /// When a part of it is missing.
    pub(super) async fn of(
        place: &Installation,
        who: Option<String>,
        wishes: &Wishes,
        seed: Option<u64>,
    ) -> Result<Self> {
        let prometheus = place.prometheus().await?;
        Ok(Self {
            desk: Desk::instructor(place, who).await?,
            prometheus: Peer::at(prometheus.base()),
            replicas: place.replicas(None).await?,
            home: place.is_here().then(|| place.home()).transpose()?,
            wishes: wishes.clone(),
            seed,
            shares: false,
            health: RefCell::default(),
        })
    }

    /// Whether somebody wants no more: what a run said that was aborted is no answer.
    pub(super) fn is_enough(&self) -> bool {
        self.wishes.enough.is_cancelled()
    }

    /// Runs a drill as a proof, and looks at the faults; `scan` looks once nobody has helped for long enough. `place` says which
    /// one it is. If it `skips`, nothing comes of a drill that can never run here, as the control room says.
    ///
    /// # Errors
    /// When the lab cannot be asked any longer, or begins no drill any more.
    pub(super) async fn prove(
        &self,
        drill: &Drill,
        responder: Responder,
        place: &str,
        mut scan: Option<(&mut Scan, &mut Option<Leaks>)>,
        skips: bool,
    ) -> Result<Option<Done>> {
        let begun = Instant::now();
        let run = match begin(&self.desk, &order(drill, responder, self.seed), &self.wishes).await? {
            Ok(run) => run,
            Err(why) if skips && why.contains(NEVER) => {
                say(format_args!("SKIPPED {}: {why}", drill.id));
                return Ok(None);
            }
            Err(why) => {
                let proof = unbegun(drill, why, begun);
                return self.well(Done { proof, run: None, plans: Plans::default() });
            }
        };
        let mut plans = Plans::default();
        let who = responder.as_str();
        let place = if place.is_empty() { who.to_owned() } else { format!("{place}, {who}") };
        let live = if self.shares { Live::silent() } else { Live::new() };
        let run = finished(&self.desk, run, &place, live, &self.wishes, async |run: &Run| -> Result<()> {
            plans.look(&self.replicas).await;
            if run.phase.starts_with("recover")
                && let Some((scan, leaks)) = scan.take()
            {
                *leaks = Some(scan.end().await?);
            }
            Ok(())
        })
        .await?;
        let proof = proven(drill, &run, self.seed, begun);
        self.well(Done { proof, run: Some(run), plans })
    }

    /// What came of a run, unless that says that the lab begins no drill any more.
    fn well(&self, done: Done) -> Result<Option<Done>> {
        match self.health.borrow_mut().note(&done.proof) {
            Some(sick) => Err(sick),
            None => Ok(Some(done)),
        }
    }

    /// Judges the mutations by a run of the solution.
    pub(super) async fn mutate(&self, drill: &Drill, run: Option<&View>, sheet: &mut Sheet) {
        let Some(times) = run.and_then(replay::times) else {
            sheet.mutations = Answer::Wrong("the run never set a fault".to_owned());
            return;
        };
        match replay::judge(&self.prometheus, drill, times).await {
            Ok(mutants) => sheet.judge(mutants),
            Err(error) => sheet.mutations = Answer::Wrong(format!("{error:#}")),
        }
    }

    /// A scan that has seen the healthy lab; nothing if there is nowhere to read.
    pub(super) async fn scan(&self, drill: &Drill, sheet: &mut Sheet) -> Result<Option<Scan>> {
        match &self.home {
            Some(home) => Ok(Some(Scan::begin(home, self.desk.room().base(), drill).await?)),
            None => {
                sheet.leaks = Answer::Open("not here".to_owned());
                sheet.notes.push("leaks are searched in a lab on this machine only".to_owned());
                Ok(None)
            }
        }
    }
}
