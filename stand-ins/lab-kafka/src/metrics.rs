//! What the broker exports.

use chassis_telemetry::metrics::Metrics;

use crate::cluster::Cluster;

/// Registers everything; `cluster` tells at each scrape which of its brokers are up.
pub fn register(metrics: &Metrics, cluster: &Cluster) {
    let partitions = metrics.gauge_vec("kafka_topic_partitions", "Partitions of a topic.", &["topic"]);
    for topic in cluster.topics() {
        partitions.with_label_values(&[&topic.name]).set(topic.partitions.into());
    }
    let up = metrics.gauge_vec("kafka_broker_up", "Whether the broker accepts connections.", &["broker"]);
    let cluster = cluster.clone();
    metrics.on_scrape(move || {
        for (index, is_up) in cluster.up().into_iter().enumerate() {
            up.with_label_values(&[&(index + 1).to_string()]).set(is_up.into());
        }
    });
}
