//! What can be done to the system, and how it is taken back. Everything expires by itself, should this
//! command be killed; only a rule that was pushed stays until `lab waf restore`.

use std::{
    fmt, fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use observe::Error as Observed;
use rustix::process::Signal;
use serde::Serialize;
use supervisor::{process::ProcId, state::Status};
use switchboard::{Action, Error, Replica, Tools};
use tokio::time::sleep;

use crate::{installation::Installation, terminal::say};

/// Longest wait for a process that was killed: its supervisor starts it again within half a minute.
const BACK: Duration = Duration::from_secs(60);
/// Between two attempts.
const ATTEMPT: Duration = Duration::from_millis(200);
/// How much longer than planned something may stay, should this command be killed.
const ROOM: Duration = Duration::from_secs(30);

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Blow {
    /// Sets a fault in every replica of a service.
    Fault { service: String, fault: String, parameters: Vec<(String, String)> },
    /// Kills a process with SIGKILL; it is started again by what watches it.
    Kill { part: String },
    /// Pushes a rule of `waf/incidents` to every edge, or with `canary` to one first, for this long.
    Push { service: String, rule: String, canary: Option<String> },
    /// Switches a protection off.
    Unprotect { service: String, protection: String },
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
            Self::Unprotect { service, protection } => write!(f, "{service} without {protection}"),
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
        if struck.is_err() {
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
            Self::Push { service, rule, canary } => push(place, service, rule, canary.clone()).await?,
            Self::Kill { part } => {
                process(place, part)?.with_context(|| format!("{part} does not run"))?.signal(Signal::KILL);
            }
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

    /// Takes it back; waits for a replica that is being started again.
    ///
    /// # Errors
    /// When a replica refuses, or is not back in time.
    pub(super) async fn undo(&self, place: &Installation) -> Result<()> {
        match self {
            Self::Fault { service, fault, .. } => {
                for replica in place.replicas(Some(service)).await? {
                    patiently(async || replica.end_fault(fault).await).await?;
                }
            }
            Self::Unprotect { service, protection } => {
                for replica in place.replicas(Some(service)).await? {
                    patiently(async || protect(&replica, protection).await).await?;
                }
            }
            Self::Push { service, rule, .. } => {
                for replica in place.replicas(Some(service)).await? {
                    patiently(async || withdraw(&replica, rule).await).await?;
                }
            }
            Self::Kill { .. } => {}
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
}

async fn push(place: &Installation, service: &str, rule: &str, canary: Option<String>) -> Result<()> {
    let path = place.home()?.root.join(format!("waf/incidents/{rule}.yaml"));
    let file = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let tried = canary.is_some();
    let push = Action::PushRule { target: service.to_owned(), rule: rule.to_owned(), file, canary };
    let outcomes = push.run(&place.switches()?, &Tools::default(), place.token()).await?;
    for outcome in outcomes.iter().filter(|outcome| !outcome.ok) {
        let text = format!("{}: {}", outcome.replica, outcome.text);
        // To be taken back is what a first step is for.
        if !tried {
            bail!(text);
        }
        say(text);
    }
    Ok(())
}

async fn withdraw(edge: &Replica, rule: &str) -> switchboard::Result<()> {
    match edge.restore_rule(rule).await {
        // It was taken back already.
        Err(Error::Peer(Observed::Refused { status: 404, .. })) => Ok(()),
        done => done.map(|_| ()),
    }
}

async fn protect(replica: &Replica, protection: &str) -> switchboard::Result<()> {
    replica.set_protection(protection, true, None).await.map(|_| ())
}

/// Repeats what fails because nobody answers.
async fn patiently(act: impl AsyncFn() -> switchboard::Result<()>) -> Result<()> {
    let begun = Instant::now();
    loop {
        match act().await {
            Err(Error::Peer(Observed::Unreachable { .. })) if begun.elapsed() < BACK => sleep(ATTEMPT).await,
            done => return Ok(done?),
        }
    }
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
