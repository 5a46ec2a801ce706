//! The 10,000 users of a new database: always the same ones, so that load and drills know them.

use chrono::{DateTime, Duration, Utc};
use contracts::users::{SEEDED_USERS, seeded_user_id, seeded_user_tier};
use sqlx::PgPool;
use uuid::Uuid;

const FIRST: [&str; 20] = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Margaret",
    "Dennis",
    "Radia",
    "Leslie",
    "Frances",
    "John",
    "Katherine",
    "Tony",
    "Jean",
    "Niklaus",
    "Hedy",
    "Colette",
    "Annie",
    "Ken",
];
const LAST: [&str; 25] = [
    "Lovelace",
    "Hopper",
    "Turing",
    "Dijkstra",
    "Liskov",
    "Knuth",
    "Hamilton",
    "Ritchie",
    "Perlman",
    "Lamport",
    "Allen",
    "Backus",
    "Johnson",
    "Hoare",
    "Bartik",
    "Wirth",
    "Lamarr",
    "Shannon",
    "Easley",
    "Thompson",
    "Goldberg",
    "Kay",
    "Borg",
    "Cerf",
    "Holberton",
];
/// Any number will do, if every replica uses the same: the lock that lets only one of them seed.
const SEED_LOCK: i64 = 0x7573_6572;

/// Adds the seeded users if there are no users; safe if several replicas start at once.
///
/// # Errors
/// When the database fails.
pub async fn seed(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SEED_LOCK).execute(&mut *tx).await?;
    let empty: bool = sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM users)").fetch_one(&mut *tx).await?;
    if !empty {
        return Ok(());
    }
    let (mut ids, mut names, mut emails) = (Vec::<Uuid>::new(), Vec::new(), Vec::new());
    let (mut tiers, mut times) = (Vec::new(), Vec::<DateTime<Utc>>::new());
    for n in 0..SEEDED_USERS {
        let (first, last) = (pick(&FIRST, n), pick(&LAST, n / 20));
        ids.push(seeded_user_id(n));
        names.push(format!("{first} {last}"));
        emails.push(format!("{}.{}.{n}@example.com", first.to_lowercase(), last.to_lowercase()));
        tiers.push(seeded_user_tier(n).as_str());
        times.push(DateTime::UNIX_EPOCH + Duration::days(19_723) + Duration::minutes(i64::from(n)));
    }
    sqlx::query(
        "INSERT INTO users (id, name, email, tier, created_at, updated_at)
         SELECT id, name, email, tier, at, at
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS t (id, name, email, tier, at)",
    )
    .bind(ids)
    .bind(names)
    .bind(emails)
    .bind(tiers)
    .bind(times)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    tracing::info!(users = SEEDED_USERS, "the empty database was seeded");
    Ok(())
}

fn pick(names: &[&'static str], n: u32) -> &'static str {
    names[n as usize % names.len()]
}
