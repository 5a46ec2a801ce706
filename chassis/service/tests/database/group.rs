//! Group commit: which callers share a statement, and that sharing never changes a caller's result.

use std::sync::Arc;

use async_trait::async_trait;
use chassis_postgres::{Database, DbError, Group, GroupWork, QueryType};
use futures::future::join_all;
use sqlx::{Connection, PgConnection};
use testkit::needs;
use uuid::Uuid;

use crate::world::World;

/// Stores things by name; returns the connection that did it.
struct Store;

#[async_trait]
impl GroupWork for Store {
    type Job = String;
    type Done = i32;

    const KIND: QueryType = QueryType::Insert;
    const OPERATION: &'static str = "store_things";

    async fn run(&self, database: &Database, names: &[String]) -> Result<Vec<i32>, DbError> {
        let mut query = database.query(Self::KIND, Self::OPERATION).await?;
        query.shared_by(names.len());
        let ids: Vec<Uuid> = names.iter().map(|_| Uuid::now_v7()).collect();
        sqlx::query("INSERT INTO things SELECT * FROM unnest($1::uuid[], $2::text[])")
            .bind(ids)
            .bind(names)
            .execute(&mut query)
            .await?;
        let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut query).await?;
        Ok(vec![pid; names.len()])
    }
}

/// A world whose table is locked, so that every writer waits.
async fn busy() -> (World, Group<Store>, PgConnection) {
    let world = World::new(&["--db-acquire-timeout", "5s"]).await;
    let mut holder = PgConnection::connect(&world.url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE things IN EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let group = Group::new(world.database.clone(), Store);
    (world, group, holder)
}

const WAITING: &str = "SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE a.datname = current_database() AND NOT l.granted";

/// Starts one task per name, in this order.
fn start(
    group: &Group<Store>,
    names: impl IntoIterator<Item = String>,
) -> Vec<tokio::task::JoinHandle<Result<i32, DbError>>> {
    let group = Arc::new(group.clone());
    names
        .into_iter()
        .map(|name| {
            let group = Arc::clone(&group);
            tokio::spawn(async move { group.run(name).await })
        })
        .collect()
}

fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("name {n}"))
}

async fn statements(world: &World) -> f64 {
    world.scrape().value("database_query_duration_seconds_count", &[("query_type", "insert")])
}

#[tokio::test]
async fn callers_that_arrive_while_two_statements_run_share_the_next() {
    needs!(Postgres);
    let (mut world, group, mut holder) = busy().await;

    let tasks = start(&group, names(40));
    world.sees(WAITING, 2).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    for done in join_all(tasks).await {
        done.unwrap().unwrap();
    }
    assert_eq!(world.number("SELECT count(*) FROM things").await, 40);
    // Each of the two lanes passes to a group; the second finds no one left.
    assert_eq!(statements(&world).await, 3.0, "40 callers");
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn without_load_each_job_runs_alone() {
    needs!(Postgres);
    let world = World::new(&[]).await;
    let group = Group::new(world.database.clone(), Store);
    for name in names(5) {
        group.run(name).await.unwrap();
    }
    assert_eq!(statements(&world).await, 5.0);
}

#[tokio::test]
async fn an_error_of_one_job_reaches_that_caller_only() {
    needs!(Postgres);
    let (mut world, group, mut holder) = busy().await;

    let tasks = start(&group, names(10).chain(["name 4".to_owned()]));
    world.sees(WAITING, 2).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    let told: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert!(told[..10].iter().all(Result::is_ok), "{told:?}");
    assert!(matches!(&told[10], Err(DbError::Duplicate { .. })), "{told:?}");
    assert_eq!(world.number("SELECT count(*) FROM things").await, 10);
}

#[tokio::test]
async fn an_invalid_value_fails_its_own_job_and_the_others_are_stored() {
    needs!(Postgres);
    let (mut world, group, mut holder) = busy().await;

    let tasks = start(&group, names(10).chain(["a\0b".to_owned()]).chain(["last".to_owned()]));
    world.sees(WAITING, 2).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    let mut told: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let poisoned = told.remove(10);
    assert!(matches!(&poisoned, Err(DbError::Data { sqlstate, .. }) if sqlstate == "22021"), "{poisoned:?}");
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(world.number("SELECT count(*) FROM things").await, 11);
    let labels = [("kind", "data")];
    assert_eq!(world.scrape().value("database_errors_total", &labels), 2.0, "once in the group, once alone");
}

#[tokio::test]
async fn a_caller_that_gives_up_stores_nothing_and_blocks_no_one() {
    needs!(Postgres);
    let (mut world, group, mut holder) = busy().await;

    let tasks = start(&group, names(10));
    world.sees(WAITING, 2).await;
    // The first has a statement in progress, the last waits for a group.
    tasks[0].abort();
    tasks[9].abort();
    // The first statement's connection is busy until the lock is gone; its lane is free at once for the others.
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    let told = join_all(tasks).await;
    assert!(told[1..9].iter().all(|told| matches!(told, Ok(Ok(_)))), "{told:?}");
    assert_eq!(world.number("SELECT count(*) FROM things WHERE name = 'name 9'").await, 0);
    world.nothing_stays_behind().await;
}

#[tokio::test]
async fn an_unavailable_database_fails_all_of_them() {
    needs!(Postgres);
    let (mut world, group, _holder) = busy().await;

    let tasks = start(&group, names(10));
    world.sees(WAITING, 2).await;
    let ended = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'unit' AND datname = current_database()) AS ended";
    // The two that wait, and then the group, whose statement waits for the same lock.
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        world.number(ended).await;
    }

    for told in join_all(tasks).await {
        let told = told.unwrap();
        assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    }
}

#[tokio::test]
async fn all_jobs_hit_by_a_fault_run_alone() {
    needs!(Postgres);
    let (mut world, group, mut holder) = busy().await;
    world.chassis.faults.set("db-latency", "rate=1&delay=1ms&ttl=60s").unwrap();

    let tasks = start(&group, names(20));
    // As many as the pool has connections.
    world.sees(WAITING, 4).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    for done in join_all(tasks).await {
        done.unwrap().unwrap();
    }
    assert_eq!(statements(&world).await, 20.0);
}

#[tokio::test]
async fn a_job_hit_by_a_fault_leaves_its_group_and_the_others_stay() {
    needs!(Postgres);
    let (mut world, group, mut holder) = busy().await;
    world.chassis.faults.set("db-latency", "rate=0.2&seed=7&delay=1ms&ttl=60s").unwrap();

    let tasks = start(&group, names(40));
    // The two lanes and some more: as many as the pool has connections.
    world.sees(WAITING, 4).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    for done in join_all(tasks).await {
        done.unwrap().unwrap();
    }
    assert_eq!(world.number("SELECT count(*) FROM things").await, 40);
    let statements = statements(&world).await;
    assert!((4.0..30.0).contains(&statements), "{statements} statements for 40 callers");
    world.nothing_stays_behind().await;
}
