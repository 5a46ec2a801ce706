//! A Kafka-protocol broker in the test process: librdkafka's mock cluster. Real protocol, memory only, no admin API.

use std::{
    collections::BTreeMap,
    sync::mpsc,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{Header, Headers, OwnedHeaders},
    mocking::MockCluster,
    producer::{FutureProducer, FutureRecord},
};

use crate::kafka_raw;

/// Partitions of each topic.
const PARTITIONS: i32 = 4;

/// A message as it lies on a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key.
    pub key: Option<String>,
    /// Body.
    pub payload: Vec<u8>,
    /// Headers as text.
    pub headers: BTreeMap<String, String>,
}

enum Order {
    Down(i32),
    Up(i32),
    RoundTrip(i32, Duration),
}

/// A cluster of one broker; gone when dropped.
pub struct Kafka {
    brokers: String,
    // The cluster handle cannot leave its thread; the thread ends when this sender is dropped.
    orders: mpsc::Sender<Order>,
}

impl Kafka {
    /// A cluster with the lab's topics, 4 partitions each.
    #[must_use]
    pub fn start() -> Self {
        use contracts::topics::{ORDER_OUTCOMES, ORDER_OUTCOMES_DLQ, ORDERS, ORDERS_DLQ};
        Self::with_topics(&[ORDERS, ORDERS_DLQ, ORDER_OUTCOMES, ORDER_OUTCOMES_DLQ])
    }

    /// A cluster with these topics.
    ///
    /// # Panics
    /// When librdkafka refuses.
    #[must_use]
    pub fn with_topics(topics: &[&str]) -> Self {
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
                    Order::Down(broker) => cluster.broker_down(broker),
                    Order::Up(broker) => cluster.broker_up(broker),
                    Order::RoundTrip(broker, delay) => cluster.broker_round_trip_time(broker, delay),
                };
            }
        });
        Self { brokers: started.recv().expect("the cluster starts"), orders }
    }

    /// Bootstrap list.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Takes the broker down: connections are cut and refused.
    pub fn down(&self) {
        let _ = self.orders.send(Order::Down(1));
    }

    /// Brings the broker back, with what it had.
    pub fn up(&self) {
        let _ = self.orders.send(Order::Up(1));
    }

    /// Delays every answer of the broker.
    pub fn round_trip(&self, delay: Duration) {
        let _ = self.orders.send(Order::RoundTrip(1, delay));
    }

    /// Publishes one message as it is, and waits for the acknowledgement.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn publish(&self, topic: &str, key: &str, payload: &[u8], headers: &[(&str, &str)]) {
        let producer: FutureProducer = self.client().create().expect("a producer");
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
        let record = FutureRecord::to(topic).key(key).payload(payload).headers(headers);
        producer
            .send(record, Duration::from_secs(10))
            .await
            .map_err(|(error, _)| error)
            .expect("an acknowledgement");
    }

    /// Publishes one message with headers that need not be text, as a hostile or broken client does.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn publish_raw(&self, topic: &str, partition: i32, payload: &[u8], headers: &[(&[u8], &[u8])]) {
        kafka_raw::publish(&self.brokers, topic, partition, payload, headers).await;
    }

    /// Reads a topic from its beginning until `count` messages were seen or `deadline` passed; leaves no group behind.
    pub async fn read(&self, topic: &str, count: usize, deadline: Duration) -> Vec<Record> {
        let (config, topic) = (self.client(), topic.to_owned());
        tokio::task::spawn_blocking(move || read(&config, &topic, count, deadline))
            .await
            .expect("the reader ends")
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("group.id", "testkit-reader");
        config.set("enable.auto.commit", "false");
        config
    }
}

fn read(config: &ClientConfig, topic: &str, count: usize, deadline: Duration) -> Vec<Record> {
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&partitions).expect("an assignment");
    let start = Instant::now();
    let mut records = Vec::new();
    while records.len() < count && start.elapsed() < deadline {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
            records.push(record(&message));
        }
    }
    records
}

fn record(message: &impl Message) -> Record {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().map(|headers| {
        headers.iter().map(|h| (h.key.to_owned(), h.value.map(text).unwrap_or_default())).collect()
    });
    Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(text),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers: headers.unwrap_or_default(),
    }
}
