//! The pool and its guards: what is measured, how errors are classified, and that nothing leaks.

use std::time::{Duration, Instant};

use chassis_postgres::{DbError, QueryType, Transaction};
use testkit::{ChaosProxy, Postgres, eventually, free_addr, needs};
use uuid::Uuid;

use crate::world::{DEADLINE, World, process};

async fn insert(tx: &mut Transaction, name: &str) -> Result<(), DbError> {
    sqlx::query("INSERT INTO things VALUES ($1, $2)")
        .bind(Uuid::now_v7())
        .bind(name)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_full_pool_is_a_pool_timeout_and_counted() {
    needs!(Postgres);
    let world = World::new(&["--db-pool-size", "2"]).await;
    let _one = world.database.query(QueryType::Select, "hold").await.unwrap();
    let _two = world.database.query(QueryType::Select, "hold").await.unwrap();
    let before = world.scrape();
    assert_eq!(before.value("database_connections_active", &[("database", "unit")]), 2.0);
    assert_eq!(before.value("database_connections_max", &[("database", "unit")]), 2.0);

    let refused = world.database.query(QueryType::Select, "wait").await;

    assert!(matches!(refused, Err(DbError::PoolTimeout)), "{refused:?}");
    let after = world.scrape();
    assert_eq!(after.delta(&before, "database_errors_total", &[("kind", "pool_timeout")]), 1.0);
    assert!(after.delta(&before, "database_pool_wait_seconds_sum", &[]) >= 0.3);
    assert!(world.chassis.readiness.failing().await.is_empty(), "a busy process is ready");
}

#[tokio::test]
async fn an_unreachable_server_is_unavailable_and_not_a_full_pool() {
    needs!(Postgres);
    let closed = free_addr();
    let url = format!("postgres://postgres@{closed}/none");
    let (chassis, database, _) =
        process(&url, &["--db-pool-size", "1", "--db-connect-timeout", "400ms"]).await;

    // One fails to open the connection, the other to get a slot: both get the reason.
    let (first, second) =
        tokio::join!(database.query(QueryType::Select, "a"), database.query(QueryType::Select, "b"));
    assert!(matches!(first, Err(DbError::Unavailable(_))), "{first:?}");
    let third = database.query(QueryType::Select, "c");
    let fourth = database.query(QueryType::Select, "d");
    let (third, fourth) = tokio::join!(third, fourth);
    for answer in [&third, &fourth] {
        assert!(matches!(answer, Err(DbError::Unavailable(_))), "{answer:?}");
    }
    drop(second);

    let failing = chassis.readiness.failing().await;
    assert_eq!(failing.first().map(|(name, _)| *name), Some("postgres"));
}

#[tokio::test]
async fn a_server_slow_to_accept_connections_fails_nobody_while_others_are_open() {
    needs!(Postgres);
    let url = Postgres::shared().await.database("slow_to_accept").await;
    let server = url.rsplit_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("a URL").0;
    let proxy = ChaosProxy::to(server.parse().expect("an address")).await;
    let options = ["--db-pool-size", "8", "--db-connect-timeout", "400ms", "--db-acquire-timeout", "20s"];
    let (chassis, database, _) = process(&proxy.rewrite(&url), &options).await;
    drop(database.query(QueryType::Select, "open_one").await.expect("a connection"));
    assert!(chassis.readiness.failing().await.is_empty());
    proxy.shut();

    // One connection or a few are open, and twice as many callers as slots: each waits for its turn.
    let read = async |seconds: f64| {
        let mut query = database.query(QueryType::Select, "read").await?;
        sqlx::query("SELECT pg_sleep($1)").bind(seconds).execute(&mut query).await?;
        Ok::<_, DbError>(())
    };
    let answers = futures::future::join_all((0..16).map(|_| read(0.01))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");

    // Their turns together take longer than opening a connection may.
    let answers = futures::future::join_all((0..8).map(|_| read(0.4))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn connections_that_only_a_peak_needed_are_closed_and_opened_again_in_the_next() {
    needs!(Postgres);
    let mut world = World::new(&["--db-pool-size", "8", "--db-connect-timeout", "10s"]).await;
    let sessions = "SELECT count(*) FROM pg_stat_activity
                    WHERE application_name = 'unit' AND datname = current_database()";
    let database = world.database.clone();
    let peak =
        async || futures::future::join_all((0..8).map(|_| database.query(QueryType::Select, "peak"))).await;
    let all_idle = async || {
        eventually(DEADLINE, || async {
            let idle = database.pool().num_idle();
            if idle == 8 { Ok(()) } else { Err(format!("{idle} connections idle")) }
        })
        .await;
    };
    let held = peak().await;
    assert!(held.iter().all(Result::is_ok), "{held:?}");
    drop(held);
    all_idle().await;

    // Eight operations, and one of them needed all connections: not rare.
    database.close_surplus().await;
    world.sees(sessions, 8).await;

    drop(database.query(QueryType::Select, "alone").await.unwrap());
    all_idle().await;
    database.close_surplus().await;
    world.sees(sessions, 2).await;

    let held = peak().await;
    assert!(held.iter().all(Result::is_ok), "{held:?}");
    world.sees(sessions, 8).await;
}

#[tokio::test]
async fn statement_errors_are_counted_without_a_call_of_the_service() {
    needs!(Postgres);
    let world = World::new(&[]).await;
    let before = world.scrape();
    let mut tx = world.database.transaction("insert_twice").await.unwrap();
    insert(&mut tx, "same").await.unwrap();

    let error = insert(&mut tx, "same").await.unwrap_err();

    assert!(
        matches!(&error, DbError::Duplicate { constraint } if constraint == "things_name_key"),
        "{error:?}"
    );
    drop(tx);
    let after = world.scrape();
    assert_eq!(after.delta(&before, "database_errors_total", &[("kind", "duplicate")]), 1.0);
    assert_eq!(after.delta(&before, "database_errors_total", &[]), 1.0);
    let durations = "database_query_duration_seconds_count";
    assert_eq!(after.delta(&before, durations, &[("query_type", "transaction")]), 1.0);
    assert_eq!(after.delta(&before, durations, &[("query_type", "select")]), 0.0);
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back_and_a_committed_one_stays() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    let mut tx = world.database.transaction("dropped").await.unwrap();
    insert(&mut tx, "dropped").await.unwrap();
    drop(tx);
    let mut tx = world.database.transaction("committed").await.unwrap();
    insert(&mut tx, "committed").await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(world.number("SELECT count(*) FROM things WHERE name = 'committed'").await, 1);
    assert_eq!(world.number("SELECT count(*) FROM things WHERE name = 'dropped'").await, 0);
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn a_statement_that_its_caller_gave_up_keeps_its_place_until_it_has_ended() {
    needs!(Postgres);
    let world = World::new(&["--db-pool-size", "1"]).await;
    let mut query = world.database.query(QueryType::Select, "sleep").await.unwrap();
    let sleep = sqlx::query("SELECT pg_sleep(0.5)").execute(&mut query);
    assert!(tokio::time::timeout(Duration::from_millis(50), sleep).await.is_err());
    let given_up = Instant::now();
    drop(query);

    assert_eq!(world.scrape().value("database_connections_active", &[]), 1.0);
    eventually(DEADLINE, || async {
        world.database.query(QueryType::Select, "next").await.map(drop).map_err(|error| error.to_string())
    })
    .await;
    assert!(given_up.elapsed() >= Duration::from_millis(400), "{:?}", given_up.elapsed());
}

#[tokio::test]
async fn the_statement_timeout_is_the_servers_and_reads_as_unavailable() {
    needs!(Postgres);
    let world = World::new(&["--db-statement-timeout", "100ms"]).await;
    let mut query = world.database.query(QueryType::Select, "sleep").await.unwrap();
    let error =
        sqlx::query("SELECT pg_sleep(5)").execute(&mut query).await.map_err(DbError::from).unwrap_err();
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn sessions_ended_while_idle_are_replaced_without_an_error() {
    needs!(Postgres);
    let mut world = World::new(&[]).await;
    drop(world.database.query(QueryType::Select, "warm").await.unwrap());
    let ended = world
        .number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'unit' AND datname = current_database()")
        .await;
    assert!(ended >= 1);
    // Past the age at which an idle connection is checked before use.
    tokio::time::sleep(Duration::from_millis(1_100)).await;

    let mut query = world.database.query(QueryType::Select, "after").await.unwrap();
    sqlx::query("SELECT 1").execute(&mut query).await.unwrap();
}

#[tokio::test]
async fn the_pool_recovers_from_a_network_that_swallows_everything() {
    needs!(Postgres);
    let server = Postgres::shared().await;
    let proxy = ChaosProxy::to(server.addr()).await;
    let url = proxy.rewrite(&server.database("blackhole").await);
    let args = ["--db-pool-size", "1", "--db-connect-timeout", "200ms", "--db-statement-timeout", "200ms"];
    let (chassis, database, _) = process(&url, &args).await;
    let mut query = database.query(QueryType::Select, "warm").await.unwrap();
    proxy.blackhole();
    let lost = sqlx::query("SELECT 1").execute(&mut query);
    assert!(tokio::time::timeout(Duration::from_millis(100), lost).await.is_err());
    drop(query);
    eventually(DEADLINE, || async {
        match database.query(QueryType::Select, "during").await {
            Err(DbError::Unavailable(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    proxy.restore();

    eventually(DEADLINE, || async {
        let mut query =
            database.query(QueryType::Select, "after").await.map_err(|error| error.to_string())?;
        sqlx::query("SELECT 1").execute(&mut query).await.map(drop).map_err(|error| error.to_string())
    })
    .await;
    assert!(chassis.readiness.failing().await.is_empty());
}

#[tokio::test]
async fn a_process_is_ready_once_some_connections_are_open() {
    needs!(Postgres);
    let mut world = World::new(&["--db-pool-size", "10"]).await;
    let opened = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'unit' AND datname = current_database()";
    assert_eq!(world.number(opened).await, 0);
    assert_eq!(world.chassis.readiness.failing().await, []);
    world.sees(opened, 4).await;
}
