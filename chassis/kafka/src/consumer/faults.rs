//! Faults of consuming: partitions that stall and a group that does not settle.

use std::time::Duration;

use rdkafka::{TopicPartitionList, consumer::Consumer};
use tokio_util::sync::CancellationToken;

use super::member::Member;
use crate::catalogue::{CONSUMER_PAUSE, REBALANCE_STORM, RebalanceStorm};
use chassis_faults::FaultPoint;
use chassis_telemetry::Chassis;

/// How often the consumer looks for newly assigned partitions while it is paused.
const LOOK: Duration = Duration::from_millis(200);
/// Time between leaving a group and rejoining it.
const AWAY: Duration = Duration::from_millis(200);
/// Time to wait for partitions after joining: another member may have taken them all.
const LONGEST_JOIN: Duration = Duration::from_secs(20);

/// Starts the tasks of the faults that work on the consumer itself.
pub(super) fn start(member: &Member, chassis: &Chassis) {
    if let Some(point) = chassis.faults.find(&CONSUMER_PAUSE) {
        chassis.spawn(pause(point, member.clone(), chassis.shutdown.clone()));
    }
    if let Some(point) = chassis.faults.find(&REBALANCE_STORM) {
        chassis.spawn(storm(point, member.clone(), chassis.shutdown.clone()));
    }
}

/// `consumer-pause`: pauses the assigned partitions (`rate`: a share of them) and resumes them at the end.
async fn pause(point: FaultPoint, member: Member, shutdown: CancellationToken) {
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let holding = async {
            loop {
                apply(&member, point.level());
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = point.ended(&strike) => {}
            () = holding => {}
        }
        apply(&member, 0.0);
    }
}

/// Pauses the first `share` of the assigned partitions and resumes the others. Repeating it changes nothing.
fn apply(member: &Member, share: f64) {
    let Some(client) = member.session.client() else { return };
    let Ok(assigned) = client.assignment() else { return };
    let mut partitions: Vec<i32> = assigned.elements().iter().map(|element| element.partition()).collect();
    partitions.sort_unstable();
    let paused = (share * partitions.len() as f64).ceil() as usize;
    let list = |some: &[i32]| {
        let mut list = TopicPartitionList::with_capacity(some.len());
        for &partition in some {
            list.add_partition(member.subscription.topic, partition);
        }
        list
    };
    let (still, moving) = partitions.split_at(paused.min(partitions.len()));
    // A partition that is taken away this moment needs neither.
    let _ = (client.pause(&list(still)), client.resume(&list(moving)));
}

/// `rebalance-storm`: leaves the group and joins it again, `interval` after it got its partitions back.
async fn storm(point: FaultPoint<RebalanceStorm>, member: Member, shutdown: CancellationToken) {
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let mut given = member.assignment.given();
        if let Some(client) = member.session.client() {
            client.unsubscribe();
        }
        tokio::time::sleep(AWAY).await;
        if let Some(client) = member.session.client() {
            // Refused only for a topic name that is not valid. Not logged: the line would exist under this fault only.
            let _ = client.subscribe(&[member.subscription.topic]);
        }
        let settled = async {
            let _ = tokio::time::timeout(LONGEST_JOIN, given.changed()).await;
            tokio::time::sleep(strike.params.interval).await;
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = point.ended(&strike) => {}
            () = settled => {}
        }
    }
}
