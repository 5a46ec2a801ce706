//! A Kafka broker for tests. Normally librdkafka's mock cluster, as a child: real protocol, memory only, no admin API.
//! With `TEST_KAFKA=apache`, or where a test asks for it, Apache Kafka itself: durable log, real coordinator.

pub(crate) mod apache;
mod mock;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use contracts::topics;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{Header, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};

pub use self::mock::serve_broker;
use self::{apache::Apache, mock::Mock};
use crate::{kafka_raw, needs::wants_apache};

/// Partitions of each topic.
const PARTITIONS: i32 = 4;

const NOT_OURS: &str = "this broker does not belong to the test";

const LAB_TOPICS: &[&str] =
    &[topics::ORDERS, topics::ORDERS_DLQ, topics::ORDER_OUTCOMES, topics::ORDER_OUTCOMES_DLQ];

/// A message on a topic.
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

/// A cluster of one broker; gone when dropped.
pub struct Kafka(Broker);

enum Broker {
    Mock(Mock),
    Apache(Apache),
    Elsewhere(String),
}

impl Kafka {
    /// A cluster with the lab's topics, 4 partitions each.
    #[must_use]
    pub fn start() -> Self {
        Self::with_topics(LAB_TOPICS)
    }

    /// A cluster with these topics, of the kind that `TEST_KAFKA` selects.
    ///
    /// # Panics
    /// When it does not start, or the test program has no [`broker!`](crate::broker).
    #[must_use]
    pub fn with_topics(topics: &[&str]) -> Self {
        if wants_apache() {
            return Self(Broker::Apache(Apache::start(topics)));
        }
        Self(Broker::Mock(Mock::start(topics)))
    }

    /// Apache Kafka with the lab's topics, whatever `TEST_KAFKA` says. Call `needs!(ApacheKafka)` first.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn apache() -> Self {
        Self(Broker::Apache(Apache::start(LAB_TOPICS)))
    }

    /// A broker that the test did not start, to publish to and to read from.
    #[must_use]
    pub fn at(brokers: &str) -> Self {
        Self(Broker::Elsewhere(brokers.to_owned()))
    }

    /// Bootstrap list.
    #[must_use]
    pub fn brokers(&self) -> &str {
        match &self.0 {
            Broker::Mock(mock) => mock.brokers(),
            Broker::Apache(apache) => apache.brokers(),
            Broker::Elsewhere(brokers) => brokers,
        }
    }

    /// Process id of the broker; `None` while it is down, or when somebody else runs it.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match &self.0 {
            Broker::Mock(mock) => mock.pid(),
            Broker::Apache(apache) => apache.pid(),
            Broker::Elsewhere(_) => None,
        }
    }

    /// Takes the broker down: connections are cut and refused. Apache Kafka is killed (SIGKILL).
    ///
    /// # Panics
    /// When the test did not start it.
    pub fn down(&self) {
        match &self.0 {
            Broker::Mock(mock) => mock.set_up(false),
            Broker::Apache(apache) => apache.kill(),
            Broker::Elsewhere(_) => panic!("{NOT_OURS}"),
        }
    }

    /// Brings the broker back, with its old contents.
    ///
    /// # Panics
    /// When the test did not start it, or it does not come back.
    pub fn up(&self) {
        match &self.0 {
            Broker::Mock(mock) => mock.set_up(true),
            Broker::Apache(apache) => apache.start_again(),
            Broker::Elsewhere(_) => panic!("{NOT_OURS}"),
        }
    }

    /// Delays every response of the broker.
    ///
    /// # Panics
    /// On Apache Kafka, which has no such option: put a [`crate::ChaosProxy`] in front of it.
    pub fn round_trip(&self, delay: Duration) {
        match &self.0 {
            Broker::Mock(mock) => mock.round_trip(delay),
            Broker::Apache(_) | Broker::Elsewhere(_) => panic!("only the mock cluster delays its answers"),
        }
    }

    /// Refuses the next Produce request as a broker does that has lost part of the producer's messages.
    ///
    /// # Panics
    /// On Apache Kafka, which has lost nothing.
    pub fn lose_a_batch(&self) {
        match &self.0 {
            Broker::Mock(mock) => mock.lose_a_batch(),
            Broker::Apache(_) | Broker::Elsewhere(_) => {
                panic!("only the mock cluster pretends to have lost something")
            }
        }
    }

    /// Publishes one message as it is, and waits for the acknowledgement.
    ///
    /// # Panics
    /// When the broker does not accept it.
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
    /// When the broker does not accept it.
    pub async fn publish_raw(&self, topic: &str, partition: i32, payload: &[u8], headers: &[(&[u8], &[u8])]) {
        kafka_raw::publish(self.brokers(), topic, partition, payload, headers).await;
    }

    /// A producer, for tests that publish often.
    ///
    /// # Panics
    /// When librdkafka refuses.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender(self.client().create().expect("a producer"))
    }

    /// Reads a topic from its beginning until `count` messages were seen or `deadline` has passed; leaves no group
    /// behind.
    pub async fn read(&self, topic: &str, count: usize, deadline: Duration) -> Vec<Record> {
        let (config, topic) = (self.client(), topic.to_owned());
        tokio::task::spawn_blocking(move || read(&config, &topic, count, deadline))
            .await
            .expect("the reader ends")
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.brokers()).set("group.id", "testkit-reader");
        config.set("enable.auto.commit", "false");
        config
    }
}

/// Publishes messages to one broker.
#[derive(Clone)]
pub struct Sender(FutureProducer);

impl Sender {
    /// Publishes one message unchanged; gives up if it is not acknowledged within a second.
    pub async fn send(&self, topic: &str, key: &str, payload: &[u8]) {
        let record = FutureRecord::to(topic).key(key).payload(payload);
        let _ = self.0.send(record, Duration::from_secs(1)).await;
    }
}

fn read(config: &ClientConfig, topic: &str, count: usize, deadline: Duration) -> Vec<Record> {
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    for partition in 0..partitions_of(&consumer, topic) {
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

/// As the broker says; while it is away, the number that topics of tests have.
fn partitions_of(consumer: &BaseConsumer, topic: &str) -> i32 {
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(5));
    let count = metadata.ok().and_then(|metadata| Some(metadata.topics().first()?.partitions().len()));
    count.and_then(|count| i32::try_from(count).ok()).filter(|count| *count > 0).unwrap_or(PARTITIONS)
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
