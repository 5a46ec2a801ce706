//! Invariants of the orders and payments once the pipeline has settled, whatever was killed on the way: every
//! accepted order exists and was settled exactly once, the amounts agree, and nothing is waiting to be published.
//!
//! Only reads the databases `orders` and `fulfillment`. While the pipeline is working, a report names what is in
//! progress: repeat the check until it passes or a deadline has passed.

mod report;

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection, PgConnection};

pub use report::Report;

/// The records of callers who sent every order with an `Idempotency-Key`.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// All of their keys begin with this, and no other key does.
    pub prefix: &'a str,
    /// The order id that each key was answered with. Keys without an answer are not included.
    pub answered: &'a BTreeMap<String, String>,
}

/// Reads both databases and checks every invariant. `accepted` are the ids (as text) of the orders whose 202 a
/// caller has seen; more orders may exist, whose response was lost, and must be settled too.
///
/// # Errors
/// When a database cannot be read.
pub async fn check(
    orders_url: &str,
    fulfillment_url: &str,
    accepted: &[String],
) -> Result<Report, sqlx::Error> {
    let mut orders = PgConnection::connect(orders_url).await?;
    let mut fulfillment = PgConnection::connect(fulfillment_url).await?;
    let stored = Table::read(&mut orders, ORDERS).await?;
    let paid = Table::read(&mut fulfillment, PAYMENTS).await?;
    let mut report = compare(&stored, &paid, accepted);
    for (name, connection) in [("orders", &mut orders), ("fulfillment", &mut fulfillment)] {
        let waiting: i64 = sqlx::query_scalar(WAITING).fetch_one(connection).await?;
        if waiting > 0 {
            report.violations.push(format!("{waiting} entries are waiting in the outbox of {name}"));
        }
    }
    Ok(report)
}

/// What holds at any moment, even while the pipeline works: everything of [`check`] but that nothing is in progress. For a
/// copy of both databases as of one moment.
///
/// # Errors
/// When a database cannot be read.
pub async fn check_moment(orders_url: &str, fulfillment_url: &str) -> Result<Report, sqlx::Error> {
    let mut orders = PgConnection::connect(orders_url).await?;
    let mut fulfillment = PgConnection::connect(fulfillment_url).await?;
    let stored = Table::read(&mut orders, ORDERS).await?;
    let paid = Table::read(&mut fulfillment, PAYMENTS).await?;
    Ok(agree(&stored, &paid, &[]))
}

/// Like [`check`], for callers with idempotency keys: each key must also belong to exactly one order, the one that
/// it was answered with.
///
/// # Errors
/// When a database cannot be read.
pub async fn check_keys(
    orders_url: &str,
    fulfillment_url: &str,
    keys: Keys<'_>,
) -> Result<Report, sqlx::Error> {
    let accepted: Vec<String> = keys.answered.values().cloned().collect();
    let mut report = check(orders_url, fulfillment_url, &accepted).await?;
    let mut orders = PgConnection::connect(orders_url).await?;
    let rows: Vec<(String, String)> = sqlx::query_as(KEYS).bind(keys.prefix).fetch_all(&mut orders).await?;
    let mut of_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    rows.iter().for_each(|(key, id)| of_key.entry(key).or_default().push(id));
    let several = of_key.iter().filter(|(_, ids)| ids.len() > 1).map(|(key, _)| *key);
    report.doubled("idempotency keys belong to several orders", several);
    let other = keys
        .answered
        .iter()
        .filter(|(key, id)| of_key.get(key.as_str()).is_some_and(|stored| !stored.contains(&id.as_str())));
    report.doubled(
        "idempotency keys were answered with one order and belong to another",
        other.map(|(key, _)| key.as_str()),
    );
    Ok(report)
}

const ORDERS: &str = "SELECT id::text, status, total_cents FROM orders";
const PAYMENTS: &str = "SELECT order_id::text, status, amount_cents FROM payments";
const WAITING: &str = "SELECT count(*) FROM outbox";
const KEYS: &str = "SELECT idempotency_key, id::text FROM orders WHERE starts_with(idempotency_key, $1)";

struct Row {
    status: String,
    cents: i64,
}

impl Row {
    /// The status that an order with this payment must have.
    fn outcome(&self) -> &str {
        if self.status == "declined" { "rejected" } else { &self.status }
    }
}

/// Rows by the id of their order.
struct Table {
    rows: BTreeMap<String, Row>,
    /// Orders with more than one row. A unique index forbids this, but it is checked anyway.
    repeated: BTreeSet<String>,
}

impl Table {
    async fn read(connection: &mut PgConnection, sql: &'static str) -> Result<Self, sqlx::Error> {
        let found: Vec<(String, String, i64)> = sqlx::query_as(sql).fetch_all(connection).await?;
        let mut table = Self { rows: BTreeMap::new(), repeated: BTreeSet::new() };
        for (id, status, cents) in found {
            if table.rows.insert(id.clone(), Row { status, cents }).is_some() {
                table.repeated.insert(id);
            }
        }
        Ok(table)
    }

    fn ids_where(&self, wrong: impl Fn(&str, &Row) -> bool) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(move |(id, row)| wrong(id, row)).map(|(id, _)| id.as_str())
    }
}

fn compare(stored: &Table, paid: &Table, accepted: &[String]) -> Report {
    let mut report = agree(stored, paid, accepted);
    report.violated("orders are still pending", stored.ids_where(|_, order| !settled(order)));
    report
}

fn settled(order: &Row) -> bool {
    order.status != "pending"
}

/// What holds even while orders are on their way.
fn agree(stored: &Table, paid: &Table, accepted: &[String]) -> Report {
    let mut report = Report::default();
    for row in stored.rows.values() {
        *report.orders.entry(row.status.clone()).or_default() += 1;
        report.completed_cents += if row.status == "completed" { row.cents } else { 0 };
    }
    for row in paid.rows.values() {
        *report.payments.entry(row.status.clone()).or_default() += 1;
    }
    let missing: BTreeSet<&str> =
        accepted.iter().map(String::as_str).filter(|id| !stored.rows.contains_key(*id)).collect();
    report.lost("orders answered with 202 are not in the database", missing.into_iter());
    report.lost(
        "orders are settled without a payment, taken or declined",
        stored.ids_where(|id, order| settled(order) && !paid.rows.contains_key(id)),
    );
    report.violated(
        "orders and their payments disagree on the outcome",
        stored.ids_where(|id, order| {
            settled(order) && paid.rows.get(id).is_some_and(|payment| payment.outcome() != order.status)
        }),
    );
    report.violated(
        "orders and their payments disagree on the amount",
        stored.ids_where(|id, order| paid.rows.get(id).is_some_and(|payment| payment.cents != order.cents)),
    );
    report.doubled("orders are stored more than once", stored.repeated.iter().map(String::as_str));
    report.doubled("orders are paid more than once", paid.repeated.iter().map(String::as_str));
    report.doubled("payments belong to no order", paid.ids_where(|id, _| !stored.rows.contains_key(id)));
    report
}
