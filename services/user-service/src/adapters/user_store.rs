//! Users in PostgreSQL.

use std::{sync::Arc, time::Duration};

use chassis_faults::FaultPoint;
use chassis_postgres::{Database, DbError, QueryType};
use chrono::{DateTime, Utc};
use contracts::users::{User, UserTier};
use uuid::Uuid;

use crate::domain::{Source, UserChanges, UserError, UserStore, ValidUser};

/// Attempts of a write that loses a conflict, including the first.
const ATTEMPTS: u32 = 3;
/// Pause before the next attempt, times the number of attempts so far.
const PAUSE: Duration = Duration::from_millis(20);

/// [`UserStore`] in PostgreSQL. Cheap to clone.
#[derive(Clone)]
pub struct PgUserStore {
    database: Database,
    lost_update: FaultPoint,
}

impl PgUserStore {
    /// On an open database; `lost_update` makes acknowledged changes disappear.
    #[must_use]
    pub const fn new(database: Database, lost_update: FaultPoint) -> Self {
        Self { database, lost_update }
    }

    async fn try_update(&self, id: Uuid, changes: &UserChanges) -> Result<Option<User>, DbError> {
        let mut tx = self.database.transaction("update_user").await?;
        let row: Option<Row> = sqlx::query_as(
            "UPDATE users SET name = coalesce($2, name), tier = coalesce($3, tier), updated_at = now()
             WHERE id = $1 RETURNING id, name, email, tier, created_at, updated_at",
        )
        .bind(id)
        .bind(changes.name.as_deref())
        .bind(changes.tier.map(UserTier::as_str))
        .fetch_optional(&mut *tx)
        .await?;
        if self.lost_update.strike().is_some() {
            // Dropped without a commit, the transaction rolls back; the caller gets the row as if it were stored.
            drop(tx);
        } else {
            tx.commit().await?;
        }
        row.map(User::try_from).transpose()
    }
}

impl UserStore for PgUserStore {
    async fn find(&self, id: Uuid) -> Result<Option<User>, UserError> {
        let mut query = self.database.query(QueryType::Select, "find_user").await.map_err(error)?;
        let row: Option<Row> =
            sqlx::query_as("SELECT id, name, email, tier, created_at, updated_at FROM users WHERE id = $1")
                .bind(id)
                .fetch_optional(&mut query)
                .await
                .map_err(|cause| error(cause.into()))?;
        row.map(User::try_from).transpose().map_err(error)
    }

    async fn list(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<User>, UserError> {
        let mut query = self.database.query(QueryType::Select, "list_users").await.map_err(error)?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, email, tier, created_at, updated_at FROM users
             WHERE id > coalesce($1, '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&mut query)
        .await
        .map_err(|cause| error(cause.into()))?;
        rows.into_iter().map(|row| User::try_from(row).map_err(error)).collect()
    }

    async fn insert(&self, user: ValidUser) -> Result<User, UserError> {
        let mut query = self.database.query(QueryType::Insert, "create_user").await.map_err(error)?;
        let row: Row = sqlx::query_as(
            "INSERT INTO users (id, name, email, tier) VALUES ($1, $2, $3, $4)
             RETURNING id, name, email, tier, created_at, updated_at",
        )
        .bind(Uuid::now_v7())
        .bind(user.name)
        .bind(user.email)
        .bind(user.tier.as_str())
        .fetch_one(&mut query)
        .await
        .map_err(|cause| error(cause.into()))?;
        User::try_from(row).map_err(error)
    }

    async fn update(&self, id: Uuid, changes: UserChanges) -> Result<User, UserError> {
        let mut attempt = 1;
        loop {
            match self.try_update(id, &changes).await {
                Err(DbError::Conflict(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                outcome => return outcome.map_err(error)?.ok_or(UserError::NotFound),
            }
        }
    }
}

struct Row {
    id: Uuid,
    name: String,
    email: String,
    tier: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

chassis_postgres::from_row!(Row { id, name, email, tier, created_at, updated_at });

impl TryFrom<Row> for User {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let tier = [UserTier::Free, UserTier::Standard, UserTier::Premium];
        let tier = tier.into_iter().find(|tier| tier.as_str() == row.tier);
        let tier = tier.ok_or_else(|| sqlx::Error::Decode(format!("unknown tier {}", row.tier).into()))?;
        let Row { id, name, email, created_at, updated_at, .. } = row;
        Ok(Self { id, name, email, tier, created_at, updated_at })
    }
}

/// The one place where a database error becomes a decision.
#[must_use]
pub fn error(cause: DbError) -> UserError {
    match cause {
        DbError::Duplicate { .. } => UserError::EmailTaken,
        DbError::PoolTimeout | DbError::Unavailable(_) | DbError::Conflict(_) => {
            UserError::Unavailable(Source(Arc::new(cause)))
        }
        DbError::Data { .. } | DbError::Other(_) => UserError::Unexpected(Source(Arc::new(cause))),
    }
}
