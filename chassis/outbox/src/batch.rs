//! The steps of a batch: claim, publish, mark.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chassis_kafka::{OutMessage, Producer};
use chassis_postgres::{Connection, DbError, QueryType};
use futures::{StreamExt as _, stream::FuturesUnordered};
use sqlx::{postgres::types::PgInterval, types::Json};
use uuid::Uuid;

use super::{retirement::Retire, table};

/// Entries of one batch, published at once.
pub(super) const BATCH: usize = 500;
/// Longest pause between two publications of an entry that stays unsettled, as a multiple of the first one. Bounded, so that a
/// broker that lost its log gets even the oldest entry back soon.
const LONGEST_OVERDUE: u8 = 8;

/// An entry that is due.
pub(super) struct Entry {
    id: Uuid,
    topic: String,
    key: String,
    payload: Vec<u8>,
    headers: Json<BTreeMap<String, String>>,
    republished: bool,
}

chassis_postgres::from_row!(Entry { id, topic, key, payload, headers, republished });

/// What became of a batch.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) delivered: Vec<Uuid>,
    pub(super) failed: Vec<Uuid>,
    /// How many of the delivered ones had been published before.
    pub(super) republished: u64,
}

/// Whether an entry is due: what the relay asks at rest.
pub(super) async fn anything_due(conn: &mut Connection) -> Result<bool, DbError> {
    let due = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM outbox WHERE publish_at <= now())")
        .fetch_one(conn)
        .await?;
    Ok(due)
}

/// Locks and reads what is due, except entries whose key has an earlier one that failed and was not published yet.
pub(super) async fn claim(conn: &mut Connection) -> Result<Vec<Entry>, DbError> {
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
    .bind(BATCH as i64)
    .fetch_all(conn)
    .await?;
    Ok(entries)
}

/// Publishes all entries at once, those of one key one after the other.
pub(super) async fn publish(producer: &Producer, entries: Vec<Entry>) -> Outcome {
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
pub(super) async fn mark(
    conn: &mut Connection,
    outcome: &Outcome,
    retire: Retire,
) -> Result<QueryType, DbError> {
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
            table::retire(conn, &outcome.delivered).await?;
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
