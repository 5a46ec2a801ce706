//! The faults that take a resource away: connections of the pool, or the main table.

use std::time::{Duration, Instant};

use chassis_postgres::{DbError, QueryType};
use testkit::{eventually, needs};

use crate::world::{DEADLINE, World};

const IDLE_IN_TRANSACTION: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'unit' AND datname = current_database() AND state = 'idle in transaction'";
const HOLDERS: &str = "SELECT count(*) FROM pg_locks
    WHERE relation = 'things'::regclass AND mode = 'AccessExclusiveLock' AND granted";

async fn select(world: &World) -> Result<i64, DbError> {
    let mut query = world.database.query(QueryType::Select, "count").await?;
    Ok(sqlx::query_scalar("SELECT count(*) FROM things").fetch_one(&mut query).await?)
}

async fn works_again(world: &World) {
    eventually(DEADLINE, || async { select(world).await.map(drop).map_err(|error| error.to_string()) }).await;
}

#[tokio::test]
async fn an_exhausted_pool_has_its_connections_idle_in_transaction_until_the_fault_ends() {
    needs!(Postgres);
    let mut world = World::new(&["--db-pool-size", "3"]).await;
    let before = world.scrape();
    world.chassis.faults.set("db-pool-exhaustion", "ttl=2s").unwrap();
    world.sees(IDLE_IN_TRANSACTION, 3).await;
    assert_eq!(world.scrape().value("database_connections_active", &[("database", "unit")]), 3.0);

    let refused = select(&world).await;

    assert!(matches!(refused, Err(DbError::PoolTimeout)), "{refused:?}");
    let after = world.scrape();
    assert_eq!(after.delta(&before, "database_errors_total", &[("kind", "pool_timeout")]), 1.0);
    works_again(&world).await;
    world.sees(IDLE_IN_TRANSACTION, 0).await;
    world.nothing_stays_behind().await;
    assert_eq!(world.scrape().value("database_connections_active", &[("database", "unit")]), 0.0);
}

#[tokio::test]
async fn exhaustion_leaves_keep_connections_and_follows_its_rate() {
    needs!(Postgres);
    let mut world = World::new(&["--db-pool-size", "4"]).await;
    world.chassis.faults.set("db-pool-exhaustion", "keep=1&ttl=30s").unwrap();
    world.sees(IDLE_IN_TRANSACTION, 3).await;
    select(&world).await.unwrap();

    world.chassis.faults.set("db-pool-exhaustion", "rate=0.5&ttl=30s").unwrap();
    world.sees(IDLE_IN_TRANSACTION, 2).await;

    world.chassis.faults.clear("db-pool-exhaustion").unwrap();
    world.sees(IDLE_IN_TRANSACTION, 0).await;
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn ending_the_idle_sessions_by_hand_frees_the_pool() {
    needs!(Postgres);
    let mut world = World::new(&["--db-pool-size", "2"]).await;
    world.chassis.faults.set("db-pool-exhaustion", "ttl=30s").unwrap();
    world.sees(IDLE_IN_TRANSACTION, 2).await;
    assert!(matches!(select(&world).await, Err(DbError::PoolTimeout)));

    world
        .number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()")
        .await;

    works_again(&world).await;
}

#[tokio::test]
async fn a_locked_table_makes_readers_and_writers_wait_until_the_fault_ends() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    let before = world.scrape();
    world.chassis.faults.set("db-lock", "hold=30s&ttl=2s").unwrap();
    world.sees(HOLDERS, 1).await;

    let started = Instant::now();
    let write = async {
        let mut tx = world.database.transaction("write").await?;
        sqlx::query("INSERT INTO things (id, name) VALUES (gen_random_uuid(), 'late')")
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    };
    let blocked = "SELECT count(*) FROM pg_locks WHERE relation = 'things'::regclass AND NOT granted";
    let (read, written, ()) = tokio::join!(select(&world), write, async {
        World::at(&world.url, &[]).await.sees(blocked, 2).await;
    });

    read.unwrap();
    written.unwrap();
    // Held until the plan ended and not for the 30 s of `hold`; some of the 2 s passed before the clock was started.
    let waited = started.elapsed();
    assert!(waited > Duration::from_millis(500) && waited < Duration::from_secs(20), "{waited:?}");
    let spent =
        world.scrape().delta(&before, "database_query_duration_seconds_sum", &[("query_type", "select")]);
    assert!(spent > 0.5, "{spent}");
    world.sees(HOLDERS, 0).await;
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn a_held_lock_lets_waiters_pass_between_holds() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    world.chassis.faults.set("db-lock", "hold=300ms&ttl=30s").unwrap();
    world.sees(HOLDERS, 1).await;

    for _ in 0..3 {
        let started = Instant::now();
        select(&world).await.unwrap();
        // Not until the plan ends, whatever else the machine does.
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    }

    world.chassis.faults.clear("db-lock").unwrap();
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn ending_the_session_that_holds_the_lock_ends_the_fault() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    world.chassis.faults.set("db-lock", "hold=300ms&ttl=30s").unwrap();
    world.sees(HOLDERS, 1).await;

    world
        .number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%LOCK TABLE%' AND pid <> pg_backend_pid() AND datname = current_database()")
        .await;

    world.sees(HOLDERS, 0).await;
    // Longer than the pause between two holds: it does not come back.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(world.number(HOLDERS).await, 0);
    works_again(&world).await;
}

#[tokio::test]
async fn a_stopping_process_releases_everything() {
    needs!(Postgres);
    let mut world = World::new(&["--db-pool-size", "2"]).await;
    world.chassis.faults.set("db-lock", "hold=30s&ttl=60s").unwrap();
    world.chassis.faults.set("db-pool-exhaustion", "ttl=60s").unwrap();
    world.sees(HOLDERS, 1).await;
    world.sees(IDLE_IN_TRANSACTION, 2).await;

    world.chassis.shutdown.cancel();

    world.sees(IDLE_IN_TRANSACTION, 0).await;
    world.nothing_stays_behind().await;
}
