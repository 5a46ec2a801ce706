//! How many replicas of a service run.

use super::Outcome;
use crate::{Cluster, Error, Place, Result};

/// The most that may be asked for: enough for any lab, and no way to fill a cluster by a slip of the finger.
const MOST: u32 = 20;

pub(super) async fn act(place: &Place, target: &str, replicas: u32, dry: bool) -> Result<Vec<Outcome>> {
    if !(1..=MOST).contains(&replicas) {
        let expected = format!("expected 1 to {MOST}, found {replicas}");
        return Err(Error::Wrong { field: "replicas", expected });
    }
    let cluster = of(place, target)?;
    let before = now(place, target).await?;
    if dry {
        return Ok(vec![Outcome::good(target, format!("has {before} replicas; it would have {replicas}"))]);
    }
    cluster.scale(target, replicas).await?;
    let text = format!("has {replicas} replicas as soon as they are ready; it had {before}");
    Ok(vec![Outcome::good(target, text)])
}

/// How many replicas it should have now.
///
/// # Errors
/// When it is no service of the lab, or not in a cluster.
pub(super) async fn now(place: &Place, target: &str) -> Result<u32> {
    let cluster = of(place, target)?;
    // Only a service of the lab: a Deployment may be anybody's.
    cluster.pods(Some(target)).await?;
    cluster.wanted(target).await
}

fn of<'p>(place: &'p Place, target: &str) -> Result<&'p Cluster> {
    match place {
        Place::Kubernetes(cluster) => Ok(cluster),
        Place::Here(_) => Err(Error::not_here(
            format!("the number of replicas of {target} cannot be changed while it runs"),
            format!(
                "on this machine: `lab down`, then `lab up --replicas {target}=2`; in a cluster: \
                 kubectl scale deployment/{target} --replicas=2"
            ),
        )),
    }
}
