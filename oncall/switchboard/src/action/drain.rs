//! Takes one replica out of the balancing, and puts it back.
//!
//! On this machine every edge is told to send it nothing new; the edge itself sees to it that never two replicas are drained,
//! nor the last one that is in use. In a cluster the edge balances over Services, and so the pod leaves its Service: its
//! label changes, and its Deployment starts another one.

use std::{ops::RangeInclusive, time::Duration};

use super::{Outcome, time};
use crate::{Cluster, Error, Place, Replica, Result, Tools, cluster::Pod};

/// The service that balances.
const EDGE: &str = "edge";
/// For how long a replica may be drained: as the edge accepts it.
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// Takes a replica out for this time, at most.
pub(super) async fn drain(
    place: &Place,
    (tools, token): (&Tools, Option<&str>),
    target: &str,
    ttl: &str,
    dry: bool,
) -> Result<Vec<Outcome>> {
    let lasts = time::of("ttl", ttl)?;
    if !TTL.contains(&lasts) {
        let expected = format!("expected a time from 1s to 1h, such as 10m, found `{ttl}`");
        return Err(Error::Wrong { field: "ttl", expected });
    }
    if let Place::Kubernetes(cluster) = place {
        return out_of_service(cluster, target, dry).await;
    }
    let endpoint = endpoint(tools, target)?;
    let word = if dry { "would get" } else { "gets" };
    let text = format!("{target} {word} no new requests for {}", time::words(lasts));
    let seconds = format!("{}s", lasts.as_secs());
    let mut outcomes = Vec::new();
    for edge in place.replicas(Some(EDGE), token).await? {
        outcomes.push(match edge.drain(&endpoint, &seconds, dry).await {
            Ok(_) => Outcome::good(edge.to_string(), text.clone()),
            Err(error) => Outcome::bad(edge.to_string(), error.to_string()),
        });
    }
    Ok(outcomes)
}

/// Puts a replica back; it is well if it was not drained.
pub(super) async fn undrain(
    place: &Place,
    (tools, token): (&Tools, Option<&str>),
    target: &str,
    dry: bool,
) -> Result<Vec<Outcome>> {
    if let Place::Kubernetes(cluster) = place {
        return into_service(cluster, target, dry).await;
    }
    let endpoint = endpoint(tools, target)?;
    let mut outcomes = Vec::new();
    for edge in place.replicas(Some(EDGE), token).await? {
        outcomes.push(match back(&edge, &endpoint, dry).await {
            Ok(true) if dry => Outcome::good(edge.to_string(), format!("{target} would get requests again")),
            Ok(true) => Outcome::good(edge.to_string(), format!("{target} gets requests again")),
            Ok(false) => Outcome::good(edge.to_string(), format!("{target} is not drained: nothing to do")),
            Err(error) => Outcome::bad(edge.to_string(), error.to_string()),
        });
    }
    Ok(outcomes)
}

/// Puts it back at one edge; whether it was drained there.
async fn back(edge: &Replica, endpoint: &str, dry: bool) -> Result<bool> {
    let was = edge.drained().await?.iter().any(|drained| drained == endpoint);
    if was && !dry {
        edge.undrain(endpoint).await?;
    }
    Ok(was)
}

/// Where the edges send requests for this replica: exactly one, which takes requests.
fn endpoint(tools: &Tools, target: &str) -> Result<String> {
    let elsewhere = format!(
        "elsewhere ask each edge: curl -X PUT 'localhost:9100/drained?endpoint=HOST:PORT&ttl=10m' for {target}"
    );
    let lab = tools.lab(&format!("{target} cannot be drained"), &elsewhere)?;
    let parts = lab.state()?.services(target)?;
    let wrong = |expected: String| Error::Wrong { field: "target", expected };
    let [part] = parts.as_slice() else {
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        return Err(wrong(format!("expected one replica: {}; found `{target}`", names.join(", "))));
    };
    match part.ports.get(&part.name) {
        Some(port) if part.service() != EDGE => Ok(format!("127.0.0.1:{port}")),
        _ => Err(wrong(format!("expected a replica behind the edge, found `{target}`"))),
    }
}

/// The pod's Service forgets it, and its Deployment replaces it. Connections that are open stay open.
async fn out_of_service(cluster: &Cluster, target: &str, dry: bool) -> Result<Vec<Outcome>> {
    let pods = cluster.meant(target).await?;
    let [pod] = pods.as_slice() else {
        let names: Vec<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
        let expected = format!("expected one pod: {}; found `{target}`", names.join(", "));
        return Err(Error::Wrong { field: "target", expected });
    };
    let all = cluster.pods(Some(pod.service.as_str())).await?;
    if let Some(why) = refused(pod, &all) {
        return Ok(vec![Outcome::bad(&pod.name, why)]);
    }
    if dry {
        let text = "would leave its Service, and its Deployment would start another pod";
        return Ok(vec![Outcome::good(&pod.name, text)]);
    }
    cluster.label(pod, true).await?;
    Ok(vec![Outcome::good(&pod.name, "has left its Service: it gets no new connections")])
}

/// Why a pod is not drained: never two at once, and never the last one that serves.
fn refused(pod: &Pod, all: &[Pod]) -> Option<String> {
    let mut others = all.iter().filter(|other| other.name != pod.name);
    if let Some(other) = others.clone().find(|other| other.drained) {
        return Some(format!("{} is drained already, and never two are", other.name));
    }
    others.next().is_none().then(|| format!("it is the only pod of {}", pod.service))
}

/// The pod is one of its Service again, and its Deployment ends one that is too many.
async fn into_service(cluster: &Cluster, target: &str, dry: bool) -> Result<Vec<Outcome>> {
    let all = cluster.pods(None).await?;
    let Some(pod) = all.iter().find(|pod| pod.name == target) else {
        let text = "does not exist any more: its Deployment has replaced it";
        return Ok(vec![Outcome::good(target, text)]);
    };
    if !pod.drained {
        return Ok(vec![Outcome::good(target, "is not drained: nothing to do")]);
    }
    if !dry {
        cluster.label(pod, false).await?;
    }
    let word = if dry { "would be" } else { "is" };
    Ok(vec![Outcome::good(target, format!("{word} in its Service again"))])
}
