//! Kill -9 of the broker and its restart with an empty log on new ports: clients find it again and nothing gets stuck.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chassis_core::ServiceInfo;
use chassis_kafka::{Handler, InMessage, Kafka, KafkaConfig, OutMessage, Producer, Subscription, Verdict};
use chassis_service::CommonConfig;
use chassis_telemetry::Chassis;
use clap::Parser;
use testkit::{Http, Scrape, eventually, free_addr};

const PATIENCE: Duration = Duration::from_secs(60);
const TOPIC: &str = "orders";

/// The broker process; killed when dropped.
struct Broker {
    kafka: SocketAddr,
    admin: SocketAddr,
    process: Child,
}

impl Broker {
    async fn start(kafka: SocketAddr, admin: SocketAddr) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_lab-kafka"))
            .env("KAFKA_ADDR", kafka.to_string())
            .env("ADMIN_ADDR", admin.to_string())
            .stdout(Stdio::null())
            .spawn()
            .expect("the broker starts");
        let broker = Self { kafka, admin, process };
        eventually(PATIENCE, || async {
            let answer = Http::to(admin).try_send(http::Method::GET, "/readyz", &[], "").await;
            answer.map(|_| ()).map_err(|error| error.to_string())
        })
        .await;
        broker
    }

    fn kill(&mut self) {
        self.process.kill().expect("SIGKILL");
        self.process.wait().expect("it is gone");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = (self.process.kill(), self.process.wait());
    }
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    common: CommonConfig,
    #[command(flatten)]
    kafka: KafkaConfig,
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn has(&self, payload: &str) -> bool {
        self.0.lock().expect("not poisoned").iter().any(|seen| seen == payload)
    }

    async fn sees(&self, payload: &str) {
        eventually(PATIENCE, || async {
            if self.has(payload) { Ok(()) } else { Err(format!("{payload} did not arrive")) }
        })
        .await;
    }
}

#[async_trait::async_trait]
impl Handler for Seen {
    async fn handle(&self, message: &InMessage) -> Verdict {
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        self.0.lock().expect("not poisoned").push(payload);
        Verdict::Done
    }
}

/// A producer and a consumer like those of a service.
struct Service {
    chassis: Chassis,
    producer: Producer,
    seen: Seen,
}

impl Service {
    fn start(broker: &Broker) -> Self {
        let bootstrap = broker.kafka.to_string();
        let Flags { common, kafka } = Flags::parse_from(["test", "--kafka-brokers", &bootstrap]);
        let chassis = common.chassis(ServiceInfo { name: "test", version: "0" }, &[], &[]);
        let kafka = Kafka::connect(&kafka, &chassis).expect("a handle");
        let producer = kafka.producer(TOPIC);
        let seen = Seen::default();
        let subscription =
            Subscription { group: "test", topic: TOPIC, dead_letters: "dead", max_attempts: 3, reasons: &[] };
        kafka.consume(subscription, seen.clone()).expect("a consumer");
        Self { chassis, producer, seen }
    }

    /// How often its assignment has changed.
    fn rebalances(&self) -> f64 {
        let (_, body) = self.chassis.metrics.render(None);
        Scrape::parse(&String::from_utf8_lossy(&body)).value("kafka_rebalances_total", &[])
    }

    /// Publishes again and again until the broker acknowledges, as an outbox does.
    async fn publish(&self, key: usize, payload: &str) {
        eventually(PATIENCE, || async {
            let message = OutMessage {
                topic: TOPIC.to_owned(),
                key: key.to_string(),
                payload: payload.into(),
                ..OutMessage::default()
            };
            self.producer.publish(message).await.map_err(|error| format!("{:?}", error.source))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_find_a_killed_broker_again_on_new_ports_with_an_empty_log() {
    let mut broker = Broker::start(free_addr(), free_addr()).await;
    let service = Service::start(&broker);
    for round in 0..4 {
        // More messages each time: old offsets must not hide new messages.
        for number in 0..100 {
            service.publish(number, &format!("round {round} number {number}")).await;
        }
        for number in 0..100 {
            service.seen.sees(&format!("round {round} number {number}")).await;
        }
        let before = service.rebalances();
        broker.kill();
        eventually(PATIENCE, || async {
            let failing = service.chassis.readiness.failing().await;
            if failing.is_empty() { Err("still ready".to_owned()) } else { Ok(()) }
        })
        .await;
        if round == 1 {
            // The broker is away for longer than a session: the consumer gives its partitions up.
            eventually(PATIENCE, || async {
                let rebalances = service.rebalances();
                if rebalances > before { Ok(()) } else { Err(format!("{rebalances} rebalances")) }
            })
            .await;
        }
        broker = Broker::start(broker.kafka, broker.admin).await;
        let back = Instant::now();
        service.publish(0, &format!("round {round} first")).await;
        let acknowledged = back.elapsed();
        service.seen.sees(&format!("round {round} first")).await;
        println!("round {round}: acknowledged after {acknowledged:?}, consumed after {:?}", back.elapsed());
        assert!(acknowledged < Duration::from_secs(15), "{acknowledged:?}");
        assert!(back.elapsed() < Duration::from_secs(30), "{:?}", back.elapsed());
    }
    service.chassis.shutdown.cancel();
    service.chassis.tasks.close();
    tokio::time::timeout(PATIENCE, service.chassis.tasks.wait()).await.expect("stops in time");
}

#[tokio::test]
async fn a_broker_that_is_down_is_shown_and_comes_back() {
    let broker = Broker::start(free_addr(), free_addr()).await;
    let admin = Http::to(broker.admin);
    for id in 1..=3 {
        admin.put(&format!("/brokers/{id}?up=false")).await.expect_status(200);
    }
    admin.get("/readyz").await.expect_status(503);
    assert!(admin.get("/metrics").await.body.contains("kafka_broker_up{broker=\"2\"} 0"));
    admin.put("/brokers/2?up=true").await.expect_status(200);
    admin.get("/readyz").await.expect_status(200);
    admin.put("/rtt?ms=20").await.expect_status(200);
}

#[tokio::test]
async fn wrong_requests_are_refused_with_the_expected_form() {
    let broker = Broker::start(free_addr(), free_addr()).await;
    let admin = Http::to(broker.admin);
    for (path, status, field) in [
        ("/brokers/2", 400, "up"),
        ("/brokers/2?up=maybe", 400, "up"),
        ("/brokers/2?up=true&more=1", 400, "more"),
        ("/brokers/0?up=true", 404, "id"),
        ("/brokers/4?up=true", 404, "id"),
        ("/brokers/x?up=true", 404, "id"),
        ("/rtt?ms=-1", 400, "ms"),
        ("/rtt?ms=60001", 400, "ms"),
        ("/rtt", 400, "ms"),
        ("/nothing", 404, "path"),
    ] {
        let answer = admin.put(path).await;
        answer.expect_status(status);
        assert!(answer.json()["errors"][field].is_string(), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_web_page_of_another_site_cannot_take_a_broker_down() {
    let broker = Broker::start(free_addr(), free_addr()).await;
    let admin = Http::to(broker.admin);
    let set = async |headers: &[(&str, &str)]| {
        admin.send(http::Method::PUT, "/brokers/1?up=false", headers, String::new()).await
    };
    set(&[("host", "evil.example")]).await.expect_problem(421, "misdirected-request");
    set(&[("origin", "http://evil.example")]).await.expect_problem(403, "cross-origin");
    let brokers = admin.get("/brokers").await.expect_status(200).json();
    assert_eq!(brokers["brokers"][0]["up"], true, "{brokers}");
    set(&[]).await.expect_status(200);
}
