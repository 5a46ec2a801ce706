//! The `db-*` faults, each done to the real server: what callers, traces and PostgreSQL's own views then show is true.
//!
//! Those that strike one operation run between the pool and the caller, on the caller's connection. Those that take a
//! resource away are tasks with connections of their own. All of them leave no transaction, lock or connection behind, and
//! none of them asks the server for what the real cause would not ask it: sessions and statements give nothing away.

mod cut;
mod deadlock;
mod exhaustion;
mod lock;
mod slow_query;

use sqlx::postgres::PgConnectOptions;

use self::{cut::Cutter, deadlock::Rivals};
use super::{Connection, Database, DbError, DbTargets};
use chassis_faults::{FaultPoint, Faults, Strike};
use chassis_telemetry::Chassis;

const ALL: [&str; 6] =
    ["db-latency", "db-slow-query", "db-error", "db-deadlock", "db-pool-exhaustion", "db-lock"];

/// The points that strike operations; one that the service does not declare costs nothing.
pub(super) struct DbFaults {
    latency: Option<FaultPoint>,
    slow_query: Option<FaultPoint>,
    deadlock: Option<FaultPoint>,
    /// Every `db-*` point, those of the tasks included.
    all: Vec<FaultPoint>,
    cutter: Cutter,
    rivals: Rivals,
}

impl DbFaults {
    pub(super) fn resolve(faults: &Faults, options: &PgConnectOptions) -> Self {
        Self {
            latency: faults.find("db-latency"),
            slow_query: faults.find("db-slow-query"),
            deadlock: faults.find("db-deadlock"),
            all: ALL.iter().filter_map(|name| faults.find(name)).collect(),
            cutter: Cutter::new(faults.find("db-error"), operator(options)),
            rivals: Rivals::new(options.clone()),
        }
    }

    /// Whether any of them is on.
    pub(super) fn any_on(&self) -> bool {
        self.all.iter().any(FaultPoint::is_on)
    }

    /// What happens to a connection between the pool and its first statement.
    pub(super) async fn before_statement(
        &self,
        conn: &mut Connection,
        targets: &DbTargets,
    ) -> Result<(), DbError> {
        if let Some(strike) = strike(self.latency.as_ref()) {
            tokio::time::sleep(strike.duration("delay")).await;
        }
        if let Some(strike) = strike(self.slow_query.as_ref()) {
            slow_query::run(conn, targets, strike.count("rows")).await?;
        }
        self.cutter.cut(conn).await
    }

    /// What happens to a transaction before its first statement.
    pub(super) async fn in_transaction(&self, conn: &mut Connection, table: &str) -> Result<(), DbError> {
        if strike(self.deadlock.as_ref()).is_some() {
            self.rivals.deadlock(conn, table).await?;
        }
        Ok(())
    }
}

/// How a session introduces itself that a person opened to work on the database: as PostgreSQL's own client does.
fn operator(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().application_name("psql")
}

fn strike(point: Option<&FaultPoint>) -> Option<Strike> {
    point.and_then(FaultPoint::strike)
}

/// Starts the tasks of the points that the service declares.
pub(super) fn spawn_tasks(database: &Database, chassis: &Chassis) {
    if let Some(point) = chassis.faults.find("db-pool-exhaustion") {
        let task = exhaustion::run(point, database.clone());
        spawn(chassis, task);
    }
    if let Some(point) = chassis.faults.find("db-lock") {
        spawn(chassis, lock::run(point, database.clone()));
    }
    if let Some(point) = chassis.faults.find("db-error") {
        spawn(chassis, cut::tidy(point, database.clone()));
    }
}

/// Until the process stops: dropping a task closes its connections.
fn spawn(chassis: &Chassis, task: impl Future<Output = ()> + Send + 'static) {
    let stop = chassis.shutdown.clone();
    chassis.spawn(async move {
        stop.run_until_cancelled(task).await;
    });
}
