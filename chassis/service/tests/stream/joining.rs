//! Joins that the mock cluster forgets, and members that it gives no partition.
//!
//! It forgets a member whose session ends while it waits for others: 3 s if the group was empty, as after the death of all
//! its members. It looks for such sessions once per second, counted from the first join that the group ever had. So with
//! sessions of 2.5 s it depends on the half of the second in which a join comes.

use std::time::Duration;

use chassis_kafka::{KafkaConfig, Subscription};
use chassis_telemetry::Chassis;

use crate::support::{
    PATIENCE, Recorder, TOPIC, broker, chassis, config, connect, reaches, scrape, subscription,
};

/// As replicas on the embedded broker have it.
const SESSION: &str = "2500ms";
/// Time from the first join of a group to that of the next, so that the joins after it come in each quarter of their second.
const QUARTER: Duration = Duration::from_millis(250);
const GROUPS: [&str; 4] = ["test-0", "test-1", "test-2", "test-3"];

/// One process with a consumer.
struct Reader {
    group: &'static str,
    chassis: Chassis,
    recorder: Recorder,
}

impl Reader {
    fn start(brokers: &str, group: &'static str) -> Self {
        let (chassis, recorder) = (chassis(&[]), Recorder::default());
        let flags: KafkaConfig = config(&["--kafka-brokers", brokers, "--kafka-session-timeout", SESSION]);
        let subscription = Subscription { group, ..subscription(&["malformed"]) };
        connect(&flags, &chassis).consume(subscription, recorder.clone()).expect("a consumer");
        Self { group, chassis, recorder }
    }

    /// Waits until it was told which partitions it has.
    async fn has_joined(&self) {
        let group = [("group", self.group)];
        reaches(&self.chassis, "kafka_rebalances_total", &group, |count| count >= 1.0).await;
    }

    /// Clients that were replaced for `reason`.
    fn replaced(&self, reason: &str) -> f64 {
        let labels = [("group", self.group), ("reason", reason)];
        scrape(&self.chassis).value("kafka_client_replacements_total", &labels)
    }

    async fn stop(self) {
        self.chassis.shutdown.cancel();
        self.chassis.tasks.close();
        tokio::time::timeout(PATIENCE, self.chassis.tasks.wait()).await.expect("stops in time");
    }
}

async fn stop(readers: impl IntoIterator<Item = Reader>) {
    futures::future::join_all(readers.into_iter().map(Reader::stop)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_of_an_empty_group_reads_soon_even_if_its_join_is_never_answered() {
    let broker = broker();
    let mut before = Vec::new();
    for group in GROUPS {
        before.push(Reader::start(broker.brokers(), group));
        // Time is the subject.
        tokio::time::sleep(QUARTER).await;
    }
    for reader in &before {
        reader.has_joined().await;
    }
    stop(before).await;
    broker.publish(TOPIC, "k", b"ok", &[]).await;
    // Absence is the subject: a rebalance without any member takes 1.5 s, and leaves an empty group, as the end of the
    // sessions of killed members does.
    tokio::time::sleep(Duration::from_secs(3)).await;

    let after = GROUPS.map(|group| Reader::start(broker.brokers(), group));
    for reader in &after {
        // librdkafka alone would try again after five minutes.
        reader.recorder.sees("ok").await;
    }
    let replaced: f64 = after.iter().map(|reader| reader.replaced("join")).sum();
    assert!(replaced >= 1.0, "every join was answered: does the mock cluster still forget any?");
    assert_eq!(after.iter().map(|reader| reader.replaced("coordinator")).sum::<f64>(), 0.0);
    stop(after).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_for_which_no_partition_is_left_keeps_its_client() {
    let broker = broker();
    // One more than there are partitions.
    let members: Vec<_> = (0..5).map(|_| Reader::start(broker.brokers(), "test")).collect();
    for member in &members {
        member.has_joined().await;
    }
    let before: Vec<_> = members.iter().map(|member| member.replaced("join")).collect();
    // Absence is the subject: longer than an answer to a join may take.
    tokio::time::sleep(Duration::from_secs(13)).await;
    let after: Vec<_> = members.iter().map(|member| member.replaced("join")).collect();
    assert_eq!(after, before);
    stop(members).await;
}
