//! `db-lock`: a transaction in its own session locks the main table, as when a person works on the table in
//! `psql` and has not committed yet.
//!
//! Finding the session in `pg_locks` and ending it resolves the incident: it does not come back under the same plan.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::{sleep, timeout};

use super::{Database, operator};
use crate::catalogue::DbLock;
use chassis_faults::{FaultPoint, Strike};

type Point = FaultPoint<DbLock>;
type Plan = Strike<DbLock>;

/// A lock that is waited for stops all others as well, so waiting ends soon after the plan does.
const LOCK_TIMEOUT: &str = "500ms";
/// Pause before the next attempt while the server does not accept connections.
const RECONNECT: Duration = Duration::from_millis(500);

/// Follows the point forever.
pub(super) async fn run(point: Point, database: Database) {
    loop {
        let strike = point.started().await;
        let Some(mut conn) = connect(&point, &strike, &database).await else { continue };
        let table = database.inner.targets.table;
        while is_on(&point, &strike).await {
            if hold(&mut conn, table, &point, &strike).await.is_err() {
                // The session was ended from outside.
                point.ended(&strike).await;
            }
        }
        let _ = conn.close().await;
    }
}

/// Whether the plan is still the one in force.
async fn is_on(point: &Point, strike: &Plan) -> bool {
    timeout(Duration::ZERO, point.ended(strike)).await.is_err()
}

async fn connect(point: &Point, strike: &Plan, database: &Database) -> Option<PgConnection> {
    let limits = [("statement_timeout", "0"), ("lock_timeout", LOCK_TIMEOUT)];
    let options = operator(&database.inner.options).options(limits);
    while is_on(point, strike).await {
        match PgConnection::connect_with(&options).await {
            Ok(conn) => return Some(conn),
            Err(_) => sleep(RECONNECT).await,
        }
    }
    None
}

/// Locks, holds for the plan's `hold` or until it ends, and lets go: for an instant at full strength, in which those who wait
/// pass, and for longer at less.
async fn hold(conn: &mut PgConnection, table: &str, point: &Point, strike: &Plan) -> sqlx::Result<()> {
    let (hold, level) = (strike.params.hold, point.level());
    sqlx::raw_sql("BEGIN").execute(&mut *conn).await?;
    let lock = AssertSqlSafe(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
    let locked = sqlx::raw_sql(lock).execute(&mut *conn).await;
    if locked.is_ok() {
        let _ = timeout(hold.mul_f64(level), point.ended(strike)).await;
    }
    sqlx::raw_sql("ROLLBACK").execute(conn).await?;
    if level < 1.0 {
        let _ = timeout(hold.mul_f64(1.0 - level), point.ended(strike)).await;
    }
    Ok(())
}
