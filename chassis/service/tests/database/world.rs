//! A chassis with its own database and a separate observer connection, and the helpers of the tests.

use std::time::Duration;

use chassis_core::ServiceInfo;
use chassis_faults::Catalogue;
use chassis_kafka::catalogue::PUBLISH_ERROR;
use chassis_outbox::{OUTBOX_DDL, inbox::INBOX_DDL};
use chassis_postgres::catalogue::{
    DB_DEADLOCK, DB_ERROR, DB_LATENCY, DB_LOCK, DB_POOL_EXHAUSTION, DB_SLOW_QUERY,
};
use chassis_postgres::{Database, DbConfig, DbTargets};
use chassis_service::CommonConfig;
use chassis_telemetry::Chassis;
use clap::Parser;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testkit::{Postgres, Scrape, eventually};

/// Longest wait for something that is expected to happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

static FAULTS: Catalogue =
    &[&DB_LATENCY, &DB_ERROR, &DB_POOL_EXHAUSTION, &DB_LOCK, &DB_SLOW_QUERY, &DB_DEADLOCK, &PUBLISH_ERROR];

const TABLE_DDL: &str = "CREATE TABLE things (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, created_at timestamptz NOT NULL DEFAULT now())";

#[derive(Parser)]
#[command(args_override_self = true)]
pub(crate) struct Config {
    #[command(flatten)]
    pub(crate) common: CommonConfig,
    #[command(flatten)]
    pub(crate) db: DbConfig,
    #[command(flatten)]
    pub(crate) kafka: chassis_kafka::KafkaConfig,
}

/// One process's view: its chassis and its pool.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) chassis: Chassis,
    pub(crate) database: Database,
    pub(crate) config: Config,
    pub(crate) observer: PgConnection,
}

impl World {
    /// On a fresh database of the shared server, with the tables that the tests use.
    pub(crate) async fn new(args: &[&str]) -> Self {
        let url = Postgres::shared().await.database("world").await;
        let mut world = Self::at(&url, args).await;
        for ddl in [TABLE_DDL, OUTBOX_DDL, INBOX_DDL] {
            sqlx::raw_sql(AssertSqlSafe(ddl)).execute(&mut world.observer).await.unwrap();
        }
        world
    }

    /// On an existing database: another replica.
    pub(crate) async fn at(url: &str, args: &[&str]) -> Self {
        let observer = PgConnection::connect(url).await.expect("the observer connects");
        let (chassis, database, config) = process(url, args).await;
        Self { url: url.to_owned(), chassis, database, config, observer }
    }

    pub(crate) fn scrape(&self) -> Scrape {
        let (_, body) = self.chassis.metrics.render(None);
        Scrape::parse(&String::from_utf8(body).unwrap())
    }

    /// One number from the server, asked by the observer.
    pub(crate) async fn number(&mut self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.observer).await.unwrap()
    }

    /// Waits until the observer sees `want`.
    pub(crate) async fn sees(&mut self, sql: &'static str, want: i64) {
        let url = self.url.clone();
        eventually(DEADLINE, || async {
            let mut conn = PgConnection::connect(&url).await.map_err(|error| error.to_string())?;
            let got: i64 = sqlx::query_scalar(sql).fetch_one(&mut conn).await.map_err(|e| e.to_string())?;
            conn.close().await.map_err(|error| error.to_string())?;
            if got == want { Ok(()) } else { Err(format!("{sql}: {got}, wanted {want}")) }
        })
        .await;
    }

    /// Waits until a series has at least `want`.
    pub(crate) async fn counts(&self, name: &str, labels: &[(&str, &str)], want: f64) {
        eventually(DEADLINE, || async {
            let got = self.scrape().value(name, labels);
            if got >= want { Ok(()) } else { Err(format!("{name} {labels:?}: {got}, wanted {want}")) }
        })
        .await;
    }

    /// Inserts `count` rows into `things`.
    pub(crate) async fn fill(&mut self, count: i32) {
        sqlx::query(
            "INSERT INTO things (id, name) SELECT gen_random_uuid(), 'thing ' || i FROM generate_series(1, $1) AS i",
        )
        .bind(count)
        .execute(&mut self.observer)
        .await
        .unwrap();
    }

    /// No session of the service is in a transaction, holds a lock on `things`, or is busy.
    pub(crate) async fn nothing_stays_behind(&mut self) {
        self.sees(
            "SELECT count(*) FROM pg_stat_activity
             WHERE application_name = 'unit' AND datname = current_database() AND state <> 'idle'",
            0,
        )
        .await;
        self.sees("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql' AND datname = current_database()", 0)
            .await;
        self.sees("SELECT count(*) FROM pg_locks WHERE relation = 'things'::regclass", 0).await;
        self.sees(
            "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
             WHERE a.application_name = 'unit' AND a.datname = current_database() AND NOT l.granted",
            0,
        )
        .await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.chassis.shutdown.cancel();
    }
}

/// A process without an observer.
pub(crate) async fn process(url: &str, args: &[&str]) -> (Chassis, Database, Config) {
    let defaults = ["unit", "--database-url", url, "--db-pool-size", "4", "--db-acquire-timeout", "300ms"];
    // A later option replaces an earlier one.
    let config = Config::parse_from(defaults.iter().chain(args));
    let info = ServiceInfo { name: "unit", version: "0.0.0" };
    let chassis = config.common.chassis(info, FAULTS, &[]);
    let targets = DbTargets {
        database: "unit",
        table: "things",
        created: "created_at",
        operations: &["read", "write"],
    };
    let database = Database::connect(&config.db, targets, &chassis).await.unwrap();
    (chassis, database, config)
}
