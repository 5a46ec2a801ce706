//! From the primary to its replica: what `recovery::failover` decides, done with PostgreSQL's own programs and renames.
//!
//! Read it in this order: [`facts`] (what is there), [`steps`] (how each step is carried out), [`build`] (how a replica is
//! made), [`watch`] (how far behind it is), [`over`] (how the supervisor does it between two runs of the part), [`half`] (a
//! failover that somebody left half-way, for drills).
//!
//! The address moves, not the clients: the promoted data take the folder, and so the port, of the old primary. As both belong
//! to one part, the supervisor cannot run the old and the new primary at once; the fence keeps everyone else from it.

pub(crate) mod build;
pub(crate) mod facts;
pub(crate) mod half;
pub(crate) mod over;
pub(crate) mod steps;
#[cfg(test)]
mod tests;
pub(crate) mod watch;

use std::path::PathBuf;

use anyhow::{Result, bail};
use recovery::failover::{Primary, Start, Step, Stuck, at_start, next, unfence};
use supervisor::part::Errand;

use crate::{home::Home, parts::postgres::Local, terminal::say};

/// Folder of the replica's data, beside the primary's.
pub(crate) const REPLICA_FOLDER: &str = "replica";
/// Where fenced data are put aside, until the next failover.
pub(crate) const ASIDE: &str = "cluster.fenced";

/// One pair of servers on this machine.
pub(crate) struct Failover<'a> {
    local: &'a Local,
    /// The lab whose parts have to be told; `None` if nothing runs.
    home: Option<&'a Home>,
}

impl<'a> Failover<'a> {
    /// Of the data that `local` has; `home` if its lab runs.
    pub(crate) const fn new(local: &'a Local, home: Option<&'a Home>) -> Self {
        Self { local, home }
    }

    /// Carries out what is left of a failover, and returns the steps. The part of the primary must be held: stopped, and not
    /// started by anyone else.
    ///
    /// # Errors
    /// The first step that fails, or why there is none. The next call continues there.
    pub(crate) fn finish(&self) -> Result<Vec<Step>> {
        self.through(Step::Done)
    }

    /// The same, but no further than this step.
    ///
    /// # Errors
    /// As [`Failover::finish`].
    pub(crate) fn through(&self, last: Step) -> Result<Vec<Step>> {
        let mut done = Vec::new();
        loop {
            let facts = self.facts()?;
            let step = next(facts)?;
            if step == Step::Done {
                return Ok(done);
            }
            if done.last() == Some(&step) {
                bail!("the step {step:?} of the failover had no effect: {facts:?}");
            }
            self.carry_out(step)?;
            done.push(step);
            if step == last {
                return Ok(done);
            }
        }
    }

    /// Takes the fence away, so that the old primary can be started again.
    ///
    /// # Errors
    /// When nothing is fenced, or the replica was promoted.
    pub(crate) fn abort(&self) -> Result<()> {
        unfence(self.facts()?)?;
        self.unfence()
    }
}

/// What has to be done before the lab starts; nothing of it may be running.
///
/// # Errors
/// A sentence, if the data are fenced and a person has to decide.
pub(crate) fn before_start(home: &Home) -> Result<()> {
    let local = &Local::of(home)?;
    let failover = Failover::new(local, None);
    let facts = failover.facts()?;
    match at_start(facts) {
        Start::Go => Ok(()),
        Start::Finish => {
            failover.finish()?;
            say(
                "lab: finished a failover that was interrupted: PostgreSQL starts with the promoted replica's data",
            );
            Ok(())
        }
        Start::Fenced if facts.primary == Primary::Missing => bail!(
            "PostgreSQL's data were put aside by `lab failover`, to {}, and the replica that was to replace them is not \
             there: restore a backup (lab backup restore --to latest), or delete that folder to start empty",
            local.beside(ASIDE).display()
        ),
        Start::Fenced => bail!(
            "PostgreSQL's data are fenced: {}. No server may be started on {}, because its replica could take writes as \
             well. The replica was not promoted, so `lab failover abort` removes the fence",
            failover.mark(),
            local.cluster().display()
        ),
        Start::SplitBrain => bail!(
            "{}. The replica's data are in {}: delete that folder to keep the primary's",
            Stuck::SplitBrain,
            local.beside(REPLICA_FOLDER).display()
        ),
    }
}

/// The task that the supervisor does between two runs of the replica, and before its first: it is built from the primary.
///
/// # Errors
/// When the path of this program is unknown.
pub(crate) fn build_errand(home: &Home) -> Result<Errand> {
    Ok(Errand { request: build_request(home), line: home.again()?.args(["failover", "build"]) })
}

fn build_request(home: &Home) -> PathBuf {
    home.dir.join("backup/build-replica")
}
