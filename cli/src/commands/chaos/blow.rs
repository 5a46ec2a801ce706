//! What can be done to the system, and how it is taken back. Everything expires by itself, should this
//! command be killed; only a release stays, and the rule in a first edge that is trying it.

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use observe::Error as Observed;
use rustix::process::Signal;
use serde::Serialize;
use supervisor::{process::ProcId, state::Status};
use switchboard::{Error, Replica};
use tokio::time::sleep;
use wire::Conditions;

use super::{
    each::{ATTEMPT, BACK, each},
    engine::Engine,
    rule,
    trial::{self, Trial},
};
use crate::{
    installation::Installation,
    outside::{Desk, Order, What},
    parts::chaos::CHAOS,
};

/// How much longer than planned something may stay, should this command be killed.
const ROOM: Duration = Duration::from_secs(30);

/// What is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Blow {
    /// Sets a fault in every replica of a service.
    Fault { service: String, fault: String, parameters: Vec<(String, String)> },
    /// Kills a process with SIGKILL; its supervisor restarts it.
    Kill { part: String },
    /// Pushes a rule of `waf/incidents` to every edge, or with `canary` to one first, for this long.
    Push { service: String, rule: String, canary: Option<String> },
    /// Changes the network on the way from a service to what it needs.
    Network { from: String, to: String, conditions: Conditions, words: String },
    /// Leaves a part less of the machine: cores of CPU, bytes of memory.
    Pressure { part: String, cpu: Option<f64>, memory: Option<u64>, words: String },
    /// Something that only an engine in a cluster can do.
    Only { what: String },
    /// What a manifest for an engine in a cluster says.
    Manifest { engine: Engine, name: String, file: PathBuf },
    /// Switches a protection off.
    Unprotect { service: String, protection: String },
    /// Releases a version to a few.
    Release(Trial),
    /// Puts the dead letters of a service back.
    Redrive { service: String },
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault { service, fault, parameters } => {
                write!(f, "{fault} in {service}")?;
                parameters.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
            }
            Self::Kill { part } => write!(f, "SIGKILL for {part}"),
            Self::Push { service, rule, canary: None } => {
                write!(f, "rule {rule} pushed to all of {service}")
            }
            Self::Push { service, rule, canary: Some(time) } => {
                write!(f, "rule {rule} pushed to {service}, one first for {time}")
            }
            Self::Network { from, to, words, .. } => write!(f, "{words} from {from} to {to}"),
            Self::Pressure { part, words, .. } => write!(f, "{words} for {part}"),
            Self::Only { what } => f.write_str(what),
            Self::Manifest { engine, name, .. } => write!(f, "{name}, by {engine}"),
            Self::Unprotect { service, protection } => write!(f, "{service} without {protection}"),
            Self::Release(trial) => trial.fmt(f),
            Self::Redrive { service } => write!(f, "the dead letters of {service} put back"),
        }
    }
}

impl Blow {
    /// Does it, for at most `lasts`.
    ///
    /// # Errors
    /// When a replica refuses, or there is nothing to kill. Then it is taken back where it was done.
    pub(super) async fn strike(&self, place: &Installation, lasts: Duration) -> Result<()> {
        let struck = self.everywhere(place, lasts).await;
        // Of an order, nothing is left if it is refused, and what is in its way is another experiment's.
        let ordered = matches!(self, Self::Network { .. } | Self::Pressure { .. });
        if struck.is_err() && !ordered {
            // The error is why; what cannot be reached ends by itself.
            let _ = self.undo(place).await;
        }
        struck
    }

    async fn everywhere(&self, place: &Installation, lasts: Duration) -> Result<()> {
        let ttl = format!("{}s", (lasts + ROOM).as_secs());
        match self {
            Self::Fault { service, fault, parameters } => {
                let mut parameters = parameters.clone();
                parameters.push(("ttl".to_owned(), ttl));
                for replica in place.replicas(Some(service)).await? {
                    replica.set_fault(fault, &parameters).await?;
                }
            }
            Self::Unprotect { service, protection } => {
                for replica in place.replicas(Some(service)).await? {
                    replica.set_protection(protection, false, Some(&ttl)).await?;
                }
            }
            Self::Push { service, rule, canary } => {
                rule::push(place, service, rule, canary.clone(), lasts + ROOM).await?;
            }
            Self::Kill { part } => {
                process(place, part)?.with_context(|| format!("{part} does not run"))?.signal(Signal::KILL);
            }
            Self::Network { .. } | Self::Pressure { .. } => {
                let (desk, what) = (desk(place)?, self.order(place)?);
                desk.give(Order { until: Utc::now() + lasts + ROOM, what }).await?;
            }
            Self::Only { what } => bail!(
                "{what} is not possible on this machine, where parts have no names, disks and clocks of their own: \
                 run it with --context"
            ),
            Self::Manifest { engine, file, .. } => engine.begin(&place.needed_cluster()?, file).await?,
            Self::Release(trial) => trial.begin(place).await?,
            Self::Redrive { service } => trial::put_back(place, service).await?,
        }
        Ok(())
    }

    /// Sets a fault again where a new process does not have it, for at most `left`. A replica that does not answer is
    /// being started: it is looked at the next time.
    ///
    /// # Errors
    /// When a replica refuses.
    pub(super) async fn renew(&self, place: &Installation, left: Duration) -> Result<()> {
        let Self::Fault { service, fault, parameters } = self else { return Ok(()) };
        for replica in place.replicas(Some(service)).await? {
            let points = match replica.faults().await {
                Err(Error::Peer(Observed::Unreachable { .. })) => continue,
                points => points?,
            };
            if points.iter().any(|point| point.name == *fault && point.active.is_some()) {
                continue;
            }
            let mut parameters = parameters.clone();
            parameters.push(("ttl".to_owned(), format!("{}s", (left + ROOM).as_secs())));
            match replica.set_fault(fault, &parameters).await {
                Err(Error::Peer(Observed::Unreachable { .. })) => {}
                set => drop(set?),
            }
        }
        Ok(())
    }

    /// What the part `chaos` is told.
    fn order(&self, place: &Installation) -> Result<What> {
        Ok(match self {
            Self::Network { from, to, conditions, .. } => {
                What::Link { from: from.clone(), to: to.clone(), conditions: *conditions }
            }
            Self::Pressure { part, cpu, memory, .. } => {
                let process = process(place, part)?.with_context(|| format!("{part} does not run"))?;
                What::Squeeze { part: part.clone(), process, cpu: *cpu, memory: *memory }
            }
            other => bail!("`{other}` is not for the part `{CHAOS}`"),
        })
    }

    /// Takes it back; waits for a replica that is being started again.
    ///
    /// # Errors
    /// When a replica refuses, or is not back in time.
    pub(super) async fn undo(&self, place: &Installation) -> Result<()> {
        match self {
            Self::Fault { service, fault, .. } => {
                let end = async |replica: &Replica| replica.end_fault(fault).await;
                each(place.replicas(Some(service)).await?, end).await?;
            }
            Self::Unprotect { service, protection } => {
                let on = async |replica: &Replica| protect(replica, protection).await;
                each(place.replicas(Some(service)).await?, on).await?;
            }
            Self::Push { service, rule, .. } => {
                let withdraw = async |replica: &Replica| rule::withdraw(replica, rule).await;
                each(place.replicas(Some(service)).await?, withdraw).await?;
            }
            Self::Network { .. } => desk(place)?.take_back(Some(&self.order(place)?)).await?,
            Self::Pressure { part, .. } => {
                // Its process may have ended: the part counts.
                let (part, process) = (part.clone(), ProcId { pid: 0, started: 0 });
                let what = What::Squeeze { part, process, cpu: None, memory: None };
                desk(place)?.take_back(Some(&what)).await?;
            }
            Self::Manifest { engine, file, .. } => engine.end(&place.needed_cluster()?, file).await?,
            Self::Release(trial) => trial.end(place).await?,
            Self::Kill { .. } | Self::Only { .. } | Self::Redrive { .. } => {}
        }
        Ok(())
    }

    /// The same without its first step: a rule goes to all at once.
    pub(super) fn all_at_once(&self) -> Self {
        match self {
            Self::Push { service, rule, .. } => {
                Self::Push { service: service.clone(), rule: rule.clone(), canary: None }
            }
            other => other.clone(),
        }
    }

    /// The same without a judge: a person decides about a release.
    pub(super) fn unjudged(&self) -> Self {
        match self {
            Self::Release(trial) => Self::Release(trial.unjudged()),
            other => other.clone(),
        }
    }
}

/// Where the part `chaos` of the lab on this machine takes orders.
///
/// # Errors
/// When there is no such part.
pub(super) fn desk(place: &Installation) -> Result<Desk> {
    let home = place.all_here("chaos")?;
    if home.lab()?.part(CHAOS).is_none() {
        bail!("this lab has no proxies between its parts: start it with `lab up --chaos`");
    }
    Ok(Desk::of(&home))
}

async fn protect(replica: &Replica, protection: &str) -> switchboard::Result<()> {
    replica.set_protection(protection, true, None).await.map(|_| ())
}

/// The process of a part on this machine.
fn process(place: &Installation, part: &str) -> Result<Option<ProcId>> {
    Ok(place.here("chaos")?.lab()?.part(part).and_then(|part| part.process))
}

/// Waits until a part that was killed is ready again, in another process; returns how long that took.
///
/// # Errors
/// When it is not back in time.
pub(super) async fn back(place: &Installation, part: &str, before: Option<ProcId>) -> Result<Duration> {
    let begun = Instant::now();
    loop {
        let state = place.here("chaos")?.lab()?;
        let now = state.part(part);
        if now
            .is_some_and(|now| now.status == Status::Ready && now.process.is_some() && now.process != before)
        {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > BACK {
            bail!("{part} is not back after {} s", BACK.as_secs());
        }
        sleep(ATTEMPT).await;
    }
}

/// The process of a part now, to know later that it is another one.
pub(super) fn now(place: &Installation, part: &str) -> Option<ProcId> {
    process(place, part).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blow_is_a_sentence() {
        let fault = Blow::Fault {
            service: "order-api".to_owned(),
            fault: "http-error".to_owned(),
            parameters: vec![("rate".to_owned(), "0.05".to_owned())],
        };
        assert_eq!(fault.to_string(), "http-error in order-api rate=0.05");
        let push = Blow::Push {
            service: "edge".to_owned(),
            rule: "inline-script".to_owned(),
            canary: Some("5s".to_owned()),
        };
        assert_eq!(push.to_string(), "rule inline-script pushed to edge, one first for 5s");
        assert_eq!(push.all_at_once().to_string(), "rule inline-script pushed to all of edge");
        assert_eq!(Blow::Kill { part: "order-worker".to_owned() }.to_string(), "SIGKILL for order-worker");
    }
}
