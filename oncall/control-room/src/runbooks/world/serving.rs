//! How many replicas of a service serve: they are ready, and no edge has drained them.

use std::collections::BTreeSet;

use futures::future::join_all;
use runbook::guardrails::Replicas;
use switchboard::Replica;
use tokio::time::timeout;

use super::{named, of};
use crate::{
    actions::token,
    eyes::{PATIENCE, Readiness},
    room::Room,
};

/// The service that balances.
const EDGE: &str = "edge";

/// Nothing, if nobody knows the replicas of the service.
pub(super) async fn replicas(room: &Room, service: &str, instance: Option<&str>) -> Option<Replicas> {
    let known = of(&room.eyes.admins, service);
    if known.is_empty() {
        return None;
    }
    let drained = drained(room).await;
    let looks = known.iter().map(|admin| {
        let drained = drained.contains(&admin.instance.name);
        async move {
            let healthy = !drained && admin.readiness().await == Readiness::Ready;
            (healthy, instance.is_none_or(|instance| named(admin, instance)))
        }
    });
    let found = join_all(looks).await;
    let healthy = found.iter().filter(|(healthy, _)| *healthy).count();
    // Without a name it is the only one.
    let target = found.iter().find(|(_, target)| *target);
    let target_healthy = target.is_none_or(|(healthy, _)| *healthy);
    Some(Replicas { healthy: u32::try_from(healthy).unwrap_or(u32::MAX), target_healthy })
}

/// Names of the replicas that some edge has drained. An edge that does not answer lets nobody through, so what it may have
/// drained makes no difference.
async fn drained(room: &Room) -> BTreeSet<String> {
    let Ok(edges) = room.eyes.place.replicas(Some(EDGE), token(room)).await else { return BTreeSet::new() };
    let endpoints = join_all(edges.iter().map(at)).await;
    let mut names = BTreeSet::new();
    for endpoint in endpoints.into_iter().flatten() {
        names.extend(room.eyes.tools.replica_at(&endpoint));
    }
    names
}

/// What one edge has drained.
async fn at(edge: &Replica) -> Vec<String> {
    match timeout(PATIENCE, edge.drained()).await {
        Ok(Ok(endpoints)) => endpoints,
        _ => Vec::new(),
    }
}
