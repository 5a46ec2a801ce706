//! Migrations at start-up.

use std::time::Duration;

use sqlx::migrate::Migrator;
use testkit::{Postgres, needs};
use tokio::{io::copy_bidirectional, net::TcpListener};

use crate::world::process;

async fn migrator() -> Migrator {
    let folder = tempfile::tempdir().unwrap();
    let slow = "CREATE TABLE one (id int); SELECT pg_sleep(0.3);";
    std::fs::write(folder.path().join("0001_one.sql"), slow).unwrap();
    Migrator::new(folder.path()).await.unwrap()
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once() {
    needs!(Postgres);
    let url = Postgres::shared().await.database("migrate").await;
    let migrator = migrator().await;
    // Shorter than the migration and the wait for the other replica's: it must not apply to either.
    let args = ["--db-statement-timeout", "100ms"];
    let (a, b) = tokio::join!(process(&url, &args), process(&url, &args));

    let (first, second) = tokio::join!(a.1.migrate(&migrator), b.1.migrate(&migrator));

    first.unwrap();
    second.unwrap();
    let applied: i64 =
        sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(a.1.pool()).await.unwrap();
    assert_eq!(applied, 1);
}

#[tokio::test]
async fn migrating_waits_for_a_server_that_comes_up_later() {
    needs!(Postgres);
    let server = Postgres::shared().await;
    let direct = server.database("later").await;
    let late = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = direct.replace(&server.addr().to_string(), &late.local_addr().unwrap().to_string());
    let (_chassis, database, _) = process(&url, &[]).await;
    let migrator = migrator().await;
    let migration = tokio::spawn(async move { database.migrate(&migrator).await });
    // Three failed attempts, as while a server starts.
    for _ in 0..3 {
        drop(late.accept().await.unwrap());
    }
    assert!(!migration.is_finished());

    let target = server.addr();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = late.accept().await {
            tokio::spawn(async move {
                let mut upstream = tokio::net::TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut upstream).await;
            });
        }
    });

    migration.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_migration_that_can_never_work_fails_at_once() {
    needs!(Postgres);
    let url = Postgres::shared().await.database("broken").await;
    let (_chassis, database, _) = process(&url, &[]).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("0001_bad.sql"), "CREATE TABEL one (id int)").unwrap();
    let migrator = Migrator::new(folder.path()).await.unwrap();

    let error = tokio::time::timeout(Duration::from_secs(5), database.migrate(&migrator)).await.unwrap();

    assert!(format!("{:#}", error.unwrap_err()).contains("TABEL"));
}

#[tokio::test]
async fn a_program_starts_on_a_schema_that_a_newer_version_has_migrated() {
    needs!(Postgres);
    let url = Postgres::shared().await.database("newer").await;
    let (first, second) =
        (("0001_one", "CREATE TABLE one (id int);"), ("0002_two", "CREATE TABLE two (id int);"));
    let (newer, older) = (process(&url, &[]).await, process(&url, &[]).await);
    newer.1.migrate(&chassis_postgres::migrator(&[first, second])).await.unwrap();
    older.1.migrate(&chassis_postgres::migrator(&[first])).await.expect("a rollback");
    let changed = ("0001_one", "CREATE TABLE one (id bigint);");
    let error = older.1.migrate(&chassis_postgres::migrator(&[changed])).await.expect_err("another history");
    assert!(format!("{error:#}").contains("was previously applied but has been modified"), "{error:#}");
}
