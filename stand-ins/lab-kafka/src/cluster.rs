//! The mock cluster and the thread that owns it: its handle cannot leave the thread that created it.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    time::Duration,
};

use anyhow::Context;
use parking_lot::Mutex;
use rdkafka::{error::KafkaResult, mocking::MockCluster, producer::DefaultProducerContext};

use crate::config::Topic;

/// A running cluster. Cheap to clone; it ends with the process.
#[derive(Clone)]
pub struct Cluster {
    orders: mpsc::Sender<Order>,
    state: Arc<State>,
}

struct State {
    /// Addresses of the brokers, in the order of their ids from 1.
    brokers: Vec<SocketAddr>,
    up: Mutex<Vec<bool>>,
    topics: Vec<Topic>,
}

enum Order {
    Up { broker: i32, up: bool },
    RoundTrip(Duration),
}

impl Cluster {
    /// Starts `brokers` brokers and creates the topics, each partition replicated to all of them.
    ///
    /// # Errors
    /// When librdkafka refuses.
    pub fn start(brokers: u8, topics: &[Topic]) -> anyhow::Result<Self> {
        let (orders, inbox) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        let wanted = topics.to_vec();
        std::thread::Builder::new().name("cluster".to_owned()).spawn(move || {
            match create(brokers, &wanted) {
                Ok(cluster) => {
                    let _ = ready.send(Ok(cluster.bootstrap_servers()));
                    obey(&cluster, &inbox);
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        })?;
        let bootstrap = started.recv().context("the cluster's thread ended")??;
        let brokers: Vec<SocketAddr> = bootstrap.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let up = Mutex::new(vec![true; brokers.len()]);
        Ok(Self { orders, state: Arc::new(State { brokers, up, topics: topics.to_vec() }) })
    }

    /// Whether each broker is up, in the order of their ids from 1.
    pub fn up(&self) -> Vec<bool> {
        self.state.up.lock().clone()
    }

    /// The brokers that are up.
    pub fn reachable(&self) -> Vec<SocketAddr> {
        let up = self.up();
        self.state.brokers.iter().zip(up).filter_map(|(addr, up)| up.then_some(*addr)).collect()
    }

    /// Whether a client finds a broker.
    ///
    /// # Errors
    /// That it does not.
    pub fn ready(&self) -> Result<(), String> {
        if self.reachable().is_empty() { Err("no broker is up".to_owned()) } else { Ok(()) }
    }

    /// The topics that were created at the start.
    pub fn topics(&self) -> &[Topic] {
        &self.state.topics
    }

    /// Cuts and refuses a broker's connections, or accepts them again. Leaders stay where they are: the partitions of a
    /// broker that is down are not available. `false` when there is no such broker.
    pub fn set_up(&self, broker: usize, up: bool) -> bool {
        let mut all = self.state.up.lock();
        let Some(state) = broker.checked_sub(1).and_then(|index| all.get_mut(index)) else { return false };
        *state = up;
        let broker = i32::try_from(broker).unwrap_or(i32::MAX);
        let _ = self.orders.send(Order::Up { broker, up });
        true
    }

    /// Delays every answer of every broker.
    pub fn set_round_trip(&self, delay: Duration) {
        let _ = self.orders.send(Order::RoundTrip(delay));
    }
}

fn create(brokers: u8, topics: &[Topic]) -> KafkaResult<MockCluster<'static, DefaultProducerContext>> {
    let cluster = MockCluster::new(i32::from(brokers))?;
    for topic in topics {
        cluster.create_topic(&topic.name, topic.partitions, i32::from(brokers))?;
    }
    Ok(cluster)
}

fn obey(cluster: &MockCluster<'static, DefaultProducerContext>, inbox: &mpsc::Receiver<Order>) {
    for order in inbox {
        let result = match order {
            Order::Up { broker, up: true } => cluster.broker_up(broker),
            Order::Up { broker, up: false } => cluster.broker_down(broker),
            Order::RoundTrip(delay) => cluster.broker_round_trip_time(-1, delay),
        };
        if let Err(error) = result {
            tracing::error!(%error, "the cluster rejected a command");
        }
    }
}
