//! librdkafka's mock cluster, and the thread that owns it.

use std::{sync::mpsc, time::Duration};

use rdkafka::mocking::MockCluster;

use super::PARTITIONS;

enum Order {
    Down,
    Up,
    RoundTrip(Duration),
}

/// A running cluster of one broker; it ends when dropped.
pub(super) struct Mock {
    brokers: String,
    // The cluster handle cannot leave its thread; the thread ends when this sender is dropped.
    orders: mpsc::Sender<Order>,
}

impl Mock {
    /// A cluster with these topics.
    pub(super) fn start(topics: &[&str]) -> Self {
        let (orders, inbox) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        let topics: Vec<String> = topics.iter().map(|&topic| topic.to_owned()).collect();
        std::thread::spawn(move || {
            let cluster = MockCluster::new(1).expect("a mock cluster");
            for topic in &topics {
                cluster.create_topic(topic, PARTITIONS, 1).expect("a topic");
            }
            let _ = ready.send(cluster.bootstrap_servers());
            for order in inbox {
                let _ = match order {
                    Order::Down => cluster.broker_down(1),
                    Order::Up => cluster.broker_up(1),
                    Order::RoundTrip(delay) => cluster.broker_round_trip_time(1, delay),
                };
            }
        });
        Self { brokers: started.recv().expect("the cluster starts"), orders }
    }

    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    pub(super) fn set_up(&self, up: bool) {
        let _ = self.orders.send(if up { Order::Up } else { Order::Down });
    }

    pub(super) fn round_trip(&self, delay: Duration) {
        let _ = self.orders.send(Order::RoundTrip(delay));
    }
}
