//! Lag and age of each partition that this member reports, queried from the broker every second.
//!
//! Not from librdkafka's statistics: those know the high watermark of the last fetch only, and a consumer that is paused or
//! slow does not fetch. While the broker does not answer, the last values stay and the age keeps growing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chrono::Utc;
use rdkafka::{Offset, TopicPartitionList, consumer::Consumer, error::KafkaResult};
use tokio_util::sync::CancellationToken;

use super::{context::Client, member::Member, watchdog::Watchdog, watermarks::Watermarks};

/// Time from one measurement to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// Deadline of each query to the broker.
const DEADLINE: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Partition {
    lag: i64,
    growth: Watermarks,
}

type Partitions = BTreeMap<i32, Partition>;

/// State between two measurements.
#[derive(Default)]
struct Monitor {
    partitions: Partitions,
    watchdog: Watchdog,
}

/// Keeps the lag metrics until shutdown, and has the client replaced when it has lost its group.
pub(super) async fn watch(member: Member, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut monitor = Monitor::default();
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let asked = member.clone();
        // The questions block.
        let measured = tokio::task::spawn_blocking(move || {
            monitor.turn(&asked);
            monitor
        });
        match measured.await {
            Ok(kept) => monitor = kept,
            Err(_) => return,
        }
    }
}

impl Monitor {
    fn turn(&mut self, member: &Member) {
        let Some(client) = member.session.client() else { return };
        let topic = Some(member.subscription.topic);
        if member.session.has_coordinator() {
            self.watchdog.connected();
            if let Err(error) = measure(member, &client, &mut self.partitions) {
                tracing::debug!(%error, "lag not measured");
            }
        } else if self.watchdog.alone(client.fetch_metadata(topic, DEADLINE).is_ok()) {
            let group = member.subscription.group;
            tracing::warn!(group, "the group's coordinator is out of reach: connecting anew");
            member.replacements.coordinator.inc();
            member.session.replace();
        }
        publish(member, &self.partitions);
    }
}

fn measure(member: &Member, client: &Client, partitions: &mut Partitions) -> KafkaResult<()> {
    let (topic, responsible) = (member.subscription.topic, member.assignment.responsible());
    forget(member, partitions, &responsible);
    let mut list = TopicPartitionList::with_capacity(responsible.len());
    for &partition in &responsible {
        list.add_partition(topic, partition);
    }
    if responsible.is_empty() {
        return Ok(());
    }
    // Waits behind a rebalance, and then fails: the figures stay for that long.
    for element in client.committed_offsets(list, DEADLINE)?.elements() {
        let partition = element.partition();
        let (low, high) = client.fetch_watermarks(topic, partition, DEADLINE)?;
        member.commits.offsets.confirm(partition, high);
        // Nothing committed yet, or a commit older than what the broker still keeps: the rest starts at `low`.
        let committed = match element.offset() {
            Offset::Offset(offset) => offset.max(low),
            _ => low,
        };
        let entry = partitions.entry(partition).or_default();
        entry.lag = (high - committed).max(0);
        entry.growth.note(Instant::now(), high, committed);
    }
    Ok(())
}

/// Drops the series of partitions that another member has now.
fn forget(member: &Member, partitions: &mut Partitions, responsible: &BTreeSet<i32>) {
    let metrics = &member.boundary.metrics;
    partitions.retain(|partition, _| {
        let kept = responsible.contains(partition);
        if !kept {
            let labels = [member.subscription.topic, &partition.to_string()];
            let _ =
                (metrics.lag.remove_label_values(&labels), metrics.oldest_age.remove_label_values(&labels));
        }
        kept
    });
}

fn publish(member: &Member, partitions: &Partitions) {
    let (metrics, topic, now) = (&member.boundary.metrics, member.subscription.topic, Instant::now());
    for (number, partition) in partitions {
        let label = number.to_string();
        metrics.lag.with_label_values(&[topic, &label]).set(partition.lag);
        let age = if partition.lag == 0 {
            0.0
        } else {
            partition.growth.age(now).max(age_under_way(member, *number))
        };
        metrics.oldest_age.with_label_values(&[topic, &label]).set(age);
    }
    let total = partitions.values().map(|partition| partition.lag).sum();
    metrics.queue_size.with_label_values(&[topic]).set(total);
}

/// Seconds since the message under way was published; 0 when there is none.
fn age_under_way(member: &Member, partition: i32) -> f64 {
    let timestamp = member.commits.offsets.current(partition).and_then(|(_, timestamp)| timestamp);
    timestamp.map_or(0.0, |at| (Utc::now() - at).num_milliseconds().max(0) as f64 / 1000.0)
}
