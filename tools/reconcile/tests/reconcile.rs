//! A check that finds nothing proves nothing: each kind of damage is done to real databases and must be reported.

use std::collections::BTreeMap;

use reconcile::{Keys, Report, check, check_keys, check_moment};
use sqlx::{Connection, PgConnection};
use testkit::Postgres;

/// Only the columns that are read, without constraints, so that a test can do damage.
const ORDERS: &str = "CREATE TABLE orders (id uuid, status text, total_cents bigint, idempotency_key text);
    CREATE TABLE outbox (id uuid);";
const FULFILLMENT: &str = "CREATE TABLE payments (order_id uuid, status text, amount_cents bigint);
    CREATE TABLE outbox (id uuid);";

struct Books {
    orders: String,
    fulfillment: String,
}

impl Books {
    /// Three settled orders: two paid, one declined.
    async fn at_rest() -> Self {
        let postgres = Postgres::shared().await;
        let books = Self {
            orders: postgres.database("orders").await,
            fulfillment: postgres.database("fulfillment").await,
        };
        run(&books.orders, ORDERS).await;
        run(&books.fulfillment, FULFILLMENT).await;
        for (n, status, payment) in
            [(1, "completed", "completed"), (2, "completed", "completed"), (3, "rejected", "declined")]
        {
            books
                .orders(&format!("INSERT INTO orders VALUES ('{}', '{status}', 100, 'run-{n}')", id(n)))
                .await;
            books.fulfillment(&format!("INSERT INTO payments VALUES ('{}', '{payment}', 100)", id(n))).await;
        }
        books
    }

    async fn orders(&self, sql: &str) {
        run(&self.orders, sql).await;
    }

    async fn fulfillment(&self, sql: &str) {
        run(&self.fulfillment, sql).await;
    }

    async fn report(&self) -> Report {
        let answered: BTreeMap<_, _> = (1..=3).map(|n| (format!("run-{n}"), id(n))).collect();
        let keys = Keys { prefix: "run-", answered: &answered };
        check_keys(&self.orders, &self.fulfillment, keys).await.expect("both databases can be read")
    }
}

fn id(n: u32) -> String {
    format!("00000000-0000-7000-8000-{n:012}")
}

async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .expect("a statement that works");
}

#[tokio::test]
async fn settled_books_pass() {
    testkit::needs!(Postgres);
    let books = Books::at_rest().await;
    let report = books.report().await;
    assert!(report.holds(), "{report}");
    assert_eq!((report.lost, report.doubled, report.completed_cents), (0, 0, 200));
    assert_eq!(report.orders, BTreeMap::from([("completed".to_owned(), 2), ("rejected".to_owned(), 1)]));
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_fine_once_it_is_settled() {
    testkit::needs!(Postgres);
    let books = Books::at_rest().await;
    let few = check(&books.orders, &books.fulfillment, &[id(1)]).await.unwrap();
    assert!(few.holds(), "{few}");
}

#[tokio::test]
async fn work_in_progress_is_fine_at_any_moment_and_damage_is_not() {
    testkit::needs!(Postgres);
    let books = Books::at_rest().await;
    books.orders(&format!("INSERT INTO orders VALUES ('{}', 'pending', 1, 'run-4')", id(4))).await;
    books.orders(&format!("INSERT INTO outbox VALUES ('{}')", id(4))).await;
    let report = check_moment(&books.orders, &books.fulfillment).await.unwrap();
    assert!(report.holds(), "{report}");
    books.fulfillment(&format!("DELETE FROM payments WHERE order_id = '{}'", id(1))).await;
    let report = check_moment(&books.orders, &books.fulfillment).await.unwrap();
    assert_eq!((report.lost, report.violations.len()), (1, 1), "{report}");
}

#[tokio::test]
async fn every_kind_of_damage_is_named() {
    testkit::needs!(Postgres);
    let one = id(1);
    let [pay_again, foreign, changed] = [
        format!("INSERT INTO payments VALUES ('{one}', 'completed', 100)"),
        format!("INSERT INTO payments VALUES ('{}', 'completed', 100)", id(9)),
        format!("UPDATE payments SET amount_cents = 99 WHERE order_id = '{one}'"),
    ];
    let unpaid = format!("DELETE FROM payments WHERE order_id = '{one}'");
    let declined = format!("UPDATE payments SET status = 'declined' WHERE order_id = '{one}'");
    let gone = format!("DELETE FROM orders WHERE id = '{one}'");
    let again = format!("INSERT INTO orders VALUES ('{}', 'rejected', 1, 'run-1')", id(4));
    let settled = format!("INSERT INTO payments VALUES ('{}', 'declined', 1)", id(4));
    let renamed = format!("UPDATE orders SET id = '{}' WHERE id = '{one}'", id(5));
    let pending = format!("UPDATE orders SET status = 'pending' WHERE id = '{one}'");
    let outbox = format!("INSERT INTO outbox VALUES ('{one}')");
    // Statements for orders, for fulfillment, lost, doubled, and a part of each sentence.
    let damages: [(&str, &str, usize, usize, &[&str]); 9] = [
        (&gone, "", 1, 1, &["are not in the database", "belong to no order"]),
        ("", &unpaid, 1, 0, &["without a payment"]),
        ("", &pay_again, 0, 1, &["paid more than once"]),
        ("", &foreign, 0, 1, &["belong to no order"]),
        ("", &changed, 0, 0, &["disagree on the amount"]),
        ("", &declined, 0, 0, &["disagree on the outcome"]),
        (&again, &settled, 0, 1, &["belong to several orders"]),
        (&renamed, "", 2, 2, &["belong to another"]),
        (
            &format!("{pending}; {outbox}"),
            &outbox,
            0,
            0,
            &["still pending", "outbox of orders", "outbox of fulfillment"],
        ),
    ];
    for (orders, fulfillment, lost, doubled, words) in damages {
        let books = Books::at_rest().await;
        books.orders(orders).await;
        books.fulfillment(fulfillment).await;
        let report = books.report().await;
        assert_eq!((report.lost, report.doubled), (lost, doubled), "{orders}{fulfillment}: {report}");
        for word in words {
            assert!(report.violations.iter().any(|violation| violation.contains(word)), "{word}: {report}");
        }
    }
}
