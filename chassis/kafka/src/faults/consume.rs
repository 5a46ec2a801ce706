//! Faults of consuming: partitions that stall and a group that does not settle.

use std::{sync::Arc, time::Duration};

use rdkafka::{TopicPartitionList, consumer::Consumer};
use tokio_util::sync::CancellationToken;

use super::super::consumer::Group;
use chassis_faults::FaultPoint;
use chassis_telemetry::Chassis;

/// How often the consumer looks for newly assigned partitions while it is paused.
const LOOK: Duration = Duration::from_millis(200);
/// Time between leaving a group and rejoining it.
const AWAY: Duration = Duration::from_millis(200);
/// Time to wait for partitions after joining: another member may have taken them all.
const LONGEST_JOIN: Duration = Duration::from_secs(20);

/// Starts the tasks of the faults that work on the consumer itself.
pub(crate) fn run(group: &Arc<Group>, chassis: &Chassis) {
    if let Some(point) = chassis.faults.find("consumer-pause") {
        chassis.spawn(pause(point, Arc::clone(group), chassis.shutdown.clone()));
    }
    if let Some(point) = chassis.faults.find("rebalance-storm") {
        chassis.spawn(storm(point, Arc::clone(group), chassis.shutdown.clone()));
    }
}

/// `consumer-pause`: pauses the assigned partitions (`rate`: a share of them) and resumes them at the end.
async fn pause(point: FaultPoint, group: Arc<Group>, shutdown: CancellationToken) {
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let holding = async {
            loop {
                apply(&group, point.level());
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = point.ended(&strike) => {}
            () = holding => {}
        }
        apply(&group, 0.0);
    }
}

/// Pauses the first `share` of the assigned partitions and resumes the others. Repeating it changes nothing.
fn apply(group: &Group, share: f64) {
    let Some(consumer) = group.consumer() else { return };
    let Ok(assigned) = consumer.assignment() else { return };
    let mut partitions: Vec<i32> = assigned.elements().iter().map(|element| element.partition()).collect();
    partitions.sort_unstable();
    let paused = (share * partitions.len() as f64).ceil() as usize;
    let list = |some: &[i32]| {
        let mut list = TopicPartitionList::with_capacity(some.len());
        for &partition in some {
            list.add_partition(group.config.topic, partition);
        }
        list
    };
    let (still, moving) = partitions.split_at(paused.min(partitions.len()));
    // A partition that is just being revoked needs neither.
    let _ = (consumer.pause(&list(still)), consumer.resume(&list(moving)));
}

/// `rebalance-storm`: leaves the group and rejoins it, `interval` after it got its partitions back.
async fn storm(point: FaultPoint, group: Arc<Group>, shutdown: CancellationToken) {
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let mut assignments = group.assignments();
        if let Some(consumer) = group.consumer() {
            consumer.unsubscribe();
        }
        tokio::time::sleep(AWAY).await;
        if let Some(consumer) = group.consumer() {
            // Fails only for an invalid topic name. Not logged: the line would exist under this fault only.
            let _ = consumer.subscribe(&[group.config.topic]);
        }
        let settled = async {
            let _ = tokio::time::timeout(LONGEST_JOIN, assignments.changed()).await;
            tokio::time::sleep(strike.duration("interval")).await;
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = point.ended(&strike) => {}
            () = settled => {}
        }
    }
}
