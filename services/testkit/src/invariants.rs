//! What must hold of the orders and the payments once the pipeline has come to rest, whatever was killed on the way:
//! every accepted order exists and was settled exactly once, the money agrees, and nothing is waiting to be published.
//!
//! Reads the databases `orders` and `fulfillment` only; start from [`check`] and wait with [`eventually`](fn@crate::eventually).

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use sqlx::{Connection, PgConnection};

/// Violations of one kind that are listed by id; the rest is only counted.
const LISTED: usize = 5;

/// What the databases say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Orders by status.
    pub orders: BTreeMap<String, u64>,
    /// Payments by status.
    pub payments: BTreeMap<String, u64>,
    /// Sum of the completed orders, in cents.
    pub completed_cents: i64,
    /// What does not hold, one sentence each; empty when all is well.
    pub violations: Vec<String>,
}

impl Report {
    /// Whether every invariant holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "orders {:?}, payments {:?}, {} cents completed",
            self.orders, self.payments, self.completed_cents
        )?;
        self.violations.iter().try_for_each(|violation| writeln!(f, "violated: {violation}"))
    }
}

/// Reads both databases and checks every invariant. `accepted` are the ids (as text) of the orders that a caller saw
/// answered with 202; orders beyond them may exist (the answer was lost) and must be settled too.
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
    let stored: BTreeMap<String, Row> = rows(&mut orders, ORDERS).await?;
    let paid: BTreeMap<String, Row> = rows(&mut fulfillment, PAYMENTS).await?;

    let mut report = Report::default();
    for row in stored.values() {
        *report.orders.entry(row.status.clone()).or_default() += 1;
        report.completed_cents += if row.status == "completed" { row.cents } else { 0 };
    }
    for row in paid.values() {
        *report.payments.entry(row.status.clone()).or_default() += 1;
    }

    let lost: HashSet<&String> = accepted.iter().filter(|id| !stored.contains_key(*id)).collect();
    report.violated("orders answered with 202 are not in the database", lost.into_iter());
    report.violated("orders are still pending", keys(&stored, |_, order| order.status == "pending"));
    report.violated(
        "orders and their payments disagree on the outcome",
        keys(&stored, |id, order| {
            order.status != "pending" && paid.get(id).map(Row::outcome) != Some(&*order.status)
        }),
    );
    report.violated(
        "orders and their payments disagree on the amount",
        keys(&stored, |id, order| paid.get(id).is_some_and(|payment| payment.cents != order.cents)),
    );
    report.violated("payments belong to no order", keys(&paid, |id, _| !stored.contains_key(id)));
    for (name, connection) in [("orders", &mut orders), ("fulfillment", &mut fulfillment)] {
        let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(connection).await?;
        if waiting > 0 {
            report.violations.push(format!("{waiting} entries wait in the outbox of {name}"));
        }
    }
    Ok(report)
}

const ORDERS: &str = "SELECT id::text, status, total_cents FROM orders";
const PAYMENTS: &str = "SELECT order_id::text, status, amount_cents FROM payments";

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

async fn rows(
    connection: &mut PgConnection,
    sql: &'static str,
) -> Result<BTreeMap<String, Row>, sqlx::Error> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(sql).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, status, cents)| (id, Row { status, cents })).collect())
}

fn keys<'a>(
    rows: &'a BTreeMap<String, Row>,
    wrong: impl Fn(&'a String, &'a Row) -> bool + 'a,
) -> impl Iterator<Item = &'a String> {
    rows.iter().filter(move |(id, row)| wrong(id, row)).map(|(id, _)| id)
}

impl Report {
    fn violated<'a>(&mut self, what: &str, ids: impl Iterator<Item = &'a String>) {
        let ids: Vec<&String> = ids.collect();
        if !ids.is_empty() {
            let shown: Vec<&str> = ids.iter().take(LISTED).map(|id| id.as_str()).collect();
            self.violations.push(format!("{} {what}: {}", ids.len(), shown.join(", ")));
        }
    }
}
