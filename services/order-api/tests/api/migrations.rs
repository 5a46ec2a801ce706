//! Migrations keep what is there, may run twice, and leave the version before them working: a rollout has both at once.

use sqlx::{Connection as _, PgConnection};
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
