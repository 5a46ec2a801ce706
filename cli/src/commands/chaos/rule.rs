//! A rule of the firewall that an experiment or the monkey pushes to the edges.

use std::fs;

use anyhow::{Context as _, Result, bail};
use observe::Error as Observed;
use switchboard::{Action, Error, Replica, Tools};

use crate::{installation::Installation, terminal::say};

/// Pushes a rule of `waf/incidents` to every replica of a service, or with `canary` to one first, for this long.
///
/// # Errors
/// When there is no such rule, or a replica refuses it. That a first step was taken back is no error, and is said.
pub(super) async fn push(
    place: &Installation,
    service: &str,
    rule: &str,
    canary: Option<String>,
) -> Result<()> {
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

/// Takes a rule back from one replica; without an error if that was done already.
///
/// # Errors
/// When the replica refuses, or does not answer.
pub(super) async fn withdraw(edge: &Replica, rule: &str) -> switchboard::Result<()> {
    match edge.restore_rule(rule).await {
        // It was taken back already.
        Err(Error::Peer(Observed::Refused { status: 404, .. })) => Ok(()),
        done => done.map(|_| ()),
    }
}
