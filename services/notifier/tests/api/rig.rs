//! A running notifier with its own broker and its own SQS, and outcomes for it.

use std::{net::SocketAddr, time::Duration};

use chassis_service::lifecycle::Running;
use chrono::Utc;
use clap::Parser;
use contracts::{
    orders::{EVENT_VERSION, OrderSettled, OrderStatus},
    topics,
};
use notifier::{NotifierConfig, SERVICE, build, faults};
use testkit::{Http, Kafka, Process, Scrape, eventually, free_addr, s3_emulator};
use uuid::Uuid;

/// Longest wait for something that normally takes a moment: the group's first assignment alone takes 3 s.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// MiniStack with SQS, in memory.
pub(crate) struct Sqs {
    pub(crate) address: SocketAddr,
    process: Process,
}

impl Sqs {
    /// Starts it on a free port, and waits until it answers.
    pub(crate) async fn start() -> Self {
        Self::start_at(free_addr()).await
    }

    /// The same, at an address.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let port = format!("GATEWAY_PORT={}", address.port());
        let program = s3_emulator("ministack");
        let args = [
            "BIND_HOST=127.0.0.1",
            port.as_str(),
            "SERVICES=sqs",
            "IOT_MTLS_ENABLED=0",
            "SFTP_ENABLED=0",
            program.as_str(),
        ];
        let process = Process::start("env", &args);
        let sqs = Self { address, process };
        eventually(SOON, || async {
            let http = Http::to(sqs.address);
            match http.try_send(http::Method::GET, "/_ministack/health", &[], "").await {
                Ok(answer) if answer.status == 200 => Ok(()),
                answer => Err(format!("{answer:?}\n{}", sqs.process.output())),
            }
        })
        .await;
        sqs
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it, with everything that is in its queues.
    pub(crate) fn kill(mut self) -> SocketAddr {
        self.process.kill();
        self.address
    }
}

/// A running notifier.
pub(crate) struct Rig {
    pub(crate) admin: Http,
    pub(crate) kafka: Kafka,
    running: Running,
}

impl Rig {
    /// Starts one with these flags, and waits until it is ready.
    pub(crate) async fn start(sqs: &Sqs, flags: &[&str]) -> Self {
        let kafka = Kafka::start();
        let config = config(sqs, &kafka, flags);
        let chassis = config.common.chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT);
        let app = build(&config, chassis).unwrap();
        assert_eq!(app.chassis.faults.unclaimed(), Vec::<&str>::new());
        let running = Running::start(app).await.unwrap();
        let rig = Self { admin: Http::to(running.admin), kafka, running };
        eventually(SOON, || async {
            let answer = rig.admin.get("/readyz").await;
            if answer.status == 200 { Ok(()) } else { Err(answer.body) }
        })
        .await;
        rig
    }

    /// Publishes an outcome as order-worker would.
    pub(crate) async fn settle(&self, status: OrderStatus) {
        let event = outcome(status);
        let payload = serde_json::to_vec(&event).unwrap();
        self.kafka.publish(topics::ORDER_OUTCOMES, &event.order_id.to_string(), &payload, &[]).await;
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        Scrape::of(self.running.admin).await
    }

    /// Waits until a series of a queue has at least this value.
    pub(crate) async fn reaches(&self, metric: &str, queue: &str, value: f64) {
        eventually(SOON, || async {
            let scrape = self.scrape().await;
            let now = scrape.value(metric, &[("queue_name", queue)]);
            if now >= value { Ok(()) } else { Err(format!("{metric} of {queue} is {now}")) }
        })
        .await;
    }
}

/// What a notifier with these flags is configured with.
pub(crate) fn config(sqs: &Sqs, kafka: &Kafka, flags: &[&str]) -> NotifierConfig {
    let endpoint = sqs.endpoint();
    let own = ["notifier", "--kafka-brokers", kafka.brokers(), "--admin-addr", "127.0.0.1:0"];
    let place = ["--sqs-endpoint", endpoint.as_str()];
    NotifierConfig::parse_from(own.iter().chain(&place).chain(flags))
}

pub(crate) fn outcome(status: OrderStatus) -> OrderSettled {
    let reason = (status == OrderStatus::Rejected).then(|| "over-limit".to_owned());
    OrderSettled {
        version: EVENT_VERSION,
        event_id: Uuid::now_v7(),
        order_id: Uuid::now_v7(),
        status,
        reason,
        settled_at: Utc::now(),
    }
}
