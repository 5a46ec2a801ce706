//! `db-pool-exhaustion`: connections are taken from the pool and kept in an open transaction, as by code that forgets to
//! return them. PostgreSQL shows them as `idle in transaction`; ending such a session frees its place in the pool.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use tracing::Span;

use super::{Connection, Database};
use crate::{catalogue::DbPoolExhaustion, connection::Observer};
use chassis_faults::{FaultPoint, Strike};

/// How often the held connections are checked.
const CHECK: Duration = Duration::from_secs(1);

/// Follows the point forever.
pub(super) async fn run(point: FaultPoint<DbPoolExhaustion>, database: Database) {
    loop {
        let strike = point.started().await;
        let mut held: Vec<Connection> = Vec::new();
        // Connections ended from outside are not replaced.
        let mut lost = 0;
        while timeout(Duration::ZERO, point.ended(&strike)).await.is_err() {
            let want = wanted(&strike, point.level(), database.inner.slots.size()).saturating_sub(lost);
            held.truncate(want);
            if held.len() < want {
                // Ends with the plan: a busy pool may keep us waiting.
                tokio::select! {
                    taken = take(&database) => held.extend(taken),
                    () = point.ended(&strike) => break,
                }
                continue;
            }
            let _ = timeout(CHECK, point.changed()).await;
            let before = held.len();
            held = alive(held).await;
            lost += before - held.len();
        }
    }
}

/// How many connections to hold: the share `level` of all but `keep`.
fn wanted(strike: &Strike<DbPoolExhaustion>, level: f64, size: u32) -> usize {
    let takeable = f64::from(size) - strike.params.keep as f64;
    // At most the size of the pool, and at least 0.
    (takeable.max(0.0) * level).ceil() as usize
}

/// Waits for a connection as any caller does, and opens a transaction on it.
async fn take(database: &Database) -> Option<Connection> {
    let inner = &database.inner;
    let (slot, conn) = inner.slots.acquire(&inner.pool).await.ok()?;
    let observer = Observer { metrics: Arc::clone(&inner.metrics), span: Span::none(), timed: None };
    let mut conn = Connection::new(conn, slot, observer);
    conn.begin().await.ok()?;
    Some(conn)
}

async fn alive(held: Vec<Connection>) -> Vec<Connection> {
    let mut alive = Vec::with_capacity(held.len());
    for mut conn in held {
        if conn.answers().await {
            alive.push(conn);
        }
    }
    alive
}
