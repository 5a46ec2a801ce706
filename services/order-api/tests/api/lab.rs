//! The three services in one process, each with its own database and ports.
//!
//! All tests run on one runtime, so that they can share a lab: whatever a lab has started lives as long as the test process.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use chassis_service::lifecycle::Running;
use clap::Parser;
use serde_json::{Value, json};
use testkit::{Answer, ChaosProxy, Http, Kafka, Postgres, Redis, Scrape, eventually, invariants};
use tokio::{runtime::Runtime, sync::OnceCell};
use uuid::Uuid;

/// Longest wait for something that normally takes a moment: the group's first assignment alone takes 3 s.
pub(crate) const SOON: Duration = Duration::from_secs(30);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
});

/// Runs a test on the one runtime.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    RUNTIME.block_on(test)
}

/// The lab for tests that break nothing.
pub(crate) async fn shared() -> &'static Lab {
    static SHARED: OnceCell<Lab> = OnceCell::const_new();
    SHARED.get_or_init(|| Lab::start(Parts::default())).await
}

/// Differences from the normal lab.
#[derive(Default)]
pub(crate) struct Parts {
    /// More flags of order-api.
    pub(crate) api_flags: Vec<String>,
    /// Puts a proxy between order-api and its database.
    pub(crate) database_proxy: bool,
    /// Does not start order-worker.
    pub(crate) no_worker: bool,
    /// `EVENT_KEYS` of order-api and order-worker; empty for none.
    pub(crate) event_keys: String,
}

/// The running services and their dependencies.
pub(crate) struct Lab {
    /// order-api, public port.
    pub(crate) http: Http,
    /// order-api, admin port.
    pub(crate) admin: Http,
    pub(crate) api: Running,
    pub(crate) users: Option<Running>,
    pub(crate) worker: Option<Running>,
    pub(crate) kafka: Kafka,
    pub(crate) database_proxy: Option<ChaosProxy>,
    pub(crate) orders_url: String,
    pub(crate) fulfillment_url: String,
    _redis: Redis,
}

impl Lab {
    /// Starts everything and waits until it is ready.
    pub(crate) async fn start(parts: Parts) -> Self {
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

    /// Waits until every service is ready.
    pub(crate) async fn ready(&self) {
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
    pub(crate) async fn scrape(&self) -> Scrape {
        Scrape::of(self.api.admin).await
    }

    /// order-worker's metrics now.
    pub(crate) async fn scrape_worker(&self) -> Scrape {
        Scrape::of(self.worker.as_ref().unwrap().admin).await
    }

    /// Places an order that must be accepted; returns its id. On a busy machine the check of the user may miss its deadline;
    /// then the request is repeated.
    pub(crate) async fn place(&self, body: &Value) -> String {
        let answer = eventually(SOON, || async {
            let answer = self.http.post("/orders", body).await;
            if answer.body.contains("#upstream-unavailable") { Err(answer.body) } else { Ok(answer) }
        })
        .await;
        answer.expect_status(202);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the order is settled and returns it.
    pub(crate) async fn settled(&self, id: &str) -> Value {
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
    pub(crate) async fn at_rest(&self, accepted: &[String]) -> invariants::Report {
        eventually(SOON, || async {
            let report = invariants::check(&self.orders_url, &self.fulfillment_url, accepted).await;
            let report = report.map_err(|error| error.to_string())?;
            if report.holds() { Ok(report) } else { Err(report.to_string()) }
        })
        .await
    }

    /// A separate connection to order-api's database.
    pub(crate) async fn orders(&self) -> sqlx::PgConnection {
        use sqlx::Connection;
        sqlx::PgConnection::connect(&self.orders_url).await.unwrap()
    }

    /// Places orders until one is answered with `status`.
    pub(crate) async fn until_status(&self, status: u16, body: &Value) -> Answer {
        let start = Instant::now();
        loop {
            let answer = self.http.post("/orders", body).await;
            if answer.status == status {
                return answer;
            }
            assert!(start.elapsed() < SOON, "still {} after {SOON:?}: {}", answer.status, answer.body);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A valid order of the n-th seeded user: two lines, 305 cents.
pub(crate) fn order(user: u32) -> Value {
    json!({
        "user_id": contracts::users::seeded_user_id(user),
        "items": [
            {"sku": "tea", "quantity": 2, "unit_price_cents": 150},
            {"sku": "spoon-1", "quantity": 1, "unit_price_cents": 5},
        ],
    })
}

/// Whether order-worker declines an order with this id.
pub(crate) fn declined(id: &str) -> bool {
    Uuid::parse_str(id).unwrap().as_u128().is_multiple_of(50)
}

const PORTS: [&str; 4] = ["--admin-addr", "127.0.0.1:0", "--public-addr", "127.0.0.1:0"];

pub(crate) async fn start_users(database: &str, redis: &str) -> Running {
    let flags = ["user-service", "--database-url", database, "--redis-url", redis];
    let config = user_service::UserServiceConfig::parse_from(flags.into_iter().chain(PORTS));
    let chassis = config.common.chassis(
        user_service::SERVICE,
        user_service::faults::CATALOGUE,
        user_service::faults::SUBJECT,
    );
    Running::start(user_service::build(&config, chassis).await.unwrap()).await.unwrap()
}

/// Starts order-api on these servers.
pub(crate) async fn start_api(database: &str, brokers: &str, users: &str, flags: &[String]) -> Running {
    let own =
        ["order-api", "--database-url", database, "--kafka-brokers", brokers, "--user-service-url", users];
    let own = own.into_iter().chain(PORTS).map(str::to_owned);
    let config = order_api::OrderApiConfig::parse_from(own.chain(flags.iter().cloned()));
    let chassis =
        config.common.chassis(order_api::SERVICE, order_api::faults::CATALOGUE, order_api::faults::SUBJECT);
    if config.common.telemetry.otlp_endpoint.is_some() {
        // Process-wide, so at most one test may use it; it receives the spans of all services in this process.
        let telemetry = chassis_telemetry::init_with(&chassis, Box::new(std::io::sink())).unwrap();
        std::mem::forget(telemetry);
    }
    Running::start(order_api::build(&config, chassis).await.unwrap()).await.unwrap()
}

/// Starts order-worker on these servers.
pub(crate) async fn start_worker(database: &str, brokers: &str) -> Running {
    start_worker_with(database, brokers, &[]).await
}

/// Starts order-worker on these servers, with more flags.
pub(crate) async fn start_worker_with(database: &str, brokers: &str, flags: &[&str]) -> Running {
    let own = ["order-worker", "--database-url", database, "--kafka-brokers", brokers, PORTS[0], PORTS[1]];
    let config = order_worker::OrderWorkerConfig::parse_from(own.iter().chain(flags));
    let chassis = config.common.chassis(
        order_worker::SERVICE,
        order_worker::faults::CATALOGUE,
        order_worker::faults::SUBJECT,
    );
    Running::start(order_worker::build(&config, chassis).await.unwrap()).await.unwrap()
}
