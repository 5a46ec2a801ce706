//! A running user-service with its stores; the database is reached through a proxy that can misbehave.

use std::time::Duration;

use chassis_service::lifecycle::Running;
use clap::Parser;
use contracts::users::seeded_user_id;
use testkit::{Answer, ChaosProxy, Http, Postgres, Redis, Scrape};
use user_service::{SERVICE, UserServiceConfig, build, faults::CATALOGUE};

/// Long enough for a loaded machine, short enough to notice a hang.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Deadlines that a busy machine does not miss; a test of a deadline sets its own.
const PATIENT: &[&str] =
    &["--cache-timeout=5s", "--origin-timeout=10s", "--db-acquire-timeout=10s", "--request-timeout=20s"];

pub(crate) struct Rig {
    pub(crate) public: Http,
    pub(crate) admin: Http,
    pub(crate) redis: Redis,
    /// Between the service and PostgreSQL.
    pub(crate) database: ChaosProxy,
    pub(crate) running: Running,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With more flags.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        let server = Postgres::shared().await;
        let database_url = server.database("users").await;
        let database = ChaosProxy::to(server.addr()).await;
        let redis = Redis::start().await;
        let running = start(&database.rewrite(&database_url), &redis.url(), flags).await;
        let public = Http::to(running.public.expect("a public port"));
        Self { public, admin: Http::to(running.admin), redis, database, running }
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        Scrape::of(self.running.admin).await
    }

    /// `GET` of the n-th seeded user.
    pub(crate) async fn read(&self, n: u32) -> Answer {
        self.public.get(&path(n)).await
    }

    /// Switches a fault on; the query string is as on the command line.
    pub(crate) async fn fault(&self, plan: &str) {
        self.admin.put(&format!("/faults/{plan}")).await.expect_status(200);
    }

    pub(crate) async fn end_faults(&self) {
        self.admin.delete("/faults").await.expect_status(204);
    }

    /// Switches a protection off.
    pub(crate) async fn without(&self, protection: &str) {
        self.admin.put(&format!("/protections/{protection}?enabled=false")).await.expect_status(200);
    }
}

/// Path of the n-th seeded user.
pub(crate) fn path(n: u32) -> String {
    format!("/users/{}", seeded_user_id(n))
}

/// Starts one replica.
pub(crate) async fn start(database_url: &str, redis_url: &str, flags: &[&str]) -> Running {
    let mut args = vec!["user-service", "--public-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"];
    args.extend(["--database-url", database_url, "--redis-url", redis_url]);
    args.extend(flags);
    let given = |flag: &str| flags.iter().any(|other| other.split('=').next() == flag.split('=').next());
    args.extend(PATIENT.iter().filter(|flag| !given(flag)));
    let config = UserServiceConfig::try_parse_from(args).expect("good flags");
    let chassis = config.common.chassis(SERVICE, CATALOGUE, user_service::faults::SUBJECT);
    Running::start(build(&config, chassis).await.expect("the service builds"))
        .await
        .expect("the ports are free")
}
