//! What must hold in the databases at the end, while the load continues: the invariants of `tools/reconcile`,
//! for the orders of this run. Each is one aggregate by the primary key, because it is asked every second.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use drill::names::Invariant;
use serde_json::{Map, Value};

use super::live::Live;
use crate::{actions::elsewhere, error::Result, room::Room};

/// An order may take this long.
const SETTLES: TimeDelta = TimeDelta::seconds(30);

/// Counts by status. Ids are UUIDv7, so a range of them is a range of time, and a sum of hashes tells whether
/// two databases have the same ones. Texts, because numbers of PostgreSQL may be larger than those of JSON.
const ORDERS: &str = "SELECT status, count(*)::text AS count, coalesce(sum(total_cents), 0)::text AS cents, \
                      coalesce(sum(hashtext(id::text)::bigint), 0)::text AS ids \
                      FROM orders WHERE id >= $1::uuid AND id < $2::uuid GROUP BY status";
const PAYMENTS: &str = "SELECT status, count(*)::text AS count, \
                        coalesce(sum(amount_cents), 0)::text AS cents, \
                        coalesce(sum(hashtext(order_id::text)::bigint), 0)::text AS ids \
                        FROM payments WHERE order_id >= $1::uuid AND order_id < $2::uuid GROUP BY status";
const WAITING: &str = "SELECT count(*)::text AS waiting FROM outbox \
                       WHERE created_at < now() - interval '30 seconds'";

/// Rows of one status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Group {
    count: String,
    cents: String,
    ids: String,
}

/// Whether it holds, and what does not.
///
/// # Errors
/// When a database cannot be asked.
pub(super) async fn holds(room: &Room, live: &Live, invariant: Invariant) -> Result<(bool, String)> {
    let broken = match invariant {
        Invariant::SettledOnce => settled(room, live.run.start().at, Utc::now() - SETTLES).await?,
        Invariant::OutboxesEmpty => waiting(room).await?,
    };
    Ok((broken.is_empty(), broken.join("; ")))
}

async fn settled(room: &Room, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<String>> {
    if until <= from {
        return Ok(Vec::new());
    }
    let range = [first_id(from), first_id(until)];
    let tools = &room.eyes.tools;
    let orders = tools.sql("orders", ORDERS, &range).await.map_err(elsewhere)?;
    // After the orders: a payment that came meanwhile is of an order that was not settled then.
    let payments = tools.sql("fulfillment", PAYMENTS, &range).await.map_err(elsewhere)?;
    Ok(compare(&groups(&orders), &groups(&payments)))
}

async fn waiting(room: &Room) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for database in ["orders", "fulfillment"] {
        let rows = room.eyes.tools.sql(database, WAITING, &[]).await.map_err(elsewhere)?;
        let waiting = rows.first().map(|row| text(row, "waiting")).unwrap_or_default();
        if waiting != "0" {
            broken.push(format!("{waiting} entries wait in the outbox of {database}"));
        }
    }
    Ok(broken)
}

/// The smallest UUIDv7 of a time.
fn first_id(at: DateTime<Utc>) -> String {
    let millis = at.timestamp_millis().max(0).cast_unsigned();
    format!("{:08x}-{:04x}-7000-8000-000000000000", (millis >> 16) & 0xffff_ffff, millis & 0xffff)
}

fn groups(rows: &[Map<String, Value>]) -> BTreeMap<String, Group> {
    let group = |row: &Map<String, Value>| Group {
        count: text(row, "count"),
        cents: text(row, "cents"),
        ids: text(row, "ids"),
    };
    rows.iter().map(|row| (text(row, "status"), group(row))).collect()
}

fn text(row: &Map<String, Value>, column: &str) -> String {
    match row.get(column) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// What does not fit together.
fn compare(orders: &BTreeMap<String, Group>, payments: &BTreeMap<String, Group>) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(pending) = orders.get("pending") {
        broken.push(format!("{} orders are pending for more than 30 s", pending.count));
    }
    let empty = Group::default();
    for (order, payment) in [("completed", "completed"), ("rejected", "declined")] {
        let (of, to) = (orders.get(order).unwrap_or(&empty), payments.get(payment).unwrap_or(&empty));
        if of.ids != to.ids || of.count != to.count {
            broken.push(format!(
                "{} orders are {order} and {} payments are {payment}",
                number(&of.count),
                number(&to.count)
            ));
        } else if of.cents != to.cents {
            let (orders, payments) = (&of.cents, &to.cents);
            broken.push(format!("{order} orders are worth {orders} cents and their payments {payments}"));
        }
    }
    broken
}

fn number(count: &str) -> &str {
    if count.is_empty() { "0" } else { count }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(all: &[(&str, u32, u32, i64)]) -> BTreeMap<String, Group> {
        let row = |(status, count, cents, ids): &(&str, u32, u32, i64)| {
            let [count, cents, ids] = [count.to_string(), cents.to_string(), ids.to_string()];
            let row = json!({ "status": status, "count": count, "cents": cents, "ids": ids });
            row.as_object().cloned().unwrap_or_default()
        };
        groups(&all.iter().map(row).collect::<Vec<_>>())
    }

    #[test]
    fn orders_and_payments_have_to_be_the_same_with_the_same_outcome() {
        let orders = rows(&[("completed", 90, 5000, 77), ("rejected", 2, 100, -5)]);
        let payments =
            |declined: i64, cents: u32| rows(&[("completed", 90, cents, 77), ("declined", 2, 100, declined)]);
        assert!(compare(&orders, &payments(-5, 5000)).is_empty());
        let others = compare(&orders, &payments(-6, 5000));
        assert_eq!(others, ["2 orders are rejected and 2 payments are declined"], "not the same ones");
        let wrong = compare(&orders, &payments(-5, 5100));
        assert_eq!(wrong, ["completed orders are worth 5000 cents and their payments 5100"]);
    }

    #[test]
    fn a_pending_order_and_one_without_a_payment_are_broken() {
        let orders = rows(&[("completed", 3, 30, 9), ("pending", 4, 40, 8)]);
        let broken = compare(&orders, &rows(&[]));
        assert_eq!(
            broken,
            [
                "4 orders are pending for more than 30 s",
                "3 orders are completed and 0 payments are completed"
            ]
        );
        assert!(compare(&rows(&[]), &rows(&[])).is_empty(), "nothing happened");
    }

    #[test]
    fn a_time_is_a_range_of_ids() {
        let at: DateTime<Utc> = "2026-03-02T09:00:00.123Z".parse().unwrap();
        let id = first_id(at);
        let parsed = uuid::Uuid::parse_str(&id).unwrap();
        assert_eq!(parsed.get_version_num(), 7);
        let (seconds, nanos) = parsed.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds as i64, nanos / 1_000_000), (at.timestamp(), 123));
        assert!(first_id(at) < first_id(at + TimeDelta::milliseconds(1)));
    }
}
