//! The `db-*` faults, each applied to the real server: what callers, traces and PostgreSQL's own views show is true.
//!
//! Those that strike one operation run between the pool and the caller, on the caller's connection. Those that take a
//! resource away are tasks with their own connections. None of them leaves a transaction, lock or connection behind, and
//! none runs a statement that the real cause would not run: sessions and statements give nothing away.

mod cut;
mod deadlock;
mod exhaustion;
mod lock;
mod slow_query;

use std::cell::Cell;

use sqlx::postgres::PgConnectOptions;

use self::{cut::Cutter, deadlock::Rivals};
use super::{Connection, Database, DbError, DbTargets, QueryType};
use crate::catalogue::{
    DB_DEADLOCK, DB_ERROR, DB_LATENCY, DB_LOCK, DB_POOL_EXHAUSTION, DB_SLOW_QUERY, DbLatency, DbSlowQuery,
};
use chassis_faults::{FaultPoint, Faults, Params, Strike};
use chassis_telemetry::Chassis;

tokio::task_local! {
    /// The decision for the next operation of this task.
    static DECIDED: Cell<Option<Blow>>;
}

/// The effects of the faults on one operation, decided in the scope of its caller.
#[derive(Default)]
pub(super) struct Blow {
    latency: Option<Strike<DbLatency>>,
    slow_query: Option<Strike<DbSlowQuery>>,
    cut: bool,
    deadlock: bool,
}

impl Blow {
    /// Whether any fault strikes.
    pub(super) fn strikes(&self) -> bool {
        self.latency.is_some() || self.slow_query.is_some() || self.cut || self.deadlock
    }

    /// Runs `work`, whose first operation gets exactly this blow.
    pub(super) async fn fall_on<F: Future>(self, work: F) -> F::Output {
        DECIDED.scope(Cell::new(Some(self)), work).await
    }
}

/// The points that strike operations; an undeclared one costs nothing.
pub(super) struct DbFaults {
    latency: Option<FaultPoint<DbLatency>>,
    slow_query: Option<FaultPoint<DbSlowQuery>>,
    deadlock: Option<FaultPoint>,
    cutter: Cutter,
    rivals: Rivals,
}

impl DbFaults {
    pub(super) fn resolve(faults: &Faults, options: &PgConnectOptions) -> Self {
        Self {
            latency: faults.find(&DB_LATENCY),
            slow_query: faults.find(&DB_SLOW_QUERY),
            deadlock: faults.find(&DB_DEADLOCK),
            cutter: Cutter::new(faults.find(&DB_ERROR), operator(options)),
            rivals: Rivals::new(options.clone()),
        }
    }

    /// Decides what happens to an operation of the current scope.
    pub(super) fn decide(&self, kind: Option<QueryType>) -> Blow {
        Blow {
            latency: strike(self.latency.as_ref()),
            slow_query: strike(self.slow_query.as_ref()),
            cut: self.cutter.strikes(),
            deadlock: kind == Some(QueryType::Transaction) && strike(self.deadlock.as_ref()).is_some(),
        }
    }

    /// As [`DbFaults::decide`], unless it is already decided ([`Blow::fall_on`]).
    pub(super) fn blow(&self, kind: Option<QueryType>) -> Blow {
        DECIDED.try_with(|decided| decided.take().unwrap_or_default()).unwrap_or_else(|_| self.decide(kind))
    }

    /// What happens to a connection between the pool and its first statement; to one in a transaction, after its begin.
    pub(super) async fn before_statement(
        &self,
        blow: &Blow,
        conn: &mut Connection,
        targets: &DbTargets,
    ) -> Result<(), DbError> {
        if let Some(strike) = &blow.latency {
            tokio::time::sleep(strike.params.delay).await;
        }
        if let Some(strike) = &blow.slow_query {
            slow_query::run(conn, targets, strike.params.rows).await?;
        }
        if blow.cut {
            self.cutter.cut(conn).await?;
        }
        if blow.deadlock {
            self.rivals.deadlock(conn, targets.table).await?;
        }
        Ok(())
    }
}

/// Session options of a person who works on the database: those of PostgreSQL's own client.
fn operator(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().application_name("psql")
}

fn strike<P: Params>(point: Option<&FaultPoint<P>>) -> Option<Strike<P>> {
    point.and_then(FaultPoint::strike)
}

/// Starts the tasks of the points that the service declares.
pub(super) fn spawn_tasks(database: &Database, chassis: &Chassis) {
    if let Some(point) = chassis.faults.find(&DB_POOL_EXHAUSTION) {
        let task = exhaustion::run(point, database.clone());
        spawn(chassis, task);
    }
    if let Some(point) = chassis.faults.find(&DB_LOCK) {
        spawn(chassis, lock::run(point, database.clone()));
    }
    if let Some(point) = chassis.faults.find(&DB_ERROR) {
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
