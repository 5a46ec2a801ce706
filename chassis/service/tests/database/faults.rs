//! Faults of single operations: what the caller, the metrics and PostgreSQL's views show, and that they end.

use std::time::{Duration, Instant};

use chassis_postgres::{DbError, QueryType};
use testkit::{eventually, needs};

use crate::world::{DEADLINE, World};

/// Sessions with the application name of PostgreSQL's own client.
const OPERATORS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'psql' AND datname = current_database()";

async fn select(world: &World) -> Result<i32, DbError> {
    let mut query = world.database.query(QueryType::Select, "read").await?;
    Ok(sqlx::query_scalar("SELECT 1").fetch_one(&mut query).await?)
}

/// Switches the fault on and waits until it has expired.
async fn expires(world: &World, name: &str) {
    let point =
        world.chassis.faults.points().find(|point| point.name() == name).expect("a fault of the catalogue");
    eventually(DEADLINE, || async {
        if point.active().is_none() { Ok(()) } else { Err(format!("{name} is still on")) }
    })
    .await;
}

#[tokio::test]
async fn latency_is_spent_while_the_connection_is_held() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    let before = world.scrape();
    world.chassis.faults.set("db-latency", "rate=1&delay=500ms&ttl=1s").unwrap();

    let started = Instant::now();
    let (answer, ()) = tokio::join!(select(&world), world.counts("database_connections_active", &[], 1.0));

    answer.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(500));
    let spent =
        world.scrape().delta(&before, "database_query_duration_seconds_sum", &[("query_type", "select")]);
    assert!(spent >= 0.5, "{spent}");
    expires(&world, "db-latency").await;
    eventually(DEADLINE, || async {
        let started = Instant::now();
        select(&world).await.unwrap();
        let took = started.elapsed();
        if took < Duration::from_millis(400) { Ok(()) } else { Err(format!("{took:?}")) }
    })
    .await;
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn an_error_is_the_servers_own_and_the_pool_recovers() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    let before = world.scrape();
    world.chassis.faults.set("db-error", "rate=1&ttl=1s").unwrap();

    let error = select(&world).await.unwrap_err();

    let DbError::Unavailable(source) = &error else { panic!("{error:?}") };
    let code = source.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("57P01"), "{source}");
    let mut tx = world.database.transaction("write").await.unwrap();
    let lost = sqlx::query("DELETE FROM things").execute(&mut *tx).await.map_err(DbError::from);
    assert!(matches!(lost, Err(DbError::Unavailable(_))), "{lost:?}");
    drop(tx);
    assert_eq!(world.scrape().delta(&before, "database_errors_total", &[("kind", "unavailable")]), 2.0);

    expires(&world, "db-error").await;
    for _ in 0..8 {
        select(&world).await.unwrap();
    }
    world.nothing_stays_behind().await;
    // What ended the sessions is gone as well: only connections of the pool are left.
    world.sees(OPERATORS, 0).await;
}

#[tokio::test]
async fn sessions_are_ended_from_psql_which_is_gone_however_short_the_fault_was() {
    needs!(Postgres);
    let mut world = World::new(&["--db-pool-size", "8"]).await;
    world.chassis.faults.set("db-error", "rate=1&ttl=30s").unwrap();
    select(&world).await.unwrap_err();
    world.sees(OPERATORS, 1).await;
    world.chassis.faults.clear("db-error").unwrap();
    world.sees(OPERATORS, 0).await;

    for _ in 0..50 {
        world.chassis.faults.set("db-error", "rate=1&ttl=30s").unwrap();
        // Cleared while sessions are being ended: somewhere in the middle, at another place each time.
        let (_, ()) = tokio::join!(futures::future::join_all((0..4).map(|_| select(&world))), async {
            tokio::time::sleep(Duration::from_millis(3)).await;
            world.chassis.faults.clear("db-error").unwrap();
        });
    }
    world.sees(OPERATORS, 0).await;
    world.sees("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_terminate_backend%' AND pid <> pg_backend_pid()", 0).await;
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn a_slow_query_runs_on_the_callers_connection() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    select(&world).await.unwrap();
    let before = world.scrape();
    world.chassis.faults.set("db-slow-query", "rate=1&rows=300000&ttl=3s").unwrap();

    let running = "SELECT count(*) FROM pg_stat_activity
                   WHERE application_name = 'unit' AND datname = current_database()
                     AND state = 'active' AND query LIKE '%FROM minutes%FROM things%'";
    let (answer, ()) = tokio::join!(async { select(&world).await }, async {
        let mut observer = World::at(&world.url, &[]).await;
        observer.sees(running, 1).await;
    });

    answer.unwrap();
    let spent =
        world.scrape().delta(&before, "database_query_duration_seconds_sum", &[("query_type", "select")]);
    assert!(spent > 0.1, "300,000 rows took {spent} s");
    expires(&world, "db-slow-query").await;
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn a_query_slower_than_the_statement_timeout_is_cancelled_by_the_server() {
    needs!(Postgres);
    let world = World::new(&["--db-statement-timeout", "100ms"]).await;
    world.chassis.faults.set("db-slow-query", "rate=1&rows=5000000&ttl=5s").unwrap();
    let error = select(&world).await.unwrap_err();
    let DbError::Unavailable(source) = &error else { panic!("{error:?}") };
    assert_eq!(source.as_database_error().and_then(|e| e.code()).as_deref(), Some("57014"));
    world.chassis.faults.clear("db-slow-query").unwrap();
    select(&world).await.unwrap();
}

#[tokio::test]
async fn a_deadlock_is_found_by_the_server_and_ends_the_callers_transaction() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    world.fill(10).await;
    let before = world.scrape();
    world.chassis.faults.set("db-deadlock", "rate=1&ttl=2s").unwrap();

    select(&world).await.expect("a single statement cannot deadlock");
    let error = world.database.transaction("settle").await.unwrap_err();

    let DbError::Conflict(source) = &error else { panic!("{error:?}") };
    assert_eq!(source.as_database_error().and_then(|error| error.code()).as_deref(), Some("40P01"));
    assert_eq!(world.scrape().delta(&before, "database_errors_total", &[("kind", "conflict")]), 1.0);
    world.sees("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", 1).await;
    expires(&world, "db-deadlock").await;
    world.database.transaction("settle").await.unwrap().commit().await.unwrap();
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn concurrent_deadlocks_end_each_callers_transaction() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    world.fill(20).await;
    world.chassis.faults.set("db-deadlock", "rate=1&ttl=5s").unwrap();

    let all = futures::future::join_all((0..3).map(|_| world.database.transaction("settle"))).await;

    for answer in &all {
        assert!(matches!(answer, Err(DbError::Conflict(_))), "{answer:?}");
    }
    world.chassis.faults.clear("db-deadlock").unwrap();
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn a_deadlock_needs_two_rows_and_does_nothing_without() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    world.fill(1).await;
    world.chassis.faults.set("db-deadlock", "rate=1&ttl=5s").unwrap();
    world.database.transaction("settle").await.unwrap().commit().await.unwrap();
    world.nothing_stays_behind().await;
}
