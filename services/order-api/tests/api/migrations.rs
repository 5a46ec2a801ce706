//! Migrations keep what is there, may run twice, and leave the version before them working: a rollout has both at once.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::Postgres;
use uuid::Uuid;

use crate::lab::run;

/// What the version before `0003` writes when it accepts, judges and settles an order.
const BEFORE: [&str; 3] = [
    "WITH placed AS (
         INSERT INTO orders (id, user_id, items, total_cents, idempotency_key, created_at)
         VALUES ($1, gen_random_uuid(), '[]', 1, NULL, now() - interval '1 minute') RETURNING id
     )
     INSERT INTO outbox (id, topic, key, payload) SELECT id, 'orders', id::text, '' FROM placed",
    "UPDATE outbox SET late = true WHERE id = $1 AND NOT late",
    "WITH settled AS (
         UPDATE orders SET status = 'completed', settled_at = now() WHERE id = $1 AND status = 'pending' RETURNING id
     )
     DELETE FROM outbox WHERE id IN (SELECT id FROM settled) AND late",
];

/// A database with the schema up to this migration.
async fn schema_up_to(version: i64) -> PgConnection {
    let url = Postgres::shared().await.database("migrations").await;
    let mut conn = PgConnection::connect(&url).await.unwrap();
    for migration in order_api::MIGRATIONS.iter().filter(|migration| migration.version <= version) {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut conn).await.unwrap();
    }
    conn
}

async fn apply(conn: &mut PgConnection, version: i64) {
    let migration = order_api::MIGRATIONS.iter().find(|migration| migration.version == version).unwrap();
    sqlx::raw_sql(migration.sql.clone()).execute(conn).await.unwrap();
}

/// The migration that a version to practise on brings, from its patch.
fn shipped(patch: &str) -> String {
    let path = format!("{}/../../deploy/releases/{patch}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (_, file) = text.split_once("+++ b/services/order-api/migrations/").expect("a migration");
    let lines = file.lines().skip(2).take_while(|line| line.starts_with('+'));
    lines.map(|line| format!("{}\n", &line[1..])).collect()
}

/// How many orders have no currency.
async fn without_currency(conn: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM orders WHERE currency IS NULL";
    sqlx::query_scalar(count).fetch_one(conn).await.unwrap()
}

/// Runs a statement of the version before for this order; the rows that it changed.
async fn before(conn: &mut PgConnection, statement: &'static str, order: Uuid) -> u64 {
    sqlx::query(statement).bind(order).execute(conn).await.unwrap().rows_affected()
}

async fn late(conn: &mut PgConnection) -> Vec<(Uuid, bool)> {
    sqlx::query_as("SELECT id, late FROM orders ORDER BY id").fetch_all(conn).await.unwrap()
}

#[test]
fn orders_that_were_judged_late_stay_judged_however_often_the_migration_runs() {
    testkit::needs!(Postgres);
    run(async {
        let mut conn = schema_up_to(2).await;
        let (judged, other) = (Uuid::now_v7(), Uuid::now_v7());
        for order in [judged, other] {
            assert_eq!(before(&mut conn, BEFORE[0], order).await, 1);
        }
        assert_eq!(before(&mut conn, BEFORE[1], judged).await, 1);
        for _ in 0..2 {
            apply(&mut conn, 3).await;
            assert_eq!(late(&mut conn).await, [(judged, true), (other, false)]);
        }
    });
}

#[test]
fn the_version_before_goes_on_working_on_the_new_schema() {
    testkit::needs!(Postgres);
    run(async {
        let mut conn = schema_up_to(3).await;
        let order = Uuid::now_v7();
        for statement in BEFORE {
            assert_eq!(before(&mut conn, statement, order).await, 1, "{statement}");
        }
        assert_eq!(late(&mut conn).await, [(order, false)]);
    });
}

#[test]
fn the_good_version_to_practise_on_fills_in_a_column_without_writing_a_row() {
    testkit::needs!(Postgres);
    run(async {
        let mut conn = schema_up_to(3).await;
        assert_eq!(before(&mut conn, BEFORE[0], Uuid::now_v7()).await, 1);
        let row = "SELECT xmin::text FROM orders";
        let written: String = sqlx::query_scalar(row).fetch_one(&mut conn).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(shipped("good-migration.patch"))).execute(&mut conn).await.unwrap();
        assert_eq!(without_currency(&mut conn).await, 0);
        let now: String = sqlx::query_scalar(row).fetch_one(&mut conn).await.unwrap();
        assert_eq!(now, written);
    });
}

#[test]
fn of_the_versions_to_practise_on_one_leaves_orders_that_it_cannot_read_and_one_repairs_them() {
    testkit::needs!(Postgres);
    run(async {
        let mut conn = schema_up_to(3).await;
        let ids = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
        assert_eq!(before(&mut conn, BEFORE[0], ids[0]).await, 1);
        for (patch, order, without) in
            [("bad-migration.patch", ids[1], 2), ("good-migration.patch", ids[2], 0)]
        {
            sqlx::raw_sql(AssertSqlSafe(shipped(patch))).execute(&mut conn).await.unwrap();
            // The old version runs beside the canary, and is all that is left after a rollback.
            assert_eq!(before(&mut conn, BEFORE[0], order).await, 1, "{patch}");
            assert_eq!(without_currency(&mut conn).await, without, "{patch}");
        }
        for statement in BEFORE.into_iter().skip(1) {
            assert_eq!(before(&mut conn, statement, ids[2]).await, 1, "{statement}");
        }
    });
}
