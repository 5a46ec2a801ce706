//! One batch of the relay: claim, publish, mark, in one transaction.
//!
//! The claim's row locks keep other relays away. A crash anywhere before the commit leaves the rows unchanged: what was
//! already published is then published again, and nothing is lost.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use sqlx::{postgres::types::PgInterval, types::Json};
use uuid::Uuid;

use super::{Retire, relay::Relay};
use chassis_kafka::{OutMessage, Producer};
use chassis_postgres::{Connection, Database, DbError, QueryType};

/// Entries per batch, published concurrently.
const BATCH: i64 = 500;
/// Longest pause between two publications of an entry that stays unsettled, as a multiple of the first one. Bounded, so that a
/// broker that lost its log gets even the oldest entry back soon.
const LONGEST_OVERDUE: u8 = 8;

#[derive(sqlx::FromRow)]
struct Entry {
    id: Uuid,
    topic: String,
    key: String,
    payload: Vec<u8>,
    headers: Json<BTreeMap<String, String>>,
    republished: bool,
}

/// The result of a batch.
#[derive(Default)]
struct Outcome {
    delivered: Vec<Uuid>,
    failed: Vec<Uuid>,
    /// How many of the delivered ones had been published before.
    republished: u64,
}

/// Whether an entry is due: the query of an idle relay.
pub(super) async fn anything_due(database: &Database) -> Result<bool, DbError> {
    let mut query = database.background_query().await?;
    let due = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM outbox WHERE publish_at <= now())")
        .fetch_one(&mut *query)
        .await?;
    Ok(due)
}

/// Relays a batch; returns whether more may be due.
pub(super) async fn relay(relay: &Relay) -> Result<bool, DbError> {
    let mut tx = relay.database.background_transaction().await?;
    let claiming = Instant::now();
    let entries = claim(&mut tx).await?;
    relay.database.observe(QueryType::Select, claiming);
    if entries.is_empty() {
        return Ok(false);
    }
    let full = entries.len() as i64 == BATCH;

    let outcome = publish(&relay.producer, entries).await;

    let marking = Instant::now();
    let kind = mark(&mut tx, &outcome, relay.retire).await?;
    tx.commit().await?;
    relay.database.observe(kind, marking);
    relay.metrics.delivered.inc_by(outcome.delivered.len() as u64);
    relay.metrics.failed.inc_by(outcome.failed.len() as u64);
    relay.metrics.republished.inc_by(outcome.republished);
    Ok(full && outcome.failed.is_empty())
}

/// Locks and reads what is due, except entries whose key has an earlier one that failed and was not published yet.
async fn claim(conn: &mut Connection) -> Result<Vec<Entry>, DbError> {
    let entries = sqlx::query_as(
        "SELECT id, topic, key, payload, headers, published_at IS NOT NULL AS republished
         FROM outbox AS due
         WHERE publish_at <= now()
           AND NOT EXISTS (
               SELECT 1 FROM outbox AS earlier
               WHERE earlier.published_at IS NULL AND earlier.attempts > 0
                 AND earlier.topic = due.topic AND earlier.key = due.key
                 AND (earlier.created_at, earlier.id) < (due.created_at, due.id)
           )
         ORDER BY publish_at, id
         LIMIT $1
         FOR UPDATE OF due SKIP LOCKED",
    )
    .bind(BATCH)
    .fetch_all(conn)
    .await?;
    Ok(entries)
}

/// Publishes all entries concurrently, those of one key one after the other.
async fn publish(producer: &Producer, entries: Vec<Entry>) -> Outcome {
    let mut by_key: HashMap<(String, String), Vec<Entry>> = HashMap::new();
    for entry in entries {
        by_key.entry((entry.topic.clone(), entry.key.clone())).or_default().push(entry);
    }
    by_key
        .into_values()
        .map(|entries| publish_in_order(producer, entries))
        .collect::<FuturesUnordered<_>>()
        .fold(Outcome::default(), async |mut all, one| {
            all.delivered.extend(one.delivered);
            all.failed.extend(one.failed);
            all.republished += one.republished;
            all
        })
        .await
}

/// Stops at the first failure: the entries after it are unchanged and wait until it is published.
async fn publish_in_order(producer: &Producer, entries: Vec<Entry>) -> Outcome {
    let mut outcome = Outcome::default();
    for Entry { id, topic, key, payload, headers, republished } in entries {
        // The producer counts, logs and traces the failure.
        match producer.publish(OutMessage { topic, key, payload, headers: headers.0 }).await {
            Ok(()) => {
                outcome.delivered.push(id);
                outcome.republished += u64::from(republished);
            }
            Err(_) => {
                outcome.failed.push(id);
                break;
            }
        }
    }
    outcome
}

/// Retires delivered entries or schedules their next publication, and delays failed ones: 200 ms, doubling up to 5 s.
///
/// By the wall clock: `now()` is the start of the transaction, before the publishing.
async fn mark(conn: &mut Connection, outcome: &Outcome, retire: Retire) -> Result<QueryType, DbError> {
    if !outcome.failed.is_empty() {
        sqlx::query(
            "UPDATE outbox SET attempts = attempts + 1,
                 publish_at = clock_timestamp() + least(interval '5 s', interval '200 ms' * 2 ^ least(attempts, 10))
             WHERE id = ANY($1)",
        )
        .bind(&outcome.failed)
        .execute(&mut *conn)
        .await?;
    }
    match retire {
        Retire::OnDelivery => {
            sqlx::query("DELETE FROM outbox WHERE id = ANY($1)")
                .bind(&outcome.delivered)
                .execute(conn)
                .await?;
            Ok(QueryType::Delete)
        }
        Retire::OnSettlement { overdue } => {
            // Twice the pause before this publication: a receiver that lags must not be given the same work again and
            // again, faster than it does the work.
            sqlx::query(
                "UPDATE outbox SET attempts = 0, published_at = clock_timestamp(), publish_at = clock_timestamp()
                     + least(greatest($2, coalesce(2 * (publish_at - published_at), $2)), $3 * $2)
                 WHERE id = ANY($1)",
            )
            .bind(&outcome.delivered)
            .bind(interval(overdue))
            .bind(f64::from(LONGEST_OVERDUE))
            .execute(conn)
            .await?;
            Ok(QueryType::Update)
        }
    }
}

fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX) }
}
