//! A rule of the firewall that an experiment or the monkey pushes to the edges.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, bail};
use observe::Error as Observed;
use switchboard::{Action, Error, Outcome, Replica, Tools};

use crate::{installation::Installation, terminal::say};

/// Pushes a rule of `waf/incidents` to every replica of a service, or with `canary` to one first, for this long. `stays`: how
/// long it is in force if nobody takes it back, at least a second and at most a day; with `canary`, from its end on.
///
/// # Errors
/// When there is no such rule, or a replica refuses it. That a first step has stopped it for its cost is no error, and is
/// said.
pub(super) async fn push(
    place: &Installation,
    service: &str,
    rule: &str,
    canary: Option<String>,
    stays: Duration,
) -> Result<()> {
    let path = place.home()?.root.join(format!("waf/incidents/{rule}.yaml"));
    let file = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if canary.is_some() {
        let (target, rule, file) = (service.to_owned(), rule.to_owned(), file.clone());
        let push = Action::PushRule { target, rule, file, canary };
        let outcomes = push.run(&place.switches()?, &Tools::default(), place.token()).await?;
        if let Some(stopped) = judged(&outcomes)? {
            say(stopped);
            return Ok(());
        }
    }
    // A rule that is pushed again is the same rule with another end.
    for edge in place.replicas(Some(service)).await? {
        edge.push_rule_for(rule, file.clone(), stays.as_secs()).await.with_context(|| edge.to_string())?;
    }
    Ok(())
}

/// What is to be said if the first step has stopped the rule for its cost: that is what it is for.
///
/// # Errors
/// What went wrong otherwise: then the rule was not tried, and nothing is known of it.
fn judged(outcomes: &[Outcome]) -> Result<Option<String>> {
    let text = |outcome: &Outcome| format!("{}: {}", outcome.replica, outcome.text);
    if let Some(first) = outcomes.first().filter(|first| first.is_too_costly()) {
        return Ok(Some(text(first)));
    }
    match outcomes.iter().find(|outcome| !outcome.ok) {
        Some(failed) => bail!(text(failed)),
        None => Ok(None),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ok: bool, text: &str) -> Outcome {
        Outcome { replica: "edge".to_owned(), ok, text: text.to_owned() }
    }

    #[test]
    fn only_a_rule_that_was_stopped_for_its_cost_was_tried() {
        let good = || outcome(true, "the rule x is in force");
        let spared = || outcome(false, "was spared: edge was first");
        let costly = outcome(false, "the rule x costs too much, and was taken back: 2 of its searches");
        assert_eq!(judged(&[good(), good()]).unwrap(), None);
        let said = judged(&[costly, spared()]).unwrap().unwrap();
        assert!(said.starts_with("edge: the rule x costs too much"), "{said}");
        for other in
            ["The rule has mistakes.", "the rule x was taken back: no request was checked against it in 5s"]
        {
            let refused = judged(&[outcome(false, other), spared()]).unwrap_err().to_string();
            assert_eq!(refused, format!("edge: {other}"));
        }
        assert!(judged(&[good(), outcome(false, "no answer")]).is_err(), "it is not in force everywhere");
    }
}
