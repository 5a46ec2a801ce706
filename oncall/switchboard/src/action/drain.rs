//! Takes one replica out of the balancing, and puts it back.
//!
//! On this machine every edge is told to send it nothing new; the edge itself sees to it that never two replicas are
//! drained, nor the last one that is in use. In a cluster the edge balances over Services, and so the pod leaves its
//! Service, and keeps all else (docs/adr/0075-a-drained-pod-stays-in-its-network.md).

use std::{collections::BTreeSet, ops::RangeInclusive, time::Duration};

use super::{Outcome, time};
use crate::{
    Cluster, Error, Place, Replica, Result, Tools,
    cluster::{DRAINED, Pod, SERVES},
};

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

/// Puts a replica back, or every one; it is well if it was not drained.
pub(super) async fn undrain(
    place: &Place,
    (tools, token): (&Tools, Option<&str>),
    target: Option<&str>,
    dry: bool,
) -> Result<Vec<Outcome>> {
    if let Place::Kubernetes(cluster) = place {
        return match target {
            Some(target) => into_service(cluster, target, dry).await,
            None => all_into_service(cluster, dry).await,
        };
    }
    let endpoint = target.map(|target| endpoint(tools, target)).transpose()?;
    let mut outcomes = Vec::new();
    for edge in place.replicas(Some(EDGE), token).await? {
        outcomes.push(match back(&edge, endpoint.as_deref(), dry).await {
            Ok(drained) => Outcome::good(edge.to_string(), said(tools, target, &drained, dry)),
            Err(error) => Outcome::bad(edge.to_string(), error.to_string()),
        });
    }
    Ok(outcomes)
}

/// Puts it back at one edge, or all that are drained there; the addresses of those that were.
async fn back(edge: &Replica, endpoint: Option<&str>, dry: bool) -> Result<BTreeSet<String>> {
    let mut drained: BTreeSet<String> = edge.drained().await?.into_iter().collect();
    drained.retain(|one| endpoint.is_none_or(|endpoint| endpoint == one));
    if !drained.is_empty() && !dry {
        edge.undrain(endpoint).await?;
    }
    Ok(drained)
}

/// What became of those that one edge had drained, in a sentence.
fn said(tools: &Tools, target: Option<&str>, drained: &BTreeSet<String>, dry: bool) -> String {
    let name = |endpoint: &String| match target {
        Some(target) => target.to_owned(),
        None => tools.replica_at(endpoint).unwrap_or_else(|| endpoint.clone()),
    };
    let names: Vec<String> = drained.iter().map(name).collect();
    match (names.len(), dry) {
        (0, _) => match target {
            Some(target) => format!("{target} is not drained: nothing to do"),
            None => "no replica is drained: nothing to do".to_owned(),
        },
        (_, true) => format!("{} would get requests again", names.join(" and ")),
        (1, false) => format!("{} gets requests again", names.join("")),
        (_, false) => format!("{} get requests again", names.join(" and ")),
    }
}

/// Where the edges send requests for this replica: exactly one, which takes requests.
fn endpoint(tools: &Tools, target: &str) -> Result<String> {
    let elsewhere = format!(
        "elsewhere ask each edge: curl -X PUT 'localhost:9100/drained?endpoint=HOST:PORT&ttl=10m' for {target}; \
         in a cluster: kubectl label pod POD {SERVES}=SERVICE{DRAINED} --overwrite, and `lab --context k8s fix` puts \
         it back"
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

/// The pod's Service forgets it. Connections that are open stay open.
async fn out_of_service(cluster: &Cluster, target: &str, dry: bool) -> Result<Vec<Outcome>> {
    let pods = cluster.meant(target).await?;
    let [pod] = pods.as_slice() else {
        let names: Vec<&str> = pods.iter().map(|pod| pod.name.as_str()).collect();
        let expected = format!("expected one pod: {}; found `{target}`", names.join(", "));
        return Err(Error::Wrong { field: "target", expected });
    };
    let all = cluster.pods(Some(pod.service.as_str())).await?;
    let why = match refused(pod, &all) {
        Some(why) => Some(why),
        None => cluster.keeps(pod).await?,
    };
    if let Some(why) = why {
        return Ok(vec![Outcome::bad(&pod.name, why)]);
    }
    if dry {
        return Ok(vec![Outcome::good(&pod.name, "would leave its Service")]);
    }
    cluster.serve(pod, false).await?;
    Ok(vec![Outcome::good(&pod.name, "has left its Service: it gets no new connections")])
}

/// Why a pod is not drained: never two at once, and never the last one that serves.
fn refused(pod: &Pod, all: &[Pod]) -> Option<String> {
    let mut others = all.iter().filter(|other| other.name != pod.name);
    if let Some(other) = others.clone().find(|other| other.drained) {
        return Some(format!("{} is drained already, and never two are", other.name));
    }
    if others.clone().next().is_none() {
        return Some(format!("it is the only pod of {}", pod.service));
    }
    let serves = others.any(|other| other.ready);
    (!serves).then(|| format!("no other pod of {} is ready", pod.service))
}

/// The pod is one of its Service again.
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
        cluster.serve(pod, true).await?;
    }
    Ok(vec![Outcome::good(target, again(dry))])
}

/// Every pod is one of its Service again.
async fn all_into_service(cluster: &Cluster, dry: bool) -> Result<Vec<Outcome>> {
    let all = cluster.pods(None).await?;
    let mut outcomes = Vec::new();
    for pod in all.iter().filter(|pod| pod.drained) {
        let served = if dry { Ok(()) } else { cluster.serve(pod, true).await };
        outcomes.push(match served {
            Ok(()) => Outcome::good(&pod.name, again(dry)),
            Err(error) => Outcome::bad(&pod.name, error.to_string()),
        });
    }
    if outcomes.is_empty() {
        outcomes.push(Outcome::good(&cluster.namespace, "no pod is drained: nothing to do"));
    }
    Ok(outcomes)
}

const fn again(dry: bool) -> &'static str {
    if dry { "would be in its Service again" } else { "is in its Service again" }
}
