//! The three services in one process, each with its own database and ports.
//!
//! All tests run on one runtime, so that they can share a lab: what a lab started lives as long as the test process. A test
//! program that starts a lab says `testkit::broker!();` in its root.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

use std::{sync::LazyLock, time::Duration};

use chassis_service::lifecycle::Running;
use clap::Parser;
use serde_json::{Value, json};
use testkit::{Answer, ChaosProxy, Http, Kafka, Postgres, Redis, Scrape, eventually, invariants};
use tokio::{runtime::Runtime, sync::OnceCell};
use uuid::Uuid;

/// Longest wait for something that normally takes a moment: the group's first assignment alone takes 3 s.
pub const SOON: Duration = Duration::from_secs(30);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
});

/// Runs a test on the one runtime.
pub fn run<F: Future>(test: F) -> F::Output {
    RUNTIME.block_on(test)
}

/// The lab that tests share which break nothing.
pub async fn shared() -> &'static Lab {
    static SHARED: OnceCell<Lab> = OnceCell::const_new();
    SHARED.get_or_init(|| Lab::start(Parts::default())).await
}

/// Differences from the normal lab.
#[derive(Default)]
pub struct Parts {
    /// Further flags of order-api.
    pub api_flags: Vec<String>,
    /// Puts a proxy between order-api and its database.
    pub database_proxy: bool,
    /// Does not start order-worker.
    pub no_worker: bool,
    /// `EVENT_KEYS` of order-api and order-worker; empty: none.
    pub event_keys: String,
}

/// The running services and what they run on.
pub struct Lab {
    /// order-api, public port.
    pub http: Http,
    /// order-api, admin port.
    pub admin: Http,
    /// order-api.
    pub api: Running,
    /// user-service, until a test takes and stops it.
    pub users: Option<Running>,
    /// order-worker, unless it was not asked for.
    pub worker: Option<Running>,
    /// The broker between order-api and order-worker.
    pub kafka: Kafka,
    /// The proxy before order-api's database, if it was asked for.
    pub database_proxy: Option<ChaosProxy>,
    /// order-api's database.
    pub orders_url: String,
    /// order-worker's database.
    pub fulfillment_url: String,
    _redis: Redis,
}

impl Lab {
    /// Starts everything and waits until it is ready.
    pub async fn start(parts: Parts) -> Self {
        let postgres = Postgres::shared().await;
        let users_url = postgres.database("users").await;
        let orders_url = postgres.database("orders").await;
        let fulfillment_url = postgres.database("fulfillment").await;
        let redis = Redis::start().await;
        let kafka = Kafka::start();
        let proxy = if parts.database_proxy { Some(ChaosProxy::to(postgres.addr()).await) } else { None };
        let api_database =
            proxy.as_ref().map_or_else(|| orders_url.clone(), |proxy| proxy.rewrite(&orders_url));

        let users = start_users(&users_url, &redis.url()).await;
        let user_service = format!("http://{}", users.public.unwrap());
        let keys = format!("--event-keys={}", parts.event_keys);
        let api_flags: Vec<String> = parts.api_flags.iter().chain([&keys]).cloned().collect();
        let api = start_api(&api_database, kafka.brokers(), &user_service, &api_flags).await;
        let worker = if parts.no_worker {
            None
        } else {
            Some(start_worker_with(&fulfillment_url, kafka.brokers(), &[&keys]).await)
        };

        let lab = Self {
            http: Http::to(api.public.unwrap()),
            admin: Http::to(api.admin),
            api,
            users: Some(users),
            worker,
            kafka,
            database_proxy: proxy,
            orders_url,
            fulfillment_url,
            _redis: redis,
        };
        lab.ready().await;
        lab
    }

    /// Waits until every service says that it is ready.
    pub async fn ready(&self) {
        for running in [Some(&self.api), self.users.as_ref(), self.worker.as_ref()].into_iter().flatten() {
            let admin = Http::to(running.admin);
            eventually(SOON, || async {
                let answer = admin.get("/readyz").await;
                if answer.status == 200 { Ok(()) } else { Err(answer.body) }
            })
            .await;
        }
    }

    /// order-api's metrics now.
    pub async fn scrape(&self) -> Scrape {
        Scrape::of(self.api.admin).await
    }

    /// order-worker's metrics now.
    pub async fn scrape_worker(&self) -> Scrape {
        Scrape::of(self.worker.as_ref().unwrap().admin).await
    }

    /// Places an order that must be accepted; its id. On a busy machine the check of the user may miss its deadline: that
    /// is asked again.
    pub async fn place(&self, body: &Value) -> String {
        let answer = eventually(SOON, || async {
            let answer = self.http.post("/orders", body).await;
            if answer.body.contains("#upstream-unavailable") { Err(answer.body) } else { Ok(answer) }
        })
        .await;
        answer.expect_status(202);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the order is settled and returns it.
    pub async fn settled(&self, id: &str) -> Value {
        eventually(SOON, || async {
            let order = self.http.get(&format!("/orders/{id}")).await;
            match order.status {
                200 if order.json()["status"] != "pending" => Ok(order.json()),
                _ => Err(order.body),
            }
        })
        .await
    }

    /// Waits until the invariants of the pipeline hold for these accepted orders.
    pub async fn at_rest(&self, accepted: &[String]) -> invariants::Report {
        eventually(SOON, || async {
            let report = invariants::check(&self.orders_url, &self.fulfillment_url, accepted).await;
            let report = report.map_err(|error| error.to_string())?;
            if report.holds() { Ok(report) } else { Err(report.to_string()) }
        })
        .await
    }

    /// A connection of its own to order-api's database.
    pub async fn orders(&self) -> sqlx::PgConnection {
        use sqlx::Connection;
        sqlx::PgConnection::connect(&self.orders_url).await.unwrap()
    }

    /// Places orders until one is answered with `status`.
    pub async fn until_status(&self, status: u16, body: &Value) -> Answer {
        eventually(SOON, || async {
            let answer = self.http.post("/orders", body).await;
            if answer.status == status {
                Ok(answer)
            } else {
                Err(format!("still {}: {}", answer.status, answer.body))
            }
        })
        .await
    }
}

/// A valid order of the n-th seeded user: two lines, 305 cents.
pub fn order(user: u32) -> Value {
    json!({
        "user_id": contracts::users::seeded_user_id(user),
        "items": [
            {"sku": "tea", "quantity": 2, "unit_price_cents": 150},
            {"sku": "spoon-1", "quantity": 1, "unit_price_cents": 5},
        ],
    })
}

/// Whether order-worker declines an order of this id.
pub fn declined(id: &str) -> bool {
    Uuid::parse_str(id).unwrap().as_u128().is_multiple_of(50)
}

const PORTS: [&str; 4] = ["--admin-addr", "127.0.0.1:0", "--public-addr", "127.0.0.1:0"];
/// Only requests that bring a sampled trace have spans. Those of all labs of a process share the queue of one exporter, and it
/// drops what is too much.
const UNSAMPLED: [&str; 2] = ["--trace-ratio", "0"];

/// A machine that is busy with other tests may not answer within the usual second. Shorter than what the tests of faults delay.
const PATIENCE: [&str; 2] = ["--user-service-timeout", "2500ms"];

/// Starts user-service on these servers.
pub async fn start_users(database: &str, redis: &str) -> Running {
    // A machine that is busy with other tests may not answer from Redis within the usual 100 ms.
    let flags =
        ["user-service", "--database-url", database, "--redis-url", redis, "--cache-timeout", "800ms"];
    let config = user_service::UserServiceConfig::parse_from(flags.into_iter().chain(PORTS).chain(UNSAMPLED));
    let chassis = config.common.chassis(
        user_service::SERVICE,
        user_service::faults::CATALOGUE,
        user_service::faults::SUBJECT,
    );
    Running::start(user_service::build(&config, chassis).await.unwrap()).await.unwrap()
}

/// Starts order-api on these servers.
pub async fn start_api(database: &str, brokers: &str, users: &str, flags: &[String]) -> Running {
    let own =
        ["order-api", "--database-url", database, "--kafka-brokers", brokers, "--user-service-url", users];
    let own = own.into_iter().chain(PATIENCE).chain(PORTS).chain(UNSAMPLED).map(str::to_owned);
    let config = order_api::OrderApiConfig::parse_from(own.chain(flags.iter().cloned()));
    let chassis =
        config.common.chassis(order_api::SERVICE, order_api::faults::CATALOGUE, order_api::faults::SUBJECT);
    if config.common.telemetry.otlp_endpoint.is_some() {
        // Process-wide, so one test at most may ask for it; it gets the spans of all services of this process. Its log would
        // take the panics of every test of the process.
        let init = || chassis_otlp::init_with(&chassis, Box::new(std::io::sink()));
        let telemetry = testkit::panics_shown(init).unwrap();
        std::mem::forget(telemetry);
    }
    Running::start(order_api::build(&config, chassis).await.unwrap()).await.unwrap()
}

/// Starts order-worker on these servers.
pub async fn start_worker(database: &str, brokers: &str) -> Running {
    start_worker_with(database, brokers, &[]).await
}

/// Starts order-worker on these servers, with further flags.
pub async fn start_worker_with(database: &str, brokers: &str, flags: &[&str]) -> Running {
    let own = ["order-worker", "--database-url", database, "--kafka-brokers", brokers, PORTS[0], PORTS[1]];
    let own = own.into_iter().chain(UNSAMPLED).chain(flags.iter().copied());
    let config = order_worker::OrderWorkerConfig::parse_from(own);
    let chassis = config.common.chassis(
        order_worker::SERVICE,
        order_worker::faults::CATALOGUE,
        order_worker::faults::SUBJECT,
    );
    Running::start(order_worker::build(&config, chassis).await.unwrap()).await.unwrap()
}
